"""What handlers find in the application, and the little the web knows of the recorder fleet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from storage.catalog.db import Catalog
from storage.ingest import Ingest
from storage.model import CameraId, Credentials, Probe, RunId, VolumeId
from storage.volumes import Volumes

if TYPE_CHECKING:
    from config.settings import Settings
    from retention.keeper import Keeper
    from retention.offload import Offloader
    from storage.files import Files
    from storage.footage import Footage
    from storage.stills import Stills
    from web.events import Events


@dataclass(frozen=True, slots=True)
class CameraHealth:
    """How a camera fares now. `state`: recording | starting | failed | disabled | unknown; `cause`: one of CAUSES.

    `missed_segments`: whole segment lengths since its newest footage (or since it was enabled). `clock_offset_us`: camera clock
    minus server clock.
    """

    state: str
    cause: str | None
    detail: str
    since_us: int
    newest_footage_us: int | None
    missed_segments: int
    clock_offset_us: int | None
    run_id: RunId | None


@dataclass(frozen=True, slots=True)
class CameraTotals:
    """Since the server started, for the metrics."""

    camera_id: CameraId
    recorded_s: float
    expected_s: float
    newest_us: int | None


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What a camera was found to send. `cause` is one of CAUSES where it could not be read; then the rest is empty."""

    ok: bool
    cause: str | None
    detail: str
    video_codec: str = ""
    width: int = 0
    height: int = 0
    fps: float | None = None
    audio_codec: str = ""
    audio_received: bool = False
    bitrate_kbps: float | None = None
    keyframe_s: float | None = None  # the longest seen from one keyframe to the next
    clock_offset_us: int | None = None  # camera clock minus server clock
    findings: tuple[str, ...] = ()  # codes of storage.registry.findings


class FleetView(Protocol):
    """The fleet as the web sees it. All but `probe` answer from memory, at once."""

    def health(self, camera_id: CameraId) -> CameraHealth | None:
        """None: another node records it, or it is archived."""

    def camera_changed(self, camera_id: CameraId) -> None:
        """After a commit that added, changed, enabled, disabled or archived it."""

    def totals(self) -> Iterable[CameraTotals]: ...

    def restarts(self) -> Mapping[str, int]:
        """Runs that ended without our asking since the server started, by cause."""

    def recording_on(self) -> Mapping[VolumeId, Sequence[CameraId]]:
        """Where cameras are being recorded now."""

    def started(self) -> bool:
        """Adoption is done: every recorder that runs is known."""

    async def probe(self, url: str, credentials: Credentials | None, audio: str) -> ProbeReport: ...


@dataclass(frozen=True, slots=True)
class ProbeCounts:
    """Of the cameras that are to be looked at; `done` and `failed` since the server started."""

    waiting: int
    running: int
    done: int
    failed: int


class ProberView(Protocol):
    """Looks at registered cameras."""

    def wake(self) -> None:
        """Something was put into the queue (storage.catalog.probe_queue)."""

    async def counts(self) -> ProbeCounts: ...

    async def look(self, camera_id: CameraId) -> Probe:
        """Look at one now and keep what was found. Raises NotFound, Unavailable."""


SETTINGS: web.AppKey[Settings] = web.AppKey("settings")
CATALOG: web.AppKey[Catalog] = web.AppKey("catalog")
FOOTAGE: web.AppKey[Footage] = web.AppKey("footage")
VOLUMES: web.AppKey[Volumes] = web.AppKey("volumes")
PROBER: web.AppKey[ProberView] = web.AppKey("prober")
FLEET: web.AppKey[FleetView] = web.AppKey("fleet")
INGEST: web.AppKey[Ingest] = web.AppKey("ingest")
FFMPEG: web.AppKey[Path] = web.AppKey("ffmpeg")
STILLS: web.AppKey[Stills] = web.AppKey("stills")
OFFLOADER: web.AppKey[Offloader | None] = web.AppKey("offloader")
FILES: web.AppKey[Files] = web.AppKey("files")
KEEPER: web.AppKey[Keeper] = web.AppKey("keeper")
VERSION: web.AppKey[str] = web.AppKey("version")
ZONE: web.AppKey[tzinfo] = web.AppKey("zone of the site")
EVENTS: web.AppKey[Events] = web.AppKey("events")
