"""Small disks that are really full, really stalled, really broken, under a whole server with simulated cameras."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from nvr.simulator import CameraOptions, LoopOptions, Simulator
from storage.catalog import holds
from storage.catalog.db import connect, transaction
from storage.model import CameraId
from storage.terms import Hold
from storage.volume_choice import score
from tests.nvr.served import Served, until
from tests.nvr.simulated import simulator
from tests.storage.test_full_disk import fill, free_bytes, unmount

pytestmark = [pytest.mark.slow, pytest.mark.needs("root"), pytest.mark.timeout(180)]

BUSY = CameraOptions(LoopOptions(width=320, height=180, gop_s=1.0, length_s=4.0, bitrate_kbps=4000))
MB = 1_000_000
MANY = 12
YEAR_US = 365 * 86_400_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """64 MB, most of it taken by somebody else: a minute fills it."""
    point = tmp_path / "disk"
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(point)], check=True, timeout=10)
    yield point
    unmount(point)


@asynccontextmanager
async def slow_reader(served: Served, path: str) -> AsyncIterator[asyncio.Task[None]]:
    """Takes a byte a second of an answer; what the kernel takes meanwhile is as little as it allows."""
    parts = urlsplit(served.url)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (parts.hostname, parts.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=16)

    async def read() -> None:
        while await reader.read(1):  # noqa: ASYNC110 - the pause is the point
            await asyncio.sleep(1)

    writer.write(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    assert (await reader.readexactly(12)).endswith(b"200")
    task = asyncio.create_task(read())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        writer.close()


def hold(served: Served, camera_id: int, start_us: int, end_us: int) -> int:
    """As `nvr hold add` does: on the catalog, beside the running server."""
    wanted = Hold(0, "FIR 1/2026", CameraId(camera_id), start_us, end_us, "test", "tester", 1)
    with closing(connect(served.database)) as db, transaction(db):
        return holds.place(db, wanted).id


def release(served: Served, hold_id: int) -> None:
    with closing(connect(served.database)) as db, transaction(db):
        holds.release(db, hold_id, "tester", "the case is closed", time.time_ns() // 1000)


def files(served: Served, rows: list[dict[str, Any]]) -> dict[Path, str]:
    """Their files with what is in them."""
    found = {}
    for row in rows:
        path = next((served.volumes[row["volume_id"] - 1] / "archive").rglob(f"*-{row['run_id']}-{row['n']:06d}.mp4"))
        found[path] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


async def test_a_full_small_disk_records_on_and_sheds_the_oldest_but_never_what_is_held(
    loops: Path, tmp_path: Path, small_disk: Path
) -> None:
    fill(small_disk, leave_bytes=14 * MB)
    volumes = [small_disk / "footage"]
    async with (
        simulator(loops, BUSY, cameras=2) as cameras,
        Served(tmp_path, segment_seconds=2, volumes=volumes) as served,
    ):
        one, two = [await served.add(f"C{number}", cameras.url(number)) for number in (1, 2)]
        rows = await until(lambda: (found := served.segments(one))[2:] and found, 30, "three segments")
        held = rows[1]  # neither the first nor the last
        hold(served, one, held["start_us"] + 1, held["start_us"] + held["dur_us"] - 1)
        kept = files(served, [held])
        read = await until(lambda: served.segments(two)[1:], 30)
        async with slow_reader(served, f"/media/{two}/{read[0]['run_id']}/{read[0]['n']}.mp4") as reading:
            lowest = await watched(served, small_disk, until_n=16, cameras=(one, two))
            assert not reading.done()
        assert lowest > 2 * MB, "it was full for a moment"
        assert files(served, [held]) == kept
        assert read[0]["n"] not in [row["n"] for row in served.segments(two)], "a slow reader kept a file"
        for camera_id in (one, two):
            [run] = served.runs(camera_id)
            assert run["end_reason"] is None, "recording was interrupted"
            left = [row["n"] for row in served.segments(camera_id) if row["n"] != held["n"] or camera_id == two]
            assert left == list(range(left[0], left[-1] + 1)), "something went before what is older"
            assert left[0] > held["n"]
        told = (await served.ask("/api/v1/retention/report"))["cameras"]
        assert {camera["state"] for camera in told} == {"broken"}
        [volume] = (await served.ask("/api/v1/volumes"))["items"]
        assert (volume["shedding"], volume["held_full"]) == (True, False)
        assert volume["time_to_full_s"] > 0
        assert sorted(volume["cameras"]) == [one, two]
        assert volume["held_bytes"] > 0
        gone = served.rows("SELECT DISTINCT reason FROM deletion")
        assert [row["reason"] for row in gone] == ["below_min"]


async def watched(served: Served, disk: Path, *, until_n: int, cameras: tuple[int, ...]) -> int:
    """Until each camera has written so many segments; the least that was free meanwhile."""
    lowest = free_bytes(disk)

    def done() -> bool:
        nonlocal lowest
        lowest = min(lowest, free_bytes(disk))
        return all((rows := served.segments(camera_id)) and rows[-1]["n"] >= until_n for camera_id in cameras)

    await until(done, 90, f"{until_n} segments of each camera")
    return lowest


async def test_where_only_held_footage_is_left_the_lowest_class_stops_first_and_comes_back(
    loops: Path, tmp_path: Path, small_disk: Path
) -> None:
    fill(small_disk, leave_bytes=12 * MB)
    async with (
        simulator(loops, BUSY, cameras=2) as cameras,
        Served(tmp_path, segment_seconds=2, volumes=[small_disk / "footage"]) as served,
    ):
        low, high = [await served.add(f"C{number}", cameras.url(number)) for number in (1, 2)]
        for camera_id, priority in ((low, 10), (high, 90)):
            body = {"scope": "camera", "target": str(camera_id), "min_days": 30, "max_days": 30, "priority": priority}
            await served.ask(f"/api/v1/retention/policies/p{priority}", "PUT", body)
        now_us = time.time_ns() // 1000
        both = [hold(served, camera_id, now_us - YEAR_US, now_us + YEAR_US) for camera_id in (low, high)]
        await served.until_state(low, "failed", "disk_full", within_s=60)
        kept = files(served, served.segments(low) + served.segments(high))
        assert (await served.camera(high))["state"] == "recording"
        before = len(served.segments(high))
        await until(lambda: len(served.segments(high)) > before, 30, "the highest class records on")
        [volume] = (await served.ask("/api/v1/volumes"))["items"]
        assert volume["held_full"]
        assert {path: digest for path, digest in files(served, served.segments(low)).items() if path in kept} != {}
        assert all(hashlib.sha256(path.read_bytes()).hexdigest() == digest for path, digest in kept.items())
        assert served.rows("SELECT * FROM deletion") == []
        for hold_id in both:
            release(served, hold_id)
        await served.until_state(low, "recording", within_s=60)
        assert served.rows("SELECT * FROM deletion") != []
        assert {run["end_reason"] for run in served.runs(high)} == {None}


# -- disks that are lost ------------------------------------------------------------------------------------------------


def ext4(folder: Path, name: str) -> Path:
    image, point = folder / f"{name}.img", folder / name
    point.mkdir()
    with image.open("wb") as file:
        file.truncate(128 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True, timeout=20)
    subprocess.run(["mount", "-o", "loop", str(image), str(point)], check=True, timeout=10)
    return point


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[list[Path]]:
    """Two of the same size."""
    points = [ext4(tmp_path, name) for name in ("first", "second")]
    yield points
    thaw(points[0])
    for point in points:
        unmount(point)


def freeze(point: Path) -> None:
    """Whoever writes there then waits, and cannot be killed, as with a disk that does not answer."""
    subprocess.run(["fsfreeze", "--freeze", str(point)], check=True, timeout=10)


def thaw(point: Path) -> None:
    subprocess.run(["fsfreeze", "--unfreeze", str(point)], check=False, capture_output=True, timeout=10)


def abort(point: Path) -> None:
    """What ext4 does itself after an error of its disk: nothing can be written any more."""
    subprocess.run(["mount", "-o", "remount,abort", str(point)], check=False, capture_output=True, timeout=10)


async def cameras_on_both(served: Served, cameras: Simulator) -> tuple[list[int], list[int]]:
    """Cameras are added until both volumes have one at least: (on the first, on the second). Some at a time, so many as
    should do by what their ids and the volumes' marks say."""
    uuids = {(volume / ".nvr-volume").read_text().strip(): at for at, volume in enumerate(served.volumes, 1)}
    found: dict[int, list[int]] = {1: [], 2: []}
    number = 0
    while not all(found.values()):
        added: list[int] = []
        likely: set[int] = set()
        while not added or (len(likely) < 2 and number < MANY):
            number += 1
            added.append(await served.add(f"C{number}", cameras.url(number)))
            likely.add(uuids[max(uuids, key=lambda uuid: score(uuid, CameraId(added[-1]), 1.0))])
        for camera_id in added:
            await served.until_state(camera_id, "recording", within_s=60)
            found[served.runs(camera_id)[0]["volume_id"]].append(camera_id)
    return found[1], found[2]


async def records_on(served: Served, camera_id: int, volume_id: int, within_s: float) -> None:
    def there() -> bool:
        run = served.runs(camera_id)[-1]
        return run["volume_id"] == volume_id and any(row["run_id"] == run["id"] for row in served.segments(camera_id))

    await until(there, within_s, f"camera {camera_id} on volume {volume_id}")


async def test_a_stalled_disk_loses_its_cameras_within_seconds_and_no_footage(
    loops: Path, tmp_path: Path, disks: list[Path]
) -> None:
    volumes = [disk / "footage" for disk in disks]
    async with (
        simulator(loops, cameras=MANY) as cameras,
        Served(tmp_path, segment_seconds=2, volumes=volumes) as served,
    ):
        here, other = await cameras_on_both(served, cameras)
        await until(lambda: all(len(served.segments(camera)) > 1 for camera in here), 30)
        before = {camera: served.segments(camera) for camera in here}
        await asyncio.to_thread(freeze, disks[0])
        try:
            for camera in here:
                await records_on(served, camera, 2, within_s=40)
                assert served.runs(camera)[0]["end_reason"] == "volume_lost"
            states = {one["id"]: one["state"] for one in (await served.ask("/api/v1/volumes"))["items"]}
            assert states == {1: "slow", 2: "ok"}
            assert await served.ask("/healthz") == {"status": "ok"}
        finally:
            await asyncio.to_thread(thaw, disks[0])
        runs = {camera: served.runs(camera)[0]["id"] for camera in here}
        await until(
            lambda: not [one for one in served.recorders() if one.run_id in runs.values()], 20, "the old ones end"
        )
        await until(partial(spools_empty, served, set(runs.values())), 90, "all of it is indexed")
        for camera, rows in before.items():
            assert [row for row in rows if row not in served.segments(camera)] == []
        assert {run["end_reason"] for camera in other for run in served.runs(camera)} == {None}


def spools_empty(served: Served, runs: set[int]) -> bool:
    """Of files of these runs."""
    left = [path.name for volume in served.volumes for path in (volume / "spool").iterdir()]
    return not [name for name in left if int(name.split("-")[1]) in runs]


async def test_a_disk_that_turns_read_only_loses_its_cameras_within_seconds(
    loops: Path, tmp_path: Path, disks: list[Path]
) -> None:
    volumes = [disk / "footage" for disk in disks]
    async with (
        simulator(loops, cameras=MANY) as cameras,
        Served(tmp_path, segment_seconds=2, volumes=volumes) as served,
    ):
        here, other = await cameras_on_both(served, cameras)
        await asyncio.to_thread(abort, disks[0])
        for camera in here:
            await records_on(served, camera, 2, within_s=30)
            assert served.runs(camera)[0]["end_reason"] == "volume_lost"
        states = {one["id"]: one["state"] for one in (await served.ask("/api/v1/volumes"))["items"]}
        assert states == {1: "readonly", 2: "ok"}
        assert {run["end_reason"] for camera in other for run in served.runs(camera)} == {None}
