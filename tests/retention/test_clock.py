"""Whether the clock may decide what is too old."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from retention.clock import STEP_US, TOUCH_US, ClockTrust, Reading, judged, reading, vouched
from storage.catalog import trust
from storage.catalog.trust import Trust
from storage.terms import DAY_US
from tests.storage.node import Node, node_at

T0 = 1_795_000_000_000_000
MINUTE = 60_000_000
LAST = Trust("boot-1", T0, 500 * MINUTE)


def now(passed_us: int, step_us: int = 0, *, boot: str = "boot-1", synchronised: bool | None = False) -> Reading:
    """`passed_us` after LAST, the wall clock `step_us` off; after a boot that took no time."""
    mono_us = LAST.mono_us + passed_us if boot == "boot-1" else passed_us
    return Reading(boot, T0 + passed_us + step_us, mono_us, synchronised)


@pytest.mark.parametrize(
    ("last", "at", "trusted"),
    [
        (None, now(0), True),  # nothing to compare with
        (LAST, now(MINUTE), True),
        (LAST, now(40 * DAY_US), True),
        (LAST, now(MINUTE, STEP_US), True),
        (LAST, now(MINUTE, -STEP_US), True),
        (LAST, now(MINUTE, STEP_US + 1), False),
        (LAST, now(MINUTE, -STEP_US - 1), False),
        (LAST, now(MINUTE, DAY_US), False),
        (LAST, now(MINUTE, -DAY_US), False),
        (LAST, now(MINUTE, DAY_US, synchronised=None), False),  # a container that may not ask
        (LAST, now(MINUTE, DAY_US, synchronised=True), True),  # NTP put it right
        (LAST, now(2 * MINUTE, boot="boot-2"), True),
        (LAST, now(MINUTE, 9 * MINUTE, boot="boot-2"), True),  # the machine was off for nine minutes
        (LAST, now(MINUTE, DAY_US, boot="boot-2"), False),  # for a day, or its clock was moved: nobody can tell
        (LAST, now(MINUTE, -DAY_US, boot="boot-2"), False),
        (LAST, now(MINUTE, DAY_US, boot="boot-2", synchronised=True), True),
        (replace(LAST, wall_us=5_000_000), now(MINUTE), True),  # it had never been set before
        (None, Reading("boot-1", 5_000_000, 0, None), False),
    ],
)
def test_judgement(last: Trust | None, at: Reading, trusted: bool) -> None:
    found = judged(last, at)
    assert (found.doubt == "") is trusted
    if trusted:
        assert (found.wall_us, found.mono_us, found.boot_id) == (at.wall_us, at.mono_us, at.boot_id)
    elif last is not None:
        assert replace(found, doubt="") == last  # the last trusted time is not forgotten


def test_a_doubt_says_how_far_the_clock_is_off() -> None:
    assert judged(LAST, now(MINUTE, 3 * DAY_US)).doubt == (
        "the clock is 3 days ahead of what the last time it was trusted makes it, and NTP does not keep it"
    )
    behind = judged(LAST, now(MINUTE, -15 * MINUTE, boot="boot-2")).doubt
    assert behind.startswith("the clock is 15 min behind what the machine's last shutdown makes it")


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with node_at(tmp_path) as made:
        yield made


async def test_a_step_is_doubted_until_the_clock_is_back_or_somebody_vouches(node: Node) -> None:
    at = now(0)
    clock = ClockTrust(node.catalog, read=lambda: at)
    assert await clock.doubt() == ""
    at = now(MINUTE, DAY_US)
    assert "a" in await clock.doubt() == clock.doubt_now
    at = now(2 * MINUTE, DAY_US)
    assert await clock.doubt()
    assert await ClockTrust(node.catalog, read=lambda: at).doubt()  # a restart of the server changes nothing
    at = now(3 * MINUTE)
    assert await clock.doubt() == clock.doubt_now == ""
    at = now(4 * MINUTE, -DAY_US)
    assert await clock.doubt()
    await node.catalog.write(partial(trust.put, trust=vouched(at)))
    assert await clock.doubt() == ""
    at = now(5 * MINUTE, -DAY_US)
    assert await clock.doubt() == ""


async def test_it_writes_seldom(node: Node) -> None:
    at = now(0)
    clock = ClockTrust(node.catalog, read=lambda: at)
    await clock.doubt()
    at = now(TOUCH_US - 1)
    await clock.doubt()
    assert await node.catalog.read(trust.get) == LAST
    at = now(TOUCH_US)
    await clock.doubt()
    assert await node.catalog.read(trust.get) == Trust("boot-1", T0 + TOUCH_US, LAST.mono_us + TOUCH_US)


def test_both_clocks_are_read() -> None:
    first, second = reading(), reading()
    assert first.boot_id == second.boot_id
    assert second.mono_us >= first.mono_us > 0
