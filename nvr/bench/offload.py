"""Benches of the object store: throughput of the offload against plain boto3, first byte of a range over a long line."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from config.settings import OffloadSettings, Settings, StorageSettings
from nvr.bench import rig
from nvr.bench.line import Line
from nvr.bench.report import Figure, percentile, say
from nvr.bench.seaweed import Seaweed
from nvr.past import Past, make
from nvr.simulator_media import LoopOptions, coded_loop, default_cache_dir
from retention.offload import Offloader
from storage import binary
from storage.catalog import cameras, copies, policies, runs, segments, sweeping
from storage.catalog.db import Catalog, connect, transaction
from storage.catalog.offload_counts import backlog
from storage.clock import wall_us
from storage.ingest import Ingest
from storage.model import CameraId, Run, Segment, Tier
from storage.objects import Objects
from storage.objects_keys import Keys
from storage.paths import SPOOL, parse_spool_name, segment_path
from storage.remote import BLOCK_BYTES
from storage.terms import InForce, Terms
from storage.volumes import Volumes, register

WORKERS = 4
KBPS = 2000
DELAY_S = 0.05
LIMIT_S = 300.0

QUICK = {"offload": {"rounds": 1, "minutes": 4}, "far": {"count": 5}}


@dataclass
class Archive:
    """Footage of one camera on its volume, the catalog of the moment after it was recorded, and a store beside it."""

    folder: Path
    camera_id: CameraId
    store: Seaweed

    @property
    def footage(self) -> Path:
        return self.folder / "footage"

    def settings(self, prefix: str) -> Settings:
        return Settings(
            storage=StorageSettings(database=self.folder / "nvr.sqlite3", volumes=(self.footage,)),
            offload=OffloadSettings(
                endpoint=self.store.endpoint, bucket=self.store.bucket, prefix=prefix, parallel=WORKERS
            ),
        )

    def path(self, segment: Segment) -> Path:
        return segment_path(self.footage, segment)

    @asynccontextmanager
    async def opened(self, database: Path) -> AsyncIterator[tuple[Catalog, Volumes]]:
        catalog = Catalog(database)
        await catalog.open()
        volumes = Volumes(catalog, [self.footage])
        await volumes.open()
        try:
            yield catalog, volumes
        finally:
            volumes.close()
            await catalog.close()

    async def rows(self, catalog: Catalog) -> list[Segment]:
        page = partial(segments.page, camera_id=self.camera_id, from_us=0, to_us=1 << 61, after=(-1, 0), limit=100_000)
        return await catalog.read(page)


@asynccontextmanager
async def archive(folder: Path, *, minutes: int) -> AsyncIterator[Archive]:
    """`minutes` of 2 Mbit/s in files of a minute, indexed, all of it due for the store."""
    (camera_id,) = rig.register(folder, ["rtsp://127.0.0.1:9/none"])
    end_us = wall_us() - 3_600_000_000
    start_us = end_us - minutes * 60_000_000
    ffmpeg = binary.find()
    loop = await asyncio.to_thread(coded_loop, str(ffmpeg), default_cache_dir(), LoopOptions(bitrate_kbps=KBPS))
    past = Past(camera_id, loop.path, start_us, end_us - start_us)
    with closing(connect(folder / "nvr.sqlite3")) as db, transaction(db):
        volume = register(db, folder / "footage")
        cameras.update(db, camera_id, enabled=False)
        run = Run(past.run_id, camera_id, "n1", volume.id, start_us, ended_us=end_us, end_reason="disabled")
        runs.insert(db, run)
        promise = InForce(camera_id, None, "bench", "all", Terms(30, 30, offload_after_days=0), 1)
        policies.put_in_force(db, [promise])
    await asyncio.to_thread(make, ffmpeg, folder / "footage", [past], 60, lambda step: None)
    with Seaweed(folder / "weed") as store:
        made = Archive(folder, camera_id, store)
        async with made.opened(folder / "nvr.sqlite3") as (catalog, volumes):
            ingest = Ingest(catalog, volumes, lag_of=lambda fps: 80_000)
            found = [name for text in os.listdir(made.footage / SPOOL) if (name := parse_spool_name(text))]
            for name in sorted(found, key=lambda one: one.n):
                await ingest.take(volumes.all()[0], name, last_of_run=name.n == len(found) - 1)
        yield made


async def offload(*, rounds: int = 5, minutes: int = 24) -> list[Figure]:
    """Ours, with queue, checks and rows, over plain boto3's upload_file on as many threads; in turns, the same files."""
    with tempfile.TemporaryDirectory(prefix="nvr-bench-") as made:
        async with archive(Path(made), minutes=minutes) as footage:
            async with footage.opened(footage.folder / "nvr.sqlite3") as (catalog, _):
                rows = await footage.rows(catalog)
            total = sum(row.size_bytes for row in rows)
            await _plainly(footage, rows, "warm")
            ratios, ours, theirs = [], [], []
            for turn in range(rounds):
                theirs.append(total / await _plainly(footage, rows, f"plain-{turn}"))
                ours.append(total / await _ours(footage, rows, f"ours-{turn}"))
                ratios.append(ours[-1] / theirs[-1])
                say(f"  offload {ours[-1] / 1e6:.0f} MB/s, boto3 {theirs[-1] / 1e6:.0f} MB/s, {ratios[-1]:.2f}")
    detail = (
        f"{len(rows)} files of {total / len(rows) / 1e6:.0f} MB, {WORKERS} workers, SeaweedFS; median of {rounds} turns: "
        f"{statistics.median(ours) / 1e6:.0f} against {statistics.median(theirs) / 1e6:.0f} MB/s"
    )
    return [Figure("offload over plain boto3", statistics.median(ratios), "x", 0.7, most=False, detail=detail)]


async def _plainly(footage: Archive, rows: list[Segment], prefix: str) -> float:
    """Seconds of WORKERS threads that upload one file at a time with boto3's own upload_file."""
    from boto3.s3.transfer import TransferConfig

    waiting: SimpleQueue[Segment] = SimpleQueue()
    for row in rows:
        waiting.put(row)
    client = footage.store.client()
    config = TransferConfig(use_threads=False)

    def work() -> None:
        while True:
            try:
                row = waiting.get_nowait()
            except Empty:
                return
            client.upload_file(str(footage.path(row)), footage.store.bucket, f"{prefix}/{row.n}.mp4", Config=config)

    def run() -> float:
        threads = [threading.Thread(target=work) for _ in range(WORKERS)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.monotonic() - began

    took = await asyncio.to_thread(run)
    client.close()
    return took


async def _ours(footage: Archive, rows: list[Segment], prefix: str) -> float:
    """Seconds from the start of an offloader until all rows say that the store has them. Of a copy of the catalog that knows of
    none yet."""
    database = footage.folder / f"{prefix}.sqlite3"
    with closing(connect(footage.folder / "nvr.sqlite3", readonly=True)) as db:
        copies.copy_into(db, database)
    async with footage.opened(database) as (catalog, volumes):
        objects = Objects(footage.settings(prefix).offload, partial(Keys, footage.store.key, footage.store.secret))
        await objects.look()  # boto3 is loaded, as in a server that runs
        offloader = Offloader(catalog, volumes, objects, footage.settings(prefix))
        began = time.monotonic()
        await offloader.start()
        async with asyncio.timeout(LIMIT_S):
            while (await catalog.read(backlog)).tiers[Tier.BOTH].segments < len(rows):  # noqa: ASYNC110 - rows, not an event
                await asyncio.sleep(0.01)
        took = time.monotonic() - began
        await offloader.close()
        objects.close()
    return took


async def far(*, count: int = 40) -> list[Figure]:
    """First byte of a range of a file that is in the store alone, over a line that adds 50 ms each way; nothing in memory."""
    with tempfile.TemporaryDirectory(prefix="nvr-bench-") as made:
        async with archive(Path(made), minutes=4) as footage:
            rows = await _only_far(footage)
            with Line(footage.store.port, delay_s=DELAY_S) as line:
                settings = {
                    "NVR_STORAGE__DATABASE": str(footage.folder / "far.sqlite3"),
                    "NVR_OFFLOAD__ENDPOINT": line.endpoint,
                    "NVR_OFFLOAD__BUCKET": footage.store.bucket,
                    "NVR_OFFLOAD__PREFIX": "far",
                    "AWS_ACCESS_KEY_ID": footage.store.key,
                    "AWS_SECRET_ACCESS_KEY": footage.store.secret,
                }
                async with rig.served(footage.folder, environment=settings) as server:
                    times = [await _first_byte_ms(server, row, at) for row, at in _places(rows, count)]
    detail = f"{len(times)} cold ranges, worst {max(times):.0f} ms; the line itself takes {2000 * DELAY_S:.0f} ms"
    return [
        Figure("first byte from the store, median", statistics.median(times), "ms", 250, detail=detail),
        Figure("first byte from the store, p95", percentile(times, 0.95), "ms", 250, detail=detail),
    ]


async def _only_far(footage: Archive) -> list[Segment]:
    """All of it in the store, none on the volume: so says the catalog `far.sqlite3`."""
    async with footage.opened(footage.folder / "nvr.sqlite3") as (catalog, _):
        rows = await footage.rows(catalog)
    await _ours(footage, rows, "far")
    async with footage.opened(footage.folder / "far.sqlite3") as (catalog, _):
        await catalog.write(partial(sweeping.local_copy_gone, gone=rows))
    for row in rows:
        footage.path(row).unlink()
    return rows


def _places(rows: list[Segment], count: int) -> list[tuple[Segment, int]]:
    """Every other block, so that none was fetched ahead for another."""
    found = [(row, at) for row in rows for at in range(0, row.size_bytes - BLOCK_BYTES, 2 * BLOCK_BYTES)]
    return found[:: max(1, len(found) // count)][:count]


async def _first_byte_ms(server: rig.Served, row: Segment, at: int) -> float:
    url = f"{server.url}/media/{row.camera_id}/{row.run_id}/{row.n}.mp4"
    began = time.monotonic()
    async with server.http.get(url, headers={"Range": f"bytes={at + 1000}-{at + 500_999}"}) as answer:
        answer.raise_for_status()
        await answer.content.readexactly(1)
        took = (time.monotonic() - began) * 1000
        await answer.read()
    return took
