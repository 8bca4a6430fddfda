"""Activity: how much moved, against what is usual."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import activity
from storage.fmp4 import FragmentBoxes

QUIET = FragmentBoxes(0, 0, 0, 0, 0, 0, 0, None, 0, 50, True, 40_000, 49_000, None, 0, 0, 0)


def busy(times: float) -> FragmentBoxes:
    """So many times the usual bytes between the keyframes."""
    return replace(QUIET, inter_bytes=round(49_000 * times))


def test_what_is_usual_is_no_activity() -> None:
    values, usual = activity.rate([QUIET] * 30, None)
    assert values == [0] * 30
    assert activity.rate([QUIET] * 30, usual)[0] == [0] * 30


@pytest.mark.parametrize("times, value", [(0.25, 0), (1, 0), (2, 32), (4, 64), (8, 96), (1000, 127)])
def test_each_doubling_is_a_quarter_of_the_scale(times: float, value: int) -> None:
    usual = activity.log2_ratio(QUIET)
    assert activity.rate([busy(times)], usual)[0] == [pytest.approx(value, abs=1)]


def test_a_camera_of_constant_bitrate_shows_motion_all_the_same() -> None:
    # The keyframe shrinks where the frames between take more: the total says nothing.
    moving = replace(QUIET, key_bytes=10_000, inter_bytes=79_000)
    assert moving.key_bytes + moving.inter_bytes == QUIET.key_bytes + QUIET.inter_bytes
    assert activity.rate([moving], activity.log2_ratio(QUIET))[0][0] > 64


def test_what_is_usual_follows_slowly() -> None:
    usual = activity.log2_ratio(QUIET)
    assert usual is not None
    seen = []
    for _ in range(200):
        values, usual = activity.rate([busy(4)], usual)
        seen.append(values[0])
    assert (seen[0], seen[-1]) == (64, 0)
    assert seen[10] > 40


@pytest.mark.parametrize(
    "fragment",
    [
        replace(QUIET, keyframe=False),
        replace(QUIET, key_bytes=0),
        replace(QUIET, frames=1, inter_bytes=0),
        replace(QUIET, inter_bytes=0),
    ],
)
def test_a_fragment_that_tells_nothing_changes_nothing(fragment: FragmentBoxes) -> None:
    assert activity.rate([fragment], 1.5) == ([0], 1.5)
    assert activity.rate([fragment], None) == ([0], None)
    assert activity.rate([], None) == ([], None)


@given(st.lists(st.tuples(st.integers(0, 1 << 40), st.integers(0, 1 << 40), st.integers(0, 1000)), max_size=30))
def test_values_fit_the_packed_form(sizes: list[tuple[int, int, int]]) -> None:
    made = [replace(QUIET, key_bytes=key, inter_bytes=inter, frames=frames) for key, inter, frames in sizes]
    values, _ = activity.rate(made, None)
    assert len(values) == len(made)
    assert all(0 <= value <= activity.MAX for value in values)
