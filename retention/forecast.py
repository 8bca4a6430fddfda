"""When a volume breaks a promise, if everything goes on as it does now. Pure.

Day by day into the future: what must be kept then (footage that is still younger than its camera's minimum, held footage, and
what will have been written since) against what the volume can take. No footage beyond its minimum counts: it goes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.model import CameraId, VolumeId
from storage.terms import Terms


@dataclass(frozen=True, slots=True)
class Kept:
    """Footage of a camera on the volume. `held_bytes` of `bytes` stay whatever their age."""

    age_days: int
    bytes: int
    held_bytes: int = 0


@dataclass(frozen=True, slots=True)
class CameraUse:
    """`rate`: bytes a day that it writes to the volume now."""

    camera_id: CameraId
    terms: Terms
    rate: float
    kept: Sequence[Kept] = ()


@dataclass(frozen=True, slots=True)
class Forecast:
    """`breaks_in_days`: until footage younger than its minimum has to go; None: never at the present rate. `breaks_first`: the
    cameras whose promise breaks then: those of the lowest priority. `full_in_days`: until the volume is full and sheds what
    is older than the minimum; None: what becomes too old makes room in time.
    """

    volume_id: VolumeId
    capacity_bytes: int  # for footage
    rate: float  # bytes a day
    needed_bytes: int  # when all promises are kept for good
    breaks_in_days: float | None
    breaks_first: tuple[CameraId, ...]
    full_in_days: float | None


def forecast(volume_id: VolumeId, capacity_bytes: int, cameras: Sequence[CameraUse]) -> Forecast:
    """`capacity_bytes`: what footage takes now, and what is free above the volume's mark."""
    minimum = {use.camera_id: min(use.terms.min_days, use.terms.max_days) for use in cameras}
    maximum = {use.camera_id: use.terms.max_days for use in cameras}
    breaks = _first_over(capacity_bytes, cameras, minimum)
    writing = [use for use in cameras if use.rate > 0] or list(cameras)
    lowest = min((use.terms.priority for use in writing), default=0)
    return Forecast(
        volume_id=volume_id,
        capacity_bytes=capacity_bytes,
        rate=sum(use.rate for use in cameras),
        needed_bytes=round(_needed(10**6, cameras, minimum)),
        breaks_in_days=breaks,
        breaks_first=tuple(sorted(use.camera_id for use in writing if use.terms.priority == lowest))
        if breaks is not None
        else (),
        full_in_days=_first_over(capacity_bytes, cameras, maximum),
    )


def _needed(day: int, cameras: Sequence[CameraUse], days: Mapping[CameraId, int]) -> float:
    """Bytes that must be there in so many days, each camera's last `days`."""
    total = 0.0
    for use in cameras:
        keep = days[use.camera_id]
        total += use.rate * min(day, keep)
        total += sum(kept.bytes if kept.age_days + day < keep else kept.held_bytes for kept in use.kept)
    return total


def _first_over(capacity: int, cameras: Sequence[CameraUse], days: Mapping[CameraId, int]) -> float | None:
    """In how many days more must be kept than fits: a straight line between one day and the next."""
    before = _needed(0, cameras, days)
    if before > capacity:
        return 0.0
    for day in range(1, max(days.values(), default=0) + 1):
        now = _needed(day, cameras, days)
        if now > capacity:
            return day - 1 + (capacity - before) / (now - before)
        before = now
    return None
