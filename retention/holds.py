"""Holds as people see them: how much they keep, whose review is due, and whether they eat up a volume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.catalog import cameras, holds
from storage.catalog.sqlite import Connection
from storage.model import Camera, CameraId, VolumeId
from storage.terms import Hold

QUOTA_SHARE = 0.1
"""Of a volume: held footage beyond it is told, for it never goes by itself."""


@dataclass(frozen=True, slots=True)
class HoldUse:
    """A hold with its camera and what it keeps now. Holds that overlap keep the same bytes each."""

    hold: Hold
    camera: Camera
    bytes: int


@dataclass(frozen=True, slots=True)
class OverQuota:
    volume_id: VolumeId
    held_bytes: int
    total_bytes: int


def uses(db: Connection, some: Sequence[Hold]) -> list[HoldUse]:
    """In their order. What a released one keeps is nothing."""
    known: dict[CameraId, Camera] = {}
    found = []
    for hold in some:
        if hold.camera_id not in known:
            known[hold.camera_id] = cameras.get(db, hold.camera_id)
        kept = holds.held_bytes(db, [(hold.camera_id, hold.start_us, hold.end_us)]) if hold.released_us is None else {}
        found.append(HoldUse(hold, known[hold.camera_id], sum(kept.values())))
    return found


def held_on(db: Connection) -> dict[VolumeId, int]:
    """Bytes that active holds keep on each volume; what the object store has alone is on none."""
    found = holds.held_bytes(db, [(hold.camera_id, hold.start_us, hold.end_us) for hold in holds.active(db)])
    return {volume_id: size for volume_id, size in found.items() if volume_id is not None}


def over_quota(held: Mapping[VolumeId, int], totals: Mapping[VolumeId, int]) -> list[OverQuota]:
    """Volumes of which more than a tenth is held. `totals`: the sizes of the volumes that can be asked. Pure."""
    return [
        OverQuota(volume_id, size, totals[volume_id])
        for volume_id, size in sorted(held.items())
        if volume_id in totals and size > QUOTA_SHARE * totals[volume_id]
    ]


def to_review(some: Sequence[Hold], now_us: int) -> list[Hold]:
    """Active ones whose review is due, the longest overdue first. Pure."""
    due = [
        hold for hold in some if hold.released_us is None and hold.review_us is not None and hold.review_us <= now_us
    ]
    return sorted(due, key=lambda hold: (hold.review_us, hold.id))
