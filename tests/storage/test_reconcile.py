"""Reconcile: the index and the archive's files, brought together again after something went wrong."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.catalog import causes, hours, segments
from storage.clock import wall_us
from storage.model import HOUR_US, CameraId, Segment
from storage.reconcile import WEEK_S, YOUNG_US, Report, is_due, slot_s
from tests.lavfi import recorded
from tests.storage.node import SEGMENT_US, Node, node_at

LATER_US = 10 * 60 * 1_000_000


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with node_at(tmp_path) as made:
        yield made


async def record(node: Node, code: str = "KNP-1", *, ago_us: int = 600_000_000, copies: int = 1) -> list[Segment]:
    """A camera with a finished run of three segments (times `copies`) in one hour's folder, seen from ten minutes later."""
    camera = await node.camera(code)
    start_us = wall_us() - ago_us
    start_us -= max(0, start_us % HOUR_US + 4 * copies * SEGMENT_US - HOUR_US)
    for copy in range(copies):
        run = await node.run(camera, start_us + copy * 4 * SEGMENT_US)
        node.put(camera, run, recorded())
    await node.sweep()
    node.now_us = wall_us() + LATER_US
    rows = await node.rows(camera)
    assert len(rows) == 3 * copies
    return rows


async def without_rows(node: Node, rows: list[Segment]) -> None:
    """As if their rows had never been committed."""

    def forget(db: object, some: list[Segment]) -> None:
        segments.remove(db, some, reason="test", at_us=1)  # type: ignore[arg-type]
        db.execute("DELETE FROM deletion")  # type: ignore[attr-defined]

    await node.catalog.write(partial(forget, some=rows))


async def test_nothing_is_done_where_nothing_is_wrong(node: Node) -> None:
    rows = await record(node)
    assert await node.reconciler.everything() == Report(checked=3)
    assert await node.reconciler.recent() == Report(checked=3)
    assert await node.rows(rows[0].camera_id) == rows


@pytest.mark.parametrize("lost", [[0], [1], [2], [0, 1], [0, 1, 2]])
async def test_a_file_without_a_row_is_indexed_as_it_was(node: Node, lost: list[int]) -> None:
    rows = await record(node)
    await without_rows(node, [rows[n] for n in lost])
    report = await node.reconciler.recent()
    assert report.indexed == len(lost)
    again = await node.rows(rows[0].camera_id)
    for before, after in zip(rows, again, strict=True):
        assert after.start_us // 1000 == before.start_us // 1000
        assert abs(after.end_us - before.end_us) <= 2_000
        assert (after.n, after.frag0, after.sha256, after.init_id) == (
            before.n,
            before.frag0 if 0 not in lost else after.frag0,
            before.sha256,
            before.init_id,
        )
        assert node.path(after).exists()
    for one, other in pairwise(again):
        assert abs(one.end_us - other.start_us) <= 1_000


async def test_the_hour_row_counts_it_again(node: Node) -> None:
    rows = await record(node)
    hour = rows[0].start_us // HOUR_US * HOUR_US
    between = partial(hours.between, camera_id=rows[0].camera_id, from_us=hour, to_us=hour + 2 * HOUR_US)
    before = sum(found.bytes for found in await node.catalog.read(between))
    await without_rows(node, rows)
    await node.reconciler.everything()
    assert sum(found.bytes for found in await node.catalog.read(between)) == before


async def test_a_young_file_is_left_to_ingest(node: Node) -> None:
    rows = await record(node)
    await without_rows(node, rows)
    node.now_us = wall_us()
    assert (await node.reconciler.recent()).indexed == 0
    node.now_us = wall_us() + YOUNG_US + 1_000_000
    assert (await node.reconciler.recent()).indexed == 3


async def test_a_broken_file_goes_to_quarantine_with_every_byte(node: Node) -> None:
    rows = await record(node)
    await without_rows(node, rows[1:2])
    node.path(rows[1]).write_bytes(b"this was footage once")
    report = await node.reconciler.recent()
    assert (report.quarantined, report.indexed) == (1, 0)
    (name,) = node.quarantined()
    assert (node.root / "quarantine" / name).read_bytes() == b"this was footage once"


async def test_a_file_without_media_is_removed_and_counted(node: Node) -> None:
    rows = await record(node)
    await without_rows(node, rows[2:])
    os.truncate(node.path(rows[2]), 0)
    assert (await node.reconciler.recent()).empty == 1
    assert not node.path(rows[2]).exists()


async def test_a_row_whose_file_is_gone_becomes_a_deletion_that_a_gap_tells(node: Node) -> None:
    rows = await record(node)
    node.path(rows[1]).unlink()
    assert (await node.reconciler.recent()).missing == 1
    assert [row.n for row in await node.rows(rows[0].camera_id)] == [0, 2]
    known = await node.catalog.read(
        partial(causes.reasons, camera_id=rows[0].camera_id, from_us=rows[0].start_us, to_us=rows[2].end_us)
    )
    assert [(r.from_us, r.to_us) for r in known if r.cause == "missing"] == [(rows[1].start_us, rows[1].end_us)]
    timeline = await node.footage.timeline(rows[0].camera_id, rows[0].start_us, rows[2].end_us, None)
    assert [(gap.cause, gap.from_us) for gap in timeline.gaps] == [("missing", rows[1].start_us)]
    assert node.reconciler.totals.missing == 1


async def test_a_file_that_shrank_is_an_alarm_and_nothing_else(node: Node) -> None:
    rows = await record(node)
    os.truncate(node.path(rows[1]), 100)
    assert await node.reconciler.recent() == Report(checked=3, wrong_size=1)
    assert await node.rows(rows[0].camera_id) == rows


async def test_a_volume_that_is_not_mounted_is_not_judged(node: Node) -> None:
    rows = await record(node)
    shutil.move(node.root, node.root.with_name("elsewhere"))
    node.root.mkdir()  # the mount point is left
    assert await node.reconciler.recent() == Report()
    report = await node.reconciler.everything()
    assert (report.missing, len(report.skipped)) == (0, 1)
    assert await node.rows(rows[0].camera_id) == rows
    assert os.listdir(node.root) == []


async def test_another_volume_in_its_place_is_not_judged(node: Node) -> None:
    rows = await record(node)
    shutil.rmtree(node.root / "archive")
    (node.root / ".nvr-volume").write_text("00000000-0000-0000-0000-000000000000\n")
    assert (await node.reconciler.everything()).missing == 0
    assert await node.rows(rows[0].camera_id) == rows


async def test_it_stops_for_an_operator_when_too_much_is_missing(node: Node) -> None:
    rows = await record(node, copies=9)
    for row in rows[:21]:
        node.path(row).unlink()
    report = await node.reconciler.everything()
    assert report.missing == 21
    assert "fsck --accept-loss" in report.stopped[0]
    assert await node.rows(rows[0].camera_id) == rows
    assert (await node.reconciler.recent()).stopped == report.stopped
    assert await node.rows(rows[0].camera_id) == rows

    accepted = await node.reconciler.everything(accept_loss=True)
    assert (accepted.missing, accepted.stopped) == (21, [])
    assert len(await node.rows(rows[0].camera_id)) == 6


async def test_what_is_lost_little_by_little_adds_up(node: Node) -> None:
    rows = await record(node, copies=9)
    taken = 0
    for row in rows[:23]:
        node.path(row).unlink()
        report = await node.reconciler.recent()
        taken += report.missing if not report.stopped else 0
    assert taken == 20
    assert len(await node.rows(rows[0].camera_id)) == 7


async def test_a_dry_run_changes_nothing(node: Node) -> None:
    rows = await record(node)
    await without_rows(node, rows[:1])
    node.path(rows[1]).unlink()
    report = await node.reconciler.everything(dry_run=True)
    assert (report.checked, report.indexed, report.missing) == (2, 1, 1)
    assert [row.n for row in await node.rows(rows[0].camera_id)] == [1, 2]


async def test_strangers_in_the_archive_are_counted_and_left_alone(node: Node) -> None:
    rows = await record(node)
    folder = node.path(rows[0]).parent
    (folder / "notes.txt").write_text("hello")
    (folder / f"{rows[0].start_us // 1000 + 7_200_000}-{rows[0].run_id}-000009.mp4").write_bytes(b"wrong folder")
    shutil.copy(node.path(rows[0]), folder / f"{rows[0].start_us // 1000 + 1}-{rows[0].run_id}-000000.mp4")
    report = await node.reconciler.everything()
    assert (report.strangers, report.indexed, report.missing) == (3, 0, 0)
    assert len(list(folder.iterdir())) == 6


async def test_files_of_an_unknown_camera_are_left_for_a_rebuild(node: Node) -> None:
    rows = await record(node)
    shutil.copytree(node.root / "archive" / str(rows[0].camera_id), node.root / "archive" / "77")
    for path in (node.root / "archive" / "77").rglob("*.mp4"):
        start_ms, run, n = path.stem.split("-")
        path.rename(path.with_name(f"{start_ms}-{int(run) + 5}-{n}.mp4"))
    report = await node.reconciler.everything()
    assert (report.strangers, report.indexed) == (3, 0)
    assert await node.rows(CameraId(77)) == []


async def test_step_looks_at_the_last_hours_at_the_start_and_again_when_the_crash_is_old_enough(node: Node) -> None:
    rows = await record(node)
    node.now_us = wall_us()
    await without_rows(node, rows)
    await node.reconciler.step()
    assert await node.rows(rows[0].camera_id) == []
    node.now_us += 60_000_000
    await node.reconciler.step()
    assert await node.rows(rows[0].camera_id) == []
    node.now_us += 2 * YOUNG_US
    await node.reconciler.step()
    assert len(await node.rows(rows[0].camera_id)) == 3


async def test_old_days_come_round_once_a_week(node: Node) -> None:
    rows = await record(node, ago_us=20 * 24 * HOUR_US)
    await without_rows(node, rows)
    start_us = node.now_us = wall_us() + LATER_US
    await node.reconciler.step()
    assert await node.rows(rows[0].camera_id) == []
    while node.now_us < start_us + WEEK_S * 1_000_000:
        node.now_us += 4 * HOUR_US
        await node.reconciler.rolling_step()
    assert len(await node.rows(rows[0].camera_id)) == 3


@given(st.integers(0, WEEK_S - 1), st.integers(0, 10**9), st.lists(st.integers(1, WEEK_S), min_size=1, max_size=50))
def test_a_slot_comes_exactly_once_in_every_week(slot: int, start_s: int, steps: list[int]) -> None:
    now = start_s
    times = 0
    for step in [*steps, WEEK_S]:
        then = min(now + step, start_s + WEEK_S)
        times += is_due(slot, now, then) if then > now else 0
        now = then
    assert times == 1


def test_slots_spread_over_the_week() -> None:
    slots = [slot_s(1, camera, day) for camera in range(150) for day in range(30)]  # type: ignore[arg-type]
    by_day = [sum(slot // 86_400 == day for slot in slots) for day in range(7)]
    assert min(by_day) > len(slots) / 7 * 0.8
