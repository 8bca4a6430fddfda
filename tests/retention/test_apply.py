"""Making the plan come true: what is due goes, and nothing else; too much at once is asked first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from config.errors import Conflict
from retention import apply, planned
from retention.apply import Applied, confirm, look, stops_for, to_ask
from retention.plan import Cut, VolumeNeed
from storage.catalog import stops
from storage.catalog.stops import Stop
from storage.model import HOUR_US, CameraId, Segment, VolumeId
from storage.terms import DAY_US, Terms
from tests.retention.aged import aged, cut, hold, offloaded, promise, sweeper, swept
from tests.storage.node import Node, node_at

V1, V2 = VolumeId(1), VolumeId(2)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with node_at(tmp_path) as made:
        yield made


async def applied(node: Node) -> Applied:
    return await apply.apply(node.catalog, sweeper(node), node.clock(), doubt="")


def some(count: int, size: int, *, kind: str = "delete", volume: VolumeId = V1, oldest_us: int = 5) -> Cut:
    return Cut(kind, CameraId(1), volume, 9, "max_days", count, size, oldest_us)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cuts", "asks"),
    [
        ([some(100, 200)], []),  # a fifth
        ([some(100, 201)], [1]),
        ([some(60, 101), some(60, 100)], [1]),
        ([some(20, 900)], []),  # so few may always go
        ([some(100, 900, kind="drop_local")], []),  # no loss
        ([some(100, 900, kind="delete_remote")], []),  # of 5,000 in the store
        ([some(100, 1001, kind="delete_remote")], [1]),
        ([some(100, 201), some(100, 401, volume=V2)], [1, 2]),
    ],
)
def test_when_it_asks(cuts: list[Cut], asks: list[int]) -> None:
    footage = {(V1, 0): (900, 90), (V1, 1): (100, 10), (V1, 2): (5000, 500), (V2, 0): (2000, 200)}
    assert sorted(stops_for(cuts, footage, 7)) == asks


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        ([], True),
        ([Stop(V1, 1, 1000, 2000, 5)], True),
        ([Stop(V1, 1, 1000, 2000, 5, confirmed_us=2)], False),
        ([Stop(V1, 1, 950, 2000, 5, confirmed_us=2)], False),  # a little more has become due meanwhile
        ([Stop(V1, 1, 500, 2000, 5, confirmed_us=2)], True),  # that was another question
        ([Stop(V2, 1, 1000, 2000, 5, confirmed_us=2)], True),
    ],
)
def test_what_was_confirmed_is_not_asked_again(known: list[Stop], asked: bool) -> None:
    assert bool(to_ask({V1: Stop(V1, 9, 1000, 2000, 5)}, known)) is asked


async def test_what_is_due_goes_and_nothing_else(node: Node) -> None:
    old, young = await aged(node), await aged(node, "KNP-2", days=29)
    assert await applied(node) == Applied(3, sum(row.size_bytes for row in old))
    assert await node.rows(old[0].camera_id) == []
    assert await node.rows(young[0].camera_id) == young
    assert await applied(node) == Applied()


async def test_a_doubtful_clock_deletes_nothing(node: Node) -> None:
    rows = await aged(node)
    with pytest.raises(Conflict, match=r"three days ahead.*trust-clock"):
        await apply.apply(node.catalog, sweeper(node), node.clock(), doubt="the clock is three days ahead")
    assert await node.rows(rows[0].camera_id) == rows


async def test_exactly_what_has_ended_is_planned(node: Node) -> None:
    rows = await aged(node, days=30)
    for now_us, count in [(rows[0].end_us - 1, 0), (rows[0].end_us, 1), (rows[2].end_us - 1, 2), (rows[2].end_us, 3)]:
        plan = await node.catalog.read(partial(planned.due, now_us=now_us + 30 * DAY_US))
        assert sum(one.segments for one in plan.cuts) == count
        assert sum(one.bytes for one in plan.cuts) == sum(row.size_bytes for row in rows[:count])


async def test_what_is_held_is_left_out_of_the_plan(node: Node) -> None:
    rows = await aged(node)
    await hold(node, rows[0].camera_id, rows[1].start_us, rows[1].start_us + 1)
    (one,) = (await node.catalog.read(partial(planned.due, now_us=node.clock()))).cuts
    assert (one.segments, one.bytes) == (2, rows[0].size_bytes + rows[2].size_bytes)
    await applied(node)
    assert await node.rows(rows[0].camera_id) == rows[1:2]
    assert (await node.catalog.read(partial(planned.due, now_us=node.clock()))).cuts == ()


async def test_local_copies_are_planned_by_their_own_age(node: Node) -> None:
    rows = await offloaded(node, await aged(node, days=10, terms=Terms(5, 30, 1, 7)))
    (one,) = (await node.catalog.read(partial(planned.due, now_us=node.clock()))).cuts
    assert (one.kind, one.reason, one.segments) == ("drop_local", "local_days", 3)
    await promise(node, rows[0].camera_id, Terms(5, 30, 1, 11))
    assert (await node.catalog.read(partial(planned.due, now_us=node.clock()))).cuts == ()


async def test_a_quota_is_planned(node: Node) -> None:
    rows = await aged(node, days=10, runs=2)
    await promise(node, rows[0].camera_id, Terms(5, 30, quota_bytes=0))
    plan = await node.catalog.read(partial(planned.due, now_us=node.clock()))
    assert sum(one.segments for one in plan.cuts) == 6


@pytest.mark.parametrize("size", [1, 2.5, 6])
async def test_a_full_disk_takes_segments_not_hours(node: Node, size: float) -> None:
    """Nine segments of an hour that is not over: as many go as are needed, the oldest first."""
    rows = await aged(node, days=0.01, runs=3)
    need = VolumeNeed(node.volume.id, 0, 10**9, int(size * rows[0].size_bytes))
    plan = await node.catalog.read(partial(planned.pressed, now_us=node.clock(), needs=[need]))
    assert plan.short == {}
    await swept(node, *plan.cuts, pinned_counts=False)
    left = await node.rows(rows[0].camera_id)
    assert left == rows[len(rows) - len(left) :]
    gone = sum(row.size_bytes for row in rows[: len(rows) - len(left)])
    assert need.need_bytes <= gone < need.need_bytes + max(row.size_bytes for row in rows)


async def test_a_full_disk_does_not_take_what_is_held_and_says_what_is_short(node: Node) -> None:
    rows = await aged(node, days=0.01)
    await hold(node, rows[0].camera_id, rows[0].start_us, rows[1].end_us)
    need = VolumeNeed(node.volume.id, 0, 10**9, sum(row.size_bytes for row in rows))
    plan = await node.catalog.read(partial(planned.pressed, now_us=node.clock(), needs=[need]))
    assert plan.short == {node.volume.id: rows[0].size_bytes + rows[1].size_bytes}
    await swept(node, *plan.cuts, pinned_counts=False)
    assert await node.rows(rows[0].camera_id) == rows[:2]


async def test_below_the_minimum_only_when_nothing_above_is_left(node: Node) -> None:
    first, second = await aged(node, days=4), await aged(node, "KNP-2", days=2)
    await promise(node, first[0].camera_id, Terms(3, 30, priority=90))
    await promise(node, second[0].camera_id, Terms(3, 30, priority=10))
    need = VolumeNeed(node.volume.id, 0, 10**9, sum(row.size_bytes for row in first) + 1)
    plan = await node.catalog.read(partial(planned.pressed, now_us=node.clock(), needs=[need]))
    assert [(one.reason, one.camera_id, one.segments) for one in plan.cuts] == [
        ("above_min", first[0].camera_id, 3),
        ("below_min", second[0].camera_id, 1),
    ]


# -- too much at once ---------------------------------------------------------------------------------------------------


async def much(node: Node) -> list[Segment]:
    rows = await aged(node, runs=8)
    await aged(node, "KNP-2", days=1)
    return rows


async def test_too_much_at_once_stops_and_asks(node: Node) -> None:
    rows = await much(node)
    found = await applied(node)
    assert (found.segments, [stop.volume_id for stop in found.stopped]) == (0, [node.volume.id])
    assert len(await node.rows(rows[0].camera_id)) == 24
    (stop,) = await node.catalog.read(stops.listing)
    assert (stop.bytes, stop.confirmed_us) == (sum(row.size_bytes for row in rows), None)
    assert stop.oldest_us == rows[0].start_us // HOUR_US * HOUR_US
    await applied(node)
    assert await node.catalog.read(stops.listing) == [stop]  # asked once


async def test_what_was_confirmed_goes_and_the_question_is_over(node: Node) -> None:
    rows = await much(node)
    await applied(node)
    _, wanted = await node.catalog.read(partial(look, now_us=node.clock()))
    await node.catalog.write(partial(confirm, wanted=wanted, now_us=node.clock()))
    assert (await applied(node)).segments == 24
    assert await node.rows(rows[0].camera_id) == []
    await applied(node)
    assert await node.catalog.read(stops.listing) == []


async def test_a_question_ends_when_it_is_not_so_much_any_more(node: Node) -> None:
    rows = await much(node)
    await applied(node)
    await promise(node, rows[0].camera_id, Terms(60, 60))
    assert await applied(node) == Applied()
    assert await node.catalog.read(stops.listing) == []


async def test_a_full_disk_does_not_ask(node: Node) -> None:
    rows = await much(node)
    await swept(node, cut(rows), pinned_counts=False)
    assert await node.rows(rows[0].camera_id) == []


async def test_the_hour_that_a_floor_divides_is_shed_by_its_segments(node: Node) -> None:
    """Of nine segments five are older than the minimum: they go first, and only then another camera's younger ones."""
    rows, others = await aged(node, days=3, runs=3), await aged(node, "KNP-2", days=1)
    await promise(node, rows[0].camera_id, Terms(3, 30, priority=90))
    await promise(node, others[0].camera_id, Terms(3, 30, priority=10))
    now_us = rows[4].end_us + 3 * DAY_US
    need = VolumeNeed(node.volume.id, 0, 10**9, sum(row.size_bytes for row in rows[:5]) + 1)
    plan = await node.catalog.read(partial(planned.pressed, now_us=now_us, needs=[need]))
    assert [(one.reason, one.camera_id, one.segments) for one in plan.cuts] == [
        ("above_min", rows[0].camera_id, 5),
        ("below_min", others[0].camera_id, 1),
    ]
    await swept(node, *plan.cuts, pinned_counts=False)
    assert await node.rows(rows[0].camera_id) == rows[5:]
    assert await node.rows(others[0].camera_id) == others[1:]


async def test_a_large_volume_is_planned_by_hours(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planned, "FINE_HOURS", 0)
    rows = await aged(node, days=4, runs=3)
    await promise(node, rows[0].camera_id, Terms(1, 30))
    need = VolumeNeed(node.volume.id, 0, 10**9, 1)
    plan = await node.catalog.read(partial(planned.pressed, now_us=node.clock(), needs=[need]))
    assert {one.reason for one in plan.cuts} == {"above_min"} and plan.short == {}
    await hold(node, rows[0].camera_id, rows[0].start_us, rows[0].end_us)
    await swept(node, *plan.cuts, pinned_counts=False)
    assert len(await node.rows(rows[0].camera_id)) < 9
