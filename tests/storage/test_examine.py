"""What a run's fragments tell of its stream."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from storage.examine import examine, stream_of
from tests.lavfi import recorded


def of(path: Path, *first_reorders: int) -> int:
    """The reorder delay in microseconds; the first fragments are given other composition offsets."""
    examined = examine(path, sync=False)
    assert examined.init is not None
    fragments = list(examined.fragments)
    for at, reorder in enumerate(first_reorders):
        fragments[at] = replace(fragments[at], reorder=reorder)
    return stream_of(fragments, examined.init.video.timescale, audio="off").reorder_us


def test_b_frames_delay_a_stream_by_their_depth() -> None:
    assert of(recorded()[0]) == 0
    assert of(recorded(b_frames=2)[0]) == 200_000  # at ten frames a second


def test_nonsense_in_a_runs_first_fragment_dates_no_picture_early() -> None:
    path = recorded(b_frames=2)[0]
    assert of(path, 300_000) == of(path)
    assert of(path, 0) == of(path)
