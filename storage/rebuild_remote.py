"""Rebuild from the object store: rows of footage that is there, made again from what the objects say of themselves.

    cameras     that no volume describes: a stand-in of that code, disabled
    segments    those without a row: tier REMOTE; those whose file is on a volume with the same SHA-256: tier BOTH

Run by `nvr fsck --rebuild --from-s3` after the volumes were read, while no server runs. Nothing is deleted on either side.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from config.errors import Corrupt, NvrError
from storage import object_metadata
from storage.catalog import cameras, copies, inits, offloads, runs, segments
from storage.catalog.db import Catalog
from storage.catalog.sqlite import Connection
from storage.fmp4 import InitBoxes, parse_init
from storage.model import InitId, RunId, Tier, VolumeId
from storage.object_metadata import Remembered
from storage.objects import Objects, Stored
from storage.rebuild import Rebuilt, restore_camera, stand_in
from storage.storekeys import camera_of

log = structlog.get_logger()

AT_ONCE = 8
ROWS_AT_ONCE = 100
Progress = Callable[[int], None]
"""(objects looked at)."""


@dataclass(frozen=True, slots=True)
class _Found:
    key: str
    stored: Stored
    remembered: Remembered


@dataclass
class _Work:
    catalog: Catalog
    objects: Objects
    node: str
    volume_id: VolumeId
    report: Rebuilt
    inits: dict[bytes, InitBoxes] = field(default_factory=dict)  # by SHA-256
    runs: set[RunId] = field(default_factory=set)


async def rebuild_remote(
    catalog: Catalog,
    objects: Objects,
    below: str,
    node: str,
    volume_id: VolumeId,
    report: Rebuilt,
    *,
    progress: Progress = lambda done: None,
) -> None:
    """All objects below `below`. One that cannot be read is named in the report. Raises Unavailable when the store fails."""
    work = _Work(catalog, objects, node, volume_id, report)
    after, done = "", 0
    while page := await objects.page(below, after):
        after = page[-1][0]
        keys = [key for key, _ in page if key.endswith(".mp4") and camera_of(key) is not None]
        for first in range(0, len(keys), ROWS_AT_ONCE):
            some = keys[first : first + ROWS_AT_ONCE]
            found = await _look_at(work, some)
            await catalog.write(partial(_put, work=work, found=found))
            done += len(some)
            progress(done)
    for run_id in sorted(work.runs):
        last = await catalog.read(partial(segments.last_of_run, run_id=run_id))
        if last:
            await catalog.write(partial(runs.end, run_id=run_id, ended_us=last[0].end_us, reason="unknown"))


async def _look_at(work: _Work, keys: list[str]) -> list[_Found]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def look(key: str) -> _Found | None:
        async with turns:
            try:
                stored = await work.objects.head(key)
                remembered = object_metadata.read(key, stored.size_bytes, stored.metadata)
                await _init(work, key, stored, remembered)
                return _Found(key, stored, remembered)
            except Corrupt as error:
                work.report.failed.append(error.message)
                return None

    return [found for found in await asyncio.gather(*map(look, keys)) if found is not None]


async def _init(work: _Work, key: str, stored: Stored, remembered: Remembered) -> None:
    """One look a run, more or less. Raises Corrupt, and NvrError for a cold object: its init may be that of another."""
    if remembered.init_sha256 in work.inits:
        return
    try:
        data = await work.objects.read(key, stored.version_id, 0, remembered.init_bytes)
    except NvrError as error:
        if stored.cold:
            message = f"{key} is in the storage class {stored.storage_class}: restore one object of its run first"
            raise Corrupt(message) from error
        raise
    work.inits[remembered.init_sha256] = parse_init(data)


def _put(db: Connection, work: _Work, found: list[_Found]) -> None:
    for one in found:
        segment = one.remembered.segment
        _camera(db, work, one)
        known = segments.get(db, segment.run_id, segment.n)
        if known is None:
            run = runs.recover(db, camera_id=segment.camera_id, run_id=segment.run_id, volume_id=work.volume_id)
            assert run is not None  # its camera is there
            init_id: InitId = inits.put(db, work.inits[one.remembered.init_sha256])
            segments.insert(db, replace(segment, init_id=init_id, volume_id=run.volume_id))
            work.runs.add(segment.run_id)
            work.report.segments += 1
        elif known.sha256 != segment.sha256:
            work.report.failed.append(f"{one.key} has other bytes than the segment of that name here")
            continue
        else:
            work.report.known += 1
        checksum = base64.b64encode(one.stored.sha256).decode() if one.stored.sha256 else ""
        offloads.remember(
            db,
            segment,
            key=one.key,
            version_id=one.stored.version_id,
            checksum=checksum,
            storage_class=one.stored.storage_class,
        )
        if known is not None and known.tier is Tier.LOCAL:
            segments.set_tier(db, [known], Tier.BOTH)


def _camera(db: Connection, work: _Work, one: _Found) -> None:
    camera_id = one.remembered.segment.camera_id
    if camera_id in cameras.ids(db):
        return
    restore_camera(db, replace(stand_in(camera_id, work.node), code=one.remembered.code))
    copies.raise_camera_id(db, camera_id)
    work.report.cameras += 1
    work.report.nameless.append(camera_id)
