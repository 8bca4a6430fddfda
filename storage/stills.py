"""One frame as a JPEG: a keyframe, or the very frame that was shown at an instant.

ffmpeg is fed the init and as much of the fragments as the frame needs, through a pipe. At most two decode at a time, and what
was made is kept in memory, newest first, up to 64 MB.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from config.errors import Corrupt, Unavailable
from storage.files import Files, Source
from storage.fmp4 import InitBoxes, parse_init
from storage.fmp4_edit import Sample, head_bytes, shifted, video_samples
from storage.model import Fragment, Init, RunId, Segment
from storage.selection import times_us

log = structlog.get_logger()

KEEP_BYTES = 64 << 20
AT_ONCE = 2
DECODE_LIMIT_S = 10.0
QUALITY = "4"
MAX_FEED_BYTES = 64 << 20
"""What is decoded for one exact frame at most: far beyond any sane distance between keyframes."""

Key = tuple[RunId, int, int, int, int | None]


@dataclass(frozen=True, slots=True)
class Still:
    """`time_us`: when the frame was really taken. `final`: the same question will always get the same frame."""

    jpeg: bytes
    time_us: int
    final: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a frame is: fragments `first` to `last` are fed, and of the frames that come out number `frame` is taken, from 0.
    None: the keyframe alone is fed."""

    first: int
    last: int
    frame: int | None
    time_us: int


class Stills:
    """Used from the event loop."""

    def __init__(self, ffmpeg: Path, files: Files, *, keep_bytes: int = KEEP_BYTES) -> None:
        self._ffmpeg = ffmpeg
        self._files = files
        self._keep_bytes = keep_bytes
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._running: dict[Key, asyncio.Task[bytes]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def at(
        self,
        segment: Segment,
        init: Init,
        fragments: Sequence[Fragment],
        at_us: int,
        *,
        width: int | None = None,
        exact: bool = False,
    ) -> Still:
        """The keyframe at or before `at_us`, or the frame shown then; the segment's first where there is none before.

        `width`: in pixels, never enlarged. Raises NotFound, Unavailable, Corrupt.
        """
        async with self._files.open(segment) as file:
            reader = _Reader(file, parse_init(init.data), fragments, times_us(segment, fragments))
            loop = asyncio.get_running_loop()
            place = await loop.run_in_executor(file.pool, partial(reader.place, at_us, exact=exact))
            key = (segment.run_id, segment.n, place.first, -1 if place.frame is None else place.frame, width)
            jpeg = self._kept.get(key)
            if jpeg is not None:
                self._kept.move_to_end(key)
                return Still(jpeg, place.time_us, not segment.growing)
            task = self._running.get(key)
            if task is None:
                feed = await loop.run_in_executor(file.pool, reader.feed, place)
                task = self._running.get(key) or asyncio.create_task(self._decode(feed, place, width), name="still")
                if key not in self._running:
                    self._running[key] = task
                    task.add_done_callback(partial(self._done, key))
        # Several may wait for it: one that leaves must not take it from the others.
        return Still(await asyncio.shield(task), place.time_us, not segment.growing)

    def _done(self, key: Key, task: asyncio.Task[bytes]) -> None:
        del self._running[key]
        if task.cancelled() or task.exception() is not None:
            return
        self._kept[key] = task.result()
        self._kept_bytes += len(task.result())
        while self._kept_bytes > self._keep_bytes:
            _, old = self._kept.popitem(last=False)
            self._kept_bytes -= len(old)

    async def _decode(self, feed: bytes, place: Place, width: int | None) -> bytes:
        async with self._turns:
            return await self._run(feed, place, width)

    async def _run(self, feed: bytes, place: Place, width: int | None) -> bytes:
        filters = [] if place.frame is None else [f"select=gte(n\\,{place.frame})"]
        if width is not None:
            filters.append(f"scale=min({width}\\,iw):-2")
        command = ["-hide_banner", "-nostdin", "-loglevel", "error", "-threads", "1", "-probesize", "32"]
        command += ["-analyzeduration", "0", "-copyts", "-f", "mp4", "-i", "pipe:0", "-map", "0:v:0", "-frames:v", "1"]
        command += ["-threads", "1", "-filter_threads", "1", *(["-vf", ",".join(filters)] if filters else [])]
        command += ["-f", "image2pipe", "-c:v", "mjpeg", "-q:v", QUALITY, "pipe:1"]
        pipe = asyncio.subprocess.PIPE
        try:
            child = await asyncio.create_subprocess_exec(
                str(self._ffmpeg), *command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
            )
        except OSError as error:
            raise Unavailable(f"{self._ffmpeg} does not run: {error.strerror}") from error
        try:
            async with asyncio.timeout(DECODE_LIMIT_S):
                jpeg, complaints = await child.communicate(feed)
        except TimeoutError as error:
            raise Unavailable("the picture could not be decoded in time") from error
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if not jpeg:
            log.warning("no picture decoded", complaints=complaints.decode("utf-8", "replace")[-500:])
            raise Corrupt("this footage holds no picture that can be decoded here")
        return jpeg


class _Reader:
    """One segment's fragments, read for a frame. Blocking: its methods run in the volume's pool.

    Media times are counted from the first fragment fed: some cameras begin at 2^63.
    """

    def __init__(self, file: Source, boxes: InitBoxes, fragments: Sequence[Fragment], times: Sequence[int]) -> None:
        self._file = file
        self._boxes = boxes
        self._fragments = fragments
        self._times = times

    def place(self, at_us: int, *, exact: bool) -> Place:
        """Of the keyframe at or before `at_us`, or of the frame shown then. Raises Corrupt."""
        index = max(bisect_right(self._times, at_us, hi=len(self._fragments)) - 1, 0)
        first = max((i for i in range(index + 1) if self._fragments[i].keyframe), default=index)
        if not exact:
            return Place(first, first, None, self._times[first])
        if index + 1 < len(self._fragments) and self._leads(index + 1):
            index += 1  # its first pictures are shown before its keyframe (an open GOP): they may be the ones
        shown: list[tuple[int, int]] = []  # (pts, wall time)
        for at in range(first, index + 1):
            _, samples = self._head(at)
            shown += [(sample.pts, self._wall_us(at, sample, samples[0])) for sample in samples]
        # By rank, not by pts: ffmpeg moves a file's pts as soon as it meets negative composition offsets. What is shown
        # before the first keyframe cannot be decoded and does not come out.
        shown = sorted(frame for frame in shown if frame[0] >= shown[0][0])
        frame = max((n for n, (_, wall_us) in enumerate(shown) if wall_us <= at_us), default=0)
        return Place(first, index, frame, shown[frame][1])

    def _leads(self, index: int) -> bool:
        _, samples = self._head(index)
        return min(sample.pts for sample in samples) < samples[0].pts

    def _wall_us(self, index: int, sample: Sample, first: Sample) -> int:
        """A camera sends a keyframe when it was taken, which is what the time model dates; the others are shown around it."""
        return self._times[index] + (sample.pts - first.pts) * 1_000_000 // self._boxes.video.timescale

    def feed(self, place: Place) -> bytes:
        """What ffmpeg has to see. Raises Unavailable when that is too much."""
        head, samples = self._head(place.first)
        made = bytearray(self._boxes.data)
        zero = samples[0].dts
        for index in range(place.first, place.last + 1):
            fragment = self._fragments[index]
            head, samples = self._head(index)
            size = fragment.size_bytes - len(head)
            if place.frame is None and self._boxes.tracks[0].kind == "video":
                size = samples[0].size_bytes  # the keyframe is the first thing in the mdat: no more is needed
            if len(made) + size > MAX_FEED_BYTES:
                raise Unavailable("the keyframe is too far away for a picture of this instant: ask without exact")
            made += self._moved(head, zero)
            made += self._file.pread(size, fragment.offset + len(head))
        return bytes(made)

    def _head(self, index: int) -> tuple[bytes, list[Sample]]:
        fragment = self._fragments[index]
        ahead = 4096
        while True:
            data = self._file.pread(min(ahead, fragment.size_bytes), fragment.offset)
            size = head_bytes(data)
            if size is not None:
                break
            if ahead >= fragment.size_bytes:
                raise Corrupt("a fragment is not complete")
            ahead *= 8
        samples = video_samples(data[:size], self._boxes)
        if not samples:
            raise Corrupt("a fragment holds no video")
        return data[:size], samples

    def _moved(self, head: bytes, zero: int) -> bytearray:
        video, audio = self._boxes.video, self._boxes.audio
        shifts = {video.track_id: -zero}
        if audio is not None:
            shifts[audio.track_id] = -(zero * audio.timescale // video.timescale)
        return shifted(head, shifts, 1)
