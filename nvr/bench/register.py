"""Bench of the daily register: a city with one camera in ten faulty, read, and made into a PDF in a child process."""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from config.owner_kinds import all_kinds
from nvr.bench.index import fill_hours, hurry
from nvr.bench.report import Figure, percentile, say
from storage.catalog import cameras, states
from storage.catalog.db import Catalog, connect, prepare, transaction
from storage.catalog.sqlite import Connection
from storage.child import in_child
from storage.clock import wall_us
from storage.model import HOUR_US, Camera, CameraId, CameraState
from storage.registry import register_days, register_paper
from storage.registry.register import Register
from storage.registry.register_paper import Paper
from storage.terms import DAY_US

CAMERAS = 6720
DAYS = 31
STATIONS = 45
ZONE = "Asia/Kolkata"
QUICK = {"register": {"count": 600, "days": 4, "rounds": 2}}


def fill(db: Connection, count: int, days: int, now_us: int) -> None:
    """Cameras of all kinds and stations with an `hour` row an hour; every tenth is silent, since up to `days` ago."""
    kinds = list(all_kinds(()))
    end_us = now_us // HOUR_US * HOUR_US
    with transaction(db):
        for number in range(count):
            camera = Camera(
                *(
                    CameraId(0),
                    f"KNP-{number:05d}",
                    f"Gate {number} of the crossing",
                    f"rtsp://10.0.0.1/{number}",
                    "n1",
                ),
                name_hi=f"चौराहे का मुख्य द्वार {number}",
                owner_kind=kinds[number % len(kinds)],
                station=f"थाना {number % STATIONS}",
                contact="+91 98390 12345",
                created_us=now_us - 60 * DAY_US,
            )
            made = cameras.add(db, camera).id
            lost_us = (number // 10 % days) * DAY_US + HOUR_US if number % 10 == 0 else 0
            if lost_us:
                states.put(db, CameraState(made, end_us - lost_us, "failed", "unreachable", "no route to host"))
            fill_hours(db, made, end_us - days * DAY_US, end_us - lost_us + HOUR_US)


async def register(*, count: int = CAMERAS, days: int = DAYS, rounds: int = 5) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="nvr-bench-") as folder:
        path = Path(folder) / "nvr.sqlite3"
        prepare(path)
        now_us = wall_us()
        with closing(connect(path)) as db:
            hurry(db)
            fill(db, count, days, now_us)
        say(f"register: {count} cameras, {count * days * 24:,} hours made")
        catalog = Catalog(path)
        await catalog.open()
        try:
            return await _measured(catalog, now_us, rounds)
        finally:
            await catalog.close()


async def _measured(catalog: Catalog, now_us: int, rounds: int) -> list[Figure]:
    zone = ZoneInfo(ZONE)
    kinds = all_kinds(())
    day = register_days.day_of(now_us, zone)
    reads: list[float] = []
    papers: list[float] = []
    found: Register | None = None
    for _ in range(rounds):
        began = time.perf_counter()
        ask = partial(register_days.read, day=day, now_us=now_us, zone=zone, kinds=list(kinds))
        found = await catalog.read(ask)
        reads.append(time.perf_counter() - began)
        paper = Paper(found, kinds, "Kanpur", ZONE, "both")
        made = await in_child(register_paper.make, paper, "pdf")
        papers.append(time.perf_counter() - began)
    assert found is not None
    size = (
        f"{found.total.installed:,} cameras, {len(found.faulty)} faulty, English and Hindi, {len(made) / 1000:.0f} kB"
    )
    return [
        Figure("register of the whole city as PDF", percentile(papers, 0.5), "s", 3, detail=size),
        Figure("register of the whole city, read", percentile(reads, 0.5), "s", 1, detail="part of the above"),
    ]
