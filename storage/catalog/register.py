"""Rows of `register_note` and `register_day`, and what a day's register is made from.

A day is YYYY-MM-DD in the site's zone. `rows` and `sums` are texts that `storage.registry.register_text` writes and reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from config.errors import Conflict
from storage.catalog.sqlite import Connection, Row
from storage.hours import unpack_spans
from storage.model import CameraId
from storage.registry.register import Note
from storage.terms import DAY_US

LOOK_BACK_DAYS = 31
"""So far back it is counted for how many days a camera has been faulty while it still records now and then."""


@dataclass(frozen=True, slots=True)
class Member:
    """A camera that was installed at an instant. `enabled`, `cause`: by its last state before; for a day of the past what was
    true then. `ever`: something of it was recorded before."""

    id: CameraId
    code: str
    name: str
    name_hi: str
    owner_kind: str
    station: str
    owner: str
    contact: str
    enabled: bool
    created_us: int
    ever: bool
    cause: str | None


@dataclass(frozen=True, slots=True)
class KeptDay:
    """A row of `register_day`."""

    day: str
    rows: str
    taken_us: int
    signed_us: int | None
    signed_by: str
    remarks: str


MEMBERS = """
SELECT camera.*,
       EXISTS (SELECT 1 FROM hour WHERE camera_id = camera.id AND hour_us < :to_us)
       OR EXISTS (SELECT 1 FROM deletion WHERE camera_id = camera.id AND start_us < :to_us) AS ever,
       (SELECT state FROM camera_state WHERE camera_id = camera.id AND since_us < :to_us ORDER BY since_us DESC LIMIT 1)
           AS state,
       (SELECT cause FROM camera_state WHERE camera_id = camera.id AND since_us < :to_us ORDER BY since_us DESC LIMIT 1)
           AS cause
FROM camera
WHERE created_us < :to_us AND (archived_us IS NULL OR archived_us >= :to_us)
ORDER BY code
"""


def members(db: Connection, to_us: int, *, now: bool) -> list[Member]:
    """By code. `now`: a camera's switch says whether it is enabled, which its state follows a moment later."""
    return [
        Member(
            id=CameraId(row["id"]),
            code=row["code"],
            name=row["name"],
            name_hi=row["name_hi"],
            owner_kind=row["owner_kind"],
            station=row["station"],
            owner=row["owner"],
            contact=row["contact"],
            enabled=bool(row["enabled"]) if now or row["state"] is None else row["state"] != "disabled",
            created_us=row["created_us"],
            ever=bool(row["ever"]),
            cause=row["cause"],
        )
        for row in db.execute(MEMBERS, {"to_us": to_us})
    ]


LAST_HOUR = (
    "SELECT wanted.value, hour_us, spans FROM json_each(:ids) AS wanted CROSS JOIN hour ON camera_id = wanted.value"
    " AND hour_us = (SELECT max(hour_us) FROM hour WHERE camera_id = wanted.value AND hour_us < :to_us)"
)
LAST_DELETED = (
    "SELECT wanted.value, (SELECT end_us FROM deletion WHERE camera_id = wanted.value AND start_us < :to_us"
    " ORDER BY start_us DESC LIMIT 1) FROM json_each(:ids) AS wanted"
)


def last_footage(db: Connection, ids: str, to_us: int) -> dict[CameraId, int]:
    """Where the footage of each camera ends before `to_us`, whether or not it is still there. `ids`: a JSON list."""
    values = {"ids": ids, "to_us": to_us}
    found: dict[CameraId, int] = {}
    for camera_id, end_us in db.execute(LAST_DELETED, values):
        if end_us is not None:
            found[CameraId(camera_id)] = min(end_us, to_us)
    for camera_id, hour_us, packed in db.execute(LAST_HOUR, values):
        ends = [hour_us + end for start, end, _ in unpack_spans(packed) if hour_us + start < to_us]
        found[CameraId(camera_id)] = max(found.get(CameraId(camera_id), 0), min(max(ends, default=hour_us), to_us))
    return found


DAYS_BACK = (
    "SELECT camera_id, (:to_us - 1 - hour_us) / :day_us AS back, sum(recorded_us) FROM hour"
    " WHERE camera_id IN (SELECT value FROM json_each(:ids)) AND hour_us >= :to_us - :look_back_us AND hour_us < :to_us"
    " GROUP BY camera_id, back"
)


def days_back(db: Connection, ids: str, to_us: int) -> dict[CameraId, dict[int, int]]:
    """What was recorded of each camera in the 24-hour windows before `to_us` (window 0 is the last one), by whole hours."""
    values = {"ids": ids, "to_us": to_us, "day_us": DAY_US, "look_back_us": LOOK_BACK_DAYS * DAY_US}
    found: dict[CameraId, dict[int, int]] = {}
    for camera_id, back, recorded_us in db.execute(DAYS_BACK, values):
        found.setdefault(CameraId(camera_id), {})[back] = recorded_us
    return found


# -- notes -------------------------------------------------------------------------------------------------------------


def _note(row: Row) -> Note:
    return Note(
        day=row["day"],
        owner_kind=row["owner_kind"],
        station=row["station"],
        action=row["action"],
        remarks=row["remarks"],
        made_by=row["made_by"],
        changed_us=row["changed_us"],
    )


def notes(db: Connection, day: str) -> list[Note]:
    """Of the day."""
    return [_note(row) for row in db.execute("SELECT * FROM register_note WHERE day = :day", {"day": day})]


EARLIER = (
    "SELECT * FROM register_note AS note WHERE day = (SELECT max(day) FROM register_note WHERE day < :day"
    " AND day >= date(:day, :back) AND owner_kind = note.owner_kind AND station = note.station)"
    " AND (action <> '' OR remarks <> '')"
)


def earlier_notes(db: Connection, day: str) -> list[Note]:
    """The last one before the day of each kind and station, of the last LOOK_BACK_DAYS."""
    return [_note(row) for row in db.execute(EARLIER, {"day": day, "back": f"-{LOOK_BACK_DAYS} days"})]


def put_note(db: Connection, note: Note) -> None:
    """In place of the one there was. Raises Conflict where the day is signed."""
    _unsigned(db, note.day)
    db.execute(
        "INSERT OR REPLACE INTO register_note (day, owner_kind, station, action, remarks, made_by, changed_us)"
        " VALUES (:day, :owner_kind, :station, :action, :remarks, :made_by, :changed_us)",
        {
            "day": note.day,
            "owner_kind": note.owner_kind,
            "station": note.station,
            "action": note.action,
            "remarks": note.remarks,
            "made_by": note.made_by,
            "changed_us": note.changed_us,
        },
    )


def _unsigned(db: Connection, day: str) -> None:
    kept = get(db, day)
    if kept is not None and kept.signed_us is not None:
        raise Conflict(
            f"the register of {day} was signed by {kept.signed_by}: it stays as it is; write it into the next day's remarks",
            field="day",
            signed_by=kept.signed_by,
        )


# -- days --------------------------------------------------------------------------------------------------------------


def get(db: Connection, day: str) -> KeptDay | None:
    row = db.execute("SELECT * FROM register_day WHERE day = :day", {"day": day}).fetchone()
    if row is None:
        return None
    return KeptDay(row["day"], row["rows"], row["taken_us"], row["signed_us"], row["signed_by"], row["remarks"])


def keep(db: Connection, day: str, rows: str, sums: str, taken_us: int) -> bool:
    """As it stands, unsigned. False: the day is kept already, and stays."""
    cursor = db.execute(
        "INSERT OR IGNORE INTO register_day (day, rows, sums, taken_us) VALUES (:day, :rows, :sums, :taken_us)",
        {"day": day, "rows": rows, "sums": sums, "taken_us": taken_us},
    )
    return cursor.rowcount > 0


def sign(db: Connection, kept: KeptDay, sums: str) -> None:
    """The day as it is now, for good. Raises Conflict where it is signed already."""
    _unsigned(db, kept.day)
    db.execute(
        "INSERT OR REPLACE INTO register_day (day, rows, sums, taken_us, signed_us, signed_by, remarks)"
        " VALUES (:day, :rows, :sums, :taken_us, :signed_us, :signed_by, :remarks)",
        {
            "day": kept.day,
            "rows": kept.rows,
            "sums": sums,
            "taken_us": kept.taken_us,
            "signed_us": kept.signed_us,
            "signed_by": kept.signed_by,
            "remarks": kept.remarks,
        },
    )


def last_day(db: Connection) -> str | None:
    """The newest day that is kept."""
    found = db.execute("SELECT max(day) FROM register_day").fetchone()[0]
    return None if found is None else str(found)


def first_camera_us(db: Connection) -> int | None:
    """Since when there is a camera."""
    found = db.execute("SELECT min(created_us) FROM camera").fetchone()[0]
    return None if found is None else int(found)


def sums(db: Connection, first_day: str, last_day: str) -> Iterator[tuple[str, str, bool]]:
    """(day, its sums, whether it is signed), both days included, in order."""
    rows = db.execute(
        "SELECT day, sums, signed_us FROM register_day WHERE day >= :first_day AND day <= :last_day ORDER BY day",
        {"first_day": first_day, "last_day": last_day},
    )
    for row in rows:
        yield row["day"], row["sums"], row["signed_us"] is not None
