"""Ingest, on files that ffmpeg wrote with the recording recipe."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from config.errors import Unavailable
from storage import frags
from storage.catalog import hours, segments
from storage.catalog.sqlite import Connection
from storage.fmp4 import read_init
from storage.ingest import Ingest
from storage.model import HOUR_US, CameraId, RunId, Segment, SegmentFlag
from storage.moves import file_sha256, place
from storage.paths import archive_path
from tests.lavfi import recorded
from tests.storage.node import LAG_US, SEGMENT_US, Node, node_at

T0_US = 1_795_000_020_000_000
RUN = RunId(T0_US // 1000)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with node_at(tmp_path) as made:
        yield made


@pytest.fixture
async def camera(node: Node) -> CameraId:
    camera_id = await node.camera()
    await node.run(camera_id, T0_US)
    return camera_id


async def test_files_of_a_run_become_consecutive_segments(node: Node, camera: CameraId) -> None:
    files = recorded()
    node.put(camera, RUN, files)
    await node.sweep()
    rows = await node.rows(camera)
    assert [row.n for row in rows] == [0, 1, 2]
    assert [abs(row.start_us - T0_US - row.n * SEGMENT_US) < 2_000 for row in rows] == [True] * 3
    assert all(one.end_us == other.start_us for one, other in pairwise(rows))
    assert [row.frag0 for row in rows] == [0, 4, 8]
    assert len({row.init_id for row in rows}) == 1
    assert not any(row.flags for row in rows)
    assert node.spooled() == []


async def test_the_archived_file_is_the_very_file_ffmpeg_wrote(node: Node, camera: CameraId) -> None:
    files = recorded()
    node.put(camera, RUN, files)
    await node.sweep()
    for row, source in zip(await node.rows(camera), files, strict=True):
        target = node.path(row)
        assert target.read_bytes() == source.read_bytes()
        assert (row.sha256, row.size_bytes) == (file_sha256(source), source.stat().st_size)
        init = await node.footage.init(row.init_id)
        assert frags.total_bytes(row.frags) + len(init.data) == row.size_bytes


async def test_the_file_being_written_is_left_alone(node: Node, camera: CameraId) -> None:
    node.live = {RUN}
    names = node.put(camera, RUN, recorded())
    await node.sweep()
    assert [row.n for row in await node.rows(camera)] == [0, 1]
    assert node.spool_path(names[2]).exists()
    growing = await node.footage.segments(camera, 0, 1 << 60)
    assert [(s.n, s.growing) for s in growing] == [(0, False), (1, False), (2, True)]


async def test_again_changes_nothing(node: Node, camera: CameraId) -> None:
    files = recorded()
    node.put(camera, RUN, files)
    await node.sweep()
    before = await node.rows(camera)
    await node.sweep()
    assert await node.rows(camera) == before
    assert (await node.ingest.take(node.volume, node.put(camera, RUN, files[:1])[0], last_of_run=False)) is None
    assert await node.rows(camera) == before


async def test_the_hour_row_counts_what_was_indexed(node: Node, camera: CameraId) -> None:
    node.put(camera, RUN, recorded())
    await node.sweep()
    rows = await node.rows(camera)
    hour = T0_US // HOUR_US * HOUR_US
    (found,) = await node.catalog.read(lambda db: hours.between(db, camera, hour, hour + HOUR_US))
    assert found.recorded_us == sum(row.dur_us for row in rows)
    assert (found.segments, found.bytes) == (3, sum(row.size_bytes for row in rows))


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.9, 0.999])
async def test_a_file_cut_off_anywhere_is_kept_and_played_as_far_as_it_goes(
    node: Node, camera: CameraId, share: float
) -> None:
    file = recorded()[0]
    name = node.put(camera, RUN, [file])[0]
    kept = int(file.stat().st_size * share)
    os.truncate(node.spool_path(name), kept)
    await node.sweep()
    rows = await node.rows(camera)
    if not rows:
        assert node.quarantined() == [f"{camera}-{RUN}-000000.mp4"]
        assert (node.root / "quarantine" / node.quarantined()[0]).stat().st_size == kept
        return
    assert SegmentFlag.TRUNCATED in rows[0].flags
    assert rows[0].size_bytes == kept
    assert 0 < frags.count(rows[0].frags) < 4
    assert frags.total_bytes(rows[0].frags) < kept


async def test_a_run_whose_middle_file_is_broken_keeps_true_times(node: Node, camera: CameraId) -> None:
    names = node.put(camera, RUN, recorded())
    node.spool_path(names[1]).write_bytes(b"this is no footage")
    await node.sweep()
    rows = await node.rows(camera)
    assert [row.n for row in rows] == [0, 2]
    assert rows[1].start_us - rows[0].start_us == pytest.approx(2 * SEGMENT_US, abs=5_000)
    assert node.quarantined() == [f"{camera}-{RUN}-000001.mp4"]
    assert "ftyp" in (node.root / "quarantine" / f"{camera}-{RUN}-000001.mp4.reason").read_text()


async def test_a_file_that_holds_no_media_goes_without_a_trace(node: Node, camera: CameraId) -> None:
    empty, init_only = node.put(camera, RUN, recorded()[:2])
    node.spool_path(empty).write_bytes(b"")
    fd = os.open(node.spool_path(init_only), os.O_RDONLY)
    init = read_init(fd)
    os.close(fd)
    assert init is not None
    os.truncate(node.spool_path(init_only), len(init.data))
    await node.sweep()
    assert (node.spooled(), node.quarantined(), await node.rows(camera)) == ([], [], [])
    assert node.ingest.counts["empty"] == 2


async def test_garbage_in_the_spool_is_left_alone_and_counted(node: Node, camera: CameraId) -> None:
    (node.root / "spool" / "notes.txt").write_text("hello")
    (node.root / "spool" / "1-2-3.mp4").write_bytes(b"")
    (node.root / "spool" / "lost+found").mkdir()
    node.put(camera, RUN, recorded()[:1])
    await node.sweep()
    assert len(await node.rows(camera)) == 1
    assert node.spooled() == ["1-2-3.mp4", "lost+found", "notes.txt"]
    assert node.spool.unknown_names[node.volume.id] == 3


async def test_a_folder_or_a_link_with_a_footage_name_stops_nothing(node: Node, camera: CameraId) -> None:
    names = node.put(camera, RUN, recorded()[:1])
    (node.root / "spool" / f"{camera}-{RUN + 1}-000000.mp4").mkdir()
    (node.root / "spool" / f"{camera}-{RUN + 2}-000000.mp4").symlink_to("/etc/passwd")
    await node.sweep()
    assert len(await node.rows(camera)) == 1
    assert not node.spool_path(names[0]).exists()
    assert len(node.spooled()) == 2


async def test_a_file_of_an_unknown_camera_stays_in_the_spool(node: Node) -> None:
    name = node.put(CameraId(99), RUN, recorded()[:1])[0]
    await node.sweep()
    assert node.spool_path(name).exists()
    assert node.ingest.counts["unknown_camera"] == 1


async def test_a_run_without_a_row_is_taken_on_from_its_files(node: Node) -> None:
    camera = await node.camera()
    node.put(camera, RUN, recorded())
    await node.sweep()
    assert [row.run_id for row in await node.rows(camera)] == [RUN] * 3
    assert (await node.footage.run(RUN)).started_us == T0_US


async def test_a_file_that_vanishes_is_no_error(node: Node, camera: CameraId) -> None:
    names = node.put(camera, RUN, recorded())
    node.spool_path(names[1]).unlink()
    assert await node.ingest.take(node.volume, names[1], last_of_run=False) is None
    await node.ingest.take_all(node.volume, names, live=set())
    assert [row.n for row in await node.rows(camera)] == [0, 2]


async def test_a_hint_for_the_newest_file_does_not_jump_the_queue(node: Node, camera: CameraId) -> None:
    names = node.put(camera, RUN, recorded())
    with pytest.raises(Unavailable, match="earlier"):
        await node.ingest.take(node.volume, names[2], last_of_run=False)
    await node.ingest.take_all(node.volume, names, live=set())
    rows = await node.rows(camera)
    assert [row.n for row in rows] == [0, 1, 2]
    assert [row.start_us for row in rows[1:]] == [row.end_us for row in rows[:-1]]


async def test_another_file_under_its_final_name_is_never_overwritten(node: Node, camera: CameraId) -> None:
    name = node.put(camera, RUN, recorded())[0]
    await node.sweep()
    (first, *_) = await node.rows(camera)
    original = node.path(first).read_bytes()
    await node.catalog.write(lambda db: segments.remove(db, [first], reason="test", at_us=1))
    node.ingest.forget(RUN)
    other = Ingest(node.catalog, node.volumes, lag_of=lambda fps: LAG_US)
    shutil.copyfile(recorded(gop_seconds=2)[0], node.spool_path(name))
    stat = node.path(first).stat()
    os.utime(node.spool_path(name), ns=(stat.st_atime_ns, stat.st_mtime_ns))
    await other.take(node.volume, name, last_of_run=False)
    assert original in [path.read_bytes() for path in node.archived()]
    assert len(node.archived()) + len(node.quarantined()) == 4


async def test_the_same_file_under_its_final_name_is_the_move_of_a_server_that_died(tmp_path: Path) -> None:
    source, target = tmp_path / "a.mp4", tmp_path / "archive" / "b" / "c.mp4"
    source.write_bytes(b"footage")
    sha256 = file_sha256(source)
    assert place(source, target, sha256)
    assert target.read_bytes() == b"footage"
    source.write_bytes(b"footage")
    assert place(source, target, sha256)
    assert not source.exists()
    source.write_bytes(b"another")
    assert not place(source, target, file_sha256(source))
    assert (source.read_bytes(), target.read_bytes()) == (b"another", b"footage")


class Stopped(Exception):
    """Stands for the end of the server between two steps."""


async def stopped_before_the_row(node: Node, camera: CameraId, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a run's files; the server ends after file `at` was moved and before its row was committed."""
    names = node.put(camera, RUN, recorded())
    insert = segments.insert

    def ending(db: Connection, segment: Segment) -> bool:
        if segment.n == at:
            raise Stopped
        return insert(db, segment)

    with monkeypatch.context() as patched:
        patched.setattr(segments, "insert", ending)
        for name in names[: at + 1]:
            try:
                await node.ingest.take(node.volume, name, last_of_run=False)
            except Stopped:
                break
    assert len(node.archived()) == at + 1
    assert len(await node.rows(camera)) == at


@pytest.mark.parametrize("at", [0, 1])
async def test_a_server_that_died_between_move_and_row_leaks_nothing(
    node: Node, camera: CameraId, at: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await stopped_before_the_row(node, camera, at, monkeypatch)
    async with node_at(tmp_path) as restarted:
        await restarted.sweep()
        rows = await restarted.rows(camera)
        assert [row.n for row in rows] == [0, 1, 2]
        assert [row.frag0 for row in rows] == [0, 4, 8]
        assert all(restarted.path(row).exists() for row in rows)
        assert all(one.end_us == other.start_us for one, other in pairwise(rows))
        assert rows[0].start_us == pytest.approx(T0_US, abs=2_000)


@pytest.mark.parametrize("at", [0, 1])
async def test_a_row_that_could_not_be_written_is_written_by_the_next_pass(
    node: Node, camera: CameraId, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stopped_before_the_row(node, camera, at, monkeypatch)
    await node.sweep()
    rows = await node.rows(camera)
    assert [row.n for row in rows] == [0, 1, 2]
    assert [row.frag0 for row in rows] == [0, 4, 8]
    assert all(node.path(row).exists() for row in rows)


async def test_one_file_that_cannot_be_read_now_keeps_its_runs_order(
    node: Node, camera: CameraId, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await node.camera("KNP-2")
    await node.run(other, T0_US + 1_000)
    names = node.put(camera, RUN, recorded())
    node.put(other, RunId(RUN + 1), recorded())

    async def unavailable(*_: object) -> None:
        raise Unavailable("the catalog did not answer")

    with monkeypatch.context() as patched:
        patched.setattr(node.ingest, "_take", unavailable)
        await node.ingest.take_all(node.volume, names, live=set())
    assert node.ingest.counts["failed"] == 1
    await node.sweep()
    assert [row.n for row in await node.rows(camera)] == [0, 1, 2]
    assert [row.n for row in await node.rows(other)] == [0, 1, 2]


async def test_names_and_rows_agree(node: Node, camera: CameraId) -> None:
    node.put(camera, RUN, recorded())
    await node.sweep()
    wanted = [archive_path(camera, row.start_us, row.run_id, row.n) for row in await node.rows(camera)]
    assert [str(path.relative_to(node.root / "archive")) for path in node.archived()] == wanted


async def test_a_run_goes_on_after_a_restart_where_it_was(node: Node, camera: CameraId, tmp_path: Path) -> None:
    files = recorded(seconds=24)
    node.live = {RUN}
    node.put(camera, RUN, files[:4])
    await node.sweep()
    before = await node.rows(camera)
    async with node_at(tmp_path) as restarted:
        restarted.live = {RUN}
        restarted.put(camera, RUN, files[4:], first=4)
        await restarted.sweep()
        rows = await restarted.rows(camera)
        assert rows[:3] == before
        assert [row.n for row in rows] == [0, 1, 2, 3, 4]
        assert all(one.end_us == other.start_us for one, other in pairwise(rows))
        assert [row.frag0 for row in rows] == [0, 4, 8, 12, 16]
        assert not any(row.flags for row in rows)
        assert rows[-1].err_us < 50_000


async def test_a_run_goes_on_after_a_restart_when_its_newest_file_is_gone(
    node: Node, camera: CameraId, tmp_path: Path
) -> None:
    files = recorded(seconds=24)
    node.live = {RUN}
    node.put(camera, RUN, files[:4])
    await node.sweep()
    node.path((await node.rows(camera))[-1]).unlink()
    async with node_at(tmp_path) as restarted:
        restarted.live = {RUN}
        restarted.put(camera, RUN, files[4:], first=4)
        await restarted.sweep()
        rows = await restarted.rows(camera)
        assert [row.n for row in rows] == [0, 1, 2, 3, 4]
        assert not any(row.flags for row in rows)
