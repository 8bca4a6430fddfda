"""A catalog and its volume on one small file system that is really full."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from config.errors import Unavailable
from storage.catalog import cameras, segments
from storage.model import CameraId, RunId
from storage.moves import file_sha256
from storage.volumes import full_bytes, space
from tests.lavfi import recorded
from tests.storage.node import Node, node_at

pytestmark = pytest.mark.needs("root")

T0_US = 1_795_000_020_000_000
RUN = RunId(T0_US // 1000)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    point = tmp_path / "disk"
    point.mkdir()
    mount(point)
    yield point
    unmount(point)


def mount(point: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(point)], check=True, timeout=10)


def unmount(point: Path) -> None:
    subprocess.run(["umount", "--lazy", str(point)], check=True, timeout=10)


def fill(disk: Path, *, leave_bytes: int = 0) -> Path:
    """Use up what is left of it."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        block = 1 << 20
        while block:
            stat = os.statvfs(disk)
            room = stat.f_bavail * stat.f_frsize - leave_bytes
            block = min(block, room)
            if block <= 0:
                break
            try:
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), block)
            except OSError:
                block //= 2
    return filler


def free_bytes(disk: Path) -> int:
    stat = os.statvfs(disk)
    return stat.f_bavail * stat.f_frsize


async def write_until_full(node: Node) -> int:
    """Register cameras until the catalog refuses; how many went in."""
    for number in range(10_000):
        try:
            await node.camera(f"KNP-{number}-" + "x" * 50)
        except Unavailable:
            return number
    raise AssertionError("the disk never was full")


async def test_the_ballast_lets_deletions_through_when_the_disk_is_full(small_disk: Path) -> None:
    async with node_at(small_disk) as node:
        ballast = small_disk / "nvr.sqlite3.ballast"
        assert ballast.stat().st_size > 0
        camera = await node.camera()
        await node.run(camera, T0_US)
        node.put(camera, RUN, recorded())
        await node.sweep()
        rows = await node.rows(camera)
        fill(small_disk)
        assert free_bytes(small_disk) == 0
        await node.catalog.write(partial(segments.remove, removed=rows[:1], reason="retention", at_us=1))
        assert [row.n for row in await node.rows(camera)] == [1, 2]


async def test_the_writer_lives_on_without_ballast_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    async with node_at(small_disk) as node:
        filler = fill(small_disk)
        await write_until_full(node)
        assert not (small_disk / "nvr.sqlite3.ballast").exists()
        for _ in range(3):
            with pytest.raises(Unavailable, match="disk is full"):
                await node.camera("one-more-" + "x" * 50)
        known = len(await node.catalog.read(cameras.ids))
        filler.unlink()
        await node.camera("at-last")
        assert len(await node.catalog.read(cameras.ids)) == known + 1


async def test_no_footage_is_lost_on_a_full_disk(small_disk: Path) -> None:
    async with node_at(small_disk) as node:
        camera = await node.camera()
        await node.run(camera, T0_US)
        files = recorded()
        names = node.put(camera, RUN, files[:1])
        await node.sweep()
        names += node.put(camera, RUN, files[1:], first=1)
        filler = fill(small_disk)
        await write_until_full(node)
        await node.sweep()
        indexed = len(await node.rows(camera))
        whole = [*node.archived(), *(node.spool_path(name) for name in names if node.spool_path(name).exists())]
        assert sorted(map(file_sha256, whole)) == sorted(map(file_sha256, files))
        assert indexed < 3
        filler.unlink()
        await node.sweep()
        rows = await node.rows(camera)
        if len(rows) < 3:  # moved, its row refused, nothing of its run left in the spool: reconcile finds it
            node.now_us = node.clock() + 600_000_000
            await node.reconciler.everything()
            rows = await node.rows(camera)
        assert [row.n for row in rows] == [0, 1, 2]
        assert [row.sha256 for row in rows] == [file_sha256(file) for file in files]
        assert all(node.path(row).exists() for row in rows)


async def test_a_volume_that_fills_up_takes_no_new_run_and_is_still_emptied(small_disk: Path) -> None:
    async with node_at(small_disk) as node:
        camera = await node.camera()
        await node.run(camera, T0_US)
        node.put(camera, RUN, recorded())
        fill(small_disk, leave_bytes=full_bytes(space(small_disk).total_bytes) // 2)
        node.volumes.recheck(node.volume.id)
        assert node.volume.state == "full"
        with pytest.raises(Unavailable) as refused:
            node.volumes.choose(camera)
        assert refused.value.extra["cause"] == "disk_full"
        await node.sweep()
        assert len(await node.rows(camera)) == 3
        (small_disk / "filler").unlink()
        node.volumes.recheck(node.volume.id)
        assert node.volumes.choose(camera) == node.volume


async def test_a_catalog_on_a_full_disk_can_be_opened(small_disk: Path) -> None:
    async with node_at(small_disk) as node:
        await node.camera()
    fill(small_disk)
    async with node_at(small_disk) as node:
        assert await node.catalog.read(cameras.ids) == {CameraId(1)}


async def test_a_catalog_that_cannot_be_opened_for_want_of_room_says_so(small_disk: Path) -> None:
    async with node_at(small_disk) as node:
        await node.camera()
    (small_disk / "nvr.sqlite3.ballast").unlink()
    filler = fill(small_disk)
    with pytest.raises(Unavailable, match="full"):
        async with node_at(small_disk):
            pass
    filler.unlink()
    async with node_at(small_disk) as node:
        assert await node.catalog.read(cameras.ids) == {CameraId(1)}


async def test_a_disk_that_is_pulled_out_stops_only_its_cameras(small_disk: Path, tmp_path: Path) -> None:
    async with node_at(tmp_path, volumes=("disk", "other")) as node:
        node.volumes.weigh({volume.id: 1 for volume in node.volumes.all()})
        on_disk = next(volume for volume in node.volumes.all() if volume.path == str(small_disk))
        others = [CameraId(number) for number in range(1, 40)]
        before = {camera: node.volumes.choose(camera).id for camera in others}
        assert len(set(before.values())) == 2
        unmount(small_disk)
        try:
            await asyncio.to_thread(node.volumes.recheck, on_disk.id)
            assert node.volumes.get(on_disk.id).state == "missing"
            for camera in others:
                chosen = node.volumes.choose(camera)
                assert chosen.id != on_disk.id
                assert before[camera] in (on_disk.id, chosen.id)
            await node.sweep()
            assert os.listdir(small_disk) == []
        finally:
            mount(small_disk)
    async with node_at(tmp_path, volumes=("disk", "other")) as node:
        states = sorted(volume.state for volume in node.volumes.all())
        assert states == ["missing", "ok"]
        assert os.listdir(small_disk) == []
