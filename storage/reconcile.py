"""Reconcile: keeps the index and the archive's files the same, in both directions, without ever deleting footage.

Run by the server's tick in small steps (`step`), by `nvr fsck` as a whole (`everything`). What it finds:

    a file without a row     indexed; quarantined where nothing can be played of it; removed where it holds no media
    a row without a file     becomes a `deletion` with the reason `missing`, and an alarm
    a file of another size   than its row says: an alarm, nothing else

Rows are judged only on a volume that showed its own uuid before and after the look: a missing mount is no missing file.
More than max(5 %, 20) missing rows of a volume are an operator's business.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog

from config.errors import NvrError
from storage.adopt import EMPTY, INDEXED, QUARANTINED, UNKNOWN_CAMERA, adopt, below
from storage.catalog import garbage, hours, offloads, segments, sweeping
from storage.catalog.db import Catalog
from storage.catalog.segments import Kept
from storage.catalog.sqlite import Connection
from storage.clock import Clock, wall_us
from storage.ingest import Ingest
from storage.listing import DAY_US, ArchiveFile, cameras_of, days_of, files_of, is_gone
from storage.model import HOUR_US, CameraId, Tier, Volume, VolumeId
from storage.paths import ARCHIVE, archive_path
from storage.volumes import Volumes

log = structlog.get_logger()

T = TypeVar("T")

WEEK_S = 7 * 86_400
YOUNG_US = 120_000_000
"""Younger files are ingest's: it has moved them and is about to commit their rows."""
RECENT_HOURS = 3
RECENT_EVERY_US = HOUR_US
DAYS_LISTED_EVERY_US = 6 * HOUR_US
MANY_SHARE = 0.05
MANY_ROWS = 20
ROWS_AT_ONCE = 100
Progress = Callable[[int, int], None]
"""(camera days done, camera days in all)."""


@dataclass(slots=True)
class Report:
    """Counts; `stopped`: volumes of which too much is missing, each with what to do."""

    checked: int = 0  # files
    indexed: int = 0
    quarantined: int = 0
    empty: int = 0
    missing: int = 0  # rows
    wrong_size: int = 0
    strangers: int = 0  # files in the archive that are not footage, or of unknown cameras, or second copies
    skipped: list[str] = field(default_factory=list)  # volumes that cannot be judged now
    stopped: list[str] = field(default_factory=list)

    def add(self, other: Report) -> None:
        for entry in fields(self):
            setattr(self, entry.name, getattr(self, entry.name) + getattr(other, entry.name))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class Look:
    """Where the files and the rows of one camera's hours on one volume differ."""

    unknown: list[ArchiveFile] = field(default_factory=list)
    missing: list[Kept] = field(default_factory=list)
    wrong_size: list[tuple[ArchiveFile, Kept]] = field(default_factory=list)


def compare(files: Sequence[ArchiveFile], rows: Sequence[Kept], *, young_us: int) -> Look:
    """Pure. Files changed since `young_us` are left out."""
    look = Look()
    by_name = {(row.start_us // 1000, row.run_id, row.n): row for row in rows}
    present = {(file.name.run_id, file.name.n) for file in files}
    for file in files:
        row = by_name.get((file.name.start_ms, file.name.run_id, file.name.n))
        if row is None:
            if file.changed_us < young_us:
                look.unknown.append(file)
        elif row.size_bytes != file.size_bytes:
            look.wrong_size.append((file, row))
    # A row whose file lies here under another start is no loss: the file is reported as a stranger.
    look.missing = [row for row in rows if (row.run_id, row.n) not in present]
    return look


class Reconciler:
    """Used from the event loop. `totals` counts since the start, for the metrics."""

    def __init__(self, catalog: Catalog, volumes: Volumes, ingest: Ingest, *, clock: Clock = wall_us) -> None:
        self._catalog = catalog
        self._volumes = volumes
        self._ingest = ingest
        self._clock = clock
        self._lock = asyncio.Lock()
        self._recent_us: list[int] = []
        self._rolled_us: int | None = None
        self._days: list[tuple[VolumeId, CameraId, int]] = []
        self._days_us = -DAYS_LISTED_EVERY_US
        self._failures = 0
        self._lost: dict[tuple[VolumeId, int], int] = {}  # (volume, week) -> rows taken out
        self.stopped: set[VolumeId] = set()
        self.totals = Report()

    async def step(self) -> None:
        """What is due now; the server calls it every minute."""
        now_us = self._clock()
        failures = self._ingest.counts["failed"]
        if self._recent_due(now_us) or failures > self._failures:
            self._failures = failures
            self._recent_us = [*self._recent_us[-1:], now_us]
            await self.recent()
        await self.rolling_step()

    def _recent_due(self, now_us: int) -> bool:
        if not self._recent_us:
            return True
        # The first look after a start leaves out what the last server was just moving: look again when that is older.
        wait_us = 2 * YOUNG_US if len(self._recent_us) == 1 else RECENT_EVERY_US
        return not 0 <= now_us - self._recent_us[-1] < wait_us

    async def recent(self) -> Report:
        """The hour folders of the last 3 h, of every camera and volume."""
        now_us = self._clock()
        to_us = (now_us // HOUR_US + 1) * HOUR_US
        from_us = to_us - (RECENT_HOURS + 1) * HOUR_US
        report = Report()
        for volume in self._volumes.readable():
            for camera_id in await self._cameras(volume, from_us, to_us):
                report.add(await self._guarded(volume, camera_id, from_us, to_us))
        return report

    async def rolling_step(self) -> Report:
        """All days of all cameras once a week, each in its own minute of the week, whenever the server was started."""
        now_us = self._clock()
        before_us, self._rolled_us = self._rolled_us, now_us
        if before_us is None or now_us <= before_us:
            return Report()
        if now_us - self._days_us >= DAYS_LISTED_EVERY_US or now_us < self._days_us:
            self._days, self._days_us = await self._all_days(), now_us
        report = Report()
        for volume_id, camera_id, day_us in self._days:
            if is_due(slot_s(volume_id, camera_id, day_us), before_us // 1_000_000, now_us // 1_000_000):
                volume = self._volumes.get(volume_id)
                report.add(await self._guarded(volume, camera_id, day_us, day_us + DAY_US))
        return report

    async def everything(
        self, *, dry_run: bool = False, accept_loss: bool = False, progress: Progress = lambda done, total: None
    ) -> Report:
        """All of it now. With `dry_run` nothing is changed. `accept_loss`: however much is missing, it is gone.

        What is missing is judged by volume when all of it has been seen. Raises OSError, Unavailable.
        """
        report = Report(skipped=[v.detail for v in self._volumes.all() if v.state not in ("ok", "full")])
        gone: dict[VolumeId, list[tuple[CameraId, Kept]]] = {}
        days = await self._all_days()
        for done, (volume_id, camera_id, day_us) in enumerate(days):
            progress(done, len(days))
            volume = self._volumes.get(volume_id)
            missing = await self._check(volume, camera_id, day_us, day_us + DAY_US, report, dry_run=dry_run)
            gone.setdefault(volume_id, []).extend((camera_id, row) for row in missing)
        progress(len(days), len(days))
        for volume_id, rows in gone.items():
            report.missing += len(rows)
            if accept_loss:
                self.stopped.discard(volume_id)
            if rows and not dry_run and (accept_loss or await self._within_limit(volume_id, len(rows), report)):
                await self._take_out(self._volumes.get(volume_id), rows)
        return report

    async def _guarded(self, volume: Volume, camera_id: CameraId, from_us: int, to_us: int) -> Report:
        """One camera's hours on one volume. A volume that goes away in between is not judged; the others go on."""
        report = Report()
        try:
            missing = await self._check(volume, camera_id, from_us, to_us, report)
            report.missing += len(missing)
            if missing and await self._within_limit(volume.id, len(missing), report):
                await self._take_out(volume, [(camera_id, row) for row in missing])
        except (OSError, NvrError) as error:
            log.error("reconcile failed", volume=volume.id, camera=camera_id, error=str(error))
        self.totals.add(report)
        return report

    async def _all_days(self) -> list[tuple[VolumeId, CameraId, int]]:
        """Every day of every camera that has a folder or a row on a volume that can be read."""
        found: list[tuple[VolumeId, CameraId, int]] = []
        for volume in self._volumes.readable():
            root = Path(volume.path)
            listed = await self._in_pool(volume, partial(_listed_days, root))
            known = await self._catalog.read(partial(hours.days_on, volume_id=volume.id))
            found += [(volume.id, camera_id, day_us) for camera_id, day_us in sorted({*listed, *known})]
        return found

    async def _cameras(self, volume: Volume, from_us: int, to_us: int) -> list[CameraId]:
        listed = await self._in_pool(volume, partial(cameras_of, Path(volume.path)))
        known = await self._catalog.read(partial(hours.cameras_on, volume_id=volume.id, from_us=from_us, to_us=to_us))
        return sorted({*listed, *known})

    async def _in_pool(self, volume: Volume, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._volumes.pool(volume.id), work)

    async def _proven(self, volume: Volume) -> bool:
        """The volume shows its own uuid at this moment."""
        await self._in_pool(volume, partial(self._volumes.recheck, volume.id))
        return self._volumes.get(volume.id).state in ("ok", "full")

    async def _check(
        self, volume: Volume, camera_id: CameraId, from_us: int, to_us: int, report: Report, *, dry_run: bool = False
    ) -> list[Kept]:
        """Brings files and rows together, counts in `report`; answers the rows whose file is gone.

        Raises OSError, Unavailable.
        """
        async with self._lock:
            if not await self._proven(volume):
                return []
            # Rows first: a file that is indexed after this has a young ctime, one that is deleted is asked for again.
            rows = await self._catalog.read(
                partial(segments.starting, camera_id=camera_id, volume_id=volume.id, from_us=from_us, to_us=to_us)
            )
            files, strangers = await self._in_pool(
                volume, partial(files_of, Path(volume.path), camera_id, from_us, to_us)
            )
            look = compare(files, rows, young_us=self._clock() - YOUNG_US)
            report.checked += len(files)
            report.strangers += strangers
            report.wrong_size += len(look.wrong_size)
            for file, row in look.wrong_size:
                log.error("file has not its row's size", path=str(file.path), row_bytes=row.size_bytes)
            starts = {(file.name.run_id, file.name.n): file.name.start_ms * 1000 for file in files}
            for file in look.unknown:
                next_start_us = starts.get((file.name.run_id, file.name.n + 1))
                await self._take(volume, camera_id, file, next_start_us, report, dry_run=dry_run)
            return await self._certain(volume, camera_id, look.missing)

    async def _take(
        self,
        volume: Volume,
        camera_id: CameraId,
        file: ArchiveFile,
        next_start_us: int | None,
        report: Report,
        *,
        dry_run: bool,
    ) -> None:
        """A file without a row."""
        known = await self._catalog.read(partial(segments.get, run_id=file.name.run_id, n=file.name.n))
        if known is not None:
            if known.start_us // 1000 != file.name.start_ms or known.volume_id != volume.id:
                report.strangers += 1
                log.error("second copy of a segment left alone", path=str(file.path))
            return
        if await self._catalog.read(partial(garbage.has, volume_id=volume.id, path=below(volume, file.path))):
            return  # the sweeper's
        if dry_run:
            report.indexed += 1  # or what it turns out to be when it is read
            return
        usual = self._ingest.usual_of(camera_id, file.name.start_ms * 1000)
        adopted = await adopt(
            self._catalog, self._volumes, volume, camera_id, file.path, usual=usual, next_start_us=next_start_us
        )
        outcome = adopted.outcome
        report.indexed += outcome == INDEXED
        report.quarantined += outcome == QUARANTINED
        report.empty += outcome == EMPTY
        report.strangers += outcome == UNKNOWN_CAMERA
        if outcome == INDEXED:
            log.warning("file without a row indexed", path=str(file.path))

    async def _certain(self, volume: Volume, camera_id: CameraId, rows: Sequence[Kept]) -> list[Kept]:
        """Those that still have a row and no file, on a volume that still shows its uuid."""
        gone = []
        for row in rows:
            path = Path(volume.path) / ARCHIVE / archive_path(camera_id, row.start_us, row.run_id, row.n)
            if await self._in_pool(volume, partial(is_gone, path)) and await self._still(volume, row):
                gone.append(row)
        return gone if gone and await self._proven(volume) else []

    async def _still(self, volume: Volume, row: Kept) -> bool:
        found = await self._catalog.read(partial(segments.get, run_id=row.run_id, n=row.n))
        here = found is not None and found.tier is not Tier.REMOTE and found.volume_id == volume.id
        return here and found is not None and found.start_us == row.start_us

    async def _take_out(self, volume: Volume, rows: Sequence[tuple[CameraId, Kept]]) -> None:
        """Rows whose files are gone become deletions; an alarm for each camera."""
        at_us = self._clock()

        def remove(db: Connection, some: Sequence[tuple[CameraId, Kept]]) -> None:
            rows_now = [one for _, row in some if (one := segments.get(db, row.run_id, row.n)) is not None]
            found = [one for one in rows_now if one.tier is not Tier.REMOTE]  # its file has just gone where it should
            stored = [one for one in found if one.tier is Tier.BOTH and offloads.verified(db, one.run_id, one.n)]
            sweeping.local_copy_gone(db, stored)  # the object store has it still
            segments.remove(db, [one for one in found if one not in stored], reason="missing", at_us=at_us)

        for camera_id in sorted({camera_id for camera_id, _ in rows}):
            of_camera = [(camera, row) for camera, row in rows if camera == camera_id]
            for first in range(0, len(of_camera), ROWS_AT_ONCE):  # other writers get their turn
                await self._catalog.write(partial(remove, some=of_camera[first : first + ROWS_AT_ONCE]))
            log.error("footage is missing", camera=camera_id, volume=volume.id, segments=len(of_camera))

    async def _within_limit(self, volume_id: VolumeId, count: int, report: Report) -> bool:
        """False above max(5 %, 20 rows) of the volume in a week: nothing is taken out then until an operator says so."""
        week = (volume_id, self._clock() // (WEEK_S * 1_000_000))
        lost = self._lost.get(week, 0) + count
        kept = await self._catalog.read(partial(hours.segments_on, volume_id=volume_id))
        limit = max(MANY_ROWS, int(MANY_SHARE * (kept + lost - count)))
        if lost <= limit and volume_id not in self.stopped:
            self._lost = {key: value for key, value in self._lost.items() if key[1] == week[1]} | {week: lost}
            return True
        message = (
            f"{self._volumes.path(volume_id)}: more than {limit} of its segments are missing, so none is taken out of "
            "the index: look after that disk; if they are really gone, run `nvr fsck --accept-loss`"
        )
        if volume_id not in self.stopped:
            log.error("too much is missing", volume=volume_id, detail=message)
        self.stopped.add(volume_id)
        if message not in report.stopped:
            report.stopped.append(message)
        return False


def _listed_days(root: Path) -> list[tuple[CameraId, int]]:
    return [(camera_id, day_us) for camera_id in cameras_of(root) for day_us in days_of(root, camera_id)]


def slot_s(volume_id: VolumeId, camera_id: CameraId, day_us: int) -> int:
    """The second of the week at which a camera's day is looked at: always the same, evenly spread."""
    return zlib.crc32(f"{volume_id}/{camera_id}/{day_us}".encode()) % WEEK_S


def is_due(slot: int, before_s: int, now_s: int) -> bool:
    """Whether that second of the week lies in (before_s, now_s]."""
    return now_s - before_s >= WEEK_S or (slot - before_s - 1) % WEEK_S < now_s - before_s
