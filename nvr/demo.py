"""`nvr demo`: simulated cameras with a past, recorded and served by the real server, in one folder."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from config.errors import Conflict, Unavailable
from config.settings import Settings, from_variables
from nvr import past
from nvr.demo_cameras import DemoCameras
from nvr.demo_city import place, register_city
from nvr.server import Server, hold_until_signal
from nvr.simulator_media import coded_loop
from storage import binary
from storage.catalog import cameras, runs, segments
from storage.catalog.db import CatalogLock, connect, prepare, transaction
from storage.catalog.sqlite import Connection
from storage.clock import wall_us
from storage.model import Camera, CameraId, Run, Volume
from storage.volumes import register

MAX_HISTORY_BYTES = 550_000_000  # 600 MB with what containers and audio add
MAX_KBPS = 600
MIN_KBPS = 40
OUTAGE_US = 7 * 60_000_000  # the second camera's past has a gap with a cause
PORTS_TRIED = 50


@dataclass(frozen=True, slots=True)
class DemoOptions:
    cameras: int
    history_s: int
    data: Path
    port: int
    port_asked: bool
    city: bool = True


def bitrate_kbps(options: DemoOptions) -> int:
    """So that the past of all cameras stays within MAX_HISTORY_BYTES."""
    total_s = max(1, options.cameras * options.history_s)
    return max(MIN_KBPS, min(MAX_KBPS, MAX_HISTORY_BYTES * 8 // (1000 * total_s)))


def free_port(host: str, wanted: int, *, asked: bool) -> int:
    """`wanted`, or the next free one where it was only the default. Raises Conflict."""
    for port in range(wanted, wanted + (1 if asked else PORTS_TRIED)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise Conflict(f"port {wanted} is taken: name another with --port", field="--port")


def settings_for(options: DemoOptions, port: int) -> Settings:
    """Its own alone: a settings file in the current folder may name the catalog of real cameras."""
    return from_variables(
        {
            "NVR_SERVER__PORT": str(port),
            "NVR_SERVER__NAME": "Kanpur (demo)",
            "NVR_STORAGE__DATABASE": str(options.data / "nvr.sqlite3"),
            "NVR_STORAGE__VOLUMES": json.dumps([str(options.data / "footage")]),
            "NVR_RECORDING__ALLOW_LOOPBACK": "true",
        },
    )


@asynccontextmanager
async def simulated(made: DemoCameras) -> AsyncIterator[int]:
    """The cameras' process; yields its port. Its standard input is our hold on it: it ends when we do."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "nvr.demo_cameras",
        made.to_json(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for us; it follows through the closed pipe
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        line = await process.stdout.readline()
        if not line:
            raise Unavailable("the simulated cameras did not start")
        yield int(line)
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def register_cameras(db: Connection, settings: Settings, options: DemoOptions, port: int) -> list[Camera]:
    """The demo's cameras with today's port; those of an earlier demo keep their ids and footage."""
    made = []
    created_us = wall_us() - options.history_s * 1_000_000 - 60_000_000
    known = {camera.code: camera for camera in cameras.all_of(db, settings.server.node)}
    for number in range(1, options.cameras + 1):
        code = f"KNP-{number:04d}"
        url = f"rtsp://127.0.0.1:{port}/cam/{number}"
        if code in known:
            made.append(cameras.update(db, known[code].id, url=url, enabled=True))
            continue
        at = place(number)
        made.append(
            cameras.add(
                db,
                Camera(
                    id=CameraId(0),
                    code=code,
                    name=at.name,
                    name_hi=at.name_hi,
                    url=url,
                    node=settings.server.node,
                    owner_kind=at.whose.owner_kind,
                    owner=at.whose.owner,
                    site=at.whose.site,
                    station=at.whose.station,
                    zone=at.whose.zone,
                    covers=(at.covers,),
                    lat=at.lat,
                    lon=at.lon,
                    bearing=at.bearing,
                    fov=90.0,
                    created_us=created_us,
                ),
                None,
            )
        )
    recorded = {item.code for item in made}
    for code, camera in known.items():
        if code not in recorded:
            cameras.update(db, camera.id, enabled=False)
    if options.city:
        register_city(db, made, node=settings.server.node, created_us=created_us)
    return made


def plan_past(made: DemoCameras, listed: list[Camera], options: DemoOptions, ffmpeg: Path) -> list[past.Past]:
    """Finished runs that end half a minute ago; the second camera was down for some minutes in between."""
    end_us = wall_us() - 30_000_000
    start_us = end_us - options.history_s * 1_000_000
    plans = []
    for number, camera in enumerate(listed, 1):
        loop = coded_loop(str(ffmpeg), Path(made.cache_dir), made.loop(number))
        hevc = made.loop(number).codec == "h265"
        offset_us = number * 1000  # run ids are milliseconds and must differ
        pieces = [(start_us + offset_us, end_us)]
        if number == 2 and end_us - start_us > 4 * OUTAGE_US:
            middle = (start_us + end_us) // 2
            pieces = [(start_us + offset_us, middle), (middle + OUTAGE_US, end_us)]
        plans += [past.Past(camera.id, loop.path, begin, end - begin, hevc) for begin, end in pieces]
    return plans


def record_runs(db: Connection, settings: Settings, volume: Volume, plans: list[past.Past]) -> None:
    for plan in plans:
        last = [other for other in plans if other.camera_id == plan.camera_id][-1]
        runs.insert(
            db,
            Run(
                id=plan.run_id,
                camera_id=plan.camera_id,
                node=settings.server.node,
                volume_id=volume.id,
                started_us=plan.start_us,
                clock_source="demo",
                ended_us=plan.start_us + plan.dur_us,
                end_reason="server_down" if plan is last else "unreachable",
            ),
        )


async def demo(
    options: DemoOptions, say: Callable[[str], None], progress: Callable[[int], Callable[[int], None]]
) -> None:
    """Runs until SIGINT or SIGTERM; ends everything it started."""
    settings = settings_for(options, free_port("127.0.0.1", options.port, asked=options.port_asked))
    options.data.mkdir(parents=True, exist_ok=True)
    lock = CatalogLock(settings.storage.database)
    lock.acquire()
    lock.release()
    ffmpeg = binary.find(settings.recording.ffmpeg)
    made = DemoCameras(options.cameras, bitrate_kbps(options), str(options.data / "loops"))
    say("encoding the cameras' pictures (once) ...")
    async with simulated(made) as port:
        prepare(settings.storage.database)
        db = connect(settings.storage.database)
        with contextlib.closing(db):
            with transaction(db):
                volume = register(db, settings.storage.volumes[0])
                listed = register_cameras(db, settings, options, port)
                fresh = [camera for camera in listed if segments.newest(db, camera.id) is None]
            if options.history_s and fresh:
                plans = await asyncio.to_thread(plan_past, made, fresh, options, ffmpeg)
                with transaction(db):
                    record_runs(db, settings, volume, plans)
                done = progress(len(plans))
                await asyncio.to_thread(
                    past.make, ffmpeg, settings.storage.volumes[0], plans, settings.recording.segment_seconds, done
                )
        server = Server(settings)
        await server.start()
        try:
            say(f"\n  {server.url}\n\nCtrl-C ends it; the footage stays in {options.data}.")
            await hold_until_signal()
        finally:
            say("ending the recorders ...")
            await server.stop(end_recorders=True)
