"""Simulated IP cameras: an RTSP server on one port, one live timeline, many cameras from a few coded loops.

```python
async with Simulator(SimulatorOptions(cameras=4)) as simulator:
    simulator.url(1)                                    # rtsp://127.0.0.1:<port>/cam/1
    simulator.camera(1).fault(Faults(stall=True))
```

Everything runs on the caller's event loop but the encoding, which runs in a thread while the simulator starts. One
timer drives all cameras. Cameras begin at different places of their loop, so their keyframes do not come together.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import heapq
import socket
import time
from collections.abc import Collection, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from config.errors import Invalid, NotFound, Unavailable
from nvr.simulator_audio import AudioCodec, CodedSound, coded_sound
from nvr.simulator_camera import SimulatedCamera, Video, video_trains
from nvr.simulator_clock import CameraClock
from nvr.simulator_media import LoopOptions, coded_loop, default_cache_dir
from nvr.simulator_model import CameraOptions, Faults, SentFrame
from nvr.simulator_scenes import PLACES
from nvr.simulator_session import Session
from storage.binary import find

__all__ = ["CameraOptions", "Faults", "LoopOptions", "SentFrame", "SimulatedCamera", "Simulator", "SimulatorOptions"]

_SHORTEST_SLEEP_S = 0.002  # pictures of many cameras that fall due together leave together
_GOLDEN = 0.618_033_988_75  # its multiples modulo 1 spread any number of cameras evenly


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """Cameras 1 to `cameras` are built as `camera` says, but for those in `overrides`. Port 0: any free one.

    `varied`: cameras without an override show the places of `simulator_scenes` in turn. `ffmpeg` None: the one that
    `storage.binary` finds.
    """

    cameras: int = 1
    host: str = "127.0.0.1"
    port: int = 0
    camera: CameraOptions = field(default_factory=CameraOptions)
    overrides: Mapping[int, CameraOptions] = field(default_factory=dict)
    varied: bool = False
    ffmpeg: str | None = None
    cache_dir: Path = field(default_factory=default_cache_dir)


class Simulator:
    """Use as an asynchronous context manager; leaving it ends every connection."""

    def __init__(self, options: SimulatorOptions) -> None:
        self.options = options
        self.sessions: set[Session] = set()
        self.udp: tuple[socket.socket, ...] = ()
        self.port = options.port
        self._ffmpeg = options.ffmpeg or ""
        self._cameras: dict[int, SimulatedCamera] = {}
        self._videos: dict[tuple[LoopOptions, int], Video] = {}
        self._sounds: dict[str, CodedSound] = {}
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = float("inf")
        self._due: list[tuple[float, int]] = []
        self._planned: dict[int, float] = {}  # the one entry of `_due` that counts for a camera

    async def __aenter__(self) -> Self:
        built = {number: self._options_of(number) for number in range(1, self.options.cameras + 1)}
        if not self._ffmpeg:
            self._ffmpeg = str(await asyncio.to_thread(find))
        await self._prepare(built.values())
        epoch_mono_s, epoch_us = time.monotonic(), time.time_ns() // 1000
        for number, camera in built.items():
            self._cameras[number] = self._build(number, camera, epoch_mono_s, epoch_us)
        try:
            self.udp = _udp_pair(self.options.host)
            for end in self.udp:
                asyncio.get_running_loop().add_reader(end, _discard, end)
            await self.listen()
        except OSError as error:
            await self.close()
            message = f"cannot listen on {self.options.host}:{self.options.port}: {error.strerror or error}"
            raise Unavailable(message, field="port") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends every connection and closes every socket."""
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
        await self.refuse()
        for end in self.udp:
            loop.remove_reader(end)
            end.close()

    # -- what tests and the command line use -----------------------------------------------------------------------

    def camera(self, number: int) -> SimulatedCamera:
        """Cameras count from 1. Raises NotFound."""
        camera = self.find(number)
        if camera is None:
            raise NotFound(f"there is no camera {number}: they are 1 to {self.options.cameras}")
        return camera

    def url(self, number: int, *, credentials: bool = True) -> str:
        """The camera's address, with its user and password unless told otherwise."""
        options = self.camera(number).options
        sign_in = ""
        if credentials and options.user is not None:
            sign_in = f"{quote(options.user, safe='')}:{quote(options.password, safe='')}@"
        return f"rtsp://{sign_in}{self.options.host}:{self.port}/cam/{number}"

    async def listen(self) -> None:
        """Takes connections, on the same port as before `refuse`."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Session(self), self.options.host, self.port, backlog=1024, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Resets every connection and listens no more: new ones are refused by the kernel."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for session in tuple(self.sessions):
            session.reset()
        await asyncio.sleep(0)

    async def change_video(self, number: int, loop: LoopOptions) -> None:
        """The camera goes over to these pictures at its next keyframe: another size, in mid-stream."""
        camera = self.camera(number)
        camera.change_video(await self._video(loop, camera.options.packet_bytes))

    def find(self, number: int) -> SimulatedCamera | None:
        return self._cameras.get(number)

    # -- building --------------------------------------------------------------------------------------------------

    def _options_of(self, number: int) -> CameraOptions:
        if number in self.options.overrides:
            return self.options.overrides[number]
        options = self.options.camera
        return (
            replace(options, loop=replace(options.loop, scene=PLACES[(number - 1) % len(PLACES)]))
            if self.options.varied
            else options
        )

    async def _prepare(self, cameras: Collection[CameraOptions]) -> None:
        """Makes every loop and sound that is needed, each once, two at a time."""
        turns = asyncio.Semaphore(2)

        async def make(work: Coroutine[None, None, object]) -> None:
            async with turns:
                await work

        works = [self._video(*key) for key in {(camera.loop, camera.packet_bytes) for camera in cameras}]
        sounds = [self._sound(codec) for codec in {camera.audio for camera in cameras} - {"none"}]
        made = await asyncio.gather(*(make(work) for work in (*works, *sounds)), return_exceptions=True)
        for failure in made:
            if failure is not None:
                raise failure

    async def _sound(self, codec: AudioCodec) -> None:
        self._sounds[codec] = await asyncio.to_thread(coded_sound, self._ffmpeg, self.options.cache_dir, codec)

    async def _video(self, loop: LoopOptions, packet_bytes: int) -> Video:
        if not 100 <= packet_bytes <= 60_000:
            raise Invalid(f"packet_bytes {packet_bytes} is not within 100 to 60000", field="packet_bytes")
        key = (loop, packet_bytes)
        if key not in self._videos:
            self._videos[key] = await asyncio.to_thread(self._load_video, loop, packet_bytes)
        return self._videos[key]

    def _load_video(self, loop: LoopOptions, packet_bytes: int) -> Video:
        coded = coded_loop(self._ffmpeg, self.options.cache_dir, loop)
        return Video(coded, video_trains(coded, packet_bytes))

    def _build(self, number: int, options: CameraOptions, now_s: float, now_us: int) -> SimulatedCamera:
        video = self._videos[options.loop, options.packet_bytes]
        behind_s = (number * _GOLDEN % 1) * options.loop.frames / options.loop.fps
        clock = CameraClock(
            epoch_mono_s=now_s - behind_s,
            epoch_us=now_us - round(behind_s * 1e6),
            fps=options.loop.fps,
            delay_frames=video.loop.delay_frames,
            error_us=round(options.clock_error_s * 1e6),
            drift_ppm=options.clock_drift_ppm,
        )
        return SimulatedCamera(number, options, video, self._sounds.get(options.audio), clock, self._wake)

    # -- the one timer ---------------------------------------------------------------------------------------------

    def _wake(self, camera: SimulatedCamera) -> None:
        """Puts a camera on the timer at once: it has a new receiver or another pace."""
        self._plan(camera.number, 0.0)
        self._arm(0.0)

    def _plan(self, number: int, due_s: float) -> None:
        self._planned[number] = due_s
        heapq.heappush(self._due, (due_s, number))

    def _arm(self, due_s: float) -> None:
        if due_s < self._timer_s:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_s = due_s
            self._timer = asyncio.get_running_loop().call_at(due_s, self._tick)

    def _tick(self) -> None:
        now = time.monotonic()
        self._timer_s = float("inf")
        while self._due and self._due[0][0] <= now:
            due_s, number = heapq.heappop(self._due)
            if self._planned.get(number) != due_s:
                continue
            del self._planned[number]
            next_s = self._cameras[number].step(now)
            if next_s is not None:
                self._plan(number, next_s)
        if self._due:
            self._arm(max(self._due[0][0], now + _SHORTEST_SLEEP_S))


def _udp_pair(host: str) -> tuple[socket.socket, socket.socket]:
    """Two sockets on an even port and the next (RFC 3550 11), from which all UDP clients are served."""
    for _ in range(64):
        first = _udp_end(host, 0)
        port = first.getsockname()[1]
        with contextlib.suppress(OSError):
            if port % 2 == 0:
                return first, _udp_end(host, port + 1)
        first.close()
    raise OSError(errno.EADDRINUSE, "no pair of free UDP ports")


def _udp_end(host: str, port: int) -> socket.socket:
    end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        end.bind((host, port))
    except OSError:
        end.close()
        raise
    return end


def _discard(end: socket.socket) -> None:
    """Clients' receiver reports and the packets by which they open firewalls."""
    with contextlib.suppress(OSError):
        while True:
            end.recv(2048)
