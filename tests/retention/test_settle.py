"""What shortens retention waits a day; what lengthens it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.effective import Wanted
from retention.settle import BEFORE_ANY, UNDATED_US, Settled, longest, quota, settled, shortens
from storage.model import CameraId
from storage.terms import DAY_US, MAX_DAYS, InForce, Pending, Terms

ONE = CameraId(1)
NOW = 1_795_000_000_000_000
HOUR_US = DAY_US // 24


def want(terms: Terms, *, policy: int = 2, why: str = "kind shop") -> Wanted:
    return Wanted(policy, f"p{policy}", why, terms)


class Camera:
    """One camera under a catalog's eyes: settle it again and again."""

    def __init__(self, first: Terms) -> None:
        self.force: InForce | None = None
        self.pending: Pending | None = None
        self.settle(NOW, first)

    def settle(self, now_us: int, terms: Terms | None, *, trusted: bool = True, policy: int = 2) -> Settled:
        found = settled(
            now_us,
            {} if terms is None else {ONE: want(terms, policy=policy)},
            {} if self.force is None else {ONE: self.force},
            {} if self.pending is None else {ONE: self.pending},
            trusted=trusted,
        )
        for row in found.in_force:
            self.force = row
        for waiting in found.pending:
            self.pending = waiting
        if found.dropped:
            self.pending = None
        return found

    @property
    def days(self) -> int:
        assert self.force is not None
        return self.force.terms.max_days

    @property
    def due_h(self) -> float | None:
        return None if self.pending is None else (self.pending.due_us - NOW) / HOUR_US


@pytest.mark.parametrize(
    ("old", "new", "shorter"),
    [
        (Terms(30, 30), Terms(30, 30), False),
        (Terms(30, 30), Terms(30, 31), False),
        (Terms(30, 30), Terms(29, 31), True),
        (Terms(30, 30), Terms(30, 29), True),
        (Terms(30, 30), Terms(30, 30, quota_bytes=1), True),
        (Terms(30, 30, quota_bytes=1), Terms(30, 30), False),
        (Terms(30, 30, quota_bytes=2), Terms(30, 30, quota_bytes=1), True),
        (Terms(30, 30, quota_bytes=1), Terms(30, 30, quota_bytes=2), False),
        (Terms(30, 30, 1, 1, "A", priority=9), Terms(30, 30, 2, 2, "B", priority=1), False),
    ],
)
def test_shorter_is_less_of_any_of_days_and_quota(old: Terms, new: Terms, shorter: bool) -> None:
    assert shortens(old, new) is shorter


def test_a_new_camera_gets_its_terms_at_once() -> None:
    camera = Camera(Terms(30, 30))
    assert camera.force == InForce(ONE, 2, "p2", "kind shop", Terms(30, 30), NOW)
    assert camera.pending is None
    assert camera.settle(NOW + 1, Terms(30, 30)) == Settled()


def test_longer_terms_hold_at_once() -> None:
    camera = Camera(Terms(30, 30))
    camera.settle(NOW + 5, Terms(30, 60, offload_after_days=2))
    assert camera.force == InForce(ONE, 2, "p2", "kind shop", Terms(30, 60, offload_after_days=2), NOW + 5)
    assert camera.pending is None


def test_shorter_terms_wait_for_a_day_under_the_old_promise() -> None:
    camera = Camera(Terms(30, 30))
    camera.settle(NOW, Terms(7, 7), policy=3)
    assert camera.force is not None and (camera.force.policy_id, camera.force.terms) == (2, Terms(30, 30))
    assert camera.pending == Pending(ONE, 3, "p3", "kind shop", Terms(7, 7), NOW, NOW + DAY_US)
    assert camera.settle(NOW + DAY_US - 1, Terms(7, 7), policy=3) == Settled()
    camera.settle(NOW + DAY_US, Terms(7, 7), policy=3)
    assert camera.force == InForce(ONE, 3, "p3", "kind shop", Terms(7, 7), NOW + DAY_US)
    assert camera.pending is None


def test_until_then_the_longer_of_each_field_holds() -> None:
    camera = Camera(Terms(10, 60, quota_bytes=100))
    camera.settle(NOW, Terms(20, 30))
    assert camera.force is not None and camera.force.terms == Terms(20, 60)
    assert camera.pending is not None and camera.pending.terms == Terms(20, 30)


def test_a_promise_keeps_its_rank_while_it_is_kept() -> None:
    camera = Camera(Terms(90, 90, priority=70))
    camera.settle(NOW, Terms(30, 30, priority=50))
    assert camera.force is not None and camera.force.terms == Terms(90, 90, priority=70)
    camera.settle(NOW + DAY_US, Terms(30, 30, priority=50))
    assert camera.force.terms == Terms(30, 30, priority=50)


def test_what_shortens_nothing_is_never_held_back() -> None:
    camera = Camera(Terms(10, 60, offload_after_days=5, storage_class="A", priority=50))
    camera.settle(NOW, Terms(10, 30, offload_after_days=1, local_days=3, storage_class="B", priority=90))
    assert camera.force is not None
    assert camera.force.terms == Terms(10, 60, offload_after_days=1, local_days=3, storage_class="B", priority=90)


@pytest.mark.parametrize(
    ("steps", "in_force", "due_h"),
    [
        ([(0, 10), (5, 60)], 60, None),  # edited back
        ([(0, 10), (5, 90)], 90, None),  # and beyond
        ([(0, 10), (5, 8)], 60, 29),  # shorter again: anew
        ([(0, 10), (5, 20)], 60, 24),  # less short: as it was
        ([(0, 10), (5, 20), (6, 10)], 60, 30),
        ([(0, 10), (5, 60), (6, 10)], 60, 30),
        ([(0, 10), (24, 10)], 10, None),
        ([(0, 10), (24, 20)], 20, None),
        ([(0, 10), (24, 8)], 10, 48),  # what was due is, what is new waits
        ([(0, 10), (5, 8), (24, 8)], 60, 29),
        ([(0, 10), (5, 90), (6, 60)], 90, 30),
    ],
)
def test_edits_while_something_waits(steps: list[tuple[int, int]], in_force: int, due_h: int | None) -> None:
    camera = Camera(Terms(1, 60))
    for hours, days in steps:
        camera.settle(NOW + hours * HOUR_US, Terms(1, days))
    assert (camera.days, camera.due_h) == (in_force, due_h)


def test_nothing_becomes_due_while_the_clock_is_not_trusted() -> None:
    camera = Camera(Terms(30, 30))
    camera.settle(NOW, Terms(7, 7))
    camera.settle(NOW + 10 * DAY_US, Terms(7, 7), trusted=False)
    assert (camera.days, camera.due_h) == (30, 24)
    camera.settle(NOW + 25 * HOUR_US, Terms(7, 7))
    assert (camera.days, camera.due_h) == (7, None)


def test_a_day_begins_when_the_clock_is_trusted() -> None:
    camera = Camera(Terms(30, 30))
    camera.settle(NOW - 365 * DAY_US, Terms(7, 7), trusted=False)  # a clock a year behind
    assert camera.pending is not None and camera.pending.due_us == UNDATED_US
    camera.settle(NOW + HOUR_US, Terms(7, 7))
    assert (camera.days, camera.due_h) == (30, 25)
    camera.settle(NOW + 25 * HOUR_US, Terms(7, 7))
    assert camera.days == 7


def test_a_date_far_ahead_is_made_a_day() -> None:
    camera = Camera(Terms(30, 30))
    camera.settle(NOW + 365 * DAY_US, Terms(7, 7))  # a clock a year ahead that was trusted
    camera.settle(NOW, Terms(7, 7))
    assert camera.due_h == 24


def test_longer_terms_hold_at_once_whatever_the_clock() -> None:
    camera = Camera(Terms(30, 30))
    camera.settle(0, Terms(60, 60), trusted=False)
    assert camera.days == 60


def test_a_camera_without_any_policy_keeps_its_promise() -> None:
    camera = Camera(Terms(30, 30))
    camera.settle(NOW, Terms(7, 7))
    assert camera.settle(NOW + 2 * DAY_US, None) == Settled(dropped=(ONE,))
    assert camera.days == 30


def test_footage_older_than_the_first_policy_gets_a_day_too() -> None:
    found = settled(NOW, {ONE: want(Terms(7, 30, quota_bytes=5_000_000))}, {}, {}, older={ONE})
    assert found.in_force == (InForce(ONE, None, "", BEFORE_ANY, Terms(7, MAX_DAYS), NOW),)
    assert [waiting.due_us for waiting in found.pending] == [NOW + DAY_US]


def test_a_renamed_policy_shows_at_once() -> None:
    camera = Camera(Terms(30, 30))
    camera.settle(NOW + 1, Terms(30, 30), policy=9)
    assert camera.force == InForce(ONE, 9, "p9", "kind shop", Terms(30, 30), NOW)


days = st.integers(1, 6)
terms = st.builds(
    lambda one, other, limit: Terms(min(one, other), max(one, other), quota_bytes=limit),
    days,
    days,
    st.sampled_from([None, 1, 2, 3]),
)


@dataclass(frozen=True)
class Step:
    """`after_us`: true time since the step before. `off_us`: how wrong the clock is, where it is not trusted."""

    after_us: int
    terms: Terms
    off_us: int | None = None


hours = st.integers(0, 30).map(lambda count: count * HOUR_US)
steps = st.lists(
    st.builds(Step, hours, terms, st.one_of(st.none(), st.sampled_from([-400, -1, 0, 1, 400]).map(DAY_US.__mul__))),
    max_size=12,
)


def at_least(one: Terms, other: Terms) -> bool:
    return not shortens(other, one)


@given(terms, steps)
def test_in_force_is_never_shorter_than_what_any_moment_of_the_last_day_wanted(
    first: Terms, taken: Sequence[Step]
) -> None:
    camera = Camera(first)
    now_us, wanted = NOW, [(NOW, first)]  # since when
    for step in taken:
        now_us += step.after_us
        wanted.append((now_us, step.terms))
        camera.settle(now_us + (step.off_us or 0), step.terms, trusted=step.off_us is None)
        assert camera.force is not None
        ends = [since_us for since_us, _ in wanted[1:]] + [now_us + 1]
        for (_, was), end_us in zip(wanted, ends, strict=True):
            if end_us > now_us - DAY_US:
                assert at_least(camera.force.terms, was)
    # Left alone under a trusted clock, what waits is in force within two looks a day apart.
    last = wanted[-1][1]
    for _ in range(2):
        now_us += DAY_US
        camera.settle(now_us, last)
    assert camera.pending is None
    assert camera.force is not None and camera.force.terms == last
    assert camera.settle(now_us, last) == Settled()


@given(terms, terms)
def test_the_longest_of_two_is_shorter_than_neither(one: Terms, other: Terms) -> None:
    both = longest(one, other)
    assert at_least(both, one) and at_least(both, other)
    assert both.min_days <= both.max_days
    assert {both.max_days, both.min_days, quota(both)} <= {
        one.max_days, one.min_days, quota(one), other.max_days, other.min_days, quota(other)
    }  # fmt: skip
    assert longest(one, replace(one)) == one
