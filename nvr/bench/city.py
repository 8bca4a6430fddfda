"""Benches of a city: search by place and time, and coverage of all cameras, through the HTTP API of a running server."""

from __future__ import annotations

import atexit
import random
import statistics
import tempfile
import time
from contextlib import closing
from functools import cache
from pathlib import Path

from config.owner_kinds import BUILT_IN
from nvr.bench import rig
from nvr.bench.index import fill, hurry, silence
from nvr.bench.report import Figure, percentile, say
from storage.catalog import states
from storage.catalog.db import connect, prepare, transaction
from storage.clock import rfc3339, wall_us
from storage.model import HOUR_US, Camera, CameraId, CameraState

HOURS = 25
"""Of footage each: at 6,720 cameras that makes 10 million rows."""
SOUTH, WEST, NORTH, EAST = 26.35, 80.20, 26.55, 80.45
"""Some 22 by 25 km."""

QUICK = {"search": {"cameras": 300, "rounds": 40}, "coverage": {"cameras": 300, "rounds": 5}}


def city_camera(number: int) -> Camera:
    """Somewhere in the city; another node records it, so the server starts no recorder."""
    source = random.Random(number)
    return Camera(
        id=CameraId(0),
        code=f"KNP-{number:05d}",
        name=f"Camera {number}",
        name_hi=f"कैमरा {number}",
        url=f"rtsp://10.0.0.1/{number}",
        node="elsewhere",
        owner_kind=source.choice(BUILT_IN).key,
        station=f"Station {number % 40}",
        zone=f"Zone {number % 6}",
        lat=source.uniform(SOUTH, NORTH),
        lon=source.uniform(WEST, EAST),
        created_us=1,
    )


@cache
def _city(cameras: int) -> tuple[Path, int]:
    """(folder of a catalog, start of its footage), kept until the program ends. A quarter of the cameras lacks four hours,
    one in twenty has nothing."""
    folder = tempfile.TemporaryDirectory(prefix="nvr-bench-")
    atexit.register(folder.cleanup)
    start_us = (wall_us() // HOUR_US - HOURS - 1) * HOUR_US
    path = Path(folder.name) / "nvr.sqlite3"
    prepare(path)
    with closing(connect(path)) as db:
        hurry(db)
        made = fill(db, cameras * HOURS * 60, hours=HOURS, start_us=start_us, camera_of=city_camera)
        with transaction(db):
            for number, camera_id in enumerate(made):
                away_us = start_us, start_us + HOURS * HOUR_US
                states.put(db, CameraState(camera_id, start_us - 1, "recording"))
                if number % 20 == 0:
                    states.put(db, CameraState(camera_id, start_us, "failed", "unreachable", "no route to host"))
                elif number % 4 == 0:
                    away_us = start_us + number % 20 * HOUR_US, start_us + (number % 20 + 4) * HOUR_US
                    states.put(db, CameraState(camera_id, away_us[0], "failed", "refused", "connection refused"))
                    states.put(db, CameraState(camera_id, away_us[1], "recording"))
                else:
                    continue
                silence(db, camera_id, *away_us)
    say(f"city: {path.stat().st_size / 1e9:.1f} GB")
    return Path(folder.name), start_us


async def search(*, cameras: int = 6720, rounds: int = 200) -> list[Figure]:
    """Random circles and polygons, random windows."""
    folder, start_us = _city(cameras)
    source = random.Random(5)
    took: dict[str, list[float]] = {"near": [], "polygon": []}
    found = 0
    async with rig.served(folder) as server:
        await rig.until_backed_up(folder)
        for turn in range(rounds + 5):
            lat, lon = source.uniform(SOUTH, NORTH), source.uniform(WEST, EAST)
            from_us = start_us + source.randrange((HOURS - 1) * HOUR_US)
            near = f"near={lat:.5f},{lon:.5f}&radius_m=1000&{_window(from_us, HOUR_US)}"
            points = [
                (lat - 0.015, lon - 0.015),
                (lat + 0.02, lon - 0.01),
                (lat + 0.01, lon + 0.02),
                (lat - 0.01, lon + 0.01),
            ]
            around = ";".join(f"{one:.5f},{other:.5f}" for one, other in points)
            day = _window(start_us + source.randrange(HOUR_US), 24 * HOUR_US)
            for name, query in (("near", near), ("polygon", f"polygon={around}&{day}")):
                began = time.perf_counter()
                answer = await server.get(f"/api/v1/footage/search?{query}")
                if turn >= 5:
                    took[name].append((time.perf_counter() - began) * 1000)
                    found += answer["total"]
    how = f"{cameras * HOURS * 60:,} rows, {cameras:,} cameras, {rounds} random places, {found / rounds / 2:.0f} cameras found"
    return [
        Figure(
            "search within 1 km, 1 h, p99",
            percentile(took["near"], 0.99),
            *("ms", 50),
            detail=f"{how}; median {statistics.median(took['near']):.2g} ms",
        ),
        Figure(
            "search in a polygon, 24 h, p99",
            percentile(took["polygon"], 0.99),
            *("ms", 150),
            detail=f"{how}; median {statistics.median(took['polygon']):.2g} ms",
        ),
    ]


def _window(from_us: int, length_us: int) -> str:
    return f"from={rfc3339(from_us)}&to={rfc3339(from_us + length_us)}"


async def coverage(*, cameras: int = 6720, rounds: int = 20) -> list[Figure]:
    """Of all cameras for a day, with the causes of what is missing."""
    folder, start_us = _city(cameras)
    took = []
    async with rig.served(folder) as server:
        await rig.until_backed_up(folder)
        for turn in range(rounds + 2):
            window = _window(start_us + turn * HOUR_US // rounds // 2, 24 * HOUR_US)
            began = time.perf_counter()
            answer = await server.get(f"/api/v1/coverage?{window}")
            if turn >= 2:
                took.append((time.perf_counter() - began) * 1000)
    how = f"{cameras * HOURS * 60:,} rows, {cameras:,} cameras, {answer['coverage']:.1%} covered, through the API"
    return [
        Figure(
            "coverage of all cameras for a day",
            statistics.median(took),
            *("ms", 300),
            detail=f"{how}; median of {rounds}, worst {max(took):.0f} ms",
        )
    ]
