"""What stays the same from one live playlist to the next."""

from __future__ import annotations

from storage.model import CameraId, Slice
from tests.rows import segment
from web.live import Memory

ONE = CameraId(1)


def whole(*numbers: int, run: int = 7) -> list[Slice]:
    return [Slice(s, 0, None, s.start_us, s.end_us) for s in (segment(n, run=run, start_s=60 * n) for n in numbers)]


def test_the_target_stays_while_fragments_differ_by_a_frame() -> None:
    memory = Memory()
    assert memory.target(ONE, 1960) == 3
    assert memory.target(ONE, 2040) == 3
    assert memory.target(ONE, 500) == 3
    assert memory.target(CameraId(2), 1000) == 2


def test_the_target_rises_only_for_what_would_not_fit() -> None:
    memory = Memory()
    memory.target(ONE, 1000)
    assert memory.target(ONE, 9000) == 12
    assert memory.target(ONE, 11_900) == 12


def test_a_hole_in_a_run_counts_once_it_has_left_the_playlist() -> None:
    memory = Memory()
    assert memory.passed(ONE, whole(0, 1, 3, 4)) == 0
    assert memory.passed(ONE, whole(1, 3, 4, 5)) == 0
    assert memory.passed(ONE, whole(3, 4, 5)) == 1
    assert memory.passed(ONE, whole(4, 5, 6)) == 1
    assert memory.passed(ONE, whole(0, 1, run=8)) == 1
