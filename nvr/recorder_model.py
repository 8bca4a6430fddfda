"""What a camera's recorder works from: what the fleet shares, the camera's configuration, its present run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from config.errors import NotFound, Unavailable
from config.settings import Settings
from nvr.failure import Failure
from nvr.process import Recorder, Spawner, boot_id
from nvr.watch import RunWatch
from storage.catalog import cameras, runs
from storage.catalog.db import Catalog
from storage.catalog.sqlite import Connection
from storage.clock import Clock
from storage.model import Camera, CameraId, CameraState, Credentials, Probe, Run, Volume
from storage.volumes import Volumes

AUDIO_AGAIN_S = 3600.0


@dataclass(slots=True)
class Shared:
    """What all recorders of a fleet share. `audio_again_s`: how often an announced but silent sound is asked for again."""

    settings: Settings
    catalog: Catalog
    volumes: Volumes
    ffmpeg: Path
    state_dir: Path
    spawn: Spawner
    clock: Clock
    run_ended: Callable[[Run], Awaitable[None]]
    on_state: Callable[[CameraState], None]
    pace: Callable[[], Awaitable[None]]
    on_restart: Callable[[str], None]
    leave_behind: Callable[[Run, Recorder], None]
    audio_again_s: float = AUDIO_AGAIN_S
    run_id_floor: int = 0


@dataclass(frozen=True, slots=True)
class Config:
    """A camera as it is to be recorded now. `locked`: why its login cannot be read; then it is not to be asked without one."""

    camera: Camera
    credentials: Credentials | None
    probe: Probe | None
    locked: str = ""


def read_config(db: Connection, camera_id: CameraId) -> Config | None:
    """None when the camera does not exist."""
    try:
        camera = cameras.get(db, camera_id)
    except NotFound:
        return None
    return config_of(db, camera)


def config_of(db: Connection, camera: Camera) -> Config:
    probe = cameras.get_probe(db, camera.id)
    try:
        return Config(camera, cameras.credentials(db, camera.id), probe)
    except Unavailable as error:
        return Config(camera, None, probe, locked=error.message)


def new_run(db: Connection, shared: Shared, camera_id: CameraId, volume: Volume, digest: bytes, audio: str) -> Run:
    """The row of a run that starts now, its number above all that were ever given."""
    now_us = shared.clock()
    return runs.insert(
        db,
        Run(
            id=runs.next_id(db, now_us, shared.run_id_floor),
            camera_id=camera_id,
            node=shared.settings.server.node,
            volume_id=volume.id,
            started_us=now_us,
            boot_id=boot_id(),
            command_sha256=digest,
            clock_source="system",
            audio=audio,
        ),
    )


def audio_mode(camera: Camera, found: Probe | None) -> str:
    """copy | aac | off. Audio counts only when its packets were received."""
    if camera.audio != "auto":
        return camera.audio
    if found is None or not found.audio_received:
        return "off"
    return "copy" if found.audio_codec == "aac" else "aac"


@dataclass(slots=True)
class Running:
    """A run with its process. `asked`: why we ended it."""

    run: Run
    process: Recorder
    watch: RunWatch
    digest: bytes
    log_from: int = 0
    asked: Failure | None = None
    left: bool = False  # its volume was lost and it does not end: the camera goes on without it
