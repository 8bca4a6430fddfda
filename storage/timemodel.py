"""From media time to wall time, for one run. Pure: samples in, dates out.

A sample says: at server time `wall_us` the file had reached media time `media_us`. Delay (network, ffmpeg) only ever adds,
so of several samples the smallest `wall - media` is the best. ffmpeg itself hands a frame on one to two frames late: `lag_us`,
measured by the self-test, is taken off.

Where media time itself cannot be true, frames are counted instead (storage.lengths): no footage ends later than its file was
written, none begins before its recorder was started.

Segments of a run neither overlap nor leave gaps: a start is fixed by what came before, and `dur_us` leans towards the
sample by at most 500 ppm, which follows a camera clock that drifts without ever making a jump.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from storage.lengths import Length, Lengths, start_us
from storage.model import MAX_SEGMENT_US, SegmentFlag

MAX_CORRECTION_PPM = 500
RECENT_SEGMENTS = 5  # never the whole run: a camera 200 ppm slow would be 690 ms off after an hour
LAG_ERROR_US = 20_000  # of the self-test's measurement
SOUND_ERROR_US = {"off": 0, "copy": 64_000, "aac": 128_000}  # a frame of AAC at 16 kHz; of what we code, at 8 kHz
LATE_END_US = 30_000_000  # a frozen camera's last file ends up to three times the 10 s time-out late
MAX_DRIFT_US = 2_000_000  # beyond it the run is ended
ENOUGH_SAMPLES = 5
ONE_SAMPLE_ERROR_US = 300_000  # a single sample does not tell how much delay it had
MIN_DUR_US = 1_000  # names carry milliseconds: no two starts of a run are the same
BURST_US = 1_000_000  # beside the longest fragment: servers send the GOP that is under way to a new client


@dataclass(frozen=True, slots=True)
class Stream:
    """What the delay between capture and file depends on. `audio`: copy | aac (coded anew, which holds the video back) |
    off."""

    frame_us: int
    reorder_us: int = 0  # the camera's own, to code B-frames
    audio: str = "off"

    @property
    def lag_error_us(self) -> int:
        """How far the lag may be off. With sound the muxer waits for the sound frame of the same time, which may be the same
        share of a frame each time, so that the spread of the samples does not tell it."""
        return LAG_ERROR_US + SOUND_ERROR_US[self.audio]


LagOf = Callable[[Stream], int]
"""How late ffmpeg hands a frame on, in microseconds."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A file of the run, as read from disk. Media times in microseconds; `end_wall_us` is its mtime. `last_of_run`: it was
    not closed by a keyframe of the next one, or is not closed yet."""

    n: int
    media_start_us: int
    lengths: Lengths  # of its fragments
    end_wall_us: int
    lag_us: int
    last_of_run: bool
    lag_error_us: int = LAG_ERROR_US

    @property
    def media_dur_us(self) -> int:
        return self.lengths.media.us

    @property
    def media_end_us(self) -> int:
        return self.media_start_us + self.media_dur_us

    @property
    def fragments(self) -> int:
        return len(self.lengths.media_us)

    @property
    def burst_us(self) -> int:
        return BURST_US + max(self.lengths.counted_us or self.lengths.media_us, default=0)


@dataclass(frozen=True, slots=True)
class Dated:
    """`drift_us`: what remains between the model and the sample; beyond MAX_DRIFT_US end the run. `counted`: each fragment
    is as long as its frames counted, not as its media time says."""

    start_us: int
    dur_us: int
    err_us: int
    flags: SegmentFlag
    drift_us: int
    counted: bool = False


@dataclass(frozen=True, slots=True)
class _End:
    """The end of the newest dated segment on both clocks."""

    n: int
    wall_us: int
    media_us: int
    mtime_us: int


def delay_error_us(samples: list[int]) -> int:
    """How late the best sample may still be (99 of 100), if delays are spread evenly. 0 without samples."""
    count = len(samples)
    if count < 2:
        return ONE_SAMPLE_ERROR_US * count
    spread_us = (max(samples) - min(samples)) * (count + 1) / (count - 1)
    return int(spread_us * (1 - 0.01 ** (1 / count)))


@dataclass(slots=True)
class RunClock:
    """The time model of one run. `watched` as the file grows, `date` in the order of n as files close.

    `started_us`: when its process was started; 0: unknown. `frame_us`: its usual frame, as far as is known.
    """

    started_us: int = 0
    frame_us: int = 0
    _end: _End | None = None
    # Samples as media time -> offset, which is wall - media - lag.
    _recent: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=RECENT_SEGMENTS))
    _watched: dict[int, dict[int, tuple[int, int]]] = field(default_factory=dict)  # n, fragments: (media, wall - lag)
    _resumed: list[tuple[int, int]] = field(default_factory=list)  # (media, wall): the lag is known with the next file

    def watched(self, n: int, fragments: int, media_us: int, wall_us: int, lag_us: int) -> None:
        """A sample from the growing file n: so many fragments were on disk, up to that media time."""
        # Another look at the same fragment tells nothing new.
        self._watched.setdefault(n, {})[fragments] = (media_us, wall_us - lag_us)

    def resume(self, n: int, end_us: int, media_end_us: int, mtime_us: int, ends: list[tuple[int, int]]) -> None:
        """Go on after a restart of the server: the newest indexed segment, and (media time, wall time) at which the last
        five were closed."""
        self._end = _End(n, end_us, media_end_us, mtime_us)
        self._resumed = ends[-RECENT_SEGMENTS:]

    def provisional(self, file: Measured, start_us: int | None = None) -> Dated:
        """Of a segment that is still growing. `start_us`: the end of the one before, where that has no row yet either."""
        seen = self._seen(file)
        if start_us is None and self._end is not None:
            start_us = self._end.wall_us
            if file.n != self._end.n + 1:
                start_us += max(file.media_start_us - self._end.media_us, 0)
        if start_us is not None:
            return _growing(file, start_us, file.lengths.believed(start_us, seen))
        length = self._first_length(file, seen)
        if length.bad:
            return _growing(file, _start_counted(file, seen), length)
        samples = [offset for of in self._watched.values() for offset in _offsets(of).values()]
        # Nothing known yet: the last write is all there is to date it by.
        offset_us = min(samples, default=file.end_wall_us - file.lag_us - file.media_end_us)
        return _growing(file, file.media_start_us + offset_us, length)

    def date(self, file: Measured) -> Dated:
        """Fixes the segment's start and length for ever."""
        seen = self._seen(file)
        own = _offsets(self._watched.pop(file.n, {}))
        for stale in [n for n in self._watched if n < file.n]:
            del self._watched[stale]
        closing = file.end_wall_us - file.media_end_us - file.lag_us
        self._recent.extend((media_us, wall_us - media_us - file.lag_us) for media_us, wall_us in self._resumed)
        self._resumed = []
        if not file.last_of_run:
            self._recent.append((file.media_end_us, closing))
            own[file.media_end_us] = closing
        flags = SegmentFlag(0)
        samples = self._samples(own)
        err_us = file.lag_error_us + delay_error_us(samples)
        if not samples and self._end is not None:
            # Media time has just begun anew: the segment before is all there is to date it by.
            samples = [self._end.wall_us - file.media_start_us]
            err_us += ONE_SAMPLE_ERROR_US
        elif not samples:
            # The only file of its run, and nobody watched it grow: by its end, which may be late.
            samples = [closing]
            err_us += LATE_END_US
            flags |= SegmentFlag.TIME_UNCERTAIN
        sample = min(samples)
        if self._end is None:
            dated = self._first(file, seen, sample, err_us, flags)
        else:
            dated = self._next(self._end, file, seen, sample, err_us, flags)
        if SegmentFlag.TIME_BAD in dated.flags:
            self._recent.clear()  # media time goes on from elsewhere
        self._end = _End(file.n, dated.start_us + dated.dur_us, file.media_end_us, file.end_wall_us)
        return dated

    def _seen(self, file: Measured) -> dict[int, int]:
        """When fragments of it were on disk: count -> wall time."""
        watched = self._watched.get(file.n, {})
        seen = {count: wall_us for count, (_, wall_us) in watched.items() if count <= file.fragments}
        if not file.last_of_run:
            seen[file.fragments] = file.end_wall_us - file.lag_us
        elif file.fragments not in seen:  # no keyframe closed it: it was written at any time after its end
            seen[file.fragments] = file.end_wall_us
        return seen

    def _samples(self, own: dict[int, int]) -> list[int]:
        """The segment's own where there are enough of them, else those of the run's last ones too; for a run's first, those
        of the files behind it: a server that comes back finds several at once."""
        if len(own) >= ENOUGH_SAMPLES:
            return list(own.values())
        behind = [] if self._end else [sample for of in self._watched.values() for sample in _offsets(of).items()]
        return list({**own, **dict(self._recent), **dict(behind[:ENOUGH_SAMPLES])}.values())

    def _first_length(self, file: Measured, seen: dict[int, int]) -> Length:
        if file.last_of_run:  # a frozen camera's end is late
            seen = {count: wall_us for count, wall_us in seen.items() if count < file.fragments} or seen
        return file.lengths.believed_first(self.started_us - file.burst_us if self.started_us else 0, seen)

    def _first(self, file: Measured, seen: dict[int, int], sample: int, err_us: int, flags: SegmentFlag) -> Dated:
        length = self._first_length(file, seen)
        dur_us = _possible(length.us)
        if length.bad:
            err_us = file.lag_error_us + ONE_SAMPLE_ERROR_US
            if file.last_of_run and len(seen) == 1:
                err_us += LATE_END_US
            return Dated(_start_counted(file, seen), dur_us, err_us, flags | SegmentFlag.TIME_BAD, 0, counted=True)
        return Dated(file.media_end_us + sample - dur_us, dur_us, err_us, flags, 0)

    def _next(
        self, end: _End, file: Measured, seen: dict[int, int], sample: int, err_us: int, flags: SegmentFlag
    ) -> Dated:
        start_us = end.wall_us
        if file.n != end.n + 1:
            # A file between is lost or in quarantine: the run's media time still tells how long it was, if it can be true.
            latest_us = seen[file.fragments] - file.media_dur_us
            start_us = max(start_us, min(start_us + file.media_start_us - end.media_us, latest_us))
        length = file.lengths.believed(start_us, seen)
        if length.bad:
            dur_us = _possible(length.us)
            err_us = file.lag_error_us + ONE_SAMPLE_ERROR_US + abs(start_us + dur_us - seen[file.fragments])
            return Dated(start_us, dur_us, err_us, flags | SegmentFlag.TIME_BAD, 0, counted=length.counted)
        drift_us = file.media_end_us + sample - (start_us + file.media_dur_us)
        limit_us = file.media_dur_us * MAX_CORRECTION_PPM // 1_000_000
        correction_us = max(-limit_us, min(limit_us, drift_us))
        dur_us = _possible(file.media_dur_us + correction_us)
        rest_us = drift_us - correction_us
        return Dated(start_us, dur_us, err_us + abs(rest_us), flags, rest_us)


def _offsets(watched: dict[int, tuple[int, int]]) -> dict[int, int]:
    return {media_us: wall_us - media_us for media_us, wall_us in watched.values()}


def _start_counted(file: Measured, seen: dict[int, int]) -> int:
    """Of a run's first file: what was seen while it grew; its last write alone where nothing was."""
    start = start_us(file.lengths.counted_us, seen)
    return start - file.lag_us if file.last_of_run and len(seen) == 1 else start


def _growing(file: Measured, start_us: int, length: Length) -> Dated:
    flags = SegmentFlag.TIME_BAD if length.bad else SegmentFlag(0)
    return Dated(start_us, _possible(length.us), file.lag_error_us, flags, 0, counted=length.counted)


def _possible(dur_us: int) -> int:
    return max(MIN_DUR_US, min(dur_us, MAX_SEGMENT_US))
