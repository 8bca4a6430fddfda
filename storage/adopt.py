"""Indexing a file that already lies in the archive but has no row: left so by a crash, a restored or a lost catalog.

File work in the volume's pool, rows through the catalog's writer. Nothing that has a row is ever changed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import structlog

from storage import frags
from storage.catalog import garbage, inits, runs, segments
from storage.catalog.db import Catalog
from storage.catalog.sqlite import Connection
from storage.describe import init_of
from storage.examine import Examined, examine
from storage.model import HOUR_US, CameraId, Run, RunId, Segment, Volume
from storage.moves import quarantine
from storage.paths import ARCHIVE, ArchiveName, archive_path, hour_folder, parse_archive_name
from storage.recover import Neighbours, recovered
from storage.volumes import Volumes

log = structlog.get_logger()

INDEXED, KNOWN, GONE, EMPTY, QUARANTINED, UNKNOWN_CAMERA, GARBAGE = (
    "indexed",
    "known",
    "gone",
    "empty",
    "quarantined",
    "unknown_camera",
    "garbage",
)


@dataclass(frozen=True, slots=True)
class Adopted:
    """`outcome`: indexed | known | gone | empty (removed) | quarantined | unknown_camera, garbage (left where they are)."""

    outcome: str
    segment: Segment | None = None


async def adopt(
    catalog: Catalog,
    volumes: Volumes,
    volume: Volume,
    camera_id: CameraId,
    path: Path,
    *,
    usual: float | None = None,
    next_start_us: int | None = None,
) -> Adopted:
    """Index `path`, a file of the volume's archive. `next_start_us`: by the name of the run's next file, where it is there.

    Raises OSError or Unavailable; the file is untouched then.
    """
    if await catalog.read(partial(garbage.has, volume_id=volume.id, path=below(volume, path))):
        return Adopted(GARBAGE)
    examined = await inspect(volumes, volume, path)
    if isinstance(examined, Adopted):
        return examined
    return await catalog.write(
        partial(put, volume=volume, camera_id=camera_id, examined=examined, usual=usual, next_start_us=next_start_us)
    )


def below(volume: Volume, path: Path) -> str:
    """As `garbage` names a file."""
    return str(path.relative_to(volume.path))


async def inspect(volumes: Volumes, volume: Volume, path: Path) -> Examined | Adopted:
    """A sound file, read and made durable. One without media is removed, a broken one goes to quarantine. Raises OSError."""
    pool = volumes.pool(volume.id)
    loop = asyncio.get_running_loop()
    try:
        examined = await loop.run_in_executor(pool, partial(examine, path, sync=True))
    except FileNotFoundError:
        return Adopted(GONE)
    if examined.empty:
        await loop.run_in_executor(pool, partial(path.unlink, missing_ok=True))
        log.warning("file without media removed", path=str(path), bytes=examined.size_bytes)
        return Adopted(EMPTY)
    if examined.broken:
        target = await loop.run_in_executor(pool, quarantine, Path(volume.path), path, examined.broken)
        log.error("file quarantined", path=str(target), reason=examined.broken)
        return Adopted(QUARANTINED)
    return examined


def put(
    db: Connection,
    *,
    volume: Volume,
    camera_id: CameraId,
    examined: Examined,
    usual: float | None,
    next_start_us: int | None = None,
) -> Adopted:
    """The row of a sound file, beside those of its run."""
    name = parse_archive_name(examined.path.name)
    assert name is not None
    if garbage.has(db, volume.id, below(volume, examined.path)):
        return Adopted(GARBAGE)
    if runs.recover(db, camera_id=camera_id, run_id=name.run_id, volume_id=volume.id) is None:
        return Adopted(UNKNOWN_CAMERA)
    if segments.get(db, name.run_id, name.n) is not None:
        return Adopted(KNOWN)
    beside = neighbours(db, name, len(examined.fragments))
    if beside.after_start_us is None:
        beside = replace(beside, after_start_us=next_start_us)
    made = recovered(examined, camera_id, volume.id, name, beside, usual)
    row = replace(made, init_id=inits.put(db, init_of(examined)))
    return Adopted(INDEXED, row) if segments.insert(db, row) else Adopted(KNOWN)


def neighbours(db: Connection, name: ArchiveName, fragments: int) -> Neighbours:
    """What the rows of the run say about a file of it that has none."""
    before = segments.before(db, name.run_id, name.n)
    after = segments.get(db, name.run_id, name.n + 1)
    frag0 = 0
    if before is not None:
        frag0 = before.frag0 + frags.count(before.frags)
    elif after is not None:
        frag0 = max(after.frag0 - fragments, 0)
    return Neighbours(
        frag0=frag0,
        before_end_us=before.end_us if before is not None and before.n == name.n - 1 else None,
        after_start_us=after.start_us if after is not None else None,
    )


async def adopt_placed(catalog: Catalog, volumes: Volumes, volume: Volume, run: Run, last: Segment | None) -> int:
    """Index what was moved to the archive by a server that did not live to index it; how many. `last`: the run's newest row.

    Its name is known: the next segment starts where the last one ends. A run's first is looked for in the hours around
    the run's start.
    """
    loop = asyncio.get_running_loop()
    count = 0
    while True:
        path = await loop.run_in_executor(volumes.pool(volume.id), _placed, Path(volume.path), run, last)
        if path is None:
            return count
        adopted = await adopt(catalog, volumes, volume, run.camera_id, path)
        if adopted.segment is None:
            return count
        last = adopted.segment
        count += 1
        log.warning("file indexed that a crash had left in the archive", path=str(path))


def _placed(root: Path, run: Run, last: Segment | None) -> Path | None:
    if last is not None:
        path = root / ARCHIVE / archive_path(run.camera_id, last.end_us, run.id, last.n + 1)
        return path if path.exists() else None
    for hour_us in (run.started_us - HOUR_US, run.started_us, run.started_us + HOUR_US):
        folder = root / ARCHIVE / hour_folder(run.camera_id, hour_us)
        if found := _files_of(folder, run.id):
            return found[0]
    return None


def _files_of(folder: Path, run_id: RunId) -> list[Path]:
    """The run's files in an hour folder, by n."""
    try:
        named = [(parse_archive_name(path.name), path) for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [path for _, path in sorted((name.n, path) for name, path in named if name and name.run_id == run_id)]
