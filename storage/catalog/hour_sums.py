"""Sums over `hour`: what lies between two instants, without reading what was recorded in each hour."""

from __future__ import annotations

from dataclasses import dataclass

from storage.catalog.sqlite import Connection
from storage.model import CameraId, Tier, VolumeId


@dataclass(frozen=True, slots=True)
class Sum:
    """Of a camera's footage on one volume and tier. `oldest_us`: start of its oldest hour."""

    volume_id: VolumeId
    tier: Tier
    segments: int
    bytes: int
    oldest_us: int


BETWEEN = (
    "SELECT volume_id, tier, sum(segments), sum(bytes), min(hour_us) FROM hour"
    " WHERE camera_id = :camera_id AND hour_us >= :from_us AND hour_us < :to_us AND segments > 0 GROUP BY volume_id, tier"
)
EACH = (
    "SELECT volume_id, tier, segments, bytes, hour_us FROM hour"
    " WHERE camera_id = :camera_id AND hour_us >= :from_us AND hour_us < :to_us AND segments > 0 ORDER BY hour_us"
)
BEYOND = (
    "SELECT volume_id, tier, sum(segments), sum(bytes), min(hour_us) FROM ("
    "SELECT volume_id, tier, segments, bytes, hour_us, sum(bytes) OVER ("
    "ORDER BY hour_us DESC, volume_id DESC, tier DESC ROWS UNBOUNDED PRECEDING) AS from_there FROM hour"
    " WHERE camera_id = :camera_id AND segments > 0)"
    " WHERE (hour_us < :before_us OR from_there > :quota_bytes)"
    " AND NOT (hour_us < :anyway_before_us OR from_there > :anyway_quota_bytes) GROUP BY volume_id, tier"
)
OLDEST = "SELECT hour_us FROM hour WHERE camera_id = :camera_id ORDER BY hour_us LIMIT 1"


def _sums(db: Connection, statement: str, camera_id: CameraId, from_us: int, to_us: int) -> list[Sum]:
    rows = db.execute(statement, {"camera_id": camera_id, "from_us": from_us, "to_us": to_us})
    return [Sum(VolumeId(row[0]), Tier(row[1]), row[2], row[3], row[4]) for row in rows]


def between(db: Connection, camera_id: CameraId, from_us: int, to_us: int) -> list[Sum]:
    """Of the hours that start in [from_us, to_us): one for each volume and tier."""
    return _sums(db, BETWEEN, camera_id, from_us, to_us)


def each_between(db: Connection, camera_id: CameraId, from_us: int, to_us: int) -> list[Sum]:
    """As `between`, one for each hour as well, the oldest first."""
    return _sums(db, EACH, camera_id, from_us, to_us)


def beyond(db: Connection, camera_id: CameraId, *, new: tuple[int, int], anyway: tuple[int, int]) -> list[Sum]:
    """As `between`, of the hours that are beyond `new` and not beyond `anyway`, each an instant and a quota in bytes: an hour
    is beyond that starts before the instant, or that makes the camera's footage from there on more than the quota."""
    rows = db.execute(
        BEYOND,
        {
            "camera_id": camera_id,
            "before_us": new[0],
            "quota_bytes": new[1],
            "anyway_before_us": anyway[0],
            "anyway_quota_bytes": anyway[1],
        },
    )
    return [Sum(VolumeId(row[0]), Tier(row[1]), row[2], row[3], row[4]) for row in rows]


def oldest(db: Connection, camera_id: CameraId) -> int | None:
    """Start of the oldest hour with footage."""
    row = db.execute(OLDEST, {"camera_id": camera_id}).fetchone()
    return None if row is None else int(row[0])


def bytes_on_volumes(db: Connection) -> dict[VolumeId, int]:
    """Footage on each volume. Reads all hours: seldom."""
    rows = db.execute(
        "SELECT volume_id, sum(bytes) FROM hour WHERE tier <> :remote GROUP BY volume_id", {"remote": int(Tier.REMOTE)}
    )
    return {VolumeId(row[0]): int(row[1]) for row in rows}
