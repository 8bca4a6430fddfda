"""The daily check finds what should not be, and touches nothing."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from retention.days import close_days
from retention.invariant import Checked, check
from storage.catalog import days, garbage, proofs, segments
from storage.model import Segment
from storage.terms import DAY_US
from tests.lavfi import recorded
from tests.retention.aged import aged, cut, swept
from tests.storage.node import Node, node_at


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with node_at(tmp_path) as made:
        made.now_us = made.clock() + 600_000_000
        yield made


async def found(node: Node) -> Checked:
    before = sorted(str(path) for path in node.root.rglob("*"))
    report = await check(node.catalog, node.volumes, clock=node.clock, rest_s=0)
    assert sorted(str(path) for path in node.root.rglob("*")) == before
    return report


def below(node: Node, row: Segment) -> str:
    return str(node.path(row).relative_to(node.root))


async def test_all_is_well(node: Node) -> None:
    await aged(node)
    await aged(node, "KNP-2", days=1)
    assert await found(node) == Checked(files=6)


async def test_a_file_that_nobody_knows(node: Node) -> None:
    rows = await aged(node)
    await node.catalog.write(partial(segments.remove, removed=rows[1:2], reason="test", at_us=1))
    assert await found(node) == Checked(files=3, without_row=1, examples=[below(node, rows[1])])


async def test_a_condemned_file_is_accounted_for(node: Node) -> None:
    rows = await aged(node)
    await node.catalog.write(partial(segments.remove, removed=rows[1:2], reason="test", at_us=1))
    add = partial(garbage.add, volume_id=node.volume.id, paths=[below(node, rows[1])], reason="test", at_us=1)
    await node.catalog.write(add)
    assert (await found(node)).wrong == 0


async def test_a_file_that_is_condemned_and_has_a_row(node: Node) -> None:
    rows = await aged(node)
    add = partial(garbage.add, volume_id=node.volume.id, paths=[below(node, rows[1])], reason="test", at_us=1)
    await node.catalog.write(add)
    assert await found(node) == Checked(files=3, condemned_with_row=1, examples=[below(node, rows[1])])


async def test_a_row_without_a_file(node: Node) -> None:
    rows = await aged(node)
    shutil.rmtree(node.path(rows[0]).parents[3])
    assert (await found(node)).without_file == 3


async def test_a_file_in_the_spool_that_has_a_row(node: Node) -> None:
    rows = await aged(node)
    node.put(rows[0].camera_id, rows[0].run_id, recorded()[:1])
    assert (await found(node)).spooled_with_row == 1


async def test_what_is_on_its_way_is_left_out(node: Node) -> None:
    rows = await aged(node)
    await node.catalog.write(partial(segments.remove, removed=rows[1:2], reason="test", at_us=1))
    node.now_us = None
    assert (await found(node)).wrong == 0


async def test_a_volume_that_is_away_is_not_judged(node: Node) -> None:
    await aged(node)
    (node.root / ".nvr-volume").unlink()
    node.volumes.recheck(node.volume.id)
    report = await found(node)
    assert (report.wrong, report.skipped) == (0, [str(node.root)])


async def test_days_are_closed_two_hours_after_their_end(node: Node) -> None:
    rows = await aged(node, days=3)
    camera, day_us = rows[0].camera_id, days.day_of(rows[0].start_us)
    last = days.day_of(rows[-1].start_us) + DAY_US + 2 * 3_600_000_000
    assert await close_days(node.catalog, day_us + DAY_US + 2 * 3_600_000_000 - 1) == 0
    assert await close_days(node.catalog, last) >= 1
    assert await close_days(node.catalog, last) == 0
    await swept(node, cut(rows, before_us=rows[0].end_us))
    assert await node.catalog.read(partial(proofs.check, camera_id=camera, day_us=day_us)) == ""
