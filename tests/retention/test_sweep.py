"""The sweeper on real files: what goes, what stays, and what is left behind."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from retention import sweep
from storage.camera_json import NAME
from storage.catalog import days, deletions, garbage, object_garbage, proofs, segments
from storage.catalog import holds as hold_rows
from storage.files import Files
from storage.model import RunId, Segment, Tier
from storage.paths import parse_archive_name
from storage.terms import Hold
from tests.lavfi import recorded
from tests.retention.aged import POLICY, aged, condemned, cut, hold, offloaded, sweeper, swept
from tests.storage.node import Node, node_at


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with node_at(tmp_path) as made:
        yield made


async def left(node: Node, of: list[Segment]) -> list[int]:
    """n of what is still there, row and file."""
    rows = await node.rows(of[0].camera_id)
    names = [parse_archive_name(path.name) for path in node.archived()]
    assert [(row.run_id, row.n) for row in rows] == sorted((name.run_id, name.n) for name in names if name)
    assert await condemned(node) == []
    return [row.n for row in rows]


async def deleted(node: Node, of: list[Segment]) -> list[deletions.Deletion]:
    day = days.day_of(of[0].start_us)
    return await node.catalog.read(partial(deletions.of_day, camera_id=of[0].camera_id, day_us=day))


async def test_what_has_ended_by_the_cut_goes(node: Node) -> None:
    rows = await aged(node)
    done = await swept(node, cut(rows, before_us=rows[1].end_us))
    assert (done.segments, done.bytes) == (2, rows[0].size_bytes + rows[1].size_bytes)
    assert await left(node, rows) == [2]
    (one,) = await deleted(node, rows)
    assert (one.start_us, one.end_us, one.segments) == (rows[0].start_us, rows[1].end_us, 2)
    assert (one.reason, one.policy_id) == ("max_days", POLICY)


@pytest.mark.parametrize("before", [-1, 0])
async def test_a_segment_goes_by_its_end(node: Node, before: int) -> None:
    rows = await aged(node)
    await swept(node, cut(rows, before_us=rows[0].end_us + before))
    assert await left(node, rows) == ([0, 1, 2] if before else [1, 2])


async def test_empty_folders_go_but_not_the_cameras(node: Node) -> None:
    rows = await aged(node)
    folder = node.root / "archive" / str(rows[0].camera_id)
    (folder / NAME).write_text("{}")
    await swept(node, cut(rows))
    assert {path.name for path in folder.rglob("*")} - {f"{datetime.now(UTC):%Y}"} == {
        NAME
    }  # this year's may be used next
    assert await left(node, rows) == []


async def test_a_folder_of_this_hour_stays_for_the_next_file(node: Node) -> None:
    rows = await aged(node, days=0.001)
    await swept(node, cut(rows, reason="below_min"))
    assert await left(node, rows) == []
    assert node.path(rows[0]).parent.is_dir()


async def test_another_camera_and_another_volume_stay(tmp_path: Path) -> None:
    async with node_at(tmp_path, volumes=["one", "two"]) as node:
        rows, others = await aged(node), await aged(node, "KNP-2")
        other_volume = next(volume for volume in node.volumes.all() if volume.id != rows[0].volume_id)
        wrong = replace(cut(rows), volume_id=other_volume.id)
        assert (await swept(node, wrong)).segments == 0
        assert (await swept(node, cut(rows))).segments == 3
        assert await node.rows(others[0].camera_id) == others


async def test_held_footage_stays_whatever_the_cut(node: Node) -> None:
    rows = await aged(node)
    held = await hold(node, rows[0].camera_id, rows[1].start_us + 1, rows[1].end_us - 1)
    for reason in ("max_days", "quota", "above_min", "below_min"):
        await swept(node, cut(rows, reason=reason), pinned_counts=False)
    assert await left(node, rows) == [1]
    await node.catalog.write(partial(hold_rows.release, hold_id=held.id, by="me", reason="the case is closed", at_us=1))
    await swept(node, cut(rows))
    assert await left(node, rows) == []


async def test_a_hold_touches_what_it_overlaps_and_nothing_beside_it(node: Node) -> None:
    rows = await aged(node)
    await hold(node, rows[0].camera_id, rows[1].start_us, rows[1].end_us)
    await swept(node, cut(rows))
    assert await left(node, rows) == [1]


async def test_a_hold_that_comes_when_the_plan_is_made_still_holds(node: Node) -> None:
    rows = await aged(node)
    planned = cut(rows)
    await hold(node, rows[0].camera_id, rows[0].start_us, rows[-1].end_us)
    assert (await swept(node, planned)).segments == 0


async def test_a_hold_that_comes_after_the_commit_keeps_the_file(node: Node) -> None:
    """It is indexed again by the next reconciliation, and is held."""
    rows = await aged(node)
    loop = asyncio.get_running_loop()
    placed: list[asyncio.Task[Hold]] = []

    def step(name: str) -> None:
        if name == "closed" and not placed:
            placed.append(loop.create_task(hold(node, rows[0].camera_id, rows[1].start_us, rows[1].end_us)))

    class Slow(sweep.Sweeper):
        async def _remove(self, *args: Any, **more: Any) -> list[str]:
            step("closed")
            await placed[0]
            return await super()._remove(*args, **more)

    await Slow(node.catalog, node.volumes, clock=node.clock).sweep([cut(rows)], pinned_counts=True)
    assert [path.name for path in node.archived()] == [node.path(rows[1]).name]
    assert await condemned(node) == []
    node.now_us = node.clock() + 600_000_000
    assert (await node.reconciler.everything()).indexed == 1
    assert await left(node, rows) == [1]


async def test_what_is_being_served_stays_unless_the_disk_presses(node: Node) -> None:
    rows = await aged(node)
    files = Files(node.volumes, node.footage.look_up)
    made = sweeper(node)
    made.files = files
    async with files.open(rows[1]) as handle:
        await made.sweep([cut(rows)], pinned_counts=True)
        assert await left(node, rows) == [1]
        await made.sweep([cut(rows)], pinned_counts=False)
        assert await left(node, rows) == []
        assert len(await handle.read(0, rows[1].size_bytes)) == rows[1].size_bytes  # the reader gets to its end
        assert (rows[1].run_id, rows[1].n) not in files._open  # and its descriptor is not kept
    files.close_all()


async def test_the_newest_segment_of_a_running_recorder_stays(node: Node) -> None:
    camera = await node.camera()
    run = await node.run(camera, node.clock() - 60_000_000)
    node.live.add(run)
    node.put(camera, run, recorded())
    await node.sweep()
    rows = await node.rows(camera)
    assert [row.n for row in rows] == [0, 1]  # the third one grows
    await swept(node, cut(rows, reason="below_min"), pinned_counts=False)
    assert [row.n for row in await node.rows(camera)] == [1]


async def test_a_volume_that_is_away_is_not_swept(node: Node) -> None:
    rows = await aged(node)
    os.rename(node.root, node.root.with_name("elsewhere"))
    node.root.mkdir()
    assert (await swept(node, cut(rows))).segments == 0
    assert await node.rows(rows[0].camera_id) == rows
    node.root.rmdir()
    os.rename(node.root.with_name("elsewhere"), node.root)
    node.volumes.recheck(node.volume.id)
    assert (await swept(node, cut(rows))).segments == 3


async def test_a_file_that_is_gone_already_is_no_trouble(node: Node) -> None:
    rows = await aged(node)
    node.path(rows[1]).unlink()
    assert (await swept(node, cut(rows))).segments == 3
    assert await left(node, rows) == []


async def test_many_go_in_batches(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "BATCH", 4)
    rows, others = await aged(node, runs=4), await aged(node, "KNP-2", runs=2)
    await hold(node, rows[0].camera_id, rows[5].start_us, rows[5].end_us)
    done = await swept(node, cut(rows), cut(others))
    assert done.segments == len(rows) + len(others) - 1
    assert [row.n for row in await node.rows(rows[0].camera_id)] == [rows[5].n]
    assert await condemned(node) == []


async def test_the_order_of_the_cuts_is_kept(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "BATCH", 1)
    first, second = await aged(node), await aged(node, "KNP-2")
    seen: list[int] = []
    kept = segments.remove

    def remove(db: Any, removed: Any, **more: Any) -> None:
        seen.extend(one.camera_id for one in removed)
        kept(db, removed, **more)

    monkeypatch.setattr(segments, "remove", remove)
    await swept(node, cut(second, reason="above_min"), cut(first, reason="below_min"))
    assert seen == [second[0].camera_id] * 3 + [first[0].camera_id] * 3


# -- the object store -----------------------------------------------------------------------------------------------------


async def objects(node: Node) -> list[str]:
    return [one.key for one in await node.catalog.read(partial(object_garbage.due, now_us=1 << 62, limit=100))]


async def test_a_local_copy_goes_and_the_segment_stays(node: Node) -> None:
    rows = await offloaded(node, await aged(node))
    done = await swept(node, cut(rows, kind="drop_local", reason="offloaded"))
    assert (done.segments, done.damaged) == (3, 0)
    assert node.archived() == [] and await condemned(node) == []
    assert await node.rows(rows[0].camera_id) == [replace(row, tier=Tier.REMOTE) for row in rows]
    assert await objects(node) == [] and await deleted(node, rows) == []


async def test_a_copy_that_is_not_what_was_recorded_stays(node: Node) -> None:
    rows = await offloaded(node, await aged(node))
    with node.path(rows[1]).open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"!")
    done = await swept(node, cut(rows, kind="drop_local", reason="offloaded"))
    assert (done.segments, done.damaged) == (2, 1)
    assert [row.tier for row in await node.rows(rows[0].camera_id)] == [Tier.REMOTE, Tier.BOTH, Tier.REMOTE]
    assert node.archived() == [node.path(rows[1])]


async def test_a_local_copy_of_held_footage_stays(node: Node) -> None:
    rows = await offloaded(node, await aged(node))
    await hold(node, rows[0].camera_id, rows[0].start_us, rows[1].end_us)
    assert (await swept(node, cut(rows, kind="drop_local", reason="offloaded"))).segments == 1


async def test_only_age_takes_what_the_store_has(node: Node) -> None:
    rows = await offloaded(node, await aged(node))
    for reason in ("quota", "above_min", "below_min"):
        assert (await swept(node, cut(rows, reason=reason))).segments == 0
    assert (await swept(node, cut(rows))).segments == 3
    assert node.archived() == [] and len(await objects(node)) == 3


async def test_what_the_store_alone_has_goes_with_its_objects_wherever_its_volume_is(node: Node) -> None:
    rows = await offloaded(node, await aged(node))
    await swept(node, cut(rows, kind="drop_local", reason="local_days"))
    (node.root / ".nvr-volume").unlink()
    held = await hold(node, rows[0].camera_id, rows[2].start_us, rows[2].end_us)
    assert (await swept(node, cut(rows, kind="delete_remote"))).segments == 2
    assert len(await objects(node)) == 2
    assert [row.n for row in await node.rows(held.camera_id)] == [2]


# -- garbage ----------------------------------------------------------------------------------------------------------------


async def condemn(node: Node, *paths: str) -> None:
    await node.catalog.write(partial(garbage.add, volume_id=node.volume.id, paths=paths, reason="max_days", at_us=1))


def below(node: Node, row: Segment) -> str:
    return str(node.path(row).relative_to(node.root))


async def without_row(node: Node, row: Segment) -> None:
    await node.catalog.write(partial(segments.remove, removed=[row], reason="max_days", at_us=1))


async def test_garbage_is_drained(node: Node) -> None:
    rows = await aged(node)
    await without_row(node, rows[0])
    await condemn(node, below(node, rows[0]), "archive/1/2026/01/01/00/1767225600000-1767225600000-000000.mp4")
    assert await sweeper(node).drain_garbage() == 2
    assert await left(node, rows) == [1, 2]


async def test_garbage_whose_row_is_back_is_dropped_and_the_file_stays(node: Node) -> None:
    rows = await aged(node)
    await condemn(node, below(node, rows[0]))
    assert await sweeper(node).drain_garbage() == 0
    assert await left(node, rows) == [0, 1, 2]


async def test_garbage_that_is_held_now_stays_and_is_indexed_again(node: Node) -> None:
    rows = await aged(node)
    await without_row(node, rows[0])
    await condemn(node, below(node, rows[0]))
    await hold(node, rows[0].camera_id, rows[0].start_us, rows[0].end_us)
    assert await sweeper(node).drain_garbage() == 0
    node.now_us = node.clock() + 600_000_000
    assert (await node.reconciler.everything()).indexed == 1
    assert await left(node, rows) == [0, 1, 2]


async def test_a_half_dropped_local_copy_is_finished(node: Node) -> None:
    rows = await offloaded(node, await aged(node))
    await node.catalog.write(lambda db: segments.set_tier(db, rows[:1], Tier.REMOTE))
    await condemn(node, below(node, rows[0]))
    assert await sweeper(node).drain_garbage() == 1
    assert node.archived() == [node.path(row) for row in rows[1:]]


@pytest.mark.parametrize(
    "path", ["nvr.sqlite3", "../nvr.sqlite3", "archive/1/camera.json", "archive/1/2026/01/01/00/1-1-000000.mp4"]
)
async def test_nothing_but_footage_is_ever_unlinked(node: Node, path: str) -> None:
    victim = node.root / path
    victim.parent.mkdir(parents=True, exist_ok=True)
    victim.touch()
    await condemn(node, path)
    assert await sweeper(node).drain_garbage() == 0
    assert victim.exists()


async def test_reconciliation_leaves_garbage_alone(node: Node) -> None:
    rows = await aged(node)
    await without_row(node, rows[1])
    await condemn(node, below(node, rows[1]))
    node.now_us = node.clock() + 600_000_000
    for dry_run in (True, False):
        report = await node.reconciler.everything(dry_run=dry_run)
        assert (report.indexed, report.checked) == (0, 3)
    assert await condemned(node) == [below(node, rows[1])]


async def test_ingest_does_not_take_on_garbage(node: Node) -> None:
    """A run whose last rows were deleted, taken up by a new server while its files still lie there."""
    rows = await aged(node)
    await without_row(node, rows[2])
    await condemn(node, below(node, rows[2]))
    again = Node(node.catalog, node.volumes)
    again.put(rows[0].camera_id, RunId(rows[0].run_id), recorded()[:1], first=3)
    await again.sweep()
    assert [row.n for row in await node.rows(rows[0].camera_id)] == [0, 1, 3]


async def test_the_day_is_proven_all_the_while(node: Node) -> None:
    rows = await aged(node, runs=3)
    day = days.day_of(rows[0].start_us)
    await node.catalog.write(partial(proofs.close, camera_id=rows[0].camera_id, day_us=day, at_us=1))
    await swept(node, cut(rows, before_us=rows[3].end_us))
    assert await node.catalog.read(partial(proofs.check, camera_id=rows[0].camera_id, day_us=day)) == ""
