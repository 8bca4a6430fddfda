"""What is wrong now: one small function for each kind, and `Troubles`, which asks them all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import structlog

from config.errors import NvrError
from nvr.alerts import Survey
from retention.holds import OverQuota
from storage.catalog.stops import Stop
from storage.model import Camera, Volume, VolumeId
from storage.trouble import Trouble
from web.keys import CameraHealth

log = structlog.get_logger()

SILENT_SEGMENTS = 2
LATE_US = 24 * 3_600_000_000
STRIDE = 500
"""Cameras looked at before the loop gets its turn."""

CAUSES = {
    "unauthorized": "wrong user name or password",
    "refused": "connection refused",
    "unreachable": "not reachable",
    "timeout": "no answer in time",
    "not_found": "stream address not found",
    "no_video": "sends no video",
    "unsupported_codec": "its format cannot be recorded",
    "audio_silent": "announced audio never came",
    "no_keyframes": "sends no keyframes",
    "camera_time_jump": "its clock jumped",
    "parameters_changed": "its picture format changed",
    "disk_full": "the disk is full",
    "volume_lost": "its volume was lost",
    "killed": "its recorder was ended",
    "server_down": "the server was not running",
}


async def recording(cameras: Iterable[tuple[Camera, CameraHealth]], zone: ZoneInfo) -> list[Trouble]:
    """Enabled cameras without footage for two segments or more."""
    found = []
    for count, (camera, health) in enumerate(cameras, 1):
        if count % STRIDE == 0:
            await asyncio.sleep(0)
        if health.state != "disabled" and health.missed_segments >= SILENT_SEGMENTS:
            found.append(Trouble("recording", camera.code, _silence(camera, health, zone)))
    return found


def _silence(camera: Camera, health: CameraHealth, zone: ZoneInfo) -> str:
    why = CAUSES.get(health.cause or "", "cause unknown")
    last = "no footage yet"
    if health.newest_footage_us is not None:
        at = datetime.fromtimestamp(health.newest_footage_us / 1e6, UTC).astimezone(zone)
        last = f"last footage {at:%d/%m/%Y %H:%M:%S}"
    named = f"{camera.name}, " if camera.name and camera.name != camera.code else ""
    return f"{named}{why}, {last}"


def volumes(found: Iterable[Volume]) -> Iterator[Trouble]:
    """Those that cannot be written, or not as they should."""
    for volume in found:
        if volume.state != "ok":
            yield Trouble("volume", volume.path, volume.detail or volume.state)


def sweeps(found: Iterable[Stop], paths: Mapping[VolumeId, str]) -> Iterator[Trouble]:
    """Deletions of so much at once that somebody is asked first."""
    for stop in found:
        if stop.confirmed_us is None and stop.volume_id in paths:
            share = f"{stop.bytes / 1e9:,.1f} of {stop.of_bytes / 1e9:,.1f} GB"
            yield Trouble(
                "sweep",
                paths[stop.volume_id],
                f"{share} would go at once: look at `nvr retention plan`, then `nvr retention apply --confirm`",
            )


def held(found: Iterable[OverQuota], paths: Mapping[VolumeId, str]) -> Iterator[Trouble]:
    """Volumes of which more than a tenth is held."""
    for over in found:
        share = over.held_bytes / over.total_bytes
        said = f"{over.held_bytes / 1e9:,.1f} GB are held, {share:.0%} of it: release what no case needs any more"
        yield Trouble("hold_quota", paths[over.volume_id], said)


def clock(doubt: str, node: str) -> Iterator[Trouble]:
    """`doubt`: why it is not trusted, "" where it is."""
    if doubt:
        yield Trouble("clock", node, f"{doubt}: set it right, or say `nvr retention trust-clock`")


def offload(bucket: str, failing: str, late_us: int) -> Iterator[Trouble]:
    """`failing`: what the store last said, "" while it answers. `late_us`: how much longer than it should the oldest waits."""
    if failing:
        yield Trouble("offload", f"The object store ({bucket})", failing)
    elif late_us > LATE_US:
        hours = late_us / 3_600_000_000
        said = f"footage waits {hours:,.0f} h longer than its policy says: more bandwidth or hours, or less to send"
        yield Trouble("offload", f"The object store ({bucket})", said)


Look = Callable[[], Awaitable[Iterable[Trouble] | None]]
"""The troubles of one kind; None: it cannot be said at this moment."""


class Troubles:
    """Asks one look for each kind. What one of them cannot say leaves the others alone."""

    def __init__(self, looks: dict[str, Look]) -> None:
        self._looks = looks

    async def survey(self) -> Survey:
        troubles: list[Trouble] = []
        looked: set[str] = set()
        for kind, look in self._looks.items():
            try:
                found = await look()
            except (NvrError, OSError) as error:
                log.error("troubles not seen", kind=kind, error=str(error))
                continue
            if found is not None:
                troubles += found
                looked.add(kind)
        return Survey(tuple(troubles), frozenset(looked))
