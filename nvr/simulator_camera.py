"""One simulated camera: its live timeline, its faults, and the packets it hands to those who play it.

Runs on the event loop, driven by `Simulator`'s one timer. All receivers of a camera get the same RTP stream (same SSRC,
sequence and time stamps), made and stamped once for each picture.
"""

from __future__ import annotations

import random
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from config.errors import Invalid
from nvr.simulator_audio import CodedSound
from nvr.simulator_clock import VIDEO_HZ, CameraClock
from nvr.simulator_media import CodedLoop
from nvr.simulator_messages import VIDEO_TYPE, audio_type
from nvr.simulator_model import CameraOptions, Faults, SentFrame
from nvr.simulator_rtp import PacketTrain, aac_payload, h264_payloads, h265_payloads, packet_train, sender_report

VIDEO, AUDIO = 0, 1
CHANNELS = (0, 2)  # interleaved channels that packet trains are made for; a receiver may have asked for others
_REMEMBERED_FRAMES = 8192  # for how many frames the send times are kept


@dataclass(frozen=True, slots=True)
class Parcel:
    """Stamped packets of one access unit of a track."""

    track: int
    train: PacketTrain
    block: bytearray


class Receiver(Protocol):
    """A client that plays the camera."""

    report_due_s: float
    played_s: float

    def deliver(self, parcels: Sequence[Parcel], drop: Callable[[], bool] | None) -> None:
        """Sends at once; `drop` says for each packet whether the network loses it."""

    def report(self, track: int, packet: bytes) -> None:
        """Sends an RTCP packet of a track."""

    def reset(self) -> None:
        """Ends the connection with a TCP reset."""


@dataclass
class _Track:
    """RTP state of a track."""

    ssrc: int
    sequence: int
    base: int
    packets: int = 0
    payload_bytes: int = 0

    @classmethod
    def seeded(cls, seed: random.Random) -> _Track:
        return cls(seed.getrandbits(32), seed.getrandbits(16), seed.getrandbits(32))

    def parcel(self, track: int, train: PacketTrain, ticks: int) -> Parcel:
        block = train.stamped(self.sequence, self.base + ticks, self.ssrc)
        self.sequence += len(train.starts)
        self.packets += len(train.starts)
        self.payload_bytes += train.payload_bytes
        return Parcel(track, train, block)


def video_trains(loop: CodedLoop, packet_bytes: int) -> tuple[PacketTrain, ...]:
    """The packets of each access unit of a loop, in coding order."""
    payloads = h265_payloads if loop.options.codec == "h265" else h264_payloads
    return tuple(packet_train(payloads(unit.nals, packet_bytes), VIDEO_TYPE, CHANNELS[VIDEO]) for unit in loop.units)


def audio_trains(sound: CodedSound) -> tuple[PacketTrain, ...]:
    """One packet for each frame of sound."""
    payloads = [aac_payload(frame) if sound.codec == "aac" else frame for frame in sound.frames]
    return tuple(packet_train([payload], audio_type(sound), CHANNELS[AUDIO]) for payload in payloads)


@dataclass(frozen=True, slots=True)
class Video:
    """A loop with its packets: shared by all cameras that play it."""

    loop: CodedLoop
    trains: tuple[PacketTrain, ...]


class SimulatedCamera:
    """Made by `Simulator`; a test uses `fault`, `clear`, the one-time faults and the questions about frames."""

    def __init__(
        self,
        number: int,
        options: CameraOptions,
        video: Video,
        sound: CodedSound | None,
        clock: CameraClock,
        wake: Callable[[SimulatedCamera], None],
    ) -> None:
        self.number = number
        self.options = options
        self.faults = Faults()
        self.video = video
        self.sound = sound
        self.clock = clock
        self.frames_sent = 0
        self.receivers: list[Receiver] = []
        self._next_video: Video | None = None
        self._wake = wake
        self._random = random.Random(number)
        self._tracks = (_Track.seeded(self._random), _Track.seeded(self._random))
        self._audio_trains = () if sound is None else audio_trains(sound)
        self._next_sound = 0
        self._place = 0
        self._due_s = 0.0
        self._slow_from: tuple[float, int] | None = None
        self._stepped_us = 0
        self._jumped_s = 0.0
        self._sent_us = array("q", [0]) * _REMEMBERED_FRAMES

    # -- questions -------------------------------------------------------------------------------------------------

    @property
    def frames(self) -> int:
        """Pictures in the loop: numbers in pictures run from 0 to this less one."""
        return self.video.loop.options.frames

    def sent_frame(self, index: int) -> SentFrame:
        """The picture `index`, counted from the camera's epoch."""
        captured_us = self.clock.captured_us(index)
        sent_us: int | None = self._sent_us[index % _REMEMBERED_FRAMES]
        span_us = _REMEMBERED_FRAMES * self.clock.frame_s * 1e6
        if sent_us is None or not captured_us - 1_000_000 <= sent_us < captured_us - 1_000_000 + span_us:
            sent_us = None
        return SentFrame(index, index // self.frames, index % self.frames, captured_us, sent_us)

    def frame_at(self, wall_us: int) -> SentFrame:
        """The newest picture captured at or before a wall time."""
        return self.sent_frame(self.clock.index_at(wall_us))

    def frame_time_us(self, number: int, near_us: int) -> int:
        """When the picture that shows `number` was captured, of all its repetitions the one nearest to `near_us`."""
        around = self.clock.index_at(near_us)
        index = around - (around - number) % self.frames
        candidates = (self.clock.captured_us(index + self.frames * turn) for turn in (0, 1))
        return min(candidates, key=lambda captured_us: abs(captured_us - near_us))

    # -- faults ----------------------------------------------------------------------------------------------------

    def fault(self, faults: Faults) -> None:
        """From now on the camera has these faults and no others."""
        now = time.monotonic()
        self.faults = faults
        if faults.rate < 1:
            self._slow_from = (now, self._place)
        elif self._slow_from is not None:
            self._slow_from = None
            self._place = max(self._place, self.clock.next_place(now))
        self._due_s = self._sending_s(self._place)
        if self.receivers:
            self._wake(self)

    def clear(self) -> None:
        """Ends every lasting fault; clock steps, jumps and a changed picture stay."""
        self.fault(Faults())

    def reset(self) -> None:
        """Resets the TCP connections of all who play the camera now."""
        for receiver in tuple(self.receivers):
            receiver.reset()

    def jump_rtp(self, seconds: float) -> None:
        """From now on all RTP time stamps are this much further; sender reports follow them."""
        self._jumped_s += seconds

    def step_clock(self, seconds: float) -> None:
        """The wall clock in the sender reports steps, as when a camera hears from NTP; RTP time runs on."""
        self._stepped_us += round(seconds * 1e6)

    def change_video(self, video: Video) -> None:
        """At the next keyframe the camera goes over to other pictures. `Simulator.change_video` makes them."""
        old, new = self.video.loop.options, video.loop.options
        if (old.codec, old.fps, old.frames, old.gop_frames) != (new.codec, new.fps, new.frames, new.gop_frames):
            raise Invalid("a running camera can change its size, scene and bit rate only", field="loop")
        if video.loop.delay_frames != self.video.loop.delay_frames:
            raise Invalid("a running camera cannot change its B-frames", field="bframes")
        self._next_video = video

    # -- playing ---------------------------------------------------------------------------------------------------

    @property
    def described(self) -> Video:
        """What a client that asks now will get."""
        return self._next_video or self.video

    def rtp_state(self, track: int) -> tuple[int, int]:
        """(sequence number, time stamp) of the first packet of a track that a new receiver gets, for RTP-Info."""
        state = self._tracks[track]
        if track == AUDIO:
            return state.sequence & 0xFFFF, (state.base + self._sound_ticks(self._next_sound)) & 0xFFFFFFFF
        places = self._burst_places()
        sequence = state.sequence - self._packets_of(places)
        return sequence & 0xFFFF, (state.base + self._video_ticks(places.start)) & 0xFFFFFFFF

    def settle(self) -> None:
        """Brings a camera that nobody plays to the present."""
        if self.receivers:
            return
        now = time.monotonic()
        self._slow_from = (now, self.clock.next_place(now)) if self.faults.rate < 1 else None
        self._place = self.clock.next_place(now)
        self._next_sound = self._sounds_until(now)
        self._due_s = self._sending_s(self._place)

    def attach(self, receiver: Receiver) -> None:
        """The receiver gets all that follows; call `settle` before reading `rtp_state`, then this."""
        now = time.monotonic()
        receiver.played_s = now
        receiver.report_due_s = now + self.options.first_report_s
        self._burst(receiver)
        self.receivers.append(receiver)
        self._wake(self)

    def detach(self, receiver: Receiver) -> None:
        if receiver in self.receivers:
            self.receivers.remove(receiver)

    def step(self, now: float) -> float | None:
        """Sends what is due; gives the time of the next picture, None when nobody plays."""
        while self.receivers and self._due_s <= now:
            self._turn(now)
            self._place += 1
            due_s = self._sending_s(self._place) + self._random.random() * self.faults.jitter_s
            self._due_s = max(self._due_s, due_s)
        return self._due_s if self.receivers else None

    def _turn(self, now: float) -> None:
        """One picture, the sound that is due with it, and reports."""
        if self._next_video is not None and self._place % self.video.loop.options.gop_frames == 0:
            self.video, self._next_video = self._next_video, None
        sound = self._due_sound(now)
        if self.faults.stall:
            return
        parcels = [] if self.faults.no_video else [self._picture(self._place)]
        lossy = (lambda: self._random.random() < self.faults.loss) if self.faults.loss else None
        for receiver in tuple(self.receivers):
            heard = self.options.audio_start_s <= now - receiver.played_s < self.options.audio_stop_s
            if parcels or (sound and heard):
                receiver.deliver(parcels + sound if heard else parcels, lossy)
            if receiver.report_due_s <= now:
                receiver.report_due_s = now + self.options.report_interval_s
                self._report(receiver, now)

    def _picture(self, place: int) -> Parcel:
        index = self._index(place)
        self._sent_us[index % _REMEMBERED_FRAMES] = time.time_ns() // 1000
        self.frames_sent += 1
        return self._tracks[VIDEO].parcel(VIDEO, self.video.trains[place % self.frames], self._video_ticks(place))

    def _due_sound(self, now: float) -> list[Parcel]:
        """Every sound frame whose last sample lies before now."""
        until = self._sounds_until(now)
        numbers = range(self._next_sound, until)
        self._next_sound = until
        if self.faults.silent or self.faults.stall:
            return []
        trains = self._audio_trains
        return [self._tracks[AUDIO].parcel(AUDIO, trains[n % len(trains)], self._sound_ticks(n)) for n in numbers]

    def _sounds_until(self, now: float) -> int:
        if self.sound is None:
            return 0
        return int(self.clock.elapsed_s(now) * self.sound.rate) // self.sound.frame_samples

    def _report(self, receiver: Receiver, now: float) -> None:
        ntp_us = self.clock.camera_us(now) + self._stepped_us
        seconds = self.clock.elapsed_s(now) + self._jumped_s
        for track, rate in ((VIDEO, VIDEO_HZ), (AUDIO, self.sound.rate if self.sound else 0)):
            state = self._tracks[track]
            if rate and (track == VIDEO or self.options.audio_start_s <= now - receiver.played_s):
                timestamp = state.base + round(seconds * rate)
                packet = sender_report(state.ssrc, ntp_us, timestamp, state.packets, state.payload_bytes)
                receiver.report(track, packet)

    def _burst(self, receiver: Receiver) -> None:
        """The current GOP so far, numbered so that the live pictures follow on."""
        places = self._burst_places()
        state = self._tracks[VIDEO]
        sequence = state.sequence - self._packets_of(places)
        parcels = []
        for place in places:
            train = self.video.trains[place % self.frames]
            block = train.stamped(sequence, state.base + self._video_ticks(place), state.ssrc)
            parcels.append(Parcel(VIDEO, train, block))
            sequence += len(train.starts)
        receiver.deliver(parcels, None)

    def _burst_places(self) -> range:
        """What a new receiver gets at once; empty, at the next picture, for a camera without bursts."""
        wanted = self.options.burst and not (self.faults.stall or self.faults.no_video)
        behind = self._place % self.video.loop.options.gop_frames if wanted else 0
        return range(self._place - behind, self._place)

    def _packets_of(self, places: range) -> int:
        return sum(len(self.video.trains[place % self.frames].starts) for place in places)

    def _index(self, place: int) -> int:
        return place - place % self.frames + self.video.loop.units[place % self.frames].shown

    def _video_ticks(self, place: int) -> int:
        return self.clock.video_ticks(self._index(place)) + round(self._jumped_s * VIDEO_HZ)

    def _sound_ticks(self, number: int) -> int:
        if self.sound is None:
            return 0
        return number * self.sound.frame_samples + round(self._jumped_s * self.sound.rate)

    def _sending_s(self, place: int) -> float:
        """When a picture leaves, jitter aside."""
        if self._slow_from is None:
            return self.clock.sent_mono_s(place)
        since_s, first = self._slow_from
        return since_s + (place - first) * self.clock.frame_s / self.faults.rate
