"""Cameras by where they stood in a window, and what a search shows of them."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from storage.catalog.sqlite import Connection
from storage.hours import unpack_spans
from storage.model import HOUR_US, CameraId


@dataclass(frozen=True, slots=True)
class Stay:
    """A camera at a place from `from_us` to `to_us`, cut to the window: the whole of it where the camera did not move."""

    camera_id: CameraId
    from_us: int
    to_us: int
    lat: float
    lon: float
    bearing: float | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search says of a camera. `site_hi`: the Hindi name of its site."""

    id: CameraId
    code: str
    name: str
    name_hi: str
    owner_kind: str
    owner: str
    site: str
    site_hi: str
    station: str
    ward: str
    zone: str
    address: str
    covers: tuple[str, ...]
    tags: tuple[str, ...]
    fov: float | None
    enabled: bool
    created_us: int

    @property
    def texts(self) -> tuple[str, ...]:
        """What words are looked for in."""
        return (
            *(self.code, self.name, self.name_hi, self.owner, self.site, self.site_hi, self.station, self.ward),
            *(self.zone, self.address, *self.tags),
        )


# By camera, not by an index of places: a bus that tells its place every few seconds has a million rows a year.
STAYS = (
    "SELECT place.camera_id, place.since_us, (SELECT min(since_us) FROM camera_place WHERE camera_id = place.camera_id"
    " AND since_us > place.since_us), place.lat, place.lon, place.bearing FROM camera CROSS JOIN camera_place AS place"
    " ON place.camera_id = camera.id AND place.since_us < :to_us AND place.since_us >= coalesce((SELECT max(since_us)"
    " FROM camera_place WHERE camera_id = camera.id AND since_us <= :from_us), 0)"
    " AND place.lat BETWEEN :south AND :north AND place.lon BETWEEN :west AND :east"
)


def stays(db: Connection, box: tuple[float, float, float, float], from_us: int, to_us: int) -> list[Stay]:
    """Every stay inside a box (south, west, north, east) that touches the window, camera by camera in the order of time."""
    values = dict(zip(("south", "west", "north", "east"), box, strict=True)) | {"from_us": from_us, "to_us": to_us}
    cursor = db.cursor()
    cursor.row_factory = None
    made = [
        Stay(CameraId(row[0]), max(row[1], from_us), to_us if row[2] is None else min(row[2], to_us), *row[3:])
        for row in cursor.execute(STAYS, values)
    ]
    return sorted(made, key=lambda one: (one.camera_id, one.from_us))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cameras are looked for; None: any. `text`: words that occur in a camera's texts."""

    kind: str | None = None
    station: str | None = None
    zone: str | None = None
    site: str | None = None
    covers: str | None = None
    text: str = ""


ALL_CAMERAS = (
    "SELECT camera.id, code, camera.name, camera.name_hi, camera.owner_kind, camera.owner, camera.site,"
    " coalesce(site.name_hi, ''), camera.station, camera.ward, camera.zone, camera.address, covers, tags, fov, enabled,"
    " camera.created_us FROM camera LEFT JOIN site ON site.name = camera.site"
    " WHERE (archived_us IS NULL OR archived_us > :from_us)"
    " AND (:kind IS NULL OR camera.owner_kind = :kind) AND (:station IS NULL OR camera.station = :station)"
    " AND (:zone IS NULL OR camera.zone = :zone) AND (:site IS NULL OR camera.site = :site)"
    " AND (:covers IS NULL OR EXISTS (SELECT 1 FROM json_each(covers) WHERE value = :covers))"
)
SOME_CAMERAS = ALL_CAMERAS + " AND camera.id IN (SELECT value FROM json_each(:ids))"


def cameras(db: Connection, wanted: Wanted, from_us: int, ids: Collection[CameraId] | None) -> list[Found]:
    """Those of `ids` (None: all) that were not archived before the window and are wanted, but for `wanted.text`."""
    values = {
        "from_us": from_us,
        "kind": wanted.kind,
        "station": wanted.station,
        "zone": wanted.zone,
        "site": wanted.site,
        "covers": wanted.covers,
        "ids": None if ids is None else json.dumps(sorted(ids)),
    }
    cursor = db.cursor()
    cursor.row_factory = None
    return [_found(row) for row in cursor.execute(ALL_CAMERAS if ids is None else SOME_CAMERAS, values)]


def _found(row: tuple[Any, ...]) -> Found:
    covers, tags, fov, enabled, created_us = row[12:]
    texts: tuple[str, ...] = row[1:12]
    return Found(CameraId(row[0]), *texts, _list(covers), _list(tags), fov, bool(enabled), created_us)  # type: ignore[call-arg, arg-type]  # eleven texts in the order of the fields


def _list(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text)) if text != "[]" else ()


BEFORE = (
    "SELECT hour_us, spans FROM hour WHERE camera_id = :camera_id AND hour_us < :at_us AND recorded_us > 0"
    " ORDER BY hour_us DESC"
)
AFTER = (
    "SELECT hour_us, spans FROM hour WHERE camera_id = :camera_id AND hour_us > :at_us - :hour AND recorded_us > 0"
    " ORDER BY hour_us"
)


def nearest(db: Connection, camera_id: CameraId, from_us: int, to_us: int) -> tuple[int | None, int | None]:
    """(end of the last footage before the window, start of the first after it), of what is indexed. Footage that reaches into
    the window ends or begins at its edge."""
    before = after = None
    hour = None
    for hour_us, packed in db.execute(BEFORE, {"camera_id": camera_id, "at_us": from_us}):
        if before is not None and hour_us != hour:
            break
        ends = [min(hour_us + end, from_us) for start, end, _ in unpack_spans(packed) if hour_us + start < from_us]
        before, hour = max([*ends, *([] if before is None else [before])], default=None), hour_us
    for hour_us, packed in db.execute(AFTER, {"camera_id": camera_id, "at_us": to_us, "hour": HOUR_US}):
        if after is not None and hour_us != hour:
            break
        starts = [max(hour_us + start, to_us) for start, end, _ in unpack_spans(packed) if hour_us + end > to_us]
        after, hour = min([*starts, *([] if after is None else [after])], default=None), hour_us
    return before, after


CODECS = (
    "SELECT wanted.value, init.video_codec FROM json_each(:ids) AS wanted CROSS JOIN init ON init.id ="
    " (SELECT init_id FROM segment WHERE camera_id = wanted.value ORDER BY start_us DESC LIMIT 1)"
)


def video_codecs(db: Connection, ids: Collection[CameraId]) -> dict[CameraId, str]:
    """Of the newest footage of each."""
    rows = db.execute(CODECS, {"ids": json.dumps(sorted(ids))})
    return {CameraId(row[0]): row[1] for row in rows}
