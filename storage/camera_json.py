"""`archive/<camera_id>/camera.json`: what a camera is, beside its footage, so that a lost catalog can be made again.

Without the camera's login: footage travels on disks, passwords do not. Written by the server when a camera gets its
first segment on a volume since the start, and whenever the camera changes.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from pydantic import TypeAdapter

from config.errors import Corrupt, Invalid, NvrError
from storage import camera_url
from storage.camera_rules import checked
from storage.catalog import cameras
from storage.catalog.db import Catalog
from storage.clock import Clock, wall_us
from storage.model import Camera, CameraId, Segment, VolumeId
from storage.paths import ARCHIVE
from storage.volumes import Volumes, fsync_folder

log = structlog.get_logger()

NAME = "camera.json"
FORMAT = 1
_CAMERA = TypeAdapter(Camera)


@dataclass(frozen=True, slots=True)
class Found:
    """A camera as a volume remembers it; of several the newest `written_us` counts."""

    camera: Camera
    written_us: int


def write(volume: Path, camera: Camera, *, written_us: int) -> None:
    """Replace the camera's file on a volume, whole or not at all. Blocking. Raises OSError."""
    folder = volume / ARCHIVE / str(camera.id)
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    text = json.dumps({"format": FORMAT, "written_us": written_us, **asdict(camera)}, ensure_ascii=False, indent=1)
    partial_path = folder / f".{NAME}.new"
    fd = os.open(partial_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    with os.fdopen(fd, "wb") as file:
        file.write(text.encode() + b"\n")
        file.flush()
        os.fsync(fd)
    partial_path.rename(folder / NAME)
    fsync_folder(folder)


def read(folder: Path) -> Found | None:
    """Of a camera's folder in an archive; None without a file. Blocking. Raises Corrupt for one that makes no sense."""
    path = folder / NAME
    try:
        values = json.loads(path.read_bytes())
        return _camera(values)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, RecursionError, Invalid) as error:
        raise Corrupt(f"{path} is no camera description: {error}") from error


def _camera(values: Any) -> Found:
    """Raises ValueError, TypeError, KeyError or Invalid. Fields of later versions are left out."""
    if not isinstance(values, dict):
        raise TypeError("it is no object")
    known = {field.name for field in fields(Camera)}
    camera = _CAMERA.validate_python({name: value for name, value in values.items() if name in known})
    parsed = camera_url.parse(camera.url, allow_loopback=True)
    return Found(checked(replace(camera, url=parsed.url)), int(values["written_us"]))


class CameraJson:
    """Keeps the files true while the server runs. Used from the event loop; both notices return at once."""

    def __init__(self, catalog: Catalog, volumes: Volumes, *, clock: Clock = wall_us) -> None:
        self._catalog = catalog
        self._volumes = volumes
        self._clock = clock
        self._written: set[tuple[CameraId, VolumeId]] = set()
        self._locks: dict[VolumeId, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def indexed(self, segment: Segment) -> None:
        """A new row: its camera is described on that volume from now on."""
        place = (segment.camera_id, segment.volume_id)
        if place not in self._written:
            self._written.add(place)
            self._start(segment.camera_id, segment.volume_id, new=True)

    def changed(self, camera_id: CameraId) -> None:
        """A camera was changed: every volume that holds its footage is told."""
        for volume in self._volumes.readable():
            self._start(camera_id, volume.id, new=False)

    def _start(self, camera_id: CameraId, volume_id: VolumeId, *, new: bool) -> None:
        task = asyncio.create_task(self._write(camera_id, volume_id, new), name=f"camera.json of {camera_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, camera_id: CameraId, volume_id: VolumeId, new: bool) -> None:
        try:
            async with self._locks.setdefault(volume_id, asyncio.Lock()):  # of two changes the last one stays
                camera = await self._catalog.read(partial(cameras.get, camera_id=camera_id))
                work = partial(_keep, self._volumes.path(volume_id), camera, self._clock(), new=new)
                await asyncio.get_running_loop().run_in_executor(self._volumes.pool(volume_id), work)
        except (OSError, NvrError) as error:
            self._written.discard((camera_id, volume_id))  # tried again with its next segment there
            log.warning("camera.json not written", camera=camera_id, volume=volume_id, error=str(error))

    async def settled(self) -> None:
        """Returns when what was noticed so far is on disk, or has failed."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)


def _keep(volume: Path, camera: Camera, now_us: int, *, new: bool) -> None:
    """Write it where it says something new, and only to where the camera has footage unless `new`. Blocking."""
    folder = volume / ARCHIVE / str(camera.id)
    if not new and not folder.is_dir():
        return
    try:
        before = read(folder)
    except Corrupt:
        before = None
    if before is None or before.camera != camera:
        write(volume, camera, written_us=now_us)
