"""The file being written: playable while it grows, by a real ffmpeg that writes in real time."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from storage import frags
from storage.binary import find
from storage.clock import wall_us
from storage.growth import GrowingFile
from storage.model import CameraId, FileGrowth, RunId, SegmentFlag
from storage.paths import SpoolName, spool_pattern
from tests.lavfi import SEGMENT_FORMAT, recorded
from tests.storage.node import Node, node_at

FPS = 10
GOP_US = 500_000


@contextmanager
def recording(node: Node, camera: CameraId, run: RunId) -> Iterator[subprocess.Popen[bytes]]:
    """An ffmpeg that records two-second segments of half-second fragments in real time."""
    command = [str(find()), "-hide_banner", "-nostdin", "-loglevel", "error", "-re", "-f", "lavfi"]
    command += [
        "-i",
        f"testsrc=size=160x120:rate={FPS}",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-tune",
        "zerolatency",
    ]
    command += ["-g", "5", "-keyint_min", "5", "-sc_threshold", "0", "-pix_fmt", "yuv420p", "-threads", "1"]
    command += ["-f", "segment", "-segment_time", "2", "-segment_format", "mp4"]
    command += ["-segment_format_options", SEGMENT_FORMAT, spool_pattern(node.root, camera, run)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    node.live = {run}
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)
        node.live = set()


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with node_at(tmp_path) as made:
        yield made


async def until(true: Callable[[], bool], node: Node, *, within_s: float = 30) -> None:
    """A pass after another until it is so."""
    async with asyncio.timeout(within_s):
        while not true():
            await node.sweep()
            await asyncio.sleep(0.05)


async def test_footage_can_be_asked_for_while_it_is_written(node: Node) -> None:
    camera = await node.camera()
    run = await node.run(camera, wall_us())
    with recording(node, camera, run) as process:
        await until(lambda: node.ingest.counts["segments"] >= 2, node)
        now_us = wall_us()
        found = await node.footage.segments(camera, 0, 1 << 60)
        assert [segment.n for segment in found] == list(range(len(found)))
        assert [segment.growing for segment in found[:-1]] == [False] * (len(found) - 1)
        assert all(one.end_us == other.start_us for one, other in pairwise(found))
        newest = found[-1]
        assert now_us - 3_500_000 < newest.end_us <= now_us
        assert [segment.frag0 for segment in found] == [0, *(s.frag0 + frags.count(s.frags) for s in found[:-1])]

        process.kill()  # at most the open fragment is lost
        killed_us = wall_us()
        process.wait(10)
        node.live = set()
        await node.sweep()
        rows = await node.rows(camera)
        assert node.spooled() == []
        assert killed_us - rows[-1].end_us < 2 * GOP_US + 1_000_000
        assert all(one.end_us == other.start_us for one, other in pairwise(rows))
        assert not any(SegmentFlag.TIME_BAD in row.flags for row in rows)


async def test_what_was_seen_while_it_grew_stays_as_it_was(node: Node) -> None:
    camera = await node.camera()
    run = await node.run(camera, wall_us())
    seen: dict[int, tuple[int, bytes]] = {}
    with recording(node, camera, run):
        async with asyncio.timeout(30):
            while node.ingest.counts["segments"] < 3:
                await node.sweep()
                for segment in await node.growth.segments(camera):
                    seen[segment.n] = (segment.start_us, segment.frags)
                await asyncio.sleep(0.05)
    for row in (await node.rows(camera))[:3]:
        start_us, packed = seen[row.n]
        assert abs(row.start_us - start_us) < 20_000
        without_activity = [byte for index, byte in enumerate(packed) if index % 6 != 5]
        assert [byte for index, byte in enumerate(row.frags) if index % 6 != 5][
            : len(without_activity)
        ] == without_activity
        if row.n:
            assert row.start_us == start_us  # fixed when it opened


async def test_the_pass_tells_how_each_file_grows(node: Node) -> None:
    camera = await node.camera()
    run = await node.run(camera, wall_us())
    grown: list[FileGrowth] = []
    with recording(node, camera, run):
        async with asyncio.timeout(30):
            while not grown:
                grown = [one for one in await node.spool.sweep(node.volume) if one.fragments >= 2]
    (told,) = grown
    assert (told.camera_id, told.run_id, told.has_init) == (camera, run, True)
    assert told.media_end_us is not None
    assert told.media_end_us >= 2 * GOP_US
    assert told.longest_fragment_us == GOP_US
    assert abs(told.seen_us - wall_us()) < 10_000_000


@pytest.mark.parametrize("cut", [0, 1, 100, 1000, 5000, 20_000])
def test_a_file_is_read_as_far_as_it_is_complete(tmp_path: Path, cut: int) -> None:
    source = recorded()[0].read_bytes()
    path = tmp_path / "1-1-000000.mp4"
    path.write_bytes(source[:cut])
    file = GrowingFile(SpoolName(CameraId(1), RunId(1), 0), path, None)  # type: ignore[arg-type]
    assert file.look()
    before = len(file.fragments)
    with path.open("ab") as more:
        more.write(source[cut:])
    assert file.look()
    assert len(file.fragments) == 4 >= before
    assert file.end_bytes == len(source)
    assert file.sample() == (4_000_000, path.stat().st_mtime_ns // 1000)


def test_a_file_that_is_no_footage_tells_nothing(tmp_path: Path) -> None:
    path = tmp_path / "1-1-000000.mp4"
    path.write_bytes(os.urandom(100_000))
    file = GrowingFile(SpoolName(CameraId(1), RunId(1), 0), path, None)  # type: ignore[arg-type]
    assert file.look()
    assert (file.fragments, file.sample(), file.media_end_us()) == ([], None, None)
    path.unlink()
    assert not file.look()


def test_a_last_write_that_ends_no_fragment_is_no_sample(tmp_path: Path) -> None:
    source = recorded()[0].read_bytes()
    path = tmp_path / "1-1-000000.mp4"
    path.write_bytes(source + source[-300:])
    file = GrowingFile(SpoolName(CameraId(1), RunId(1), 0), path, None)  # type: ignore[arg-type]
    assert file.look()
    assert file.sample() is None
