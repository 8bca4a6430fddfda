"""When a volume is under pressure and what it asks for."""

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.pressure import (
    RATE_WINDOW_US,
    SHOWN_US,
    Freed,
    Marks,
    Room,
    Sample,
    classes_allowed,
    marks,
    need_bytes,
    time_to_full_s,
    write_rate,
)
from storage.volumes import full_bytes

MB = 1_000_000
S = 1_000_000


def samples(*free_mb: float, step_s: float = 4.0, total_mb: float = 1000) -> list[Sample]:
    return [Sample(int(at * step_s * S), int(free * MB), int(total_mb * MB)) for at, free in enumerate(free_mb)]


# -- the rate ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("free_mb", "rate_mb"),
    [
        ([], None),
        ([500], None),
        ([500, 496], None),  # too short a time
        ([500 - 4 * n for n in range(10)], 1.0),
        ([500] * 10, 0.0),
        ([500 + 4 * n for n in range(10)], None),  # only deletions were seen
        ([500, 496, 492, 600, 596, 592, 588], 1.0),  # a sweep in between
        ([500, 480, 480, 480, 480, 480], 1.0),  # writes come in bursts
    ],
)
def test_rate_is_what_was_written(free_mb: list[float], rate_mb: float | None) -> None:
    found = write_rate(samples(*free_mb))
    assert found == (None if rate_mb is None else pytest.approx(rate_mb * MB))


def test_rate_forgets_what_is_long_past() -> None:
    busy = [1000 - 40 * n for n in range(10)]
    assert write_rate(samples(*busy, *[busy[-1]] * 40)) == 0.0


def test_a_volume_that_was_resized_or_mounted_anew_starts_anew() -> None:
    grown = [Sample(one.at_us + 40 * S, one.free_bytes, 2 * one.total_bytes) for one in samples(*range(900, 880, -2))]
    assert write_rate([*samples(*range(500, 300, -20)), *grown]) == pytest.approx(0.5 * MB)


def test_a_clock_that_stands_still_divides_by_nothing() -> None:
    assert write_rate([Sample(5, free, 100) for free in (50, 40, 30)]) is None


FREES = st.lists(st.integers(0, 10**13), max_size=60)
STEPS = st.lists(st.integers(0, 60 * S), min_size=60, max_size=60)


@given(FREES, STEPS)
def test_rate_is_never_below_nothing_nor_above_what_went(frees: list[int], steps: list[int]) -> None:
    total = 10**13
    found = [Sample(at, free, total) for at, free in zip(accumulate(steps), frees, strict=False)]
    rate = write_rate(found)
    if rate is None:
        return
    went = sum(max(0, before.free_bytes - after.free_bytes) for before, after in pairwise(found))
    assert 0 <= rate * RATE_WINDOW_US / 1e6 <= went * RATE_WINDOW_US / (15 * S)


def test_time_to_full_is_that_until_no_recorder_starts() -> None:
    sample = Sample(0, 1032 * 1024 * 1024, 10**12)
    assert time_to_full_s(sample, 1024 * 1024) == 1000
    assert time_to_full_s(sample, 0.0) is None
    assert time_to_full_s(sample, None) is None
    assert time_to_full_s(Sample(0, 5, 10**12), 1.0) == 0


# -- the marks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "rate", "percent", "low"),
    [
        (4e12, 0, 5, 0.2e12),  # by level
        (4e12, 20e6, 5, 0.2e12),  # 20 MB/s for five minutes are 6 GB
        (4e12, 1e9, 5, 0.3e12),  # a rate that asks for more than the level
        (4e12, 100e9, 5, 0.5e12),  # never more than an eighth by rate
        (4e12, 20e6, 50, 2e12),
        (4e12, None, 0, 64 * 1024 * 1024),  # a recorder can always be started
        (64 * 1024 * 1024, 0, 5, 4 * 1024 * 1024),
        (64 * 1024 * 1024, 1e6, 5, 8 * 1024 * 1024),
    ],
)
def test_the_low_mark(total: float, rate: float | None, percent: float, low: float) -> None:
    assert marks(int(total), rate, percent).low == int(low)


TOTAL = st.integers(4 * MB, 10**15)
RATE = st.none() | st.floats(0, 1e12)
PERCENT = st.floats(0, 50)


@given(TOTAL, RATE, PERCENT)
def test_marks_are_in_order_and_leave_room_for_footage(total: int, rate: float | None, percent: float) -> None:
    found = marks(total, rate, percent)
    assert found.full == full_bytes(total)
    assert 0 < found.full < found.low < found.high <= total * 0.5501 + 1


# -- what must go --------------------------------------------------------------------------------------------------------

OF = Marks(full=10, low=100, high=120)


@pytest.mark.parametrize(
    ("free", "freed", "need"),
    [
        (100, None, 0),
        (99, None, 21),
        (0, None, 120),
        (90, Freed(0, 30, 90), 0),  # deleted, not shown yet
        (110, Freed(0, 30, 90), 0),
        (95, Freed(0, 30, 90), 0),  # 5 of 30 are shown: 25 are still to come, 25 are needed
        (90, Freed(0, 20, 90), 10),  # it was not enough
        (90, Freed(-SHOWN_US, 30, 90), 30),  # not shown after so long: a reader holds it
        (49, Freed(0, 100, 49), 71),  # nearly full: no waiting
        (70, Freed(0, 30, 90), 20),  # somebody else wrote meanwhile
    ],
)
def test_what_must_go(free: int, freed: Freed | None, need: int) -> None:
    assert need_bytes(Sample(1, free, 1000), OF, freed) == need


@given(st.integers(0, 10**14), TOTAL, RATE, PERCENT, st.integers(0, 10**14), st.integers(0, 10**14))
def test_never_asks_for_more_than_is_used(
    free: int, total: int, rate: float | None, percent: float, freed: int, before: int
) -> None:
    sample = Sample(1, min(free, total), total)
    of = marks(total, rate, percent)
    for need in (need_bytes(sample, of), need_bytes(sample, of, Freed(0, freed, before))):
        assert 0 <= need <= total - sample.free_bytes
        assert need == 0 or sample.free_bytes < of.low


@given(TOTAL, RATE, PERCENT, st.integers(0, 100), st.floats(0, 1))
def test_sweeping_ends_when_what_went_shows(
    total: int, rate: float | None, percent: float, used: int, shows: float
) -> None:
    """Each sweep deletes what was asked; a part of it shows. Whatever that part, the asking ends."""
    of = marks(total, rate, percent)
    free, footage = total * (100 - used) // 100, total * used // 100
    for _turn in range(200):
        need = need_bytes(Sample(10 * SHOWN_US, free, total), of)
        went = min(need, footage)
        if went == 0:
            break
        footage -= went
        free += max(1, int(went * max(shows, 0.2)))
    else:
        raise AssertionError("it never ends")
    assert free >= of.low or footage == 0


def test_two_catalogs_on_one_volume_come_to_rest() -> None:
    """Both see the same free space and sweep; neither asks again once both are done."""
    total, free = 1000 * MB, 40 * MB
    of = marks(total, 0.0, 5)
    asked = [need_bytes(Sample(0, free, total), of) for _catalog in range(2)]
    assert need_bytes(Sample(S, free + sum(asked), total), of) == 0
    assert sum(asked) <= 2 * (of.high - free)


# -- when nothing may go any more ----------------------------------------------------------------------------------------

SHORT = [Room(free, OF, short=True) for free in (99, 50, 11, 10)]
ROOMY = Room(130, OF, short=False)
SWEPT = Room(90, OF, short=False)  # under pressure, but there is footage that may go


@pytest.mark.parametrize(
    ("count", "before", "rooms", "allowed"),
    [
        (3, 3, [], 3),
        (0, 0, [SHORT[0]], 0),
        (3, 3, [ROOMY], 3),
        (3, 3, [SWEPT], 3),
        (3, 3, [SHORT[0]], 2),  # the lowest class stops at once
        (3, 2, [SHORT[0]], 2),
        (3, 2, [SHORT[1]], 1),  # the next at half of what was left
        (3, 1, [SHORT[2]], 1),
        (3, 1, [SHORT[3]], 0),  # full: nothing can be written
        (1, 1, [SHORT[0]], 1),  # one class alone records to the very end
        (1, 1, [SHORT[3]], 0),
        (3, 3, [SHORT[3], SWEPT], 3),  # another volume has footage that may go
        (3, 0, [SWEPT], 1),  # back, one by one
        (3, 1, [SWEPT], 2),
        (3, 1, [ROOMY], 2),
        (3, 1, [SHORT[3], ROOMY], 2),
        (2, 3, [ROOMY], 2),  # a class went away
    ],
)
def test_classes_stop_from_the_lowest_and_come_back_one_by_one(
    count: int, before: int, rooms: list[Room], allowed: int
) -> None:
    assert classes_allowed(count, before, rooms) == allowed


@given(
    st.integers(0, 20),
    st.integers(0, 20),
    st.lists(st.builds(Room, st.integers(0, 200), st.just(OF), st.booleans()), max_size=4),
)
def test_recording_stops_for_held_footage_alone(count: int, before: int, rooms: list[Room]) -> None:
    before = min(before, count)
    allowed = classes_allowed(count, before, rooms)
    assert 0 <= allowed <= count
    assert allowed <= before + 1 or not rooms
    if allowed < before:
        assert all(room.short for room in rooms)
    if count and before and any(room.free_bytes > OF.full for room in rooms):
        assert allowed >= 1
