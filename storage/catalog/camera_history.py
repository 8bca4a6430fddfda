"""Rows of `camera_change` and `camera_place`: how a camera came to be as it is, and where it stood when.

Written by `storage.catalog.cameras` in the transaction of the change itself, so nothing changes without a row.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any

from storage.camera_rules import check_place
from storage.catalog.sqlite import Connection
from storage.clock import wall_us
from storage.model import Camera, CameraId

_NOT_TOLD = frozenset({"id", "created_us"})
_PLACE = ("lat", "lon", "bearing")


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
    empty = {field.name: field.default for field in fields(Camera)}
    told = {name: [None, _plain(value)] for name, value in _told(camera).items() if value != empty[name]}
    _put(db, camera.id, camera.created_us, by, told)
    if camera.lat is not None:
        put_place(db, Place(camera.id, 0, camera.lat, camera.lon, camera.bearing))


def changed(db: Connection, before: Camera, after: Camera, *, by: str, place_since_us: int | None) -> None:
    """One row for all that differs. A camera's first place holds for all its footage, a later one since `place_since_us` (None:
    now); one that holds since before the camera was registered was always there: a mistake is mended."""
    now_us = wall_us()
    old = _told(before)
    told = {name: [_plain(old[name]), _plain(value)] for name, value in _told(after).items() if value != old[name]}
    if told:
        _put(db, after.id, now_us, by, told)
    if any(name in told for name in _PLACE):
        since_us = now_us if place_since_us is None else place_since_us
        if since_us <= after.created_us or not places(db, after.id):
            since_us = 0
        db.execute(
            "DELETE FROM camera_place WHERE camera_id = :camera_id AND since_us >= :since_us",
            {"camera_id": after.id, "since_us": since_us},
        )
        put_place(db, Place(after.id, since_us, after.lat, after.lon, after.bearing))


def _told(camera: Camera) -> dict[str, Any]:
    return {field.name: getattr(camera, field.name) for field in fields(Camera) if field.name not in _NOT_TOLD}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _put(db: Connection, camera_id: CameraId, at_us: int, by: str, told: dict[str, list[Any]]) -> None:
    db.execute(
        "INSERT INTO camera_change (camera_id, at_us, made_by, changes) VALUES (:camera_id, :at_us, :by, :changes)",
        {"camera_id": camera_id, "at_us": at_us, "by": by, "changes": json.dumps(told, ensure_ascii=False)},
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
