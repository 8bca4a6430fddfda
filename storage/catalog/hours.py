"""Rows of `hour`, kept in the same transaction as the segments they sum up."""

from __future__ import annotations

from collections.abc import Iterable

from storage.catalog.sqlite import Connection, Row
from storage.hours import Hour, hours_of, pack_spans, unpack_spans
from storage.model import HOUR_US, CameraId, Segment, Tier, VolumeId


def _hour(row: Row) -> Hour:
    return Hour(
        camera_id=CameraId(row["camera_id"]),
        hour_us=row["hour_us"],
        volume_id=VolumeId(row["volume_id"]),
        tier=Tier(row["tier"]),
        segments=row["segments"],
        bytes=row["bytes"],
        spans=unpack_spans(row["spans"]),
        activity=bytearray(row["activity"]),
    )


def _put(db: Connection, hour: Hour) -> None:
    db.execute(
        "INSERT OR REPLACE INTO hour"
        " (camera_id, hour_us, volume_id, tier, recorded_us, segments, bytes, spans, activity)"
        " VALUES (:camera_id, :hour_us, :volume_id, :tier, :recorded_us, :segments, :bytes, :spans, :activity)",
        {
            "camera_id": hour.camera_id,
            "hour_us": hour.hour_us,
            "volume_id": hour.volume_id,
            "tier": hour.tier,
            "recorded_us": hour.recorded_us,
            "segments": hour.segments,
            "bytes": hour.bytes,
            "spans": pack_spans(hour.spans),
            "activity": bytes(hour.activity),
        },
    )


def add_segment(db: Connection, segment: Segment) -> None:
    """Count a segment that was just inserted."""
    for hour_us in hours_of(segment.start_us, segment.end_us):
        key = {
            "camera_id": segment.camera_id,
            "hour_us": hour_us,
            "volume_id": segment.volume_id,
            "tier": segment.tier,
        }
        row = db.execute(
            "SELECT * FROM hour WHERE camera_id = :camera_id AND hour_us = :hour_us AND volume_id = :volume_id"
            " AND tier = :tier",
            key,
        ).fetchone()
        hour = _hour(row) if row else Hour(segment.camera_id, hour_us, segment.volume_id, segment.tier)
        hour.add(segment)
        _put(db, hour)


def replace(db: Connection, camera_id: CameraId, hour_us: int, found: Iterable[Segment]) -> None:
    """Make an hour's rows again from the segments that touch it: after some went, or moved to another tier or volume."""
    db.execute(
        "DELETE FROM hour WHERE camera_id = :camera_id AND hour_us = :hour_us",
        {"camera_id": camera_id, "hour_us": hour_us},
    )
    made: dict[tuple[VolumeId, Tier], Hour] = {}
    for segment in found:
        key = (segment.volume_id, segment.tier)
        if key not in made:
            made[key] = Hour(camera_id, hour_us, segment.volume_id, segment.tier)
        made[key].add(segment)
    for hour in made.values():
        _put(db, hour)


def between(db: Connection, camera_id: CameraId, from_us: int, to_us: int) -> list[Hour]:
    """Rows of the hours that lie wholly inside the window, in order."""
    rows = db.execute(
        "SELECT * FROM hour WHERE camera_id = :camera_id AND hour_us >= :from_us AND hour_us + :hour <= :to_us"
        " ORDER BY hour_us",
        {"camera_id": camera_id, "from_us": from_us, "to_us": to_us, "hour": HOUR_US},
    )
    return [_hour(row) for row in rows]


def days_on(db: Connection, volume_id: VolumeId) -> list[tuple[CameraId, int]]:
    """(camera, start of a UTC day) of all that has a local row on a volume. Reads all hours: seldom."""
    rows = db.execute(
        "SELECT DISTINCT camera_id, hour_us / :day * :day AS day_us FROM hour"
        " WHERE volume_id = :volume_id AND tier <> :remote",
        {"volume_id": volume_id, "day": 24 * HOUR_US, "remote": int(Tier.REMOTE)},
    )
    return [(CameraId(row[0]), int(row[1])) for row in rows]


def segments_on(db: Connection, volume_id: VolumeId) -> int:
    """How many local segments a volume holds. Reads all hours: seldom."""
    row = db.execute(
        "SELECT coalesce(sum(segments), 0) FROM hour WHERE volume_id = :volume_id AND tier <> :remote",
        {"volume_id": volume_id, "remote": int(Tier.REMOTE)},
    ).fetchone()
    return int(row[0])


def cameras_on(db: Connection, volume_id: VolumeId, from_us: int, to_us: int) -> list[CameraId]:
    """Cameras with a local row on a volume in [from_us, to_us). Reads all hours: seldom."""
    rows = db.execute(
        "SELECT DISTINCT camera_id FROM hour WHERE volume_id = :volume_id AND tier <> :remote"
        " AND hour_us >= :from_us AND hour_us < :to_us",
        {"volume_id": volume_id, "from_us": from_us, "to_us": to_us, "remote": int(Tier.REMOTE)},
    )
    return [CameraId(row[0]) for row in rows]
