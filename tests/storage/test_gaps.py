"""Gaps: what segments leave uncovered, and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.gaps import (
    RANK_BEFORE_CAMERA,
    RANK_DELETED,
    RANK_RUN_END,
    RANK_SERVER_DOWN,
    RANK_STATE,
    Reason,
    explain,
    join_spans,
    uncovered,
)
from storage.model import RunId, Span

S = 1_000_000


def causes(hole: tuple[int, int], *reasons: Reason) -> list[tuple[int, int, str]]:
    """In seconds."""
    in_us = [Reason(r.from_us * S, r.to_us * S, r.cause, r.detail, r.rank) for r in reasons]
    return [(gap.from_us // S, gap.to_us // S, gap.cause) for gap in explain((hole[0] * S, hole[1] * S), in_us)]


REFUSED = Reason(0, 100, "refused", "connection refused", RANK_STATE)
DOWN = Reason(20, 40, "server_down", "", RANK_SERVER_DOWN)
KILLED = Reason(0, 1000, "killed", "", RANK_RUN_END)
RECORDING = Reason(100, 1000, None, "", RANK_STATE)


@pytest.mark.parametrize(
    "hole, reasons, expected",
    [
        ((10, 20), [], [(10, 20, "unknown")]),
        ((10, 20), [REFUSED], [(10, 20, "refused")]),
        ((10, 60), [REFUSED, DOWN], [(10, 20, "refused"), (20, 40, "server_down"), (40, 60, "refused")]),
        ((10, 20), [KILLED, REFUSED], [(10, 20, "refused")]),
        ((110, 120), [KILLED, RECORDING], [(110, 120, "killed")]),
        ((90, 110), [REFUSED, RECORDING], [(90, 110, "refused")]),  # the camera's own start-up is part of the gap
        ((10, 20), [Reason(0, 50, "deleted", "", RANK_DELETED), DOWN, REFUSED], [(10, 20, "deleted")]),
        (
            (0, 50),
            [Reason(0, 30, "not_registered", "", RANK_BEFORE_CAMERA), REFUSED],
            [(0, 30, "not_registered"), (30, 50, "refused")],
        ),
        (
            (99, 130),
            [REFUSED, Reason(100, 1000, "timeout", "", RANK_STATE)],
            [(99, 100, "refused"), (100, 130, "timeout")],
        ),
    ],
)
def test_a_hole_is_explained(
    hole: tuple[int, int], reasons: list[Reason], expected: list[tuple[int, int, str]]
) -> None:
    assert causes(hole, *reasons) == expected


def test_a_moment_of_another_cause_is_not_told_apart() -> None:
    flicker = Reason(50 * S, 50 * S + 500_000, "timeout", "", RANK_SERVER_DOWN)
    steady = Reason(0, 100 * S, "refused", "", RANK_STATE)
    assert [gap.cause for gap in explain((10 * S, 90 * S), [steady, flicker])] == ["refused"]


moments = st.integers(0, 60).map(lambda half: half * S // 2)
spans = st.lists(
    st.builds(lambda a, b, run: Span(min(a, b), max(a, b), RunId(run)), moments, moments, st.integers(1, 3))
)
known = st.lists(
    st.builds(
        lambda a, b, cause, rank: Reason(min(a, b), max(a, b), cause, "", rank),
        moments,
        moments,
        st.sampled_from(["refused", "timeout", "killed", None]),
        st.integers(1, 5),
    )
)


@given(spans, known)
def test_spans_and_gaps_tile_the_window(found: list[Span], reasons: list[Reason]) -> None:
    from_us, to_us = 5 * S, 25 * S
    joined = join_spans(found, from_us, to_us)
    gaps = [gap for hole in uncovered(joined, from_us, to_us) for gap in explain(hole, reasons)]
    reach = from_us
    pieces = [(span.from_us, span.to_us) for span in joined] + [(gap.from_us, gap.to_us) for gap in gaps]
    for start, end in sorted(pieces):
        assert start == reach
        assert end > start
        reach = end
    assert reach == to_us


@given(spans)
def test_covered_time_stays_covered(found: list[Span]) -> None:
    joined = join_spans(found, 0, 30 * S)
    holes = uncovered(joined, 0, 30 * S)
    for tick in range(0, 30 * S, S // 2):
        covered = any(span.from_us <= tick < span.to_us for span in found)
        assert covered != any(start <= tick < end for start, end in holes)


def test_of_two_runs_the_one_that_came_first_keeps_the_overlap() -> None:
    one, other = Span(0, 10 * S, RunId(1)), Span(5 * S, 20 * S, RunId(2))
    assert join_spans([other, one], 0, 30 * S) == [one, Span(10 * S, 20 * S, RunId(2))]
