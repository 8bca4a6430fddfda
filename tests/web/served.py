"""The real application on a real socket over a real catalog; only the recorder fleet is a fake that tests tell what to say."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

from config.settings import PlaybackSettings, RecordingSettings, ServerSettings, Settings, StorageSettings
from nvr.onvif import service_url
from nvr.prober import Prober
from retention.keeper import Keeper
from retention.sweep import Sweeper
from storage.binary import find
from storage.catalog import runs
from storage.catalog.ballast import Ballast
from storage.catalog.db import Catalog
from storage.footage import Footage
from storage.growth import Growth
from storage.ingest import Ingest
from storage.model import CameraId, Credentials, RunId, VolumeId
from storage.objects import Objects
from storage.paths import SPOOL, SpoolName, spool_name
from storage.registry.onvif_model import Device, Found
from storage.remote import Remote
from storage.volumes import Volumes
from web.app import make_app
from web.events import Events
from web.keys import CameraHealth, CameraTotals, ProbeReport
from web.onvif import Onvif

RECORDING = CameraHealth("recording", None, "", 1_795_000_000_000_000, 1_795_000_060_000_000, 0, -76_000, None)


@dataclass
class FakeFleet:
    """Says what it is told to; notes what it is asked."""

    healths: dict[CameraId, CameraHealth] = field(default_factory=dict)
    changed: list[CameraId] = field(default_factory=list)
    probed: list[tuple[str, Credentials | None, str]] = field(default_factory=list)
    counted: list[CameraTotals] = field(default_factory=list)
    adopted: bool = True
    usual: CameraHealth | None = None

    def health(self, camera_id: CameraId) -> CameraHealth | None:
        return self.healths.get(camera_id, self.usual)

    def camera_changed(self, camera_id: CameraId) -> None:
        self.changed.append(camera_id)

    def totals(self) -> Iterable[CameraTotals]:
        return self.counted

    def restarts(self) -> Mapping[str, int]:
        return {"refused": 3}

    def recording_on(self) -> Mapping[VolumeId, Sequence[CameraId]]:
        return {}

    def wanted_cameras(self) -> Sequence[CameraId]:
        return list(self.healths)

    def leave(self, volume_id: VolumeId, cause: str, detail: str, *, at_once: bool) -> None:
        pass

    def hold_back(self, cameras: Collection[CameraId], why: str) -> None:
        pass

    def started(self) -> bool:
        return self.adopted

    async def probe(self, url: str, credentials: Credentials | None, audio: str) -> ProbeReport:
        self.probed.append((url, credentials, audio))
        return ProbeReport(True, None, "", "h264", 1920, 1080, 25.0, "aac", True)


class QuietNetwork:
    """Of ONVIF devices: one answers, whichever is asked."""

    async def discover(self, seconds: int, *, allow_loopback: bool) -> list[Found]:
        return [Found("http://10.0.0.5/onvif/device_service", "10.0.0.5", "Gate", "GO-4", "GO-4")]

    async def look_up(self, address: str, credentials: Credentials | None, *, allow_loopback: bool) -> Device:
        service_url(address, allow_loopback=allow_loopback)
        return Device("Gangotri Optics", "GO-4", "", "", "", None, ())


@dataclass
class Served:
    """A running application. `url` has no slash at its end."""

    url: str
    app: web.Application
    catalog: Catalog
    volumes: Volumes
    fleet: FakeFleet
    events: Events
    session: ClientSession
    ingest: Ingest

    async def record(self, camera_id: int, files: Sequence[Path], *, at_us: int, segment_s: int) -> RunId:
        """Files of one finished run, ingested as if they had been written from `at_us` on."""
        run_id = RunId(at_us // 1000)
        (volume,) = self.volumes.ok()
        for n, file in enumerate(files):
            name = SpoolName(CameraId(camera_id), run_id, n)
            target = Path(volume.path) / SPOOL / spool_name(*astuple(name))
            shutil.copyfile(file, target)
            end_s = at_us / 1e6 + (n + 1) * segment_s
            os.utime(target, (end_s, end_s))
            taken = await self.ingest.take(volume, name, last_of_run=n == len(files) - 1)
            assert taken is not None
        await self.catalog.write(lambda db: runs.end(db, run_id, at_us + len(files) * segment_s * 1_000_000, "killed"))
        return run_id

    async def ask(
        self, method: str, path: str, *, json: object = None, data: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> tuple[int, Any, Mapping[str, str]]:
        """(status, the JSON or the text of the answer, its headers)."""
        async with self.session.request(method, self.url + path, json=json, data=data, headers=headers) as answer:
            body: Any = await answer.text()
            if "json" in answer.headers.get("Content-Type", "") and body:
                body = await answer.json(content_type=None)
            return answer.status, body, answer.headers

    async def get(self, path: str) -> Any:
        """The JSON of a good answer."""
        status, body, _ = await self.ask("GET", path)
        assert status == 200, body
        return body

    async def add(self, code: str, **fields: object) -> Any:
        """A camera registered through the API."""
        status, body, _ = await self.ask(
            "POST", "/api/v1/cameras", json={"code": code, "url": "rtsp://10.0.0.5/x", **fields}
        )
        assert status == 201, body
        return body


def settings_for(folder: Path, **server: Any) -> Settings:
    return Settings(
        server=replace_in(ServerSettings(port=0, name="Kanpur"), server),
        storage=StorageSettings(database=folder / "nvr.sqlite3", volumes=(folder / "footage",)),
        recording=RecordingSettings(segment_seconds=60),
    )


def replace_in(settings: ServerSettings, values: dict[str, Any]) -> ServerSettings:
    return settings.model_copy(update=values)


async def no_doubt() -> str:
    """Of the clock."""
    return ""


@asynccontextmanager
async def serve(
    folder: Path,
    *,
    x_accel_prefix: str = "",
    objects: Objects | None = None,
    onvif: Onvif | None = None,
    **server: Any,
) -> AsyncIterator[Served]:
    playback = PlaybackSettings(x_accel_prefix=x_accel_prefix)
    settings = settings_for(folder, **server).model_copy(update={"playback": playback})
    catalog = Catalog(settings.storage.database)
    await catalog.open()
    volumes = Volumes(catalog, settings.storage.volumes)
    await volumes.open()
    ingest = Ingest(catalog, volumes, lag_of=lambda fps: 80_000)
    growth = Growth(catalog, volumes, ingest, lag_of=lambda fps: 80_000, live_runs=set)
    fleet, events = FakeFleet(), Events()
    seen = Footage(catalog, volumes, growth, remote=Remote(catalog, objects) if objects else None)
    app = make_app(
        settings,
        catalog=catalog,
        footage=seen,
        volumes=volumes,
        fleet=fleet,
        ffmpeg=find(),
        events=events,
        ingest=ingest,
        keeper=Keeper(catalog, volumes, Sweeper(catalog, volumes), fleet, settings.retention, doubt=no_doubt),
        prober=Prober(catalog, seen, fleet, node=settings.server.node),
        onvif_client=onvif or QuietNetwork(),
    )
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=2.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with ClientSession() as session:
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield Served(url, app, catalog, volumes, fleet, events, session, ingest)
    finally:
        await runner.cleanup()
        volumes.close()
        await catalog.close()
        # 256 MiB that no test needs any more: pytest keeps its folders for a while.
        Ballast(settings.storage.database).drop()


def silent(cause: str, *, missed: int = 5, since_us: int = 1_795_000_000_000_000) -> CameraHealth:
    return replace(
        RECORDING, state="failed", cause=cause, detail="it says so", missed_segments=missed, since_us=since_us
    )
