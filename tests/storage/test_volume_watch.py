"""The watch over a volume, on real small file systems: one that stalls, one that is read-only, one that is gone."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from storage.catalog.db import Catalog
from storage.clock import mono_us
from storage.model import CameraId, VolumeId
from storage.paths import PROBE_FILE
from storage.volume_watch import WELL_AFTER_US, VolumeWatch
from storage.volumes import Volumes
from tests.storage.test_full_disk import fill, mount, unmount

DEADLINE_S = 1.0


@dataclass
class Watched:
    """`later_us` is added to the watch's clock."""

    volumes: Volumes
    later_us: int = 0

    def __post_init__(self) -> None:
        self.watch = VolumeWatch(self.volumes, VolumeId(1), deadline_s=DEADLINE_S, clock=self.clock)

    async def state(self) -> str:
        return (await self.watch.look()).state

    def clock(self) -> int:
        return mono_us() + self.later_us


@asynccontextmanager
async def watched(folder: Path, volume: Path) -> AsyncIterator[Watched]:
    catalog = Catalog(folder / "nvr.sqlite3")
    await catalog.open()
    volumes = Volumes(catalog, [volume])
    await volumes.open()
    here = Watched(volumes)
    try:
        yield here
    finally:
        here.watch.close()
        volumes.close()
        await catalog.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """64 MB of ext4 that can be frozen: whoever writes there then waits as for a disk that hangs."""
    image, point = tmp_path / "image", tmp_path / "mount"
    point.mkdir()
    with image.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True, timeout=20)
    subprocess.run(["mount", "-o", "loop", str(image), str(point)], check=True, timeout=10)
    yield point
    thaw(point)
    unmount(point)


def freeze(point: Path) -> None:
    subprocess.run(["fsfreeze", "--freeze", str(point)], check=True, timeout=10)


def thaw(point: Path) -> None:
    subprocess.run(["fsfreeze", "--unfreeze", str(point)], check=False, capture_output=True, timeout=10)


async def test_a_sound_volume_is_written_and_measured(tmp_path: Path) -> None:
    async with watched(tmp_path, tmp_path / "footage") as here:
        assert await here.state() == "ok"
        assert (tmp_path / "footage" / PROBE_FILE).stat().st_size > 0
        found = here.volumes.space(VolumeId(1))
        assert found is not None and 0 < found.free_bytes <= found.total_bytes


async def test_a_volume_whose_mark_is_gone_is_missing(tmp_path: Path) -> None:
    async with watched(tmp_path, tmp_path / "footage") as here:
        (tmp_path / "footage" / ".nvr-volume").rename(tmp_path / "mark")
        assert await here.state() == "missing"
        (tmp_path / "mark").rename(tmp_path / "footage" / ".nvr-volume")
        assert await here.state() == "ok"


async def test_a_volume_where_nothing_can_be_written_is_read_only(tmp_path: Path) -> None:
    async with watched(tmp_path, tmp_path / "footage") as here:
        (tmp_path / "footage" / PROBE_FILE).mkdir()
        assert await here.state() == "readonly"
        here.volumes.recheck(VolumeId(1))  # a look that does not write does not take that back
        assert here.volumes.get(VolumeId(1)).state == "readonly"
        (tmp_path / "footage" / PROBE_FILE).rmdir()
        assert await here.state() == "ok"


@pytest.mark.needs("root")
async def test_a_stalled_disk_is_slow_within_the_deadline_and_blocks_nobody(tmp_path: Path, disk: Path) -> None:
    async with watched(tmp_path, disk / "footage") as here:
        assert await here.state() == "ok"
        freeze(disk)
        loop = asyncio.get_running_loop()
        before_s = loop.time()
        assert await here.state() == "slow"
        assert await here.state() == "slow"
        assert loop.time() - before_s < 10 * DEADLINE_S
        with pytest.raises(Exception, match="no volume can be written"):
            here.volumes.choose(CameraId(1))
        thaw(disk)
        assert await here.state() == "slow"  # it answers again; half a minute in time, and it is used
        assert await here.state() == "slow"
        here.later_us = WELL_AFTER_US
        assert await here.state() == "ok"


@pytest.mark.needs("root")
async def test_a_volume_that_stalls_before_the_server_starts_does_not_stop_it(tmp_path: Path, disk: Path) -> None:
    async with watched(tmp_path, disk / "footage") as here:
        assert await here.state() == "ok"
    freeze(disk)
    async with watched(tmp_path, disk / "footage") as here:
        assert await here.state() == "slow"
        thaw(disk)


@pytest.mark.needs("root")
async def test_a_full_small_disk_is_full_and_not_broken(tmp_path: Path) -> None:
    point = tmp_path / "disk"
    point.mkdir()
    mount(point)
    try:
        async with watched(tmp_path, point / "footage") as here:
            assert await here.state() == "ok"
            filler = fill(point)
            assert await here.state() == "full"
            filler.unlink()
            assert await here.state() == "ok"
    finally:
        unmount(point)
