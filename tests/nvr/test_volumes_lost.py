"""A disk that is full and a disk that is not there, under a running server: cameras go elsewhere, nothing is lost."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from nvr.simulator import Simulator
from tests.nvr.served import Served, faults, until
from tests.nvr.simulated import simulator
from tests.storage.test_full_disk import fill, unmount

pytestmark = [pytest.mark.slow, pytest.mark.needs("root"), pytest.mark.timeout(240)]

MANY = 12


def small(point: Path) -> Iterator[Path]:
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(point)], check=True, timeout=10)
    yield point
    unmount(point)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    yield from small(tmp_path / "disk")


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """As large: cameras are spread by size."""
    yield from small(tmp_path / "other")


def bind(store: Path, point: Path) -> None:
    subprocess.run(["mount", "--bind", str(store), str(point)], check=True, timeout=10)


async def cameras_on_both(served: Served, cameras: Simulator) -> tuple[int, int]:
    """Cameras are added until one records on each volume: (on the first, on the second). Which goes where is by chance."""
    found: dict[int, int] = {}
    for number in range(1, MANY + 1):
        camera_id = await served.add(f"C{number}", cameras.url(number))
        await served.until_state(camera_id, "recording", within_s=60)
        [run] = served.runs(camera_id)
        found.setdefault(run["volume_id"], camera_id)
        if len(found) == 2:
            break
    return found[1], found[2]


def newest(served: Served, camera_id: int) -> dict[str, Any]:
    return served.runs(camera_id)[-1]


async def moved(served: Served, camera_id: int, volume_id: int) -> None:
    """It records on that volume."""
    await until(lambda: newest(served, camera_id)["volume_id"] == volume_id, 60, "a run on the other volume")
    run_id = newest(served, camera_id)["id"]
    await until(lambda: [row for row in served.segments(camera_id) if row["run_id"] == run_id], 60, "its segments")
    await served.until_state(camera_id, "recording", within_s=60)


async def gaps(served: Served, camera_id: int) -> list[str]:
    runs = served.runs(camera_id)
    from_us, to_us = runs[0]["started_us"] + 3_000_000, newest(served, camera_id)["started_us"] + 3_000_000
    told = await served.ask(f"/api/v1/cameras/{camera_id}/timeline?from={from_us}&to={to_us}")
    return [gap["cause"] for gap in told["gaps"]]


async def test_catalog_and_volume_on_a_full_disk_go_on_recording_elsewhere(
    ffmpeg: str, loops: Path, small_disk: Path, other_disk: Path
) -> None:
    volumes = [small_disk / "footage", other_disk / "footage"]
    async with simulator(loops, cameras=MANY) as cameras, Served(small_disk, volumes=volumes) as served:
        here, other = await cameras_on_both(served, cameras)
        before = {row["n"] for row in served.segments(here)}
        await until(lambda: len(served.segments(here)) > len(before) + 1, 40)
        filler = await asyncio.to_thread(fill, small_disk)
        await moved(served, here, 2)
        assert await served.ask("/healthz") == {"status": "ok"}
        first = served.runs(here)[0]
        assert first["end_reason"] == "disk_full"
        assert set(await gaps(served, here)) <= {"disk_full", "deleted"}
        os.unlink(filler)
        segments = len(served.segments(here))
        await until(lambda: len(served.segments(here)) > segments + 1, 40)
        assert [run["end_reason"] for run in served.runs(other)] == [None]
        assert faults(await asyncio.to_thread(served.shown, ffmpeg, served.runs(other)[0]["id"])) == []
        for row in served.segments(here):
            assert file_of(volumes, row).stat().st_size == row["size_bytes"]


async def test_a_disk_that_vanishes_takes_no_camera_along_and_is_taken_back(loops: Path, tmp_path: Path) -> None:
    store, point = tmp_path / "store", tmp_path / "mount"
    store.mkdir()
    point.mkdir()
    bind(store, point)
    mounted = True
    try:
        volumes = [point, tmp_path / "other"]
        async with simulator(loops, cameras=MANY) as cameras, Served(tmp_path, volumes=volumes) as served:
            here, other = await cameras_on_both(served, cameras)
            await until(lambda: len(served.segments(here)) > 1, 40)
            unmount(point)
            mounted = False
            await moved(served, here, 2)
            assert os.listdir(point) == [], "written below an empty mount point"
            # -- nor does a server that starts without it
            await served.end()
            await served.start()
            await moved(served, here, 2)
            assert os.listdir(point) == []
            assert [run["end_reason"] for run in served.runs(other)] == [None]
            rows = served.segments(here)
            bind(store, point)
            mounted = True

            async def back() -> bool:
                first = await served.ask(f"/api/v1/cameras/{here}/segments?from=0&to=4000000000000000&limit=1")
                async with asyncio.timeout(20):
                    return await readable(served, first["items"][0]["url"])

            await until(back, 60, "its footage is served again")
            kept = served.segments(here)
            assert [row for row in rows if row not in kept] == []
            for row in kept:
                assert file_of(volumes, row).stat().st_size == row["size_bytes"]
    finally:
        if mounted:
            unmount(point)


async def readable(served: Served, path: str) -> bool:
    async with aiohttp.ClientSession() as http, http.get(served.url + path) as answer:
        return answer.status == 200 and len(await answer.read()) > 0


def file_of(volumes: list[Path], row: dict[str, Any]) -> Path:
    archive: Path = volumes[row["volume_id"] - 1] / "archive"
    [path] = archive.glob(f"{row['camera_id']}/*/*/*/*/*-{row['run_id']}-{row['n']:06d}.mp4")
    return path
