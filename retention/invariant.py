"""The daily check: every file is accounted for, once. Reads only, at a leisurely pace, and reports; `nvr fsck` mends.

A footage file in an archive has a row, or it is condemned (a garbage row), never both and never neither; what lies in the spool
has no row yet. Files and rows of the last two minutes are left out: they are on their way.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog

from config.errors import NvrError
from retention.unlink import named
from storage.catalog import garbage, hours, segments
from storage.catalog.db import Catalog
from storage.catalog.segments import Kept
from storage.catalog.sqlite import Connection
from storage.clock import Clock, wall_us
from storage.listing import DAY_US, ArchiveFile, cameras_of, days_of, files_of, is_gone
from storage.model import CameraId, Tier, Volume, VolumeId
from storage.paths import ARCHIVE, SPOOL, archive_path, hour_folder, parse_spool_name, spool_name
from storage.volumes import Volumes

log = structlog.get_logger()

YOUNG_US = 120_000_000
REST_S = 0.01
EXAMPLES = 20


@dataclass(slots=True)
class Checked:
    """Counts by what was found; `examples`: the first paths of what should not be."""

    files: int = 0
    without_row: int = 0  # neither row nor garbage row
    condemned_with_row: int = 0
    without_file: int = 0  # rows
    spooled_with_row: int = 0
    skipped: list[str] = field(default_factory=list)  # volumes that cannot be judged now
    examples: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        return self.without_row + self.condemned_with_row + self.without_file + self.spooled_with_row

    def example(self, path: str) -> None:
        if len(self.examples) < EXAMPLES:
            self.examples.append(path)


async def check(catalog: Catalog, volumes: Volumes, *, clock: Clock = wall_us, rest_s: float = REST_S) -> Checked:
    """Every volume that shows its own uuid. Its numbers are logged; what is wrong is logged as an error."""
    report = Checked(skipped=[volume.path for volume in volumes.all() if volume not in volumes.readable()])
    for volume in volumes.readable():
        try:
            await _check_volume(catalog, volumes, volume, clock, rest_s, report)
        except (OSError, NvrError) as error:
            report.skipped.append(volume.path)
            log.error("check of a volume ended", volume=volume.id, error=str(error))
    say = log.error if report.wrong else log.info
    say(
        "files and rows checked",
        files=report.files,
        without_row=report.without_row,
        condemned_with_row=report.condemned_with_row,
        without_file=report.without_file,
        spooled_with_row=report.spooled_with_row,
        examples=report.examples,
    )
    return report


async def _check_volume(
    catalog: Catalog, volumes: Volumes, volume: Volume, clock: Clock, rest_s: float, report: Checked
) -> None:
    loop, pool, root = asyncio.get_running_loop(), volumes.pool(volume.id), Path(volume.path)
    listed = await loop.run_in_executor(pool, _listed, root)
    known = await catalog.read(partial(hours.days_on, volume_id=volume.id))
    for camera_id, day_us in sorted({*listed, *known}):
        young_us = clock() - YOUNG_US
        files, _ = await loop.run_in_executor(pool, partial(files_of, root, camera_id, day_us, day_us + DAY_US))
        rows, condemned = await catalog.read(partial(_rows_of, volume_id=volume.id, camera_id=camera_id, day_us=day_us))
        report.files += len(files)
        for path in _suspects(root, camera_id, files, rows, condemned, young_us):
            # Indexed, deleted or moved between the two looks? What it is now counts.
            has_row, is_condemned = await catalog.read(partial(_stands, volume_id=volume.id, path=path))
            gone = await loop.run_in_executor(pool, is_gone, root / path)
            _count(report, path, there=not gone, has_row=has_row, condemned=is_condemned)
        await asyncio.sleep(rest_s)
    await _check_spool(catalog, volumes, volume, clock() - YOUNG_US, report)


def _listed(root: Path) -> list[tuple[CameraId, int]]:
    return [(camera_id, day_us) for camera_id in cameras_of(root) for day_us in days_of(root, camera_id)]


def _rows_of(db: Connection, volume_id: VolumeId, camera_id: CameraId, day_us: int) -> tuple[list[Kept], set[str]]:
    """Local rows of a day, and the condemned paths of its folder."""
    rows = segments.starting(db, camera_id, volume_id, day_us, day_us + DAY_US)
    folder = hour_folder(camera_id, day_us).rpartition("/")[0]
    return rows, set(garbage.below(db, volume_id, f"{ARCHIVE}/{folder}/"))


def _suspects(
    root: Path,
    camera_id: CameraId,
    files: Sequence[ArchiveFile],
    rows: Sequence[Kept],
    condemned: set[str],
    young_us: int,
) -> list[str]:
    """Paths of which not exactly one is true: it has a row and a file, or it is condemned. Pure."""
    there = {str(file.path.relative_to(root)): file.changed_us for file in files}
    known = {f"{ARCHIVE}/{archive_path(camera_id, row.start_us, row.run_id, row.n)}" for row in rows}
    neither = [path for path, changed_us in there.items() if path not in known | condemned and changed_us < young_us]
    return sorted({*neither, *(known & condemned), *(known - there.keys())})


def _stands(db: Connection, volume_id: VolumeId, path: str) -> tuple[bool, bool]:
    """Whether a path has a row that says it is here, and whether it is condemned."""
    name = named(path)
    row = segments.get(db, name[2], name[3]) if name is not None else None
    here = row is not None and row.tier is not Tier.REMOTE and row.volume_id == volume_id
    return here, garbage.has(db, volume_id, path)


def _count(report: Checked, path: str, *, there: bool, has_row: bool, condemned: bool) -> None:
    before = report.wrong
    report.condemned_with_row += has_row and condemned
    report.without_file += has_row and not condemned and not there
    report.without_row += there and not has_row and not condemned
    if report.wrong > before:
        report.example(path)


async def _check_spool(catalog: Catalog, volumes: Volumes, volume: Volume, young_us: int, report: Checked) -> None:
    """What has a row was moved out of the spool before it got one."""
    spool = Path(volume.path) / SPOOL
    listed = await asyncio.get_running_loop().run_in_executor(volumes.pool(volume.id), _old_files, spool, young_us)
    for name in filter(None, map(parse_spool_name, listed)):
        if await catalog.read(partial(segments.get, run_id=name.run_id, n=name.n)) is not None:
            report.spooled_with_row += 1
            report.example(f"{SPOOL}/{spool_name(name.camera_id, name.run_id, name.n)}")


def _old_files(folder: Path, young_us: int) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.stat(follow_symlinks=False).st_ctime_ns // 1000 < young_us]
