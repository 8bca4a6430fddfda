"""Rebuild: a lost catalog made again from the volumes, or a restored one completed. Nothing that is there is overwritten.

    cameras     from archive/<camera_id>/camera.json, under their own ids; one without that file gets a stand-in, disabled
    runs        from file names
    segments    from all files without a row: read, hashed, dated by their names (to the millisecond)

What no file tells is lost: logins of cameras, causes of gaps, deletions. Run by `nvr fsck --rebuild` while no server runs; what
is in the spools is the next server's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from config.errors import Conflict, Corrupt, NvrError
from storage import activity, camera_json
from storage.adopt import EMPTY, INDEXED, QUARANTINED, Adopted, inspect, put
from storage.catalog import activity_usual, cameras, copies, runs, segments
from storage.catalog.db import Catalog
from storage.catalog.sqlite import Connection
from storage.examine import Examined
from storage.listing import DAY_US, ArchiveFile, cameras_of, days_of, files_of
from storage.model import Camera, CameraId, RunId, Volume
from storage.paths import SPOOL, parse_spool_name
from storage.volumes import Volumes

log = structlog.get_logger()

FILES_AT_ONCE = 50  # rows in one transaction
Progress = Callable[[int, int], None]
"""(files done, files in all)."""


@dataclass(slots=True)
class Rebuilt:
    """What was added; what could not be, with the reason."""

    cameras: int = 0
    segments: int = 0
    known: int = 0  # files that had their row
    quarantined: int = 0
    empty: int = 0
    strangers: int = 0
    nameless: list[int] = field(default_factory=list)  # cameras that have no camera.json: stand-ins were made
    failed: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


async def rebuild(
    catalog: Catalog, volumes: Volumes, node: str, *, progress: Progress = lambda done, total: None
) -> Rebuilt:
    """Everything that can be read now. A file or volume that fails is named in the result; the others go on."""
    report = Rebuilt()
    for volume in volumes.all():
        if volume.state not in ("ok", "full"):
            report.failed.append(volume.detail)
    found = await _camera_folders(volumes)
    await _restore_cameras(catalog, found, node, report)
    spooled = await _spooled(volumes)
    total = 0
    for camera_id, (places, _) in found.items():
        total += sum([await _in_pool(volumes, volume, partial(_count, volume, camera_id)) for volume in places])
    done = 0

    def tell(files: int) -> None:
        nonlocal done
        done += files
        progress(done, total)

    tell(0)
    waiting = iter(sorted(found.items()))

    async def work() -> None:
        for camera_id, (places, _) in waiting:
            try:
                await _Camera(catalog, volumes, camera_id, report, tell).index(places, spooled)
            except (OSError, NvrError) as error:
                report.failed.append(f"camera {camera_id}: {error}")

    async with asyncio.TaskGroup() as group:  # one reader a disk, more or less: a camera keeps to its volume
        for _ in volumes.readable():
            group.create_task(work())
    return report


async def _in_pool(volumes: Volumes, volume: Volume, work: Callable[[], Any]) -> Any:
    return await asyncio.get_running_loop().run_in_executor(volumes.pool(volume.id), work)


Found = dict[CameraId, tuple[list[Volume], camera_json.Found | None]]


async def _camera_folders(volumes: Volumes) -> Found:
    """Each camera that has a folder: where, and its newest description."""
    found: Found = {}
    for volume in volumes.readable():
        for camera_id, described in await _in_pool(volumes, volume, partial(_described, Path(volume.path))):
            places, best = found.get(camera_id, ([], None))
            if described is not None and (best is None or described.written_us > best.written_us):
                best = described
            found[camera_id] = ([*places, volume], best)
    return found


def _described(root: Path) -> list[tuple[CameraId, camera_json.Found | None]]:
    """Blocking."""
    found = []
    for camera_id in cameras_of(root):
        try:
            described = camera_json.read(root / "archive" / str(camera_id))
        except Corrupt as error:
            log.warning("camera.json left out", camera=camera_id, error=error.message)
            described = None
        if described is not None and described.camera.id != camera_id:
            log.warning("camera.json of another camera left out", camera=camera_id, says=described.camera.id)
            described = None
        found.append((camera_id, described))
    return found


async def _restore_cameras(catalog: Catalog, found: Found, node: str, report: Rebuilt) -> None:
    def restore(db: Connection) -> None:
        known = cameras.ids(db)
        for camera_id, (_, described) in sorted(found.items()):
            if camera_id in known:
                continue
            if described is None:
                report.nameless.append(camera_id)
            restore_camera(db, described.camera if described else stand_in(camera_id, node))
            report.cameras += 1
        copies.raise_camera_id(db, max(found, default=CameraId(0)))

    await catalog.write(restore)


def stand_in(camera_id: CameraId, node: str) -> Camera:
    """For footage whose camera nobody describes: it can be found and played, and is not recorded."""
    code = f"recovered-{camera_id}"
    return Camera(camera_id, code, f"Recovered camera {camera_id}", "rtsp://unknown.invalid/", node, enabled=False)


def restore_camera(db: Connection, camera: Camera) -> None:
    """A code that another camera has taken meanwhile gets the id behind it."""
    try:
        cameras.restore(db, camera)
    except Conflict:
        cameras.restore(db, replace(camera, code=f"{camera.code[:40]}-{camera.id}"))


@dataclass(slots=True)
class _Camera:
    """The work on one camera's files, run after run."""

    catalog: Catalog
    volumes: Volumes
    camera_id: CameraId
    report: Rebuilt
    tell: Callable[[int], None]
    usual: dict[int, float] = field(default_factory=dict)  # hour of the day -> what storage.activity compares with

    async def index(self, places: Iterable[Volume], spooled: set[RunId]) -> None:
        """Raises OSError, Unavailable."""
        by_run: dict[RunId, list[tuple[Volume, ArchiveFile]]] = {}
        for volume in places:
            files, strangers = await _in_pool(self.volumes, volume, partial(_all_files, volume, self.camera_id))
            self.report.strangers += strangers
            for file in files:
                by_run.setdefault(file.name.run_id, []).append((volume, file))
        for run_id, of_run in sorted(by_run.items()):  # in the order of time: a run counts on from the one before
            await self._run(run_id, sorted(of_run, key=lambda one: (one[1].name.n, one[1].name.start_ms)))
            if run_id not in spooled:
                await self._end(run_id)
        await self.catalog.write(self._keep_usual)

    async def _run(self, run_id: RunId, files: list[tuple[Volume, ArchiveFile]]) -> None:
        known = await self.catalog.read(partial(segments.numbers_of, run_id=run_id))
        starts = {file.name.n: file.name.start_ms * 1000 for _, file in files}
        missing = [(volume, file) for volume, file in files if file.name.n not in known]
        self.report.known += len(files) - len(missing)
        self.tell(len(files) - len(missing))
        for first in range(0, len(missing), FILES_AT_ONCE):
            some = missing[first : first + FILES_AT_ONCE]
            sound = []
            for volume, file in some:
                examined = await self._inspect(volume, file)
                if examined is not None:
                    sound.append((volume, examined, starts.get(file.name.n + 1)))
                self.tell(1)
            adopted = await self.catalog.write(partial(self._put, sound=sound))
            self.report.segments += sum(one.outcome == INDEXED for one in adopted)
            self.report.strangers += sum(one.outcome != INDEXED for one in adopted)

    async def _inspect(self, volume: Volume, file: ArchiveFile) -> Examined | None:
        try:
            examined = await inspect(self.volumes, volume, file.path)
        except OSError as error:  # a bad sector takes its file from the index, not the others
            self.report.failed.append(f"{file.path}: {error.strerror}")
            return None
        if isinstance(examined, Adopted):
            self.report.quarantined += examined.outcome == QUARANTINED
            self.report.empty += examined.outcome == EMPTY
            return None
        return examined

    def _put(self, db: Connection, sound: list[tuple[Volume, Examined, int | None]]) -> list[Adopted]:
        made = []
        for volume, examined, next_start_us in sound:
            hour = int(examined.path.parent.name)
            one = put(
                db,
                volume=volume,
                camera_id=self.camera_id,
                examined=examined,
                usual=self.usual.get(hour),
                next_start_us=next_start_us,
            )
            _, usual = activity.rate(examined.fragments, self.usual.get(hour))
            if usual is not None:
                self.usual[hour] = usual
            made.append(one)
        return made

    async def _end(self, run_id: RunId) -> None:
        """A run made here has nobody else to end it. One that has its end keeps it."""
        last = await self.catalog.read(partial(segments.last_of_run, run_id=run_id))
        if last:
            await self.catalog.write(partial(runs.end, run_id=run_id, ended_us=last[0].end_us, reason="unknown"))

    def _keep_usual(self, db: Connection) -> None:
        known = activity_usual.load(db)
        for hour, usual in self.usual.items():
            if (self.camera_id, hour) not in known:
                activity_usual.put(db, self.camera_id, hour, usual)


def _all_files(volume: Volume, camera_id: CameraId) -> tuple[list[ArchiveFile], int]:
    """Blocking."""
    found: list[ArchiveFile] = []
    strangers = 0
    for day_us in days_of(Path(volume.path), camera_id):
        files, others = files_of(Path(volume.path), camera_id, day_us, day_us + DAY_US)
        found += files
        strangers += others
    return found, strangers


def _count(volume: Volume, camera_id: CameraId) -> int:
    return len(_all_files(volume, camera_id)[0])


async def _spooled(volumes: Volumes) -> set[RunId]:
    """Runs that have a file in a spool: not over yet."""
    found: set[RunId] = set()
    for volume in volumes.readable():
        for entry in await _in_pool(volumes, volume, partial(_spool_names, Path(volume.path))):
            if (name := parse_spool_name(entry)) is not None:
                found.add(name.run_id)
    return found


def _spool_names(root: Path) -> list[str]:
    return [path.name for path in (root / SPOOL).iterdir()]
