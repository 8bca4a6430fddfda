"""What many cameras have of a window, and why they lack the rest, read from `hour` in a statement for all of them.

`ids` in this module is a JSON list of camera ids. For one camera the source of truth is `storage.catalog.causes`; what is
said here of many is made by the same functions of rows.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from storage.catalog import causes
from storage.catalog.sqlite import Connection
from storage.gaps import Reason
from storage.model import HOUR_US, MAX_SEGMENT_US, CameraId
from storage.terms import DAY_US

MAX_HOURS = 48
"""Hours of one question: a camera's full ones come as bits of a 64-bit number."""


@dataclass(frozen=True, slots=True)
class Member:
    """Since when a camera is registered, and until when (None: it still is)."""

    id: CameraId
    created_us: int
    archived_us: int | None


def as_ids(cameras: Iterable[CameraId]) -> str:
    """Sorted: rows then come camera by camera."""
    return json.dumps(sorted(cameras))


ALL_MEMBERS = "SELECT id, created_us, archived_us FROM camera WHERE archived_us IS NULL OR archived_us > :from_us"
MEMBERS = "SELECT id, created_us, archived_us FROM camera WHERE id IN (SELECT value FROM json_each(:ids))"


def members(db: Connection, from_us: int, cameras: Collection[CameraId] | None) -> list[Member]:
    """Those of `cameras` that there are; None: all that were not archived before `from_us`."""
    statement, values = (ALL_MEMBERS, {"from_us": from_us}) if cameras is None else (MEMBERS, {"ids": as_ids(cameras)})
    return [Member(CameraId(row[0]), row[1], row[2]) for row in _rows(db, statement, values)]


@dataclass(frozen=True, slots=True)
class Named:
    """A camera in a list of coverage."""

    id: CameraId
    code: str
    name: str
    name_hi: str
    owner_kind: str
    station: str


NAMED = (
    "SELECT id, code, name, name_hi, owner_kind, station FROM camera WHERE (archived_us IS NULL OR archived_us > :from_us)"
    " AND (:kind IS NULL OR owner_kind = :kind) AND (:station IS NULL OR station = :station)"
    " AND (:zone IS NULL OR zone = :zone) ORDER BY code"
)


def named(
    db: Connection, from_us: int, *, kind: str | None = None, station: str | None = None, zone: str | None = None
) -> list[Named]:
    """By code, all that were not archived before `from_us`, or those of a kind, a station, a zone."""
    values = {"from_us": from_us, "kind": kind, "station": station, "zone": zone}
    return [Named(CameraId(row[0]), *row[1:]) for row in _rows(db, NAMED, values)]


FULL = (
    "SELECT camera_id, count(*), sum(1 << (hour_us - :first_us) / :hour_us) FROM hour"
    " WHERE camera_id IN (SELECT value FROM json_each(:ids)) AND hour_us >= :first_us AND hour_us < :last_us"
    " AND recorded_us = :hour_us GROUP BY camera_id"
)
ONE_FULL = (
    "SELECT DISTINCT hour_us FROM hour WHERE camera_id = :camera_id AND hour_us >= :first_us AND hour_us < :last_us"
    " AND recorded_us = :hour_us ORDER BY hour_us"
)


def full_hours(db: Connection, ids: str, first_us: int, last_us: int) -> Iterator[tuple[CameraId, int]]:
    """(camera, bits of its hours that are recorded without a gap: bit 0 is the hour at `first_us`). At most MAX_HOURS."""
    window = {"first_us": first_us, "last_us": last_us, "hour_us": HOUR_US}
    for camera_id, count, bits in _rows(db, FULL, window | {"ids": ids}):
        # n powers of two make a number with n bits only if no two are the same: an hour that is full on two volumes.
        if bits.bit_count() == count:
            yield CameraId(camera_id), bits
        else:
            hours = _rows(db, ONE_FULL, window | {"camera_id": camera_id})
            yield CameraId(camera_id), sum(1 << (row[0] - first_us) // HOUR_US for row in hours)


PARTS = (
    "SELECT camera_id, hour_us, spans FROM hour WHERE camera_id IN (SELECT value FROM json_each(:ids))"
    " AND hour_us >= :first_us AND hour_us < :last_us AND recorded_us < :hour_us"
)


def part_hours(db: Connection, ids: str, first_us: int, last_us: int) -> Iterator[tuple[CameraId, int, bytes]]:
    """(camera, hour, packed spans) of the hours that have a gap."""
    window = {"ids": ids, "first_us": first_us, "last_us": last_us, "hour_us": HOUR_US}
    yield from _rows(db, PARTS, window)


ANY = (
    "SELECT wanted.value FROM json_each(:ids) AS wanted WHERE EXISTS (SELECT 1 FROM hour"
    " WHERE camera_id = wanted.value AND hour_us >= :first_us AND hour_us < :last_us AND recorded_us > 0)"
)


def with_any(db: Connection, ids: str, first_us: int, last_us: int) -> set[CameraId]:
    """Cameras with something in the hours that start in [first_us, last_us)."""
    window = {"ids": ids, "first_us": first_us, "last_us": last_us}
    return {CameraId(row[0]) for row in _rows(db, ANY, window)}


FAILING = (
    "SELECT wanted.value FROM json_each(:ids) AS wanted WHERE (SELECT cause FROM camera_state"
    " WHERE camera_id = wanted.value AND since_us < :until_us ORDER BY since_us DESC LIMIT 1) IS NOT NULL"
)


def failing(db: Connection, ids: str, until_us: int) -> set[CameraId]:
    """Cameras that do not record at an instant, by their state."""
    return {CameraId(row[0]) for row in _rows(db, FAILING, {"ids": ids, "until_us": until_us})}


RECORDING = (
    "SELECT wanted.value, coalesce((SELECT min(since_us) FROM camera_state WHERE camera_id = wanted.value AND since_us >"
    " (SELECT max(since_us) FROM camera_state WHERE camera_id = wanted.value AND since_us < :until_us"
    " AND cause IS NOT NULL)), 0) FROM json_each(:ids) AS wanted WHERE (SELECT cause FROM camera_state"
    " WHERE camera_id = wanted.value AND since_us < :until_us ORDER BY since_us DESC LIMIT 1) IS NULL"
)


def recording_since(db: Connection, ids: str, until_us: int) -> dict[CameraId, int]:
    """Of the cameras that record at an instant, by their state: since when nothing is wrong with them; 0: nothing ever was."""
    return {CameraId(row[0]): row[1] for row in _rows(db, RECORDING, {"ids": ids, "until_us": until_us})}


STATES = (
    "SELECT wanted.value, since_us, cause, detail FROM json_each(:ids) AS wanted CROSS JOIN camera_state"
    " ON camera_id = wanted.value AND since_us < :to_us AND since_us >= coalesce((SELECT max(since_us) FROM camera_state"
    " WHERE camera_id = wanted.value AND since_us <= :from_us), 0)"
)
RUN_ENDS = (
    "SELECT wanted.value, started_us, end_reason FROM json_each(:ids) AS wanted CROSS JOIN run"
    " ON camera_id = wanted.value AND run.id < :to_us / 1000 AND run.id >= coalesce((SELECT max(run.id) FROM run"
    " WHERE camera_id = wanted.value AND run.id <= :from_us / 1000), 0)"
)
DELETIONS = (
    "SELECT wanted.value, start_us, end_us, reason FROM json_each(:ids) AS wanted CROSS JOIN deletion"
    " ON camera_id = wanted.value AND start_us < :to_us AND start_us > :from_us - :longest_us AND end_us > :from_us"
)
_LONGEST_DELETION_US = DAY_US + MAX_SEGMENT_US
"""A row of `deletion` is of one UTC day; the last segment of a day may reach over its end."""


def reasons(db: Connection, ids: str, from_us: int, to_us: int) -> dict[CameraId, list[Reason]]:
    """As `storage.catalog.causes.reasons`, of each of the cameras, but for ends of runs and the time before they were
    registered."""
    window = {"ids": ids, "from_us": from_us, "to_us": to_us}
    down = causes.server_down(db, from_us, to_us)
    found = {CameraId(camera_id): list(down) for camera_id in json.loads(ids)}
    for camera_id, rows in _by_camera(_rows(db, STATES, window)):
        found[camera_id] += causes.of_states([row[1:] for row in rows])
    for row in _rows(db, DELETIONS, window | {"longest_us": _LONGEST_DELETION_US}):
        found[CameraId(row[0])].append(causes.of_deletion(*row[1:]))
    return found


def run_ends(db: Connection, ids: str, from_us: int, to_us: int) -> dict[CameraId, list[Reason]]:
    """Why runs ended: what is left where no other reason speaks. A camera that fails has a row for each attempt, so these are
    asked for those alone that need them."""
    rows = _rows(db, RUN_ENDS, {"ids": ids, "from_us": from_us, "to_us": to_us})
    return {camera_id: causes.of_run_ends([row[1:] for row in some]) for camera_id, some in _by_camera(rows)}


def _by_camera(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[CameraId, list[tuple[Any, ...]]]]:
    """Rows come camera by camera; each camera's in the order of their second column."""
    for camera_id, some in groupby(rows, key=lambda row: row[0]):
        yield CameraId(camera_id), sorted(some, key=lambda row: row[1])


def _rows(db: Connection, statement: str, values: Mapping[str, object]) -> Iterable[tuple[Any, ...]]:
    """Plain tuples: these are read by the hundred thousand."""
    cursor = db.cursor()
    cursor.row_factory = None
    return cursor.execute(statement, values)
