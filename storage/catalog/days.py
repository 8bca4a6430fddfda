"""Rows of `day` and `day_late`: the root over a camera's footage of a UTC day, and what came when that was closed.

A segment belongs to the day it starts in.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.catalog.sqlite import Connection
from storage.clock import wall_us
from storage.merkle import Leaf, leaf_of
from storage.model import CameraId, RunId, Segment
from storage.terms import DAY_US


@dataclass(frozen=True, slots=True)
class Day:
    """`root` over `leaves` leaves, as of `closed_us`: it never changes again."""

    leaves: int
    root: bytes
    closed_us: int


def day_of(start_us: int) -> int:
    return start_us // DAY_US * DAY_US


GET = "SELECT leaves, root, closed_us FROM day WHERE camera_id = :camera_id AND day_us = :day_us"


def get(db: Connection, camera_id: CameraId, day_us: int) -> Day | None:
    """None: not closed yet."""
    row = db.execute(GET, {"camera_id": camera_id, "day_us": day_us}).fetchone()
    return Day(*row) if row else None


def put(db: Connection, camera_id: CameraId, day_us: int, day: Day) -> None:
    db.execute(
        "INSERT INTO day (camera_id, day_us, leaves, root, closed_us)"
        " VALUES (:camera_id, :day_us, :leaves, :root, :closed_us)",
        {
            "camera_id": camera_id,
            "day_us": day_us,
            "leaves": day.leaves,
            "root": day.root,
            "closed_us": day.closed_us,
        },
    )


def note_late(db: Connection, segment: Segment) -> None:
    """A segment that was just inserted: where its day is closed, it stands beside the tree for ever."""
    day_us = day_of(segment.start_us)
    if get(db, segment.camera_id, day_us) is None:
        return
    db.execute(
        "INSERT INTO day_late (camera_id, day_us, run_id, n, leaf, at_us)"
        " VALUES (:camera_id, :day_us, :run_id, :n, :leaf, :at_us) ON CONFLICT DO UPDATE SET leaf = excluded.leaf",
        {
            "camera_id": segment.camera_id,
            "day_us": day_us,
            "run_id": segment.run_id,
            "n": segment.n,
            "leaf": leaf_of(segment).packed(),
            "at_us": wall_us(),
        },
    )


LATE = "SELECT run_id, n FROM day_late WHERE camera_id = :camera_id AND day_us = :day_us"


def late_of(db: Connection, camera_id: CameraId, day_us: int) -> set[tuple[RunId, int]]:
    """Of a closed day, those that its tree does not hold."""
    return {(RunId(row[0]), int(row[1])) for row in db.execute(LATE, {"camera_id": camera_id, "day_us": day_us})}


ROWS = (
    "SELECT start_us, run_id, n, dur_us, size_bytes, sha256 FROM segment WHERE camera_id = :camera_id"
    " AND start_us >= :from_us AND start_us < :to_us ORDER BY start_us, run_id"
)


def leaves_of(db: Connection, camera_id: CameraId, day_us: int, *, to_us: int | None = None) -> list[Leaf]:
    """What is there of a day (up to `to_us`), late ones included, in the order of leaves."""
    window = {"camera_id": camera_id, "from_us": day_us, "to_us": min(to_us or 1 << 62, day_us + DAY_US)}
    return [Leaf(*row) for row in db.execute(ROWS, window)]


KEYS = (
    "SELECT run_id, n FROM segment WHERE camera_id = :camera_id AND start_us >= :from_us AND start_us <= :last_us"
    " ORDER BY start_us, run_id"
)


def keys_of(db: Connection, camera_id: CameraId, day_us: int, last_us: int) -> list[tuple[RunId, int]]:
    """As `leaves_of`, those that start up to `last_us`, names only."""
    window = {"camera_id": camera_id, "from_us": day_us, "last_us": last_us}
    return [(RunId(row[0]), int(row[1])) for row in db.execute(KEYS, window)]


UNCLOSED = (
    "SELECT camera_id, hour_us - hour_us % :day_us AS start_us FROM hour WHERE hour_us < :until_us AND segments > 0"
    " UNION SELECT camera_id, start_us - start_us % :day_us FROM deletion"
    " WHERE substr(merkle_nodes, 1, 1) = x'02' AND start_us < :until_us"
    " EXCEPT SELECT camera_id, day_us FROM day ORDER BY 2, 1"
)


def unclosed(db: Connection, until_us: int) -> list[tuple[CameraId, int]]:
    """(camera, day) of all days with footage that are over by `until_us` and have no root; oldest first.

    Reads all hours: seldom.
    """
    until_us = until_us // DAY_US * DAY_US
    rows = db.execute(UNCLOSED, {"day_us": DAY_US, "until_us": until_us})
    return [(CameraId(row[0]), int(row[1])) for row in rows]
