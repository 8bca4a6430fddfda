"""Coverage: recorded time over expected time, and what is missing by class of cause. From `hour` rows, never the archive."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from storage.catalog import coverage as rows
from storage.catalog.sqlite import Connection
from storage.coverage.classes import class_of
from storage.coverage.spans import Interval, explained, holes, length_us, recorded, union
from storage.model import MAX_SEGMENT_US, CameraId, Gap


@dataclass(frozen=True, slots=True)
class Covered:
    """Of one camera in one window. Expected is the past part of the window in which the camera was registered and not
    archived, disabled or not; expected minus recorded is the sum of `causes`, microseconds by class of cause."""

    expected_us: int
    recorded_us: int
    causes: dict[str, int] = field(default_factory=dict)

    @property
    def coverage(self) -> float:
        """0 to 1; 0 where nothing is expected."""
        return self.recorded_us / self.expected_us if self.expected_us else 0.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is expected of a camera, and what there is of it."""

    from_us: int
    to_us: int
    spans: list[Interval]

    @property
    def holes(self) -> list[Interval]:
        return holes(self.spans, self.from_us, self.to_us)


def covered(
    db: Connection,
    from_us: int,
    to_us: int,
    now_us: int,
    *,
    cameras: Collection[CameraId] | None = None,
) -> dict[CameraId, Covered]:
    """Of each of `cameras` that there is; None: of all that were not archived before the window.

    The file that a recorder writes now has no row yet: for a camera whose state says that it records, the window ends where its
    newest row ends, or where it began to record again.
    """
    found = stretches(db, from_us, to_us, now_us, cameras=cameras)
    lost = explained(db, {camera_id: one.holes for camera_id, one in found.items()})
    return {
        camera_id: Covered(
            expected_us=one.to_us - one.from_us,
            recorded_us=length_us(one.spans),
            causes=by_class(lost.get(camera_id, ())),
        )
        for camera_id, one in found.items()
    }


def stretches(
    db: Connection, from_us: int, to_us: int, now_us: int, *, cameras: Collection[CameraId] | None = None
) -> dict[CameraId, Stretch]:
    """As `covered`, without the causes."""
    until_us = max(from_us, min(to_us, now_us))
    members = rows.members(db, from_us, cameras)
    known = recorded(db, [member.id for member in members], from_us, until_us)
    recording: dict[CameraId, int] | None = None
    made = {}
    for member in members:
        start_us = min(max(from_us, member.created_us), until_us)
        end_us = max(start_us, until_us if member.archived_us is None else min(until_us, member.archived_us))
        spans = known.get(member.id, [])
        if start_us > from_us or end_us < until_us:
            spans = union(spans, start_us, end_us)
        if spans and spans[-1][1] < end_us and now_us - spans[-1][1] < MAX_SEGMENT_US:
            if recording is None:
                recording = rows.recording_since(db, rows.as_ids(known), until_us)
            if member.id in recording:
                end_us = min(end_us, max(spans[-1][1], recording[member.id]))
        made[member.id] = Stretch(start_us, end_us, spans)
    return made


def by_class(gaps: Iterable[Gap]) -> dict[str, int]:
    """Microseconds of each class that occurs."""
    lost: dict[str, int] = {}
    for gap in gaps:
        name = class_of(gap.cause)
        lost[name] = lost.get(name, 0) + gap.to_us - gap.from_us
    return lost
