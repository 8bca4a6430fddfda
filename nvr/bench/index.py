"""Benches of the index: playlists and timelines of one camera among ten million segments."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

from nvr.bench.report import Figure, percentile, say
from nvr.lags import Lags
from nvr.server import spare_the_collector
from storage import frags
from storage.catalog import cameras, inits, runs
from storage.catalog.db import Catalog, connect, prepare, transaction
from storage.catalog.sqlite import Connection
from storage.catalog.volumes import add as add_volume
from storage.fmp4 import parse_init
from storage.footage import Footage
from storage.growth import Growth
from storage.hours import pack_spans
from storage.ingest import Ingest
from storage.model import HOUR_US, Camera, CameraId, Fragment, Run, RunId
from storage.volumes import Volumes
from web import hls, windows

MINUTE_US = 60_000_000
DAY_US = 24 * HOUR_US
DAYS = 30
FRAGMENTS = 30  # a 2 s GOP
SIZE_BYTES = 15_000_000  # 2 Mbit/s
START_US = 1_790_000_000_000_000 // HOUR_US * HOUR_US

QUICK = {"index": {"rows": 500_000, "rounds": 60}}


def sample_init() -> bytes:
    """ftyp + moov of one H.264 track, as ffmpeg writes it for a 640x360 camera."""
    import subprocess

    from storage import binary

    made = subprocess.run(
        [
            *(str(binary.find()), "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-t", "0.2"),
            *(
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-f",
                "mp4",
                "-movflags",
                "frag_keyframe+empty_moov",
                "pipe:1",
            ),
        ],
        capture_output=True,
        check=True,
    ).stdout
    return made[: made.index(b"moof") - 4]


def hurry(db: Connection) -> None:
    """Nothing of a bench needs to outlive a power cut."""
    db.execute("PRAGMA synchronous = OFF")


def unmapped(db: Connection) -> None:
    """SQLite reads the file instead of mapping it: what it maps would count as memory of the process."""
    db.execute("PRAGMA mmap_size = 0")


def bench_camera(number: int) -> Camera:
    name = f"B{number:05d}"
    return Camera(CameraId(0), name, name, f"rtsp://10.0.0.1/{number}", "n1", created_us=START_US)


def fill(
    db: Connection,
    rows: int,
    *,
    hours: int = DAYS * 24,
    start_us: int = START_US,
    camera_of: Callable[[int], Camera] = bench_camera,
) -> list[CameraId]:
    """`rows` segments of a minute: as many cameras as it takes with so many hours each from `start_us` on, and their hours."""
    count = max(1, rows // (hours * 60))
    with transaction(db):
        volume = add_volume(db, uuid="bench", path="/nonexistent")
        init_id = inits.put(db, parse_init(sample_init()))
        made = []
        for number in range(count):
            made.append(cameras.add(db, camera_of(number)).id)
            run = RunId(start_us // 1000 + number)
            runs.insert(db, Run(run, made[-1], "n1", volume.id, start_us, ended_us=start_us + DAYS * DAY_US))
    source = random.Random(1)
    size = SIZE_BYTES // FRAGMENTS
    packs = []
    for _ in range(64):
        values = [
            Fragment(0, size + source.randrange(-9000, 9000), 2000, True, source.randrange(60))
            for _ in range(FRAGMENTS)
        ]
        packs.append(frags.pack(values) or b"")
    spans = {run: pack_spans([(0, HOUR_US, run)]) for run in range(start_us // 1000, start_us // 1000 + count)}
    for number, camera_id in enumerate(made):
        run = RunId(start_us // 1000 + number)
        with transaction(db):
            db.executemany(
                "INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, 0, 20000, -76000, ?, ?)",
                (
                    (
                        *(camera_id, start_us + n * MINUTE_US, MINUTE_US, run, n, n * FRAGMENTS, n * 768_000, init_id),
                        *(SIZE_BYTES, volume.id, os.urandom(32), packs[n % 64]),
                    )
                    for n in range(hours * 60)
                ),
            )
            db.executemany(
                "INSERT INTO hour VALUES (?, ?, ?, 0, ?, 60, ?, ?, ?)",
                (
                    (
                        *(camera_id, start_us + hour * HOUR_US, volume.id, HOUR_US, 60 * SIZE_BYTES, spans[run]),
                        bytes(source.randrange(60) for _ in range(60)),
                    )
                    for hour in range(hours)
                ),
            )
        if number % (count // 10 + 1) == 0:
            say(f"{number} of {count} cameras filled")
    return made


def fill_hours(db: Connection, camera_id: CameraId, from_us: int, to_us: int) -> None:
    """Whole hours of footage that has no segments: for what reads `hour` alone."""
    whole = pack_spans([(0, HOUR_US, 1)])
    db.executemany(
        "INSERT INTO hour VALUES (?, ?, 1, 0, ?, 60, ?, ?, x'')",
        ((camera_id, at_us, HOUR_US, 60 * SIZE_BYTES, whole) for at_us in range(from_us, to_us, HOUR_US)),
    )


def silence(db: Connection, camera_id: CameraId, from_us: int, to_us: int) -> None:
    """Take a camera's footage out of whole hours."""
    window = {"camera_id": camera_id, "from_us": from_us, "to_us": to_us}
    of_window = " WHERE camera_id = :camera_id AND {0} >= :from_us AND {0} < :to_us"
    db.execute("DELETE FROM segment" + of_window.format("start_us"), window)
    db.execute("DELETE FROM hour" + of_window.format("hour_us"), window)


async def index(*, rows: int = 10_000_000, rounds: int = 400) -> list[Figure]:
    """Server side: from the question to the finished text, catalog and all; random cameras and times."""
    with tempfile.TemporaryDirectory(prefix="nvr-bench-") as folder:
        path = Path(folder) / "nvr.sqlite3"
        prepare(path)
        with closing(connect(path)) as db:
            hurry(db)
            ids = fill(db, rows)
        say(f"index: {path.stat().st_size / 1e9:.1f} GB")
        catalog = Catalog(path)
        await catalog.open()
        spare_the_collector()  # as the server does
        try:
            return await _ask(catalog, ids, rows, rounds)
        finally:
            await catalog.close()


async def _ask(catalog: Catalog, ids: list[CameraId], rows: int, rounds: int) -> list[Figure]:
    volumes = Volumes(catalog, [])
    ingest = Ingest(catalog, volumes, lag_of=Lags().of)
    footage = Footage(catalog, volumes, Growth(catalog, volumes, ingest, lag_of=Lags().of))

    async def playlist(camera_id: CameraId, from_us: int, to_us: int) -> object:
        found = await windows.slices(footage, camera_id, from_us, to_us)
        lengths = await windows.init_lengths(footage, found)
        return hls.vod(found, from_us, to_us, lengths, await windows.in_file(footage, found))

    async def timeline(camera_id: CameraId, from_us: int, to_us: int) -> object:
        return await footage.timeline(camera_id, from_us, to_us, 1000)

    how = f"{rows:,} rows, {len(ids)} cameras, {rounds} random windows"
    return [
        await _figure("playlist of 1 h, p99", playlist, ids, HOUR_US, rounds, 5, how),
        await _figure("playlist of 24 h, p99", playlist, ids, DAY_US, rounds, 40, how),
        await _figure("timeline of 30 days, p99", timeline, ids, DAYS * DAY_US, rounds, 20, how + ", 1,000 buckets"),
    ]


Ask = Callable[[CameraId, int, int], Awaitable[object]]


async def _figure(name: str, ask: Ask, ids: list[CameraId], span_us: int, rounds: int, goal: float, how: str) -> Figure:
    source = random.Random(7)
    took = []
    for turn in range(rounds + 5):
        camera_id = source.choice(ids)
        latest = START_US + DAYS * DAY_US - span_us
        from_us = source.randrange(START_US, latest) if latest > START_US else START_US
        began = time.perf_counter()
        await ask(camera_id, from_us, from_us + span_us)
        if turn >= 5:
            took.append((time.perf_counter() - began) * 1000)
    middle = percentile(took, 0.5)
    return Figure(name, percentile(took, 0.99), "ms", goal, detail=f"{how}; median {middle:.2g} ms")
