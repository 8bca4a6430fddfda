"""A node's storage without recorders: real catalog, volumes, ingest, spool. Tests put files where ffmpeg would."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from storage.catalog import cameras, runs, segments
from storage.catalog.db import Catalog
from storage.clock import wall_us
from storage.footage import Footage
from storage.growth import Growth
from storage.ingest import Ingest
from storage.model import Camera, CameraId, Run, RunId, Segment, Volume, VolumeId
from storage.paths import SPOOL, SpoolName, segment_path, spool_name
from storage.reconcile import Reconciler
from storage.spool import Spool
from storage.volumes import Volumes

LAG_US = 80_000
FOREVER_US = 1 << 61
SEGMENT_US = 4_000_000
"""Length of the segments of tests.lavfi.recorded."""


@dataclass
class Node:
    """`live`: runs whose ffmpeg is said to be alive. `now_us`: what its parts take for the time, None: the true one."""

    catalog: Catalog
    volumes: Volumes
    live: set[RunId] = field(default_factory=set)
    now_us: int | None = None

    def __post_init__(self) -> None:
        self.ingest = Ingest(self.catalog, self.volumes, lag_of=lambda fps: LAG_US)
        self.growth = Growth(
            self.catalog,
            self.volumes,
            self.ingest,
            lag_of=lambda fps: LAG_US,
            live_runs=lambda: self.live,
            clock=self.clock,
        )
        self.spool = Spool(self.volumes, self.ingest, self.growth, live_runs=lambda: self.live)
        self.footage = Footage(self.catalog, self.volumes, self.growth, clock=self.clock)
        self.reconciler = Reconciler(self.catalog, self.volumes, self.ingest, clock=self.clock)

    def clock(self) -> int:
        return wall_us() if self.now_us is None else self.now_us

    @property
    def volume(self) -> Volume:
        return self.volumes.all()[0]

    @property
    def root(self) -> Path:
        return Path(self.volume.path)

    async def camera(self, code: str = "KNP-1") -> CameraId:
        made = Camera(CameraId(0), code, f"Gate {code}", "rtsp://10.0.0.5/x", "n1", created_us=1)
        return (await self.catalog.write(partial(cameras.add, camera=made))).id

    async def run(self, camera_id: CameraId, started_us: int, volume: Volume | None = None) -> RunId:
        run = Run(RunId(started_us // 1000), camera_id, "n1", (volume or self.volume).id, started_us)
        return (await self.catalog.write(partial(runs.insert, run=run))).id

    def put(
        self, camera_id: CameraId, run_id: RunId, files: Sequence[Path], *, first: int = 0, volume: Volume | None = None
    ) -> list[SpoolName]:
        """Files of a run into the spool, dated as if ffmpeg had written them from the run's start on."""
        names = []
        for n, file in enumerate(files, first):
            name = SpoolName(camera_id, run_id, n)
            target = self.spool_path(name, volume)
            shutil.copyfile(file, target)
            end_ns = (run_id * 1000 + (n + 1) * SEGMENT_US + LAG_US) * 1000
            os.utime(target, ns=(end_ns, end_ns))
            names.append(name)
        return names

    def spool_path(self, name: SpoolName, volume: Volume | None = None) -> Path:
        root = Path((volume or self.volume).path)
        return root / SPOOL / spool_name(name.camera_id, name.run_id, name.n)

    async def sweep(self) -> None:
        """One pass over every volume."""
        for volume in self.volumes.readable():
            await self.spool.sweep(volume)

    async def rows(self, camera_id: CameraId) -> list[Segment]:
        """All of a camera, in the order of time."""
        page = partial(segments.page, camera_id=camera_id, from_us=0, to_us=FOREVER_US, after=(-1, 0), limit=10_000)
        return await self.catalog.read(page)

    def path(self, segment: Segment) -> Path:
        return segment_path(self.volumes.path(VolumeId(segment.volume_id)), segment)

    def archived(self) -> list[Path]:
        return sorted(path for path in (self.root / "archive").rglob("*.mp4"))

    def spooled(self) -> list[str]:
        return sorted(os.listdir(self.root / SPOOL))

    def quarantined(self) -> list[str]:
        return sorted(path.name for path in (self.root / "quarantine").iterdir() if path.suffix == ".mp4")


@asynccontextmanager
async def node_at(folder: Path, *, volumes: Sequence[str] = ("footage",)) -> AsyncIterator[Node]:
    """A node in a folder; opened again it finds what the last one left."""
    catalog = Catalog(folder / "nvr.sqlite3")
    await catalog.open()
    found = Volumes(catalog, [folder / name for name in volumes])
    try:
        await found.open()
        yield Node(catalog, found)
    finally:
        found.close()
        await catalog.close()
