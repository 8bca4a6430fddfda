"""Rows of `camera_change` and `camera_place`: how a camera came to be as it is, and where it stood when.

Written by `storage.catalog.cameras` in the transaction of the change itself, so nothing changes without a row.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any

from storage.camera_rules import check_place
from storage.catalog.sqlite import Connection
from storage.clock import rfc3339, wall_us
from storage.model import Camera, CameraId

EMPTY = {field.name: field.default for field in fields(Camera) if field.name not in ("id", "created_us")}
"""The fields that the history tells, as they are where nothing is known."""
PLACE = ("lat", "lon", "bearing")
OF_A_FEED = frozenset({*PLACE, "places", "corrected_places"})
FEED_ROW_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Change:
    """`changes`: field -> (before, after); before is None of a camera just registered."""

    camera_id: CameraId
    at_us: int
    by: str
    changes: dict[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a camera stands from `since_us` until its next place; 0: as far back as there is footage. `lat` None: unknown."""

    camera_id: CameraId
    since_us: int
    lat: float | None
    lon: float | None
    bearing: float | None = None


def registered(db: Connection, camera: Camera, *, by: str) -> None:
    """Its first row, and its first place."""
    told = {name: [None, _plain(value)] for name, value in _told(camera).items() if value != EMPTY[name]}
    _put(db, camera.id, camera.created_us, by, told)
    if camera.lat is not None:
        put_place(db, Place(camera.id, 0, camera.lat, camera.lon, camera.bearing))


def changed(db: Connection, before: Camera, after: Camera, *, by: str, place_since_us: int | None) -> None:
    """One row for all that differs. A camera's first place holds for all its footage, a later one since `place_since_us`: then
    it stands there whatever was known of later times, and where it did not move it has stood there since then. None: since
    now, where it moved. One that holds since before the camera was registered was always there: a mistake is mended."""
    now_us = wall_us()
    old = _told(before)
    told = {name: [_plain(old[name]), _plain(value)] for name, value in _told(after).items() if value != old[name]}
    if place_since_us is not None or any(name in told for name in PLACE):
        since_us = now_us if place_since_us is None else place_since_us
        known = count_places(db, after.id)
        if since_us <= after.created_us or not known:
            since_us = 0
        dropped = db.execute(
            "DELETE FROM camera_place WHERE camera_id = :camera_id AND since_us >= :since_us",
            {"camera_id": after.id, "since_us": since_us},
        ).rowcount
        put_place(db, Place(after.id, since_us, after.lat, after.lon, after.bearing))
        if place_since_us is not None:
            told["place_since"] = [None, rfc3339(since_us) if since_us else "always"]
        if dropped:
            told["places"] = [known, known - dropped + 1]
    if told:
        _put(db, after.id, now_us, by, told)


def _told(camera: Camera) -> dict[str, Any]:
    return {name: getattr(camera, name) for name in EMPTY}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _put(db: Connection, camera_id: CameraId, at_us: int, by: str, told: dict[str, list[Any]]) -> None:
    db.execute(
        "INSERT INTO camera_change (camera_id, at_us, made_by, changes) VALUES (:camera_id, :at_us, :by, :changes)",
        {"camera_id": camera_id, "at_us": at_us, "by": by, "changes": json.dumps(told, ensure_ascii=False)},
    )


def fed(db: Connection, camera_id: CameraId, told: dict[str, list[Any]], *, by: str, at_us: int) -> None:
    """What a feed of places changed. A bus tells where it is every few seconds: what one source says within an hour is one row,
    from the first "before" to the last "after"."""
    row = db.execute(
        "SELECT id, at_us, made_by, changes FROM camera_change WHERE camera_id = :camera_id ORDER BY id DESC LIMIT 1",
        {"camera_id": camera_id},
    ).fetchone()
    before = json.loads(row["changes"]) if row is not None else {}
    if row is None or row["made_by"] != by or not before.keys() & {"places", "corrected_places"}:
        merge = False
    else:
        merge = before.keys() <= OF_A_FEED and row["at_us"] <= at_us < row["at_us"] + FEED_ROW_US
    if not merge:
        _put(db, camera_id, at_us, by, told)
        return
    for name, (old, new) in told.items():
        first = before.get(name, [old, 0])
        before[name] = [first[0], first[1] + new if name == "corrected_places" else new]
    db.execute(
        "UPDATE camera_change SET changes = :changes WHERE id = :id",
        {"id": row["id"], "changes": json.dumps(before, ensure_ascii=False)},
    )


def changes(
    db: Connection, camera_id: CameraId, *, before_id: int | None = None, limit: int
) -> list[tuple[int, Change]]:
    """(row id, change), newest first, those before the row `before_id`."""
    rows = db.execute(
        "SELECT id, camera_id, at_us, made_by, changes FROM camera_change WHERE camera_id = :camera_id"
        " AND (:before_id IS NULL OR id < :before_id) ORDER BY id DESC LIMIT :limit",
        {"camera_id": camera_id, "before_id": before_id, "limit": limit},
    )
    return [
        (
            row["id"],
            Change(
                CameraId(row["camera_id"]),
                row["at_us"],
                row["made_by"],
                {name: (pair[0], pair[1]) for name, pair in json.loads(row["changes"]).items()},
            ),
        )
        for row in rows
    ]


def put_place(db: Connection, place: Place) -> None:
    """Raises Invalid naming the field."""
    check_place(place.lat, place.lon, place.bearing)
    db.execute(
        "INSERT OR REPLACE INTO camera_place (camera_id, since_us, lat, lon, bearing)"
        " VALUES (:camera_id, :since_us, :lat, :lon, :bearing)",
        {
            "camera_id": place.camera_id,
            "since_us": place.since_us,
            "lat": place.lat,
            "lon": place.lon,
            "bearing": place.bearing,
        },
    )


def places(db: Connection, camera_id: CameraId) -> list[Place]:
    """In the order of time."""
    rows = db.execute(
        "SELECT camera_id, since_us, lat, lon, bearing FROM camera_place WHERE camera_id = :camera_id ORDER BY since_us",
        {"camera_id": camera_id},
    )
    return [Place(CameraId(row[0]), row[1], row[2], row[3], row[4]) for row in rows]


def count_places(db: Connection, camera_id: CameraId) -> int:
    found = db.execute("SELECT count(*) FROM camera_place WHERE camera_id = :camera_id", {"camera_id": camera_id})
    return int(found.fetchone()[0])


def place_page(db: Connection, camera_id: CameraId, *, before_us: int | None = None, limit: int) -> list[Place]:
    """The newest first, those that began before `before_us`, at most `limit`."""
    rows = db.execute(
        "SELECT camera_id, since_us, lat, lon, bearing FROM camera_place WHERE camera_id = :camera_id"
        " AND (:before_us IS NULL OR since_us < :before_us) ORDER BY since_us DESC LIMIT :limit",
        {"camera_id": camera_id, "before_us": before_us, "limit": limit},
    )
    return [Place(CameraId(row[0]), row[1], row[2], row[3], row[4]) for row in rows]


def place_since(db: Connection, camera_id: CameraId, since_us: int) -> Place | None:
    """The one that begins at that very time."""
    row = db.execute(
        "SELECT camera_id, since_us, lat, lon, bearing FROM camera_place"
        " WHERE camera_id = :camera_id AND since_us = :since_us",
        {"camera_id": camera_id, "since_us": since_us},
    ).fetchone()
    return None if row is None else Place(CameraId(row[0]), row[1], row[2], row[3], row[4])
