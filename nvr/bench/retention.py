"""Benches of retention: sweeping among ten million segments while ingest goes on, and the plan for a city."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from nvr.bench.index import DAY_US, DAYS, MINUTE_US, START_US, fill, hurry, unmapped
from nvr.bench.report import Figure, percentile, say
from nvr.server import spare_the_collector
from retention import planned
from retention.plan import Plan, VolumeNeed
from retention.sweep import Sweeper, path_of
from storage.catalog import policies, segments, stops, sweeping
from storage.catalog.db import Catalog, connect, prepare, transaction
from storage.catalog.sqlite import Connection
from storage.catalog.sweeping import Range
from storage.model import HOUR_US, CameraId, RunId, Segment, Tier, Volume, VolumeId
from storage.terms import InForce, Terms
from storage.volumes import Volumes

NOW_US = START_US + DAYS * DAY_US
INGEST_EVERY_S = 0.02
"""50 files a second: what 3,000 cameras close."""

QUICK = {
    "sweep": {"rows": 500_000, "due": 10_000},
    "plan": {"rows": 500_000, "count": 250},
}


def promise(db: Connection, cameras: Sequence[CameraId], terms: Terms) -> None:
    with transaction(db):
        policies.put_in_force(db, [InForce(camera_id, None, "bench", "default", terms, 0) for camera_id in cameras])


async def sweep(*, rows: int = 10_000_000, due: int = 100_000) -> list[Figure]:
    """Real rows, real files (empty ones: what is measured is names and folders, not how fast a disk forgets blocks)."""
    with tempfile.TemporaryDirectory(prefix="nvr-bench-") as folder:
        path, root = Path(folder) / "nvr.sqlite3", Path(folder) / "footage"
        prepare(path)
        with closing(connect(path)) as db:
            hurry(db)
            ids = fill(db, rows)
            each = due // len(ids)
            cut_us = START_US + each * MINUTE_US
            promise(db, ids, Terms(1, 1))
            catalog = Catalog(path)
            await catalog.open()
            try:
                volumes = Volumes(catalog, [_folder(root)])
                await volumes.open()
                volume = volumes.all()[0]
                made = _files(db, volume, ids, cut_us)
                say(f"sweep: {made} files made")
                spare_the_collector()
                return await _sweep(catalog, volumes, cut_us, made, rows)
            finally:
                await catalog.close()


def _folder(root: Path) -> Path:
    """The volume of the bench's rows, moved to where there is room for files."""
    root.mkdir()
    (root / ".nvr-volume").write_text("bench\n")
    return root


def _files(db: Connection, volume: Volume, ids: Sequence[CameraId], cut_us: int) -> int:
    count = 0
    for camera_id in ids:
        of = Range(camera_id, volume.id, (Tier.LOCAL,), 0, cut_us)
        found = sweeping.due(db, of, after=(-1, 0), limit=1 << 30)
        for segment in found:
            path = Path(volume.path) / path_of(segment)
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            except FileNotFoundError:
                path.parent.mkdir(parents=True)
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            count += 1
    return count


async def _sweep(catalog: Catalog, volumes: Volumes, cut_us: int, count: int, rows: int) -> list[Figure]:
    plan: Plan = await catalog.read(partial(planned.due, now_us=cut_us + DAY_US))
    assert sum(cut.segments for cut in plan.cuts) == count
    alone = await _commits(catalog, 3.0)
    commits: list[float] = []
    ingest = asyncio.create_task(_ingest(catalog, commits))
    sweeper = Sweeper(catalog, volumes)
    began = time.perf_counter()
    swept = await sweeper.sweep(plan.cuts, pinned_counts=True)
    took_s = time.perf_counter() - began
    ingest.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await ingest
    assert swept.segments == count
    how = f"{count:,} of {rows:,} rows, {len(plan.cuts)} cameras, while {len(commits)} segments came in"
    detail = f"median {percentile(commits, 0.5):.2g} ms; without a sweep p99 {percentile(alone, 0.99):.2g} ms"
    return [
        Figure("deletions a second of a sweep", count / took_s, "/s", 2000, most=False, detail=how),
        Figure("ingest commit during a sweep, p99", percentile(commits, 0.99), "ms", 50, detail=detail),
    ]


async def _commits(catalog: Catalog, seconds: float) -> list[float]:
    found: list[float] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _ingest(catalog, found, first=1_000_000)
    return found


async def _ingest(catalog: Catalog, commits: list[float], *, first: int = 2_000_000) -> None:
    """New segments of a camera of its own, as ingest commits them; how long each commit took, in ms."""
    like = await catalog.read(lambda db: segments.newest(db, CameraId(1)))
    assert like is not None
    n = first
    while True:
        began = time.perf_counter()
        await catalog.write(partial(segments.insert, segment=_next(like, n)))
        commits.append((time.perf_counter() - began) * 1000)
        n += 1
        await asyncio.sleep(INGEST_EVERY_S)


def _next(like: Segment, n: int) -> Segment:
    """Cameras take turns, as they do."""
    camera = 1_000_000 + n % 3000
    start_us = NOW_US + n * MINUTE_US // 50
    return replace(like, camera_id=CameraId(camera), run_id=RunId(camera), n=n, start_us=start_us)


async def plan(*, rows: int = 10_000_000, count: int = 5000) -> list[Figure]:
    """5,000 cameras with a day and a half of footage each: ten million segments. In a process of its own, for its memory."""
    hours = rows // count // 60
    with tempfile.TemporaryDirectory(prefix="nvr-bench-") as folder:
        path = Path(folder) / "nvr.sqlite3"
        prepare(path)
        with closing(connect(path)) as db:
            hurry(db)
            promise(db, fill(db, rows, hours=hours), Terms(1, 1))
        script = f"from nvr.bench.retention import plan_here; plan_here({str(path)!r}, {hours})"
        command = (sys.executable, "-c", script)
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        assert process.returncode == 0
    found = json.loads(out)
    how = f"{count:,} cameras, {count * hours:,} hours, {rows:,} segments"
    due = f"{how}; {found['due']:,} segments are due"
    full = f"{how}; a volume that needs a twentieth of its footage: {found['shed']:,} segments go"
    return [
        Figure("plan, by age", found["due_s"], "s", 2, detail=due),
        Figure("plan, for a full disk", found["pressed_s"], "s", 2, detail=full),
        Figure("memory of the plans", found["memory_mb"], "MB", 200, detail="the whole process at its peak"),
    ]


def plan_here(path: str, hours: int) -> None:
    """Prints what the plans took, and what the process had in memory at most.

    Two days after the footage began an hour and a half of it is younger than its day. What SQLite maps of the file is no memory
    of the process, but would count: the peak is that of a second turn without it.
    """
    now_us = START_US + (hours - 1) * HOUR_US - HOUR_US // 2 + DAY_US
    found: dict[str, float] = {}
    with closing(connect(Path(path), readonly=True)) as db:
        for name, make in _plans(now_us):
            began = time.perf_counter()
            made = make(db)
            found[f"{name}_s"] = time.perf_counter() - began
            found["due" if name == "due" else "shed"] = sum(cut.segments for cut in made.cuts)
            del made
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew: proc(5)
    with closing(connect(Path(path), readonly=True)) as db:
        unmapped(db)
        for _, make in _plans(now_us):
            make(db)
    lines = Path("/proc/self/status").read_text().splitlines()
    peak_kb = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    print(json.dumps(found | {"memory_mb": peak_kb * 1024 / 1e6}))


def _plans(now_us: int) -> list[tuple[str, Callable[[Connection], Plan]]]:
    """By age, and for a disk that fills before anything is due."""

    def pressed(db: Connection) -> Plan:
        total = sum(size for size, _ in stops.footage(db).values())
        need = VolumeNeed(VolumeId(1), 0, 1 << 60, total // 20)
        return planned.pressed(db, START_US + DAY_US, [need])

    return [("due", partial(planned.due, now_us=now_us)), ("pressed", pressed)]
