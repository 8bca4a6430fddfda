"""Growing files: what ffmpeg has written of the segments that are not closed yet.

The 10 s pass looks at all of them once; a player at the live edge looks at its camera's own in between. Each look reads only
the boxes that came since the last one, gives the time model a sample, and makes the newest footage playable while it grows.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog

from config.errors import Corrupt
from storage import activity, frags
from storage.catalog import inits
from storage.catalog.db import Catalog
from storage.clock import Clock, wall_us
from storage.describe import media_of
from storage.examine import pack_fragments, sound_wait_us, stream_of
from storage.fmp4 import FragmentBoxes, InitBoxes, read_fragments, read_init
from storage.ingest import Ingest
from storage.model import CameraId, FileGrowth, InitId, RunId, Segment, SegmentFlag, Tier, Volume
from storage.parameter_sets import HEAD_BYTES, fingerprint
from storage.paths import SPOOL, SpoolName, spool_name
from storage.timemodel import LagOf, Measured, Stream
from storage.volumes import Volumes

log = structlog.get_logger()


@dataclass(slots=True)
class GrowingFile:
    """One file in a spool, read as far as its last complete fragment."""

    name: SpoolName
    path: Path
    volume: Volume
    init: InitBoxes | None = None
    init_id: InitId | None = None
    fragments: list[FragmentBoxes] = field(default_factory=list)
    end_bytes: int = 0
    size_bytes: int = 0
    mtime_us: int = 0
    parameters: int = 0

    def look(self) -> bool:
        """Read what is new; blocking. False when the file is gone (moved to the archive). Never raises on broken boxes."""
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        try:
            stat = os.fstat(fd)
            self.size_bytes, self.mtime_us = stat.st_size, stat.st_mtime_ns // 1000
            if self.init is None:
                self.init = read_init(fd)
                if self.init is not None:
                    self.end_bytes = len(self.init.data)
            if self.init is not None and self.size_bytes > self.end_bytes:
                found, self.end_bytes = read_fragments(fd, self.end_bytes, self.init)
                self.fragments.extend(found)
                self._note_parameters(fd, found)
        except Corrupt:
            pass  # it will go to quarantine when it closes; until then there is nothing to play
        finally:
            os.close(fd)
        return True

    def _note_parameters(self, fd: int, found: list[FragmentBoxes]) -> None:
        newest = next((fragment for fragment in reversed(found) if fragment.keyframe), None)
        if newest is not None and self.init is not None:
            head = os.pread(fd, min(HEAD_BYTES, newest.key_bytes), newest.keyframe_offset)
            self.parameters = fingerprint(head, self.init.video.codec)

    @property
    def timescale(self) -> int:
        return self.init.video.timescale if self.init is not None else 1

    def media_end_us(self) -> int | None:
        if not self.fragments:
            return None
        newest = self.fragments[-1]
        return (newest.shown_start + newest.dur) * 1_000_000 // self.timescale

    def written_us(self, audio: str) -> int:
        """Of the newest fragment, as if no sound that is coded anew (`audio` "aac") had held it back."""
        if self.init is None or not self.fragments:
            return self.mtime_us
        return self.mtime_us - sound_wait_us(self.fragments[-1], self.init, audio=audio)

    def sample(self, audio: str = "off") -> tuple[int, int] | None:
        """(media time, wall time) of the newest fragment's end. None when the last write was not the end of a fragment, or
        when it was a run's first, whose stamps can be nonsense."""
        if self.size_bytes != self.end_bytes or len(self.fragments) < (2 if self.name.n == 0 else 1):
            return None
        end = self.media_end_us()
        return (end, self.written_us(audio)) if end is not None else None

    def growth(self, seen_us: int) -> FileGrowth:
        longest = max((f.dur for f in self.fragments), default=0) * 1_000_000 // self.timescale
        return FileGrowth(
            camera_id=self.name.camera_id,
            run_id=self.name.run_id,
            n=self.name.n,
            volume_id=self.volume.id,
            size_bytes=self.size_bytes,
            mtime_us=self.mtime_us,
            has_init=self.init is not None,
            fragments=len(self.fragments),
            media_end_us=self.media_end_us(),
            longest_fragment_us=longest,
            seen_us=seen_us,
            parameters=self.parameters,
        )


class Growth:
    """All growing files of this server. Used from the event loop; the looks run in the volumes' pools."""

    def __init__(
        self,
        catalog: Catalog,
        volumes: Volumes,
        ingest: Ingest,
        *,
        lag_of: LagOf,
        live_runs: Callable[[], set[RunId]] = set,
        clock: Clock = wall_us,
    ) -> None:
        self._catalog = catalog
        self._volumes = volumes
        self._ingest = ingest
        self._lag_of = lag_of
        self._live_runs = live_runs
        self._clock = clock
        self._files: dict[CameraId, dict[tuple[RunId, int], GrowingFile]] = {}
        self._locks: dict[CameraId, asyncio.Lock] = {}

    def add(self, volume: Volume, name: SpoolName) -> None:
        """A file that has come into the spool."""
        files = self._files.setdefault(name.camera_id, {})
        if (name.run_id, name.n) not in files:
            path = Path(volume.path) / SPOOL / spool_name(name.camera_id, name.run_id, name.n)
            files[(name.run_id, name.n)] = GrowingFile(name, path, volume)

    def drop(self, name: SpoolName) -> None:
        """It has its row now, or is gone."""
        files = self._files.get(name.camera_id)
        if files is not None:
            files.pop((name.run_id, name.n), None)
            if not files:
                del self._files[name.camera_id]

    def listed(self, volume: Volume, names: Iterable[SpoolName]) -> None:
        """The pass has listed a spool: what is in it is growing or about to be indexed, what is not has gone."""
        present = {(name.camera_id, name.run_id, name.n): name for name in names}
        for name in present.values():
            self.add(volume, name)
        for files in list(self._files.values()):
            for file in list(files.values()):
                key = (file.name.camera_id, file.name.run_id, file.name.n)
                if file.volume.id == volume.id and key not in present:
                    self.drop(file.name)

    async def look_all(self, volume: Volume) -> list[FileGrowth]:
        """One look at every growing file of a volume, in its pool, in one go."""
        files = [file for of in self._files.values() for file in of.values() if file.volume.id == volume.id]

        seen = await asyncio.get_running_loop().run_in_executor(self._volumes.pool(volume.id), _look, files)
        now_us = self._clock()
        live = self._live_runs()
        for file in seen:
            if file.name.run_id in live and self._ingest.known(file.name.run_id) is None:
                await self._ingest.state(file.name, volume)  # or the first samples after a restart are lost
            self._sample(file, live)
        return [file.growth(now_us) for file in seen]

    def _sample(self, file: GrowingFile, live: set[RunId]) -> None:
        # An ffmpeg that ends writes its open fragment out before the next keyframe has come: no sample of the usual kind.
        state = self._ingest.known(file.name.run_id)
        if state is None or file.name.run_id not in live or (sample := file.sample(state.run.audio)) is None:
            return
        lag_us = self._lag(file)
        state.clock.watched(file.name.n, len(file.fragments), sample[0], sample[1], lag_us)

    def _stream(self, file: GrowingFile) -> Stream:
        state = self._ingest.known(file.name.run_id)
        return stream_of(file.fragments, file.timescale, audio=state.run.audio if state is not None else "off")

    def _lag(self, file: GrowingFile) -> int:
        return self._lag_of(self._stream(file))

    async def segments(self, camera_id: CameraId) -> list[Segment]:
        """The camera's segments without a row, in order, with the flag GROWING; looks at their files now."""
        if not self._files.get(camera_id):
            return []
        async with self._locks.setdefault(camera_id, asyncio.Lock()):
            return await self._segments(camera_id)

    async def _segments(self, camera_id: CameraId) -> list[Segment]:
        loop = asyncio.get_running_loop()
        made: list[Segment] = []
        previous: Segment | None = None
        for key in sorted(self._files.get(camera_id, {})):
            file = self._files.get(camera_id, {}).get(key)
            if file is None:
                continue
            try:
                found = await loop.run_in_executor(self._volumes.pool(file.volume.id), file.look)
            except OSError:
                continue  # its volume is away; the index answers for the rest
            if not found:
                continue
            previous = await self._segment(file, previous)
            if previous is not None:
                made.append(previous)
        return made

    async def _segment(self, file: GrowingFile, previous: Segment | None) -> Segment | None:
        """The file as a segment, dated provisionally; None while it has no complete fragment."""
        state = await self._ingest.state(file.name, file.volume)
        if state is None or file.init is None or not file.fragments:
            return None
        self._sample(file, self._live_runs())
        if file.init_id is None:
            file.init_id = await self._init_id(file.init)
        scale = file.timescale
        media = media_of(file.fragments, scale, first_of_run=file.name.n == 0, frame_us=state.clock.frame_us)
        before = previous if previous is not None and previous.run_id == file.name.run_id else None
        dated = state.clock.provisional(
            Measured(
                n=file.name.n,
                media_start_us=media.start_us,
                lengths=media.lengths,
                end_wall_us=file.written_us(state.run.audio),
                lag_us=self._lag(file),
                last_of_run=True,
                lag_error_us=self._stream(file).lag_error_us,
            ),
            before.end_us if before else None,
        )
        frag0 = before.frag0 + frags.count(before.frags) if before else state.next_frag0
        values, _ = activity.rate(file.fragments, self._ingest.usual_of(file.name.camera_id, dated.start_us))
        durations_us = media.counted_us if dated.counted else media.durations_us
        packed, fits = pack_fragments(file.fragments, durations_us, values)
        flags = SegmentFlag.GROWING | dated.flags
        if not fits:
            flags |= SegmentFlag.FRAGS_IN_FILE
        if not file.fragments[0].keyframe:
            flags |= SegmentFlag.NO_KEYFRAME
        stamp = None if SegmentFlag.TIME_BAD in flags else media.stamp
        return Segment(
            camera_id=file.name.camera_id,
            start_us=dated.start_us,
            dur_us=dated.dur_us,
            run_id=file.name.run_id,
            n=file.name.n,
            frag0=frag0,
            media_start=file.fragments[0].media_start,
            init_id=file.init_id,
            size_bytes=file.end_bytes,
            tier=Tier.LOCAL,
            volume_id=file.volume.id,
            flags=flags,
            err_us=dated.err_us,
            clock_offset_us=stamp[0] - (dated.start_us + stamp[1] - media.start_us) if stamp else None,
            sha256=b"",
            frags=packed,
        )

    async def _init_id(self, init: InitBoxes) -> InitId:
        return await self._catalog.write(partial(inits.put, boxes=init))

    def live_edge_us(self, camera_id: CameraId) -> int | None:
        """About where the newest complete fragment ends, as of the last look; no I/O."""
        files = self._files.get(camera_id)
        newest = max(files.values(), key=lambda file: (file.name.run_id, file.name.n), default=None) if files else None
        if newest is None or not newest.fragments:
            return None
        return newest.mtime_us - self._lag(newest)


def _look(files: Iterable[GrowingFile]) -> list[GrowingFile]:
    """Those that are there. One that cannot be read (a bad sector) does not stop the others."""
    seen = []
    for file in files:
        try:
            if file.look():
                seen.append(file)
        except OSError as error:
            log.error("growing file cannot be read", path=str(file.path), error=error.strerror)
    return seen
