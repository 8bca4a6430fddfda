"""Which fragments show a window of time."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from storage import frags
from storage.model import Fragment, Segment, SegmentFlag, Slice
from storage.selection import select, times_us
from tests.rows import T0_US, fragments, segment

S = 1_000_000
MINUTES = [segment(n, start_s=60 * n) for n in range(5)]
OLD, NEW = 1_795_000_000_000, 1_795_000_000_001


def cut(segments: list[Segment], from_s: float, to_s: float) -> list[Slice]:
    return select(segments, T0_US + int(from_s * S), T0_US + int(to_s * S), fragments)


def shape(slices: list[Slice]) -> list[tuple[int, int, int | None]]:
    return [(s.segment.n, s.first, s.end) for s in slices]


def test_begins_with_the_fragment_that_holds_from_and_ends_with_the_one_before_to() -> None:
    found = cut(MINUTES, 65, 185)
    assert shape(found) == [(1, 2, None), (2, 0, None), (3, 0, 3)]
    assert found[0].start_us == T0_US + 64 * S
    assert found[-1].end_us == T0_US + 186 * S


def test_to_on_a_border_needs_nothing_after_it() -> None:
    assert shape(cut(MINUTES, 60, 120)) == [(1, 0, None)]
    assert shape(cut(MINUTES, 62, 64)) == [(1, 1, 2)]


def test_never_unpacks_what_lies_wholly_inside() -> None:
    asked: list[int] = []

    def counted(of: Segment) -> list[Fragment]:
        asked.append(of.n)
        return fragments(of)

    assert len(select(MINUTES, T0_US + 30 * S, T0_US + 270 * S, counted)) == 5
    assert asked == [0, 4]


def test_walks_back_to_a_keyframe() -> None:
    keys = [i % 5 == 0 for i in range(30)]
    found = cut([segment(durations_ms=[2000] * 30, keyframes=keys)], 17, 21)
    assert shape(found) == [(0, 5, 11)]


def test_a_segment_that_starts_without_a_keyframe_is_played_from_its_first_one() -> None:
    odd = segment(1, start_s=60, keyframes=[i >= 3 for i in range(30)], flags=SegmentFlag.NO_KEYFRAME)
    assert shape(cut([MINUTES[0], odd, MINUTES[2]], 0, 180)) == [(0, 0, None), (1, 3, None), (2, 0, None)]
    without = segment(1, start_s=60, keyframes=[False] * 30, flags=SegmentFlag.NO_KEYFRAME)
    assert shape(cut([MINUTES[0], without], 0, 120)) == [(0, 0, None)]


def test_the_older_run_is_played_to_its_end() -> None:
    old = segment(0, run=OLD)
    new = [segment(0, run=NEW, start_s=53), segment(1, run=NEW, start_s=113)]
    found = cut([old, *new], 0, 180)
    assert [(s.segment.run_id, s.first, s.end) for s in found] == [(OLD, 0, None), (NEW, 4, None), (NEW, 0, None)]
    assert found[0].end_us == T0_US + 60 * S and found[1].start_us == T0_US + 61 * S


def test_a_younger_run_that_lies_around_an_older_one_is_played_before_and_after_it() -> None:
    old = segment(0, run=OLD, start_s=20, durations_ms=[2000] * 10)
    new = segment(0, run=NEW)
    found = cut([old, new], 0, 60)
    assert [(s.segment.run_id, s.first, s.end) for s in found] == [(NEW, 0, 10), (OLD, 0, None), (NEW, 20, None)]


def test_a_younger_run_that_an_older_one_hides_is_left_out() -> None:
    assert [
        s.segment.run_id for s in cut([segment(run=OLD), segment(run=NEW, start_s=4, durations_ms=[2000])], 0, 60)
    ] == [OLD]


def test_stretches_fragment_times_over_the_segments_wall_time() -> None:
    one = segment(durations_ms=[1000, 1000], stretch_us=1000)
    assert times_us(one, fragments(one)) == [T0_US, T0_US + 1_000_500, T0_US + 2_001_000]


def test_fragments_without_any_duration_share_their_segments_time() -> None:
    one = segment(durations_ms=[0, 0], stretch_us=4 * S, flags=SegmentFlag.TIME_BAD)
    assert times_us(one, fragments(one)) == [T0_US, T0_US + 2 * S, T0_US + 4 * S]


@given(
    runs=st.lists(
        st.tuples(
            st.integers(0, 200),  # start
            st.lists(st.lists(st.tuples(st.integers(0, 4000), st.booleans()), min_size=1, max_size=6), max_size=4),
        ),
        max_size=4,
    ),
    from_s=st.floats(0, 250),
    length_s=st.floats(0.001, 250),
)
def test_slices_are_ordered_start_with_keyframes_and_stay_near_the_window(
    runs: list[tuple[int, list[list[tuple[int, bool]]]]], from_s: float, length_s: float
) -> None:
    segments = []
    for index, (start_s, files) in enumerate(runs):
        at_s = float(start_s)
        for n, rows in enumerate(files):
            flags = SegmentFlag(0) if rows[0][1] else SegmentFlag.NO_KEYFRAME
            durations = [ms for ms, _ in rows]
            made = segment(
                n, run=OLD + index, start_s=at_s, durations_ms=durations, keyframes=[k for _, k in rows], flags=flags
            )
            segments.append(made)
            at_s += sum(durations) / 1000
    found = cut(segments, from_s, from_s + length_s)
    for one in found:
        count = frags.count(one.segment.frags)
        assert 0 <= one.first < (count if one.end is None else one.end) <= count
        assert fragments(one.segment)[one.first].keyframe
        assert one.start_us <= one.end_us
        assert one.segment.start_us <= one.start_us and one.end_us <= one.segment.end_us
    for before, after in pairwise(found):
        assert before.start_us <= after.start_us
        if before.segment.run_id != after.segment.run_id:
            assert before.end_us <= after.start_us + 2000
