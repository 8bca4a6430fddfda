"""Which cameras may record when only held footage is left: class by class, the lowest priority stops first.

`shed` is pure. `Shedding` remembers how far it has come; used from the event loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from retention.pressure import Room, classes_allowed
from storage.clock import Clock, mono_us
from storage.model import CameraId

log = structlog.get_logger()

BACK_US = 20_000_000
BACK_MOST_US = 1_800_000_000
"""Classes come back one at a time, the first of these apart: what the last one writes is seen first. Each time that one had to
stop again soon the wait is doubled, up to the second."""
WHY = "no room: no footage is left that may go, and cameras of this priority stop first"


def classes(priorities: Mapping[CameraId, int]) -> list[int]:
    """The lowest first."""
    return sorted(set(priorities.values()))


def shed(priorities: Mapping[CameraId, int], allowed: int) -> frozenset[CameraId]:
    """Cameras of all but the highest `allowed` classes."""
    found = classes(priorities)
    stopped = set(found[: max(0, len(found) - allowed)])
    return frozenset(camera_id for camera_id, priority in priorities.items() if priority in stopped)


@dataclass(slots=True)
class Shedding:
    clock: Clock = mono_us
    cameras: frozenset[CameraId] = frozenset()
    _allowed: int | None = None  # None: all
    _changed_us: int = 0
    _wait_us: int = BACK_US
    _came_back: bool = False  # the last change was for the better

    def due(self, rooms: Sequence[Room]) -> bool:
        """Whether there is anything to decide: nearly always not."""
        return bool(self.cameras) or (bool(rooms) and all(room.short for room in rooms))

    def look(self, rooms: Sequence[Room], priorities: Mapping[CameraId, int]) -> frozenset[CameraId]:
        """The cameras that may not record now."""
        count, now_us = len(classes(priorities)), self.clock()
        before = count if self._allowed is None else min(self._allowed, count)
        allowed = classes_allowed(count, before, rooms)
        passed_us = now_us - self._changed_us
        if allowed > before and self.cameras and passed_us < self._wait_us:
            allowed = before
        cameras = shed(priorities, allowed)
        if cameras != self.cameras:
            stops = len(cameras) > len(self.cameras)
            if stops and self._came_back:
                again = passed_us < 10 * self._wait_us
                self._wait_us = min(BACK_MOST_US, 2 * self._wait_us) if again else BACK_US
            self._changed_us, self._came_back = now_us, not stops
            say = log.error if len(cameras) > len(self.cameras) else log.warning
            say("recording is stopped for want of room", cameras=len(cameras), of=len(priorities))
        self._allowed = None if allowed >= count else allowed
        self.cameras = cameras
        return cameras
