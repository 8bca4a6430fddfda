"""What is recorded, whichever tier or state it is in: the one door through which the web asks for footage.

Rows of closed segments and the files that still grow are one list here. All times in microseconds since 1970 UTC.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from config.errors import NotFound, Unavailable
from storage import frags, timeline
from storage.catalog import cameras, inits, runs, segments
from storage.catalog.db import Catalog
from storage.catalog.sqlite import Connection
from storage.clock import Clock, mono_us, wall_us
from storage.fmp4 import Pread, fragments_of, parse_init
from storage.growth import Growth
from storage.model import (
    Camera,
    CameraId,
    Fragment,
    Init,
    InitId,
    Run,
    RunId,
    Segment,
    SegmentFlag,
    Slice,
    Tier,
    Timeline,
)
from storage.paths import segment_path
from storage.remote import Remote
from storage.selection import select
from storage.volumes import Volumes

T = TypeVar("T")

INITS_KEPT = 2048
ASKED_KEPT = 256
ASKED_KEPT_US = 1_000_000
DEFAULT_BUCKETS = 300
SELECT_IN_THREAD_OVER = 2000
"""Segments: choosing among more takes over 4 ms."""


class Footage:
    def __init__(
        self,
        catalog: Catalog,
        volumes: Volumes,
        growth: Growth,
        *,
        remote: Remote | None = None,
        clock: Clock = wall_us,
    ) -> None:
        self.volumes = volumes
        self.remote = remote
        self._catalog = catalog
        self._growth = growth
        self._clock = clock
        self._inits: OrderedDict[InitId, Init] = OrderedDict()
        self._ended_runs: OrderedDict[RunId, Run] = OrderedDict()
        self._asked: OrderedDict[tuple[RunId, int], tuple[Segment, int]] = OrderedDict()  # with CLOCK_MONOTONIC

    async def camera(self, camera_id: CameraId) -> Camera:
        """Raises NotFound."""
        return await self._catalog.read(partial(cameras.get, camera_id=camera_id))

    async def segments(self, camera_id: CameraId, from_us: int, to_us: int) -> list[Segment]:
        """All that touch [from_us, to_us), in start order; growing ones carry the flag GROWING."""
        # The growing ones first: one that is indexed in between then shows up as a row, never in neither.
        growing = await self.growing(camera_id, from_us, to_us)
        rows = await self._catalog.read(
            partial(segments.overlapping, camera_id=camera_id, from_us=from_us, to_us=to_us)
        )
        if not growing:
            return rows
        known = {(row.run_id, row.n) for row in rows}
        return rows + [segment for segment in growing if (segment.run_id, segment.n) not in known]

    async def read(self, run: Callable[[Connection], T]) -> T:
        """Ask the catalog, in a reader thread."""
        return await self._catalog.read(run)

    async def growing(self, camera_id: CameraId, from_us: int, to_us: int) -> list[Segment]:
        """Of the window, those without a row, as their files are now."""
        if to_us < self._clock() - 3_600_000_000:
            return []  # nothing grows that long: spare a look at the files
        return [s for s in await self._growth.segments(camera_id) if s.start_us < to_us and s.end_us > from_us]

    async def slices(self, camera_id: CameraId, from_us: int, to_us: int) -> list[Slice]:
        """The window as it can be played: see storage.selection."""
        found = await self.segments(camera_id, from_us, to_us)
        unpacked = {(s.run_id, s.n): await self.fragments(s) for s in found if SegmentFlag.FRAGS_IN_FILE in s.flags}
        init_bytes = {init_id: len((await self.init(init_id)).data) for init_id in {s.init_id for s in found}}

        def fragments(segment: Segment) -> list[Fragment]:
            special = unpacked.get((segment.run_id, segment.n))
            return special if special is not None else list(frags.unpack(segment.frags, init_bytes[segment.init_id]))

        if len(found) > SELECT_IN_THREAD_OVER:
            return await asyncio.to_thread(select, found, from_us, to_us, fragments)
        return select(found, from_us, to_us, fragments)

    async def count(self, camera_id: CameraId, from_us: int, to_us: int, at_most: int) -> int:
        """Closed segments of the window, counted up to `at_most`."""
        return await self._catalog.read(
            partial(segments.count, camera_id=camera_id, from_us=from_us, to_us=to_us, at_most=at_most)
        )

    async def page(
        self, camera_id: CameraId, from_us: int, to_us: int, limit: int, cursor: tuple[int, int] | None
    ) -> tuple[list[Segment], tuple[int, int] | None]:
        """Closed segments of the window, at most `limit`, and the cursor of the next page."""
        rows = await self._catalog.read(
            partial(
                segments.page,
                camera_id=camera_id,
                from_us=from_us,
                to_us=to_us,
                after=cursor or (-1, 0),
                limit=limit + 1,
            )
        )
        more = len(rows) > limit
        rows = rows[:limit]
        return rows, (rows[-1].start_us, rows[-1].run_id) if more else None

    async def segment(self, camera_id: CameraId, run_id: RunId, n: int) -> Segment:
        """One segment, closed or growing. Raises NotFound. Where a closed one lies may be told as it was a second ago: the
        ranges of a player need no question each (a range of a warm file takes less than the question)."""
        now_us = mono_us()
        known = self._asked.get((run_id, n))
        if known is not None and now_us - known[1] < ASKED_KEPT_US and known[0].camera_id == camera_id:
            return known[0]
        row = await self.look_up(camera_id, run_id, n)
        if not row.growing:
            self._asked[run_id, n] = (row, now_us)
            self._asked.move_to_end((run_id, n))
            while len(self._asked) > ASKED_KEPT:
                self._asked.popitem(last=False)
        return row

    async def look_up(self, camera_id: CameraId, run_id: RunId, n: int) -> Segment:
        """As `segment`, as it is now."""
        row = await self._catalog.read(partial(segments.get, run_id=run_id, n=n))
        if row is None:
            growing = await self._growth.segments(camera_id)
            row = next((s for s in growing if s.run_id == run_id and s.n == n), None)
            if row is None:  # indexed between the two looks
                row = await self._catalog.read(partial(segments.get, run_id=run_id, n=n))
        if row is None or row.camera_id != camera_id:
            raise NotFound(f"camera {camera_id} has no segment {n} of run {run_id}")
        return row

    async def init(self, init_id: InitId) -> Init:
        found = self._inits.get(init_id)
        if found is None:
            found = await self._catalog.read(partial(inits.get, init_id=init_id))
            if found is None:
                raise NotFound(f"there is no init {init_id}")
            self._inits[init_id] = found
            while len(self._inits) > INITS_KEPT:
                self._inits.popitem(last=False)
        return found

    async def run(self, run_id: RunId) -> Run:
        found = self._ended_runs.get(run_id)
        if found is None:
            found = await self._catalog.read(partial(runs.get, run_id=run_id))
            if found is None:
                raise NotFound(f"there is no run {run_id}")
            if found.ended_us is not None:
                self._ended_runs[run_id] = found
                while len(self._ended_runs) > INITS_KEPT:
                    self._ended_runs.popitem(last=False)
        return found

    async def fragments(self, segment: Segment) -> list[Fragment]:
        """Unpacked, or read from the file's boxes where one did not fit the packed form. Raises OSError, NotFound, Unavailable,
        Conflict (`cold`)."""
        init = await self.init(segment.init_id)
        if SegmentFlag.FRAGS_IN_FILE not in segment.flags:
            return list(frags.unpack(segment.frags, len(init.data)))
        loop = asyncio.get_running_loop()
        if segment.tier is not Tier.REMOTE:
            try:
                path = segment_path(self.volumes.path(segment.volume_id), segment)
                return await loop.run_in_executor(self.volumes.pool(segment.volume_id), _in_file, path, init.data)
            except (FileNotFoundError, NotFound):
                if segment.tier is Tier.LOCAL:
                    raise
        if self.remote is None:
            raise Unavailable("this footage is in the object store only, and no store is configured")
        file = await self.remote.open(segment)
        return await loop.run_in_executor(file.pool, _fragments_of, file.pread, file.size_bytes, init.data)

    async def nearest(self, camera_id: CameraId, from_us: int, to_us: int) -> tuple[int | None, int | None]:
        """(end of the last footage before the window, start of the first after it)."""
        last = await self._catalog.read(partial(segments.newest, camera_id=camera_id, before_us=from_us))
        after = await self._catalog.read(partial(segments.first_start_after, camera_id=camera_id, from_us=to_us))
        before = min(last.end_us, from_us) if last else None
        for segment in await self._growth.segments(camera_id):
            if segment.start_us < from_us:
                before = max(before or 0, min(segment.end_us, from_us))
            elif segment.start_us >= to_us and (after is None or segment.start_us < after):
                after = segment.start_us
        return before, after

    async def timeline(self, camera_id: CameraId, from_us: int, to_us: int, buckets: int | None) -> Timeline:
        now_us = self._clock()
        growing = await self.growing(camera_id, from_us, to_us)
        count = buckets or DEFAULT_BUCKETS

        def answer(db: Connection) -> Timeline:
            recorded = timeline.read(db, camera_id, from_us, to_us, now_us)
            return timeline.build(
                camera_id, recorded, growing, from_us=from_us, to_us=to_us, now_us=now_us, buckets=count
            )

        return await self._catalog.read(answer)

    async def newest_us(self, camera_id: CameraId) -> int | None:
        """End of the newest footage."""
        growing = await self._growth.segments(camera_id)
        if growing:
            return growing[-1].end_us
        last = await self._catalog.read(partial(segments.newest, camera_id=camera_id))
        return last.end_us if last else None

    def live_edge_us(self, camera_id: CameraId) -> int | None:
        return self._growth.live_edge_us(camera_id)


def _in_file(path: Path, init_data: bytes) -> list[Fragment]:
    """Blocking."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _fragments_of(partial(os.pread, fd), os.fstat(fd).st_size, init_data)
    finally:
        os.close(fd)


def _fragments_of(pread: Pread, size_bytes: int, init_data: bytes) -> list[Fragment]:
    """Blocking."""
    init = parse_init(init_data)
    boxes, _ = fragments_of(pread, size_bytes, len(init_data), init)
    scale = init.video.timescale
    made = []
    passed_us = 0
    for box in boxes:
        before_ms = (passed_us + 500) // 1000
        passed_us += box.dur * 1_000_000 // scale
        dur_ms = (passed_us + 500) // 1000 - before_ms
        made.append(Fragment(box.offset, box.size_bytes, dur_ms, box.keyframe))
    return made
