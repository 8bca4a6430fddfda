"""The hour rows: sums that never differ from the segments they stand for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.hours import Hour, covered_us, fragment_activity, hours_of, join, pack_spans, unpack_spans
from storage.model import HOUR_US, CameraId, Segment, Tier, VolumeId
from tests.rows import T0_US, segment

HOUR0_US = T0_US // HOUR_US * HOUR_US
INTO_S = (T0_US - HOUR0_US) // 1_000_000


def hour_of(segments: Sequence[Segment], hour_us: int = HOUR0_US) -> Hour:
    made = Hour(CameraId(1), hour_us, VolumeId(1), Tier.LOCAL)
    for one in segments:
        made.add(one)
    return made


def at_s(into_hour_s: float, *, n: int = 0, run: int = 1) -> Segment:
    """A minute that starts so far into the hour."""
    return segment(n, run=run, start_s=into_hour_s - INTO_S)


def test_a_full_hour_is_one_span() -> None:
    hour = hour_of([at_s(60 * n, n=n) for n in range(60)])
    assert hour.spans == [(0, HOUR_US, 1)]
    assert (hour.recorded_us, hour.segments) == (HOUR_US, 60)
    assert hour.bytes == 60 * at_s(0).size_bytes


def test_a_segment_over_the_edge_is_in_both_hours_and_counted_in_the_first() -> None:
    over = at_s(3570)
    first, second = hour_of([over]), hour_of([over], HOUR0_US + HOUR_US)
    assert first.spans == [(3_570_000_000, HOUR_US, 1)]
    assert second.spans == [(0, 30_000_000, 1)]
    assert (first.segments, second.segments) == (1, 0)
    assert (first.bytes, second.bytes) == (over.size_bytes, 0)
    assert first.recorded_us + second.recorded_us == over.dur_us
    assert list(hours_of(over.start_us, over.end_us)) == [HOUR0_US, HOUR0_US + HOUR_US]


def test_a_segment_that_ends_with_the_hour_is_in_that_hour_alone() -> None:
    last = at_s(3540)
    assert list(hours_of(last.start_us, last.end_us)) == [HOUR0_US]


def test_runs_are_kept_apart_and_what_both_recorded_counts_once() -> None:
    hour = hour_of([at_s(0, run=1), at_s(30, run=2)])
    assert hour.spans == [(0, 60_000_000, 1), (30_000_000, 90_000_000, 2)]
    assert hour.recorded_us == 90_000_000


def test_a_gap_stays_a_gap() -> None:
    assert hour_of([at_s(0), at_s(61, n=1)]).spans == [(0, 60_000_000, 1), (61_000_000, 121_000_000, 1)]


def test_activity_is_the_largest_of_each_minute() -> None:
    quiet, busy = at_s(0), at_s(60, n=1)
    values = bytearray(quiet.frags)
    values[6 * 3 + 5] = 90 << 1 | 1  # the fourth fragment's activity and keyframe bit
    loud = Segment(**{name: getattr(busy, name) for name in Segment.__slots__} | {"frags": bytes(values)})
    assert list(hour_of([quiet, loud]).activity[:3]) == [0, 90, 0]
    assert max(fragment_activity(loud), key=lambda pair: pair[1]) == (loud.start_us + 6_000_000, 90)


spans = st.lists(st.tuples(st.integers(0, 100), st.integers(1, 30), st.integers(1, 3))).map(
    lambda found: [(start * 10_000, (start + length) * 10_000, run) for start, length, run in found]
)


@given(spans)
def test_joined_spans_cover_the_same_time(found: list[tuple[int, int, int]]) -> None:
    joined = join(found)
    for run in (1, 2, 3):
        of_run = [(start, end) for start, end, r in found if r == run]
        ticks = {tick for start, end in of_run for tick in range(start // 10_000, end // 10_000)}
        after = [(start, end) for start, end, r in joined if r == run]
        assert ticks == {tick for start, end in after for tick in range(start // 10_000, end // 10_000)}
    assert covered_us((start, end) for start, end, _ in joined) == covered_us(
        (start, end) for start, end, _ in sorted(found)
    )


@given(spans)
def test_the_order_in_which_segments_come_does_not_matter(found: list[tuple[int, int, int]]) -> None:
    apart = [(start, end, index) for index, (start, end, _) in enumerate(found)]
    assert join(apart) == join(reversed(apart))


@given(st.lists(st.tuples(st.integers(0, HOUR_US), st.integers(0, HOUR_US), st.integers(1, 1 << 62))))
def test_packed_spans_come_back(found: list[tuple[int, int, int]]) -> None:
    assert unpack_spans(pack_spans(found)) == found


@pytest.mark.parametrize("seconds", [1, 60, 900])
def test_every_instant_of_an_interval_is_in_its_hours(seconds: int) -> None:
    start = HOUR0_US - 1
    end = start + seconds * 1_000_000
    assert list(hours_of(start, end)) == [HOUR0_US - HOUR_US, HOUR0_US]
    assert list(hours_of(HOUR0_US, HOUR0_US)) == [HOUR0_US]
