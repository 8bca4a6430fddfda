"""What the promise report reads: footage by camera, volume and day; where it begins; what went too early. Seldom: all hours."""

from __future__ import annotations

from dataclasses import dataclass

from storage.catalog.sqlite import Connection
from storage.model import HOUR_US, CameraId, Tier, VolumeId

DAY_US = 24 * HOUR_US


@dataclass(frozen=True, slots=True)
class DayUse:
    """Of a camera on a volume in a UTC day. `local`: its bytes take room there."""

    camera_id: CameraId
    volume_id: VolumeId
    day_us: int
    local: bool
    bytes: int
    recorded_us: int


@dataclass(frozen=True, slots=True)
class Written:
    """Of a camera since an instant, as far as it exists. `volume_id`: where the newest of it is."""

    volume_id: VolumeId
    bytes: int
    recorded_us: int


DAYS = (
    "SELECT camera_id, volume_id, hour_us / :day * :day AS day_us, tier <> :remote AS here, sum(bytes), sum(recorded_us)"
    " FROM hour WHERE segments > 0 OR recorded_us > 0 GROUP BY camera_id, volume_id, day_us, here"
)
# SQLite gives the bare column of the row that has the maximum.
SINCE = (
    "SELECT volume_id, sum(bytes), sum(recorded_us), max(hour_us) FROM hour WHERE camera_id = :camera_id"
    " AND hour_us >= :from_us AND segments > 0"
)
OLDEST = "SELECT start_us FROM segment WHERE camera_id = :camera_id ORDER BY start_us LIMIT 1"
# A deletion is of one UTC day: it starts no more than a day before it ends.
GONE = (
    "SELECT max(end_us) FROM deletion WHERE camera_id = :camera_id AND start_us >= :from_us - :day AND end_us > :from_us"
    " AND segments > 0 AND at_us >= :since_us"
)


def days(db: Connection) -> list[DayUse]:
    rows = db.execute(DAYS, {"day": DAY_US, "remote": int(Tier.REMOTE)})
    return [DayUse(CameraId(row[0]), VolumeId(row[1]), row[2], bool(row[3]), row[4], row[5]) for row in rows]


def written_since(db: Connection, camera_id: CameraId, from_us: int) -> Written | None:
    row = db.execute(SINCE, {"camera_id": camera_id, "from_us": from_us}).fetchone()
    return None if row[1] is None else Written(VolumeId(row[0]), row[1], row[2])


def oldest_us(db: Connection, camera_id: CameraId) -> int | None:
    """Start of a camera's oldest footage, wherever it is."""
    row = db.execute(OLDEST, {"camera_id": camera_id}).fetchone()
    return None if row is None else int(row[0])


def gone_since(db: Connection, camera_id: CameraId, from_us: int, since_us: int) -> int | None:
    """End of the newest footage that ended after `from_us` and went at `since_us` or later."""
    row = db.execute(GONE, {"camera_id": camera_id, "from_us": from_us, "since_us": since_us, "day": DAY_US}).fetchone()
    return None if row[0] is None else int(row[0])
