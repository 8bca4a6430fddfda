"""Who stops when no footage is left that may go, and when they come back."""

from __future__ import annotations

from dataclasses import dataclass

from retention.class_shed import BACK_MOST_US, BACK_US, Shedding, shed
from retention.pressure import Marks, Room
from storage.model import CameraId

OF = Marks(full=10, low=100, high=120)
PRIORITIES = {CameraId(1): 90, CameraId(2): 50, CameraId(3): 50, CameraId(4): 10}


def short(free_bytes: int = 99) -> list[Room]:
    return [Room(free_bytes, OF, short=True)]


FINE = [Room(110, OF, short=False)]


@dataclass
class Clock:
    now_us: int = 1

    def __call__(self) -> int:
        return self.now_us

    def after(self, us: int) -> None:
        self.now_us += us


def test_the_lowest_classes_are_shed_whole() -> None:
    found = [sorted(shed(PRIORITIES, allowed)) for allowed in (4, 3, 2, 1, 0)]
    assert found == [[], [], [4], [2, 3, 4], [1, 2, 3, 4]]


def test_nothing_is_asked_while_there_is_room() -> None:
    shedding = Shedding()
    assert not shedding.due([])
    assert not shedding.due(FINE)
    assert not shedding.due([*short(), *FINE])
    assert shedding.due(short())


def test_classes_stop_one_after_the_other_and_come_back_in_turn() -> None:
    clock = Clock()
    shedding = Shedding(clock)
    assert sorted(shedding.look(short(), PRIORITIES)) == [4]
    assert sorted(shedding.look(short(50), PRIORITIES)) == [2, 3, 4]
    assert sorted(shedding.look(short(10), PRIORITIES)) == [1, 2, 3, 4]
    assert sorted(shedding.look(FINE, PRIORITIES)) == [1, 2, 3, 4], "not at once"
    seen = []
    for _ in range(3):
        clock.after(BACK_US)
        seen.append(sorted(shedding.look(FINE, PRIORITIES)))
    assert seen == [[2, 3, 4], [4], []]
    assert not shedding.due(FINE)


def test_a_class_that_comes_back_too_soon_waits_longer_each_time() -> None:
    clock = Clock()
    shedding = Shedding(clock)
    waits = []
    for _ in range(12):
        assert sorted(shedding.look(short(), PRIORITIES)) == [4]
        began_us = clock.now_us
        while shedding.look(FINE, PRIORITIES):
            clock.after(BACK_US // 2)
        waits.append(clock.now_us - began_us)
        clock.after(BACK_US)
    assert waits[0] == BACK_US
    assert waits == sorted(waits)
    assert waits[-1] == BACK_MOST_US
    clock.after(11 * BACK_MOST_US)
    assert sorted(shedding.look(short(), PRIORITIES)) == [4]
    clock.after(BACK_US)
    assert shedding.look(FINE, PRIORITIES) == frozenset(), "a long good time makes it forget"


def test_cameras_that_come_and_go_meanwhile_are_told_anew() -> None:
    shedding = Shedding(Clock())
    shedding.look(short(), PRIORITIES)
    assert sorted(shedding.look(short(), PRIORITIES | {CameraId(5): 10})) == [4, 5]
    assert sorted(shedding.look(short(), {CameraId(1): 90})) == [], "the only class that is left records to the end"
