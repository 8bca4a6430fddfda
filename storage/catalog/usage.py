"""What the retention plan reads: hours of footage, and the segments of those few hours that a cut divides."""

from __future__ import annotations

from collections.abc import Iterable

from storage.catalog.sqlite import Connection
from storage.model import HOUR_US, MAX_SEGMENT_US, CameraId, Tier, VolumeId
from storage.usage import HourUse

_TIERS = {int(tier): tier for tier in Tier}


def _uses(rows: Iterable[tuple[int, ...]]) -> list[HourUse]:
    return [HourUse(CameraId(row[0]), row[1], VolumeId(row[2]), _TIERS[row[3]], row[4], row[5]) for row in rows]


def _pieces(rows: Iterable[tuple[int, ...]]) -> list[HourUse]:
    return [HourUse(CameraId(row[0]), row[1], VolumeId(row[2]), _TIERS[row[3]], row[4], row[5], row[6]) for row in rows]


BEFORE = (
    "SELECT camera_id, hour_us, volume_id, tier, segments, bytes FROM hour"
    " WHERE camera_id = :camera_id AND hour_us < :before_us AND segments > 0 ORDER BY hour_us"
)
ON_VOLUME = (
    "SELECT camera_id, hour_us, volume_id, tier, segments, bytes FROM hour"
    " WHERE volume_id = :volume_id AND tier <> 2 AND segments > 0"
)
SUMMED = (
    "SELECT camera_id, min(hour_us), volume_id, tier, sum(segments), sum(bytes), :before_us FROM hour"
    " WHERE camera_id = :camera_id AND hour_us < :from_us AND segments > 0 GROUP BY volume_id, tier"
)
DIVIDED = (
    "SELECT camera_id, min(start_us), volume_id, tier, count(*), sum(size_bytes), max(start_us + dur_us) FROM segment"
    " WHERE camera_id = :camera_id AND start_us >= :from_us AND start_us < :cut_us AND start_us + dur_us <= :cut_us"
    " GROUP BY volume_id, tier"
)
SPLIT = (
    "SELECT camera_id, min(start_us), volume_id, tier, count(*), sum(size_bytes), max(start_us + dur_us) FROM segment"
    " WHERE camera_id = :camera_id AND start_us >= :from_us AND start_us < :to_us"
    f" GROUP BY start_us / {HOUR_US}, volume_id, tier, start_us + dur_us <= :cut_us"
)
SEGMENTS = (
    "SELECT camera_id, start_us, volume_id, tier, 1, size_bytes, start_us + dur_us FROM segment"
    " WHERE camera_id = :camera_id AND start_us >= :from_us AND start_us < :to_us ORDER BY start_us"
)


def edge_us(cut_us: int) -> int:
    """Start of the first hour that `cut_us` may divide: whatever starts in an earlier one has ended by the cut."""
    return (cut_us - MAX_SEGMENT_US) // HOUR_US * HOUR_US


def before(db: Connection, camera_id: CameraId, before_us: int) -> list[HourUse]:
    """A camera's hours that start before an instant, in order."""
    return _uses(db.execute(BEFORE, {"camera_id": camera_id, "before_us": before_us}))


def due(db: Connection, camera_id: CameraId, cut_us: int) -> list[HourUse]:
    """A camera's footage that ends by `cut_us`, and no other, summed up: for one that nothing of is held."""
    from_us = edge_us(cut_us)
    window = {"camera_id": camera_id, "from_us": from_us, "cut_us": cut_us, "before_us": from_us + MAX_SEGMENT_US}
    return _pieces(db.execute(SUMMED, window)) + _pieces(db.execute(DIVIDED, window))


def split(db: Connection, camera_id: CameraId, cut_us: int) -> list[HourUse]:
    """Of each hour that `cut_us` may divide what has ended by it, and the rest, apart."""
    to_us = (cut_us - 1) // HOUR_US * HOUR_US + HOUR_US
    window = {"camera_id": camera_id, "from_us": edge_us(cut_us), "to_us": to_us, "cut_us": cut_us}
    return _pieces(db.execute(SPLIT, window))


def on_volume(db: Connection, volume_id: VolumeId) -> list[HourUse]:
    """All local hours of a volume. Reads all hours: for a volume that needs room."""
    return _uses(db.execute(ON_VOLUME, {"volume_id": volume_id}))


def segments(db: Connection, camera_id: CameraId, hour_us: int) -> list[HourUse]:
    """One for each segment that starts in that hour, on whatever volume and tier."""
    window = {"camera_id": camera_id, "from_us": hour_us, "to_us": hour_us + HOUR_US}
    return _pieces(db.execute(SEGMENTS, window))
