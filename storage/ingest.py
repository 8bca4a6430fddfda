"""Ingest: a file ffmpeg has closed becomes an archived, hashed, dated, indexed segment.

    spool file -> boxes, SHA-256, fsync -> move to the archive -> row

Runs on the event loop; file work in the volume's pool, rows through the catalog's writer. Within a run files go strictly in
the order of n, since each start is the end of the one before. A crash between any two steps is mended by the next pass:
everything needed is in the file's name and boxes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import structlog

from config.errors import NvrError, Unavailable
from storage import activity, frags
from storage.adopt import adopt_placed
from storage.catalog import activity_usual, inits, runs, segments
from storage.catalog.db import Catalog
from storage.catalog.sqlite import Connection
from storage.describe import Place, init_of, measure, segment_of
from storage.examine import Examined, examine, sound_wait_us, stream_of
from storage.model import HOUR_US, CameraId, InitId, Run, RunId, Segment, SegmentFlag, Volume
from storage.moves import place, quarantine
from storage.paths import ARCHIVE, SPOOL, SpoolName, archive_path, spool_name
from storage.timemodel import MAX_DRIFT_US, LagOf, Measured, RunClock
from storage.volumes import Volumes

log = structlog.get_logger()


@dataclass(slots=True)
class RunState:
    """What is known of a run while files of it come in."""

    run: Run
    clock: RunClock = field(default_factory=RunClock)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_frag0: int = 0
    init_id: InitId | None = None
    init_data: bytes = b""
    lag_us: int = 80_000
    last_n: int = -1


@dataclass(frozen=True, slots=True)
class Drifted:
    """A run whose clock cannot be followed any more: it has to be ended.

    `jumped`: media time ran so much ahead of the frames (negative: fell behind) that it cannot be true; else the camera's
    time has drifted so far from the server's.
    """

    camera_id: CameraId
    run_id: RunId
    drift_us: int
    jumped: bool

    @property
    def sentence(self) -> str:
        by_s = abs(self.drift_us) / 1e6
        if not self.jumped:
            return f"the camera's time and the server's came {by_s:.1f} s apart"
        if by_s < 0.5:
            return "the camera's time jumped to and fro"
        return f"the camera's time jumped: it gave {by_s:.1f} s {'more' if self.drift_us > 0 else 'less'} than passed"


class Ingest:
    """`on_segment` is told of every new row; `on_drift` of a run to be ended. Both return at once. `step` is told of each step
    a file takes: tests die there."""

    def __init__(
        self,
        catalog: Catalog,
        volumes: Volumes,
        *,
        lag_of: LagOf,
        on_segment: Callable[[Segment], None] = lambda segment: None,
        on_drift: Callable[[Drifted], None] = lambda drifted: None,
    ) -> None:
        self._catalog = catalog
        self._volumes = volumes
        self._lag_of = lag_of
        self.on_segment = on_segment
        self.on_drift = on_drift
        self.step: Callable[[str], None] = lambda name: None
        self._runs: dict[RunId, RunState] = {}
        self._usual: dict[tuple[CameraId, int], float] = {}
        self.counts: Counter[str] = Counter()  # segments, bytes, quarantined, empty, failed

    async def state(self, name: SpoolName, volume: Volume) -> RunState | None:
        """Of the run a file belongs to; brought back from the catalog where needed. None: the camera is unknown here."""
        known = self._runs.get(name.run_id)
        if known is not None:
            return known
        run, rows = await self._catalog.read(
            lambda db: (runs.get(db, name.run_id), segments.last_of_run(db, name.run_id, 5))
        )
        if run is None:
            run = await self._catalog.write(
                partial(runs.recover, camera_id=name.camera_id, run_id=name.run_id, volume_id=volume.id)
            )
            if run is None:
                return None
            log.warning("run without a row: taken on from its files", camera=name.camera_id, run=name.run_id)
        if await adopt_placed(self._catalog, self._volumes, volume, run, rows[0] if rows else None):
            rows = await self._catalog.read(partial(segments.last_of_run, run_id=name.run_id, limit=5))
        state = RunState(run, RunClock(started_us=run.started_us))
        if rows:
            await self._resume(state, rows)
        return self._runs.setdefault(name.run_id, state)

    async def _resume(self, state: RunState, newest_first: list[Segment]) -> None:
        last = newest_first[0]
        init = await self._catalog.read(partial(inits.get, init_id=last.init_id))
        assert init is not None
        state.init_id, state.init_data = init.id, init.data
        state.next_frag0 = last.frag0 + frags.count(last.frags)
        state.last_n = last.n
        loop = asyncio.get_running_loop()
        ends: list[tuple[int, int]] = []
        mtime_us = last.end_us + state.lag_us
        for row in reversed(newest_first):
            media_end_us = row.media_start * 1_000_000 // init.timescale + frags.total_ms(row.frags) * 1000
            try:
                path = self._volumes.path(row.volume_id) / ARCHIVE
                path /= archive_path(row.camera_id, row.start_us, row.run_id, row.n)
                found = await loop.run_in_executor(self._volumes.pool(row.volume_id), path.stat)
            except (OSError, NvrError):
                continue  # gone or its volume is away: one sample less
            if row is last:
                mtime_us = found.st_mtime_ns // 1000
            if SegmentFlag.TIME_BAD in row.flags:
                ends.clear()
            elif row.n > 0:  # a run's first can start with nonsense
                ends.append((media_end_us, found.st_mtime_ns // 1000))
        media_end_us = last.media_start * 1_000_000 // init.timescale + frags.total_ms(last.frags) * 1000
        state.clock.resume(last.n, last.end_us, media_end_us, mtime_us, ends)

    def known(self, run_id: RunId) -> RunState | None:
        return self._runs.get(run_id)

    async def take(self, volume: Volume, name: SpoolName, *, last_of_run: bool) -> Segment | None:
        """Index one complete spool file, in its turn. None: there was nothing to index (gone, empty, broken, unknown).

        Raises OSError or Unavailable when it cannot be done now; the file is untouched then and the next pass tries again.
        """
        state = await self.state(name, volume)
        if state is None:
            self.counts["unknown_camera"] += 1
            return None
        async with state.lock:
            segment = await self._take(state, volume, name, last_of_run)
        if segment is not None:
            self.counts["segments"] += 1
            self.counts["bytes"] += segment.size_bytes
            self.on_segment(segment)
        return segment

    async def _take(self, state: RunState, volume: Volume, name: SpoolName, last_of_run: bool) -> Segment | None:
        loop = asyncio.get_running_loop()
        pool = self._volumes.pool(volume.id)
        root = Path(volume.path)
        path = root / SPOOL / spool_name(name.camera_id, name.run_id, name.n)
        try:
            examined = await loop.run_in_executor(pool, _examined, root, name, state.last_n, path)
        except FileNotFoundError:
            return None  # taken by the watchdog's hint a moment ago, or removed by an operator
        if examined.empty:
            await loop.run_in_executor(pool, partial(path.unlink, missing_ok=True))
            self.counts["empty"] += 1
            return None
        if examined.broken:
            await self._quarantine(volume, examined, examined.broken)
            return None
        self.step("examined")
        try:
            segment = self._date(state, volume, name, examined, last_of_run)
            target = root / ARCHIVE / archive_path(segment.camera_id, segment.start_us, segment.run_id, segment.n)
            if not await loop.run_in_executor(pool, place, path, target, segment.sha256):
                await self._quarantine(volume, examined, f"{target} exists with other bytes")
                return None
            self.step("placed")
            indexed = await self.index(state, segment, examined)
            self.step("indexed")
            return indexed
        except BaseException:
            # Dated, perhaps moved, but without a row: bring the run back from the catalog next time, which indexes it.
            self._runs.pop(name.run_id, None)
            raise

    async def index(self, state: RunState, segment: Segment, examined: Examined) -> Segment | None:
        """The row of a file that lies in the archive. None when it is there already."""
        usual = self._usual.get((segment.camera_id, hour_of_day(segment)))
        init_id = state.init_id if state.init_data == init_of(examined).data else None

        def insert(db: Connection) -> Segment | None:
            row = segment if init_id is not None else replace(segment, init_id=inits.put(db, init_of(examined)))
            if usual is not None:
                activity_usual.put(db, segment.camera_id, hour_of_day(segment), usual)
            return row if segments.insert(db, row) else None

        row = await self._catalog.write(insert)
        state.last_n = max(state.last_n, segment.n)
        if row is not None:
            state.init_id, state.init_data = row.init_id, init_of(examined).data
            state.next_frag0 = segment.frag0 + len(examined.fragments)
        return row

    def _date(self, state: RunState, volume: Volume, name: SpoolName, examined: Examined, last: bool) -> Segment:
        media = measure(examined, first_of_run=name.n == 0, frame_us=state.clock.frame_us)
        stream = stream_of(examined.fragments, init_of(examined).video.timescale, audio=state.run.audio)
        state.lag_us = self._lag_of(stream)
        dated = state.clock.date(
            Measured(
                n=name.n,
                media_start_us=media.start_us,
                lengths=media.lengths,
                end_wall_us=examined.mtime_us
                - sound_wait_us(examined.fragments[-1], init_of(examined), audio=state.run.audio),
                lag_us=state.lag_us,
                last_of_run=last,
                lag_error_us=stream.lag_error_us,
            )
        )
        if SegmentFlag.TIME_BAD in dated.flags:
            self.on_drift(Drifted(name.camera_id, name.run_id, media.dur_us - dated.dur_us, jumped=True))
        elif abs(dated.drift_us) > MAX_DRIFT_US:
            self.on_drift(Drifted(name.camera_id, name.run_id, dated.drift_us, jumped=False))
        elif media.counted_us:
            state.clock.frame_us = stream.frame_us
        key = (name.camera_id, dated.start_us // HOUR_US % 24)
        values, usual = activity.rate(examined.fragments, self._usual.get(key))
        if usual is not None:
            self._usual[key] = usual
        place_of = Place(name.camera_id, name.run_id, name.n, state.next_frag0, volume.id)
        return replace(segment_of(examined, media, values, place_of, dated), init_id=state.init_id or InitId(0))

    async def _quarantine(self, volume: Volume, examined: Examined, reason: str) -> None:
        loop = asyncio.get_running_loop()
        target = await loop.run_in_executor(
            self._volumes.pool(volume.id), quarantine, Path(volume.path), examined.path, reason
        )
        self.counts["quarantined"] += 1
        log.error("file quarantined", path=str(target), reason=reason)

    async def take_all(self, volume: Volume, names: Iterable[SpoolName], *, live: set[RunId]) -> None:
        """The pass: of the spool's listing, index what is complete. A file of a live run is once a higher n exists.

        An error with one file is logged and leaves that file to the next pass; the others go on.
        """
        by_run: dict[RunId, list[SpoolName]] = {}
        for name in names:
            by_run.setdefault(name.run_id, []).append(name)
        for run_id, files in sorted(by_run.items()):
            files.sort(key=lambda name: name.n)
            alive = run_id in live
            complete = files[:-1] if alive else files
            for name in complete:
                try:
                    await self.take(volume, name, last_of_run=not alive and name is files[-1])
                except (OSError, NvrError) as error:
                    self.counts["failed"] += 1
                    log.error(
                        "file not indexed yet", volume=volume.id, camera=name.camera_id, n=name.n, error=str(error)
                    )
                    break  # the run's order must hold

    def usual_of(self, camera_id: CameraId, at_us: int) -> float | None:
        """What storage.activity compares with, for that camera at that hour of the day."""
        return self._usual.get((camera_id, at_us // HOUR_US % 24))

    def forget(self, run_id: RunId) -> None:
        """A run that has ended and has nothing left in the spool."""
        self._runs.pop(run_id, None)

    async def load_usual(self) -> None:
        """At start: what is usual for each camera and hour."""
        self._usual = await self._catalog.read(activity_usual.load)


def _examined(root: Path, name: SpoolName, last_n: int, path: Path) -> Examined:
    """Raises Unavailable where one of its run that comes before it is there as well: each start is the end of the one before. A
    server that comes back gets the hint for the newest file before the pass has taken the older ones."""

    def there(n: int) -> bool:
        return (root / SPOOL / spool_name(name.camera_id, name.run_id, n)).exists()

    if there(name.n) and any(there(n) for n in range(last_n + 1, name.n)):
        raise Unavailable("an earlier file of its run waits")
    return examine(path, sync=True)


def hour_of_day(segment: Segment) -> int:
    return segment.start_us // HOUR_US % 24
