"""Rows of `hold`: footage that must stay for a case. Beats every policy and every full disk; a released one stays as a row."""

from __future__ import annotations

from dataclasses import replace

from config.errors import Conflict, Invalid, NotFound
from storage.camera_rules import unfit
from storage.catalog.sqlite import Connection, Row
from storage.hours import covered_us, spans_at
from storage.model import HOUR_US, CameraId, Tier, VolumeId
from storage.terms import Hold

MAX_TEXT = 200
MAX_REASON = 1000
_COLUMNS = (
    "id, case_ref, camera_id, start_us, end_us, reason, created_by, created_us, review_us, released_us, released_by,"
    " release_reason"
)


def _hold(row: Row) -> Hold:
    return Hold(**{name: row[name] for name in row.keys()})  # noqa: SIM118 (a Row is no dict)


def checked(hold: Hold) -> Hold:
    """With texts trimmed. Raises Invalid naming the field."""
    hold = replace(
        hold,
        case_ref=text(hold.case_ref, "case", MAX_TEXT),
        reason=text(hold.reason, "reason", MAX_REASON),
        created_by=text(hold.created_by, "created_by", MAX_TEXT),
    )
    if hold.end_us <= hold.start_us:
        raise Invalid("to must be later than from", field="to")
    return hold


def text(given: str, field: str, longest: int) -> str:
    """A text of a hold, trimmed. Raises Invalid for an empty one, one that is too long, or control characters."""
    trimmed = given.strip()
    if not trimmed:
        raise Invalid(f"{field} must say something", field=field)
    if len(trimmed) > longest:
        raise Invalid(f"{field} has at most {longest} characters", field=field)
    if unfit(trimmed):
        raise Invalid(f"{field} has control characters or is no valid text", field=field)
    return trimmed


def place(db: Connection, hold: Hold) -> Hold:
    """Add it; from the commit on nothing of it goes. Raises Invalid, or NotFound for an unknown camera."""
    hold = checked(hold)
    if db.execute("SELECT 1 FROM camera WHERE id = :id", {"id": hold.camera_id}).fetchone() is None:
        raise NotFound(f"there is no camera {hold.camera_id}", field="cameras")
    cursor = db.execute(
        "INSERT INTO hold (case_ref, camera_id, start_us, end_us, reason, created_by, created_us, review_us)"
        " VALUES (:case_ref, :camera_id, :start_us, :end_us, :reason, :created_by, :created_us, :review_us)",
        {
            "case_ref": hold.case_ref,
            "camera_id": hold.camera_id,
            "start_us": hold.start_us,
            "end_us": hold.end_us,
            "reason": hold.reason,
            "created_by": hold.created_by,
            "created_us": hold.created_us,
            "review_us": hold.review_us,
        },
    )
    return replace(hold, id=int(cursor.lastrowid or 0))


def get(db: Connection, hold_id: int) -> Hold:
    """Raises NotFound."""
    row = db.execute(f"SELECT {_COLUMNS} FROM hold WHERE id = :id", {"id": hold_id}).fetchone()
    if row is None:
        raise NotFound(f"there is no hold {hold_id}", field="id")
    return _hold(row)


def release(db: Connection, hold_id: int, by: str, reason: str, at_us: int) -> Hold:
    """Its footage is kept no more for it. Raises Invalid without a reason, NotFound, Conflict where it is released already."""
    reason, by = text(reason, "reason", MAX_REASON), text(by, "by", MAX_TEXT)
    found = get(db, hold_id)
    if found.released_us is not None:
        raise Conflict(f"hold {hold_id} was released before, by {found.released_by}", field="id")
    db.execute(
        "UPDATE hold SET released_us = :at_us, released_by = :by, release_reason = :reason WHERE id = :id",
        {"at_us": at_us, "by": by, "reason": reason, "id": hold_id},
    )
    return replace(found, released_us=at_us, released_by=by, release_reason=reason)


ACTIVE = f"SELECT {_COLUMNS} FROM hold WHERE released_us IS NULL ORDER BY camera_id, start_us"
ACTIVE_OF = (
    f"SELECT {_COLUMNS} FROM hold WHERE camera_id = :camera_id AND released_us IS NULL ORDER BY camera_id, start_us"
)


def active(db: Connection, camera_id: CameraId | None = None) -> list[Hold]:
    """Those that are not released, of one camera or of all, in the order of camera and start."""
    if camera_id is None:
        return [_hold(row) for row in db.execute(ACTIVE)]
    return [_hold(row) for row in db.execute(ACTIVE_OF, {"camera_id": camera_id})]


LISTING = (
    f"SELECT {_COLUMNS} FROM hold WHERE id < :before_id AND (:case_ref IS NULL OR case_ref = :case_ref)"
    " AND (:camera_id IS NULL OR camera_id = :camera_id) AND (:all OR released_us IS NULL) ORDER BY id DESC LIMIT :limit"
)


def listing(
    db: Connection,
    *,
    case_ref: str | None = None,
    camera_id: CameraId | None = None,
    released: bool = False,
    before_id: int = 1 << 62,
    limit: int = 1000,
) -> list[Hold]:
    """Newest first; with `released` those that are over as well."""
    values = {
        "case_ref": case_ref,
        "camera_id": camera_id,
        "all": released,
        "before_id": before_id,
        "limit": limit,
    }
    return [_hold(row) for row in db.execute(LISTING, values)]


HOURS = (
    "SELECT hour_us, volume_id, tier, bytes, recorded_us, spans FROM hour"
    " WHERE camera_id = :camera_id AND hour_us > :from_us - :hour_us AND hour_us < :to_us"
)


def held_bytes(db: Connection, intervals: list[tuple[CameraId, int, int]]) -> dict[VolumeId | None, int]:
    """What these intervals keep on each volume, and in the object store alone (None). Of an hour held in part, that part of
    what was recorded.

    Where several of a camera overlap, what they share counts once.
    """
    of_camera: dict[CameraId, list[tuple[int, int]]] = {}
    for camera_id, start_us, end_us in sorted(intervals):
        of_camera.setdefault(camera_id, []).append((start_us, end_us))
    found: dict[VolumeId | None, int] = {}
    for camera_id, some in of_camera.items():
        window = {"camera_id": camera_id, "from_us": some[0][0], "to_us": max(end for _, end in some)}
        for row in db.execute(HOURS, window | {"hour_us": HOUR_US}):
            first, last = row["hour_us"], row["hour_us"] + HOUR_US
            inside = [(max(start, first), min(end, last)) for start, end in some if start < last and end > first]
            if inside:
                volume_id = None if row["tier"] == Tier.REMOTE else VolumeId(row["volume_id"])
                found[volume_id] = found.get(volume_id, 0) + round(row["bytes"] * _share(row, inside))
    return found


def _share(row: Row, inside: list[tuple[int, int]]) -> float:
    """Of what an hour's row counts, by the time that lies in these intervals, which are in order and inside the hour."""
    if covered_us(inside) == HOUR_US or row["recorded_us"] == 0:
        return 1.0
    kept = [
        (max(start, span.from_us), min(end, span.to_us))
        for span in spans_at(row["hour_us"], row["spans"])
        for start, end in inside
        if start < span.to_us and end > span.from_us
    ]
    return covered_us(sorted(kept)) / int(row["recorded_us"])
