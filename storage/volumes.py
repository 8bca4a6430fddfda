"""Volumes: the folders footage lives in, proven by a uuid before anything is written, deleted or reconciled there.

A mount that is missing leaves an empty folder behind: writing there would fill the root disk, and reconciling there would
wipe the index. Hence `.nvr-volume`: a folder the catalog knows must hold its own uuid.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import structlog

from config.errors import Invalid, NotFound, Unavailable
from storage.catalog import copies
from storage.catalog import volumes as rows
from storage.catalog.db import Catalog
from storage.catalog.sqlite import Connection
from storage.floor import highest_camera_id
from storage.model import CameraId, Volume, VolumeId
from storage.paths import ARCHIVE, QUARANTINE, SPOOL, VOLUME_FILE
from storage.volume_choice import score, steady

log = structlog.get_logger()

NETWORK_FILE_SYSTEMS = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "ncpfs",
        "afs",
        "ceph",
        "lustre",
        "glusterfs",
        "fuse.sshfs",
        "fuse.glusterfs",
        "fuse.ceph",
        "9p",
        "beegfs",
        "fuse.s3fs",
        "fuse.rclone",
        "fuse.davfs",
        "davfs",
    ]
)
FULL_BYTES = 32 * 1024 * 1024
FULL_SHARE = 32
OPEN_LIMIT_S = 10.0
"""A volume that takes longer to answer at the start of the server is taken for stalled."""
POOL_THREADS = 2
LOST_AND_FOUND = "lost+found"  # a new ext4 file system is not empty


@dataclass(frozen=True, slots=True)
class Space:
    free_bytes: int
    total_bytes: int


def full_bytes(total_bytes: int) -> int:
    """Below this nothing new is started on a volume: one segment of a busy camera, on a very small one 1/32 of it."""
    return min(FULL_BYTES, total_bytes // FULL_SHARE)


def space(path: Path | str) -> Space:
    stat = os.statvfs(path)
    return Space(stat.f_bavail * stat.f_frsize, stat.f_blocks * stat.f_frsize)


def file_system(path: Path) -> str:
    """The type of the file system that holds `path` (or its nearest existing parent), as in /proc/self/mountinfo."""
    target = path.absolute()
    while not target.exists():
        target = target.parent
    target = target.resolve()
    best, kind = "", ""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
        for line in mounts:
            left, _, right = line.partition(" - ")
            point = left.split()[4].replace("\\040", " ")
            below = target == Path(point) or Path(point) in target.parents
            if below and len(point) >= len(best):
                best, kind = point, right.split()[0]
    return kind


def refuse_network(path: Path, field: str) -> None:
    """Raises Invalid for a network file system: SQLite's locks and our times (from `mtime`) do not hold there."""
    kind = file_system(path)
    if kind in NETWORK_FILE_SYSTEMS:
        raise Invalid(f"{path} is on a network file system ({kind}): use a local disk", field=field)


def _read_uuid(root: Path) -> str | None:
    try:
        text = (root / VOLUME_FILE).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return text or None


def uuid_of(path: Path) -> str | None:
    """Whose volume a folder is; None for an empty one. Raises Invalid for a folder with other content, OSError."""
    found = _read_uuid(path)
    if found is None and any(entry.name != LOST_AND_FOUND for entry in path.iterdir()):
        raise Invalid(f"{path} is not empty and is no nvr volume: name an empty folder", field="storage.volumes")
    return found


def _write_uuid(root: Path, value: str) -> None:
    fd = os.open(root / VOLUME_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        os.write(fd, f"{value}\n".encode())
        os.fsync(fd)
    finally:
        os.close(fd)
    fsync_folder(root)


def fsync_folder(path: Path | str) -> None:
    """Makes a rename or a new name in the folder durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def register(db: Connection, path: Path) -> Volume:
    """The volume of a configured path, made known on first sight. Its state says whether it may be used.

    A new empty folder is given a uuid; a folder with a uuid the catalog knows from another path was moved; one with an
    unknown uuid belongs to a lost catalog and is taken on (`nvr fsck --rebuild` finds its footage). Raises Invalid for a
    network file system or for a folder with other content.
    """
    refuse_network(path, "storage.volumes")
    known = {volume.path: volume for volume in rows.listing(db)}
    by_uuid = {volume.uuid: volume for volume in known.values()}
    here = known.get(str(path))
    if here is not None:
        return check(here)
    try:
        path.mkdir(parents=True, exist_ok=True)
        found = uuid_of(path)
        if found is None:
            found = str(uuid.uuid4())
            _write_uuid(path, found)
    except OSError as error:
        raise Invalid(f"{path} cannot be used as a volume: {error.strerror}", field="storage.volumes") from error
    if found in by_uuid:
        rows.move(db, by_uuid[found].id, str(path))
        log.info("volume moved", volume=by_uuid[found].id, path=str(path))
        return check(replace(by_uuid[found], path=str(path)))
    # Folders that another catalog's cameras have left: a new camera never gets their ids, nor their footage.
    copies.raise_camera_id(db, highest_camera_id(path))
    return check(rows.add(db, uuid=found, path=str(path)))


def check(volume: Volume) -> Volume:
    """The same volume with its present state and, where that is not `ok`, what to do. Blocking I/O, no writes."""
    root = Path(volume.path)
    try:
        found = _read_uuid(root)
        if found is None:
            return replace(volume, state="missing", detail=f"{root} does not hold volume {volume.uuid}: mount it")
        if found != volume.uuid:
            return replace(volume, state="foreign", detail=f"{root} holds volume {found}, not {volume.uuid}")
        if os.statvfs(root).f_flag & os.ST_RDONLY:
            return replace(volume, state="readonly", detail=f"{root} is mounted read-only: check its disk")
        for folder in (SPOOL, ARCHIVE, QUARANTINE):
            if not (root / folder).is_dir():  # mkdir waits for a file system that is frozen, even where there is one
                (root / folder).mkdir(mode=0o750, exist_ok=True)
            if not os.access(root / folder, os.W_OK | os.X_OK, effective_ids=True):
                detail = f"{root / folder} cannot be written: give it to the user that nvr runs as"
                return replace(volume, state="readonly", detail=detail)
        there = space(root)
        if there.free_bytes < full_bytes(there.total_bytes):
            return replace(volume, state="full", detail=f"{root} has {there.free_bytes // 1_000_000} MB left")
    except OSError as error:
        return replace(volume, state="missing", detail=f"{root}: {error.strerror}")
    return replace(volume, state="ok", detail="")


def look(volume: Volume) -> tuple[Volume, Space | None]:
    """`check`, and the space where it can be told. Blocking."""
    checked = check(volume)
    try:
        return checked, space(checked.path) if checked.state in ("ok", "full", "readonly") else None
    except OSError:
        return replace(checked, state="missing", detail=f"{checked.path} went away"), None


class Volumes:
    """The server's volumes, checked every few seconds (storage.volume_watch). Each has an I/O pool of its own: a stalled disk
    stops itself."""

    def __init__(self, catalog: Catalog, paths: Sequence[Path]) -> None:
        self._catalog = catalog
        self._paths = paths
        self._volumes: dict[VolumeId, Volume] = {}
        self._pools: dict[VolumeId, ThreadPoolExecutor] = {}
        self._space: dict[VolumeId, Space] = {}
        self._ailing: dict[VolumeId, tuple[str, str]] = {}
        self._weights: dict[VolumeId, float] = {}
        self.held_full: frozenset[VolumeId] = frozenset()
        """Those on which only held footage is left: others are chosen as long as there are any."""

    async def open(self) -> None:
        """Registers the configured paths. Raises Invalid (see `register`); a missing volume is no error, nor is one that
        does not answer."""
        # Asked of the writer: a server whose catalog cannot be written for want of room must not start.
        known = {volume.path: volume for volume in await self._catalog.write(rows.listing)}
        for path in self._paths:
            volume = known.get(str(path))
            if volume is None:
                volume = await self._catalog.write(partial(register, path=path))
            self._pools[volume.id] = ThreadPoolExecutor(POOL_THREADS, thread_name_prefix=f"volume-{volume.id}")
            await self._open_known(volume, path)

    async def _open_known(self, volume: Volume, path: Path) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(OPEN_LIMIT_S):
                await loop.run_in_executor(self._pools[volume.id], refuse_network, path, "storage.volumes")
                self._take(*await loop.run_in_executor(self._pools[volume.id], look, volume))
        except TimeoutError:
            self.ailing(volume.id, "slow", f"{path} does not answer: check its disk")
            self._take(volume, None)

    def close(self) -> None:
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def recheck(self, volume_id: VolumeId) -> None:
        """Blocking: call it in the volume's own pool."""
        self._take(*look(self._volumes[volume_id]))

    def seen(self, volume: Volume, there: Space | None) -> None:
        """What `look` found a moment ago."""
        self._take(volume, there)

    def ailing(self, volume_id: VolumeId, state: str, detail: str = "") -> None:
        """What only writing there shows (`slow`, `readonly`): it stands until it is taken back with the state `ok`."""
        if state == "ok":
            self._ailing.pop(volume_id, None)
        else:
            self._ailing[volume_id] = (state, detail)

    def _take(self, volume: Volume, there: Space | None) -> None:
        if volume.id in self._ailing and volume.state in ("ok", "full", "slow"):
            state, detail = self._ailing[volume.id]
            volume = replace(volume, state=state, detail=detail)
        before = self._volumes.get(volume.id)
        if before is None or before.state != volume.state:
            say = log.info if volume.state == "ok" else log.error
            say("volume " + volume.state, volume=volume.id, path=volume.path, detail=volume.detail)
        self._volumes[volume.id] = volume
        if there is not None:
            self._space[volume.id] = there

    def all(self) -> list[Volume]:
        return list(self._volumes.values())

    def ok(self) -> list[Volume]:
        return [volume for volume in self._volumes.values() if volume.state == "ok"]

    def readable(self) -> list[Volume]:
        """Those that hold their own uuid: their files may be listed, read and moved."""
        return [volume for volume in self._volumes.values() if volume.state in ("ok", "full")]

    def space(self, volume_id: VolumeId) -> Space | None:
        """As of the last check."""
        return self._space.get(volume_id)

    def get(self, volume_id: VolumeId) -> Volume:
        try:
            return self._volumes[volume_id]
        except KeyError:
            raise NotFound(f"volume {volume_id} is not in storage.volumes", field="storage.volumes") from None

    def path(self, volume_id: VolumeId) -> Path:
        return Path(self.get(volume_id).path)

    def pool(self, volume_id: VolumeId) -> ThreadPoolExecutor:
        return self._pools[volume_id]

    def weigh(self, capacities: Mapping[VolumeId, int]) -> None:
        """How many bytes of footage each volume can take; until this is known it is its size. Small changes move nobody."""
        self._weights |= steady(self._weights, {key: float(max(1, value)) for key, value in capacities.items()})

    def _weight(self, volume_id: VolumeId) -> float:
        there = self._space.get(volume_id)
        return self._weights.get(volume_id) or float(there.total_bytes if there and there.total_bytes else 1)

    def choose(self, camera_id: CameraId) -> Volume:
        """Where a camera's next run goes: always the same among the same volumes (storage.volume_choice), so that losing one
        moves only its own cameras. Raises Unavailable when none may be written."""
        usable = self.ok()
        if not usable:
            why = "; ".join(volume.detail for volume in self._volumes.values())
            full = any(volume.state == "full" for volume in self._volumes.values())
            raise Unavailable(f"no volume can be written: {why}", cause="disk_full" if full else "volume_lost")
        usable = [volume for volume in usable if volume.id not in self.held_full] or usable
        return max(usable, key=lambda volume: score(volume.uuid, camera_id, self._weight(volume.id)))
