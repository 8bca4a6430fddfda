"""Rows of `segment`: the index of all footage.

Range queries look MAX_SEGMENT_US back by the primary key, so that their cost does not grow with the archive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from config.errors import Conflict
from storage.catalog import days, deletions, hours
from storage.catalog.sqlite import Connection
from storage.hours import hours_of
from storage.model import HOUR_US, MAX_SEGMENT_US, CameraId, RunId, Segment, SegmentFlag, Tier, VolumeId

COLUMNS = (
    "camera_id, start_us, dur_us, run_id, n, frag0, media_start, init_id, size_bytes, tier, volume_id, flags, err_us,"
    " clock_offset_us, sha256, frags"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A local segment as the file system must show it."""

    start_us: int
    run_id: RunId
    n: int
    size_bytes: int


_FLAGS = {value: SegmentFlag(value) for value in range(64)}
_TIERS = {int(tier): tier for tier in Tier}


def from_rows(rows: Iterable[tuple[object, ...]]) -> list[Segment]:
    """Rows in the order of COLUMNS, which is the order of Segment's fields."""
    made = []
    for row in rows:
        values = list(row)
        values[9] = _TIERS[values[9]]  # type: ignore[index]
        values[11] = _FLAGS[values[11]]  # type: ignore[index]
        made.append(Segment(*values))  # type: ignore[arg-type]
    return made


def insert(db: Connection, segment: Segment) -> bool:
    """Add a segment and count it in its hours. False when (run_id, n) is there already: nothing is changed then.

    Raises Conflict where another segment of its run has the same start: that must never pass in silence.
    """
    cursor = db.execute(
        f"INSERT INTO segment ({COLUMNS})"
        " VALUES (:camera_id, :start_us, :dur_us, :run_id, :n, :frag0, :media_start, :init_id, :size_bytes, :tier,"
        " :volume_id, :flags, :err_us, :clock_offset_us, :sha256, :frags) ON CONFLICT DO NOTHING",
        {
            "camera_id": segment.camera_id,
            "start_us": segment.start_us,
            "dur_us": segment.dur_us,
            "run_id": segment.run_id,
            "n": segment.n,
            "frag0": segment.frag0,
            "media_start": segment.media_start,
            "init_id": segment.init_id,
            "size_bytes": segment.size_bytes,
            "tier": int(segment.tier),
            "volume_id": segment.volume_id,
            "flags": int(segment.flags),
            "err_us": segment.err_us,
            "clock_offset_us": segment.clock_offset_us,
            "sha256": segment.sha256,
            "frags": segment.frags,
        },
    )
    if cursor.rowcount == 0:
        if get(db, segment.run_id, segment.n) is None:
            raise Conflict(f"run {segment.run_id} has a segment that starts when its segment {segment.n} does")
        return False
    hours.add_segment(db, segment)
    days.note_late(db, segment)
    return True


def remove(
    db: Connection, removed: Iterable[Segment], *, reason: str, at_us: int, policy_id: int | None = None
) -> None:
    """Take rows out, for ever remembered as `storage.catalog.deletions` has it. The files are the caller's business."""
    gone = sorted(removed, key=lambda segment: (segment.camera_id, segment.start_us, segment.run_id))
    deletions.record(db, gone, reason=reason, at_us=at_us, policy_id=policy_id)
    db.executemany(
        "DELETE FROM segment WHERE camera_id = :camera_id AND start_us = :start_us AND run_id = :run_id",
        [{"camera_id": one.camera_id, "start_us": one.start_us, "run_id": one.run_id} for one in gone],
    )
    touched = {(one.camera_id, hour_us) for one in gone for hour_us in hours_of(one.start_us, one.end_us)}
    for camera_id, hour_us in sorted(touched):
        hours.replace(db, camera_id, hour_us, overlapping(db, camera_id, hour_us, hour_us + HOUR_US))


def set_tier(db: Connection, changed: Iterable[Segment], tier: Tier) -> None:
    """Where their bytes are from now on: their rows, and the hours they touch."""
    touched: set[tuple[CameraId, int]] = set()
    for segment in changed:
        db.execute(
            "UPDATE segment SET tier = :tier WHERE camera_id = :camera_id AND start_us = :start_us AND run_id = :run_id",
            {
                "tier": int(tier),
                "camera_id": segment.camera_id,
                "start_us": segment.start_us,
                "run_id": segment.run_id,
            },
        )
        touched.update((segment.camera_id, hour) for hour in hours_of(segment.start_us, segment.end_us))
    for camera_id, hour_us in sorted(touched):
        hours.replace(db, camera_id, hour_us, overlapping(db, camera_id, hour_us, hour_us + HOUR_US))


OVERLAPPING = (
    f"SELECT {COLUMNS} FROM segment WHERE camera_id = :camera_id AND start_us >= :from_us - {MAX_SEGMENT_US}"
    " AND start_us < :to_us AND start_us + dur_us > :from_us ORDER BY start_us, run_id"
)


def overlapping(db: Connection, camera_id: CameraId, from_us: int, to_us: int) -> list[Segment]:
    """In start order, all that touch [from_us, to_us)."""
    return from_rows(db.execute(OVERLAPPING, {"camera_id": camera_id, "from_us": from_us, "to_us": to_us}))


COUNT = (
    "SELECT count(*) FROM (SELECT 1 FROM segment WHERE camera_id = :camera_id"
    f" AND start_us >= :from_us - {MAX_SEGMENT_US} AND start_us < :to_us AND start_us + dur_us > :from_us LIMIT :at_most)"
)


def count(db: Connection, camera_id: CameraId, from_us: int, to_us: int, *, at_most: int) -> int:
    """Of `overlapping`, without reading them; no further than `at_most`."""
    values = {"camera_id": camera_id, "from_us": from_us, "to_us": to_us, "at_most": at_most}
    return int(db.execute(COUNT, values).fetchone()[0])


PAGE = (
    f"SELECT {COLUMNS} FROM segment WHERE camera_id = :camera_id AND start_us >= :from_us - {MAX_SEGMENT_US}"
    " AND start_us < :to_us AND start_us + dur_us > :from_us AND (start_us, run_id) > (:after_us, :after_run)"
    " ORDER BY start_us, run_id LIMIT :limit"
)


def page(
    db: Connection, camera_id: CameraId, from_us: int, to_us: int, *, after: tuple[int, int], limit: int
) -> list[Segment]:
    """As `overlapping`, those after (start_us, run_id), at most `limit`."""
    return from_rows(
        db.execute(
            PAGE,
            {
                "camera_id": camera_id,
                "from_us": from_us,
                "to_us": to_us,
                "after_us": after[0],
                "after_run": after[1],
                "limit": limit,
            },
        )
    )


def get(db: Connection, run_id: RunId, n: int) -> Segment | None:
    found = from_rows(
        db.execute(
            f"SELECT {COLUMNS} FROM segment WHERE run_id = :run_id AND n = :n",
            {"run_id": run_id, "n": n},
        )
    )
    return found[0] if found else None


BEFORE = f"SELECT {COLUMNS} FROM segment WHERE run_id = :run_id AND n < :n ORDER BY n DESC LIMIT 1"


def before(db: Connection, run_id: RunId, n: int) -> Segment | None:
    """The newest of a run's segments below n."""
    found = from_rows(db.execute(BEFORE, {"run_id": run_id, "n": n}))
    return found[0] if found else None


OF_RUN = "SELECT n FROM segment WHERE run_id = :run_id"


def numbers_of(db: Connection, run_id: RunId) -> set[int]:
    """Which n of a run have a row."""
    return {int(row[0]) for row in db.execute(OF_RUN, {"run_id": run_id})}


LAST_OF_RUN = f"SELECT {COLUMNS} FROM segment WHERE run_id = :run_id ORDER BY n DESC LIMIT :limit"


def last_of_run(db: Connection, run_id: RunId, limit: int = 1) -> list[Segment]:
    """The newest of a run, newest first."""
    return from_rows(db.execute(LAST_OF_RUN, {"run_id": run_id, "limit": limit}))


NEWEST = f"SELECT {COLUMNS} FROM segment WHERE camera_id = :camera_id AND start_us < :before_us ORDER BY start_us DESC LIMIT 1"
FIRST_AFTER = (
    "SELECT start_us FROM segment WHERE camera_id = :camera_id AND start_us >= :from_us ORDER BY start_us LIMIT 1"
)


def newest(db: Connection, camera_id: CameraId, before_us: int = 1 << 62) -> Segment | None:
    """The last segment that starts before an instant."""
    found = from_rows(db.execute(NEWEST, {"camera_id": camera_id, "before_us": before_us}))
    return found[0] if found else None


def first_start_after(db: Connection, camera_id: CameraId, from_us: int) -> int | None:
    row = db.execute(FIRST_AFTER, {"camera_id": camera_id, "from_us": from_us}).fetchone()
    return int(row[0]) if row else None


STARTING = (
    "SELECT start_us, run_id, n, size_bytes FROM segment WHERE camera_id = :camera_id AND start_us >= :from_us"
    " AND start_us < :to_us AND volume_id = :volume_id AND tier <> :remote ORDER BY start_us"
)


def starting(db: Connection, camera_id: CameraId, volume_id: VolumeId, from_us: int, to_us: int) -> list[Kept]:
    """Of a camera on a volume, those that start in [from_us, to_us): what its hour folders must hold."""
    values = {
        "camera_id": camera_id,
        "volume_id": volume_id,
        "from_us": from_us,
        "to_us": to_us,
        "remote": int(Tier.REMOTE),
    }
    return [Kept(row[0], RunId(row[1]), row[2], row[3]) for row in db.execute(STARTING, values)]
