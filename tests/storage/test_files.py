"""Descriptors that are kept open, and what keeps a file from being deleted."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from config.errors import NotFound, Unavailable
from storage.catalog.db import Catalog
from storage.files import PIN_AFTER_US, PIN_IN_ALL_US, Files, OpenFile
from storage.model import CameraId, RunId, Segment, SegmentFlag, Tier
from storage.paths import segment_path
from storage.volumes import Volumes
from tests.rows import segment


class Clock:
    us = 1_000_000_000

    def __call__(self) -> int:
        return self.us


@pytest_asyncio.fixture(loop_scope="session")
async def volumes(tmp_path: Path) -> AsyncIterator[Volumes]:
    catalog = Catalog(tmp_path / "catalog.sqlite3")
    await catalog.open()
    opened = Volumes(catalog, [tmp_path / "footage"])
    await opened.open()
    yield opened
    opened.close()
    await catalog.close()


def write(volumes: Volumes, of: Segment, data: bytes = b"footage") -> Path:
    path = segment_path(volumes.path(of.volume_id), of)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


async def nowhere(camera_id: CameraId, run_id: RunId, n: int) -> Segment:
    raise NotFound("it is gone")


async def test_a_file_is_opened_once_and_read_by_many(volumes: Volumes) -> None:
    files = Files(volumes, nowhere)
    one = segment(0)
    path = write(volumes, one)
    async with files.open(one) as first:
        path.unlink()  # an open descriptor stays good
        async with files.open(one) as second:
            assert second is first
            assert await second.read(4, 10) == b"age"
    async with files.open(one) as third:
        assert third is first
    files.close_all()
    assert isinstance(first, OpenFile)
    assert first.file.closed


async def test_no_more_than_so_many_stay_open(volumes: Volumes) -> None:
    files = Files(volumes, nowhere, max_open=2)
    rows = [segment(n, start_s=60 * n) for n in range(4)]
    for row in rows:
        write(volumes, row)
    async with files.open(rows[0]) as oldest:
        assert isinstance(oldest, OpenFile)
        handles = []
        for row in rows[1:]:
            async with files.open(row) as handle:
                assert isinstance(handle, OpenFile)
                handles.append(handle)
        assert not oldest.file.closed, "it has a reader"
        assert sum(not handle.file.closed for handle in handles) == 2
    assert oldest.file.closed
    files.close_all()


async def test_a_file_moved_to_the_archive_is_looked_up_once_more(volumes: Volumes) -> None:
    closed = segment(0)
    write(volumes, closed)
    asked: list[tuple[int, int, int]] = []

    async def look_up(camera_id: CameraId, run_id: RunId, n: int) -> Segment:
        asked.append((camera_id, run_id, n))
        return closed

    files = Files(volumes, look_up)
    async with files.open(replace(closed, flags=SegmentFlag.GROWING)) as handle:
        assert await handle.read(0, 7) == b"footage"
    assert asked == [(1, closed.run_id, 0)]
    files.close_all()


async def test_a_file_that_is_gone_is_not_found(volumes: Volumes) -> None:
    one = segment(0)

    async def look_up(camera_id: CameraId, run_id: RunId, n: int) -> Segment:
        return one

    with pytest.raises(NotFound, match="missing"):
        async with Files(volumes, look_up).open(one):
            pass


async def test_a_volume_that_is_away_is_no_missing_file(volumes: Volumes) -> None:
    one = segment(0)
    write(volumes, one)
    root = volumes.path(one.volume_id)
    root.rename(root.with_name("elsewhere"))
    volumes.recheck(one.volume_id)
    with pytest.raises(Unavailable, match="missing"):
        async with Files(volumes, nowhere).open(one):
            pass


async def test_what_is_only_in_the_object_store_says_so(volumes: Volumes) -> None:
    with pytest.raises(Unavailable, match="object store"):
        async with Files(volumes, nowhere).open(replace(segment(0), tier=Tier.REMOTE)):
            pass


async def test_closing_before_a_deletion_frees_the_file_when_its_last_reader_is_done(volumes: Volumes) -> None:
    files = Files(volumes, nowhere)
    one = segment(0)
    write(volumes, one)
    async with files.open(one) as handle:
        files.close(one.run_id, one.n)
        assert isinstance(handle, OpenFile)
        assert await handle.read(0, 7) == b"footage"
    assert handle.file.closed


async def test_a_pin_lasts_a_minute_after_the_last_byte_and_ten_in_all(volumes: Volumes) -> None:
    clock = Clock()
    files = Files(volumes, nowhere, clock=clock)
    one = segment(0)
    write(volumes, one)
    key = (one.run_id, one.n)
    async with files.open(one):
        assert files.pinned() == {key}
        clock.us += 2 * PIN_AFTER_US
        assert files.pinned() == {key}
    clock.us += PIN_AFTER_US
    assert files.pinned() == {key}
    clock.us += 1
    assert files.pinned() == set()
    async with files.open(one):
        clock.us += PIN_IN_ALL_US
        assert files.pinned() == {key}
        clock.us += 1
        assert files.pinned() == set()
    files.close_all()


async def test_cold_bytes_are_told_from_warm_ones(volumes: Volumes) -> None:
    files = Files(volumes, nowhere)
    one = segment(0)
    path = write(volumes, one, os.urandom(1 << 20))
    async with files.open(one) as handle:
        assert isinstance(handle, OpenFile)
        os.fsync(handle.fd)
        assert handle.cached(0, 1 << 20)
        assert handle.cached(0, 2 << 20), "the end of the file is no reason to wait"
        os.posix_fadvise(handle.fd, 0, 0, os.POSIX_FADV_DONTNEED)
        assert await handle.read(100, 1000) == path.read_bytes()[100:1100]
    files.close_all()
