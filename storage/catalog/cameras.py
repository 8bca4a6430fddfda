"""Rows of `camera`; the logins and probes beside them are those of `storage.catalog.logins` and `storage.catalog.probes`.

A camera is never deleted: its footage names it. Archived, it is recorded no more and left out of listings.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import Any

from config.errors import Conflict, NotFound
from storage.camera_rules import MAX_WORDS, checked, search_words
from storage.catalog import camera_history, sites
from storage.catalog.logins import credentials as credentials
from storage.catalog.logins import set_credentials as set_credentials
from storage.catalog.probes import forget_probe as forget_probe
from storage.catalog.probes import get_probe as get_probe
from storage.catalog.probes import put_probe as put_probe
from storage.catalog.sqlite import Connection, Row, sqlite3
from storage.model import Camera, CameraId, Credentials


@dataclass(frozen=True, slots=True)
class Media:
    """What a camera sends, by its newest footage, else by its probe. `codecs` is RFC 6381, "" while only probed."""

    video_codec: str
    audio_codec: str
    codecs: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A camera with what a listing shows beside it."""

    camera: Camera
    has_credentials: bool
    media: Media | None
    findings: tuple[str, ...] = ()
    """Of the last look at it, codes of `storage.registry.findings`."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which cameras a page holds. None: any. Each word of `text` must occur somewhere in the camera's words. `ids`: only
    these, for what the catalog does not know (a camera's state)."""

    text: str = ""
    enabled: bool | None = None
    kind: str | None = None
    station: str | None = None
    ward: str | None = None
    zone: str | None = None
    site: str | None = None
    tag: str | None = None
    node: str | None = None
    archived: bool = False
    ids: tuple[CameraId, ...] | None = None
    findings: tuple[str, ...] = ()
    found: bool | None = None
    """Only those of which the last look found one of `findings`, or none of them."""


_PLAIN = tuple(field.name for field in fields(Camera) if field.name not in ("covers", "tags", "enabled"))


def _camera(row: Row) -> Camera:
    plain = {name: row[name] for name in _PLAIN}
    covers, tags = tuple(json.loads(row["covers"])), tuple(json.loads(row["tags"]))
    return Camera(covers=covers, tags=tags, enabled=bool(row["enabled"]), **plain)


def _values(camera: Camera) -> dict[str, object]:
    return {name: getattr(camera, name) for name in _PLAIN} | {
        "covers": json.dumps(camera.covers),
        "tags": json.dumps(camera.tags, ensure_ascii=False),
        "enabled": int(camera.enabled),
    }


INSERT = (
    "INSERT INTO camera (id, code, name, name_hi, owner_kind, owner, contact, site, station, ward, zone, address, covers, lat,"
    " lon, bearing, fov, make, model, serial, mac, firmware, legal_basis, tags, url, audio, mode, node, enabled, created_us,"
    " archived_us)"
    " VALUES (:id, :code, :name, :name_hi, :owner_kind, :owner, :contact, :site, :station, :ward, :zone, :address, :covers,"
    " :lat, :lon, :bearing, :fov, :make, :model, :serial, :mac, :firmware, :legal_basis, :tags, :url, :audio, :mode, :node,"
    " :enabled, :created_us, :archived_us)"
)


def add(db: Connection, camera: Camera, credentials: Credentials | None = None, *, by: str = "") -> Camera:
    """Register; `camera.id` is ignored and given anew. Its history begins here. Raises Invalid, or Conflict where the code is
    taken."""
    camera = checked(camera)
    try:
        cursor = db.execute(INSERT, _values(camera) | {"id": None})
    except sqlite3.IntegrityError:
        raise _taken(db, camera.code) from None
    made = replace(camera, id=CameraId(int(cursor.lastrowid or 0)))
    set_credentials(db, made.id, credentials)
    sites.ensure(db, made)
    camera_history.registered(db, made, by=by)
    return made


def restore(db: Connection, camera: Camera) -> Camera:
    """Bring back a camera that a lost catalog knew, under its own id. Raises Invalid, or Conflict where its id or code is
    taken. Its login is lost."""
    camera = checked(camera)
    try:
        db.execute(INSERT, _values(camera))
    except sqlite3.IntegrityError:
        raise Conflict(f"there is a camera with the id {camera.id} or the code {camera.code}", field="code") from None
    sites.ensure(db, camera)
    camera_history.registered(db, camera, by="")
    return camera


def ids(db: Connection) -> set[CameraId]:
    """Of all, archived ones too."""
    return {CameraId(row[0]) for row in db.execute("SELECT id FROM camera")}


def ids_at(db: Connection, site: str) -> list[CameraId]:
    """Of all that name the site, archived ones too."""
    rows = db.execute("SELECT id FROM camera WHERE site = :site AND site <> '' ORDER BY id", {"site": site})
    return [CameraId(row[0]) for row in rows]


def _taken(db: Connection, code: str) -> Conflict:
    other = by_code(db, code)
    if other.archived_us is None:
        return Conflict(f"another camera has the code {code}", field="code", camera_id=other.id)
    return Conflict(
        f"the archived camera {other.id} has the code {code}: bring it back, or give another code",
        field="code",
        camera_id=other.id,
    )


def get(db: Connection, camera_id: CameraId) -> Camera:
    """Archived ones too. Raises NotFound."""
    row = db.execute("SELECT * FROM camera WHERE id = :id", {"id": camera_id}).fetchone()
    if row is None:
        raise NotFound(f"there is no camera {camera_id}", field="camera_id")
    return _camera(row)


def by_code(db: Connection, code: str) -> Camera:
    """Archived ones too. Raises NotFound."""
    row = db.execute("SELECT * FROM camera WHERE code = :code", {"code": code}).fetchone()
    if row is None:
        raise NotFound(f"there is no camera with the code {code}", field="code")
    return _camera(row)


def all_of(db: Connection, node: str) -> list[Camera]:
    """Every camera of a node that is not archived, enabled or not, by id."""
    rows = db.execute("SELECT * FROM camera WHERE node = :node AND archived_us IS NULL ORDER BY id", {"node": node})
    return [_camera(row) for row in rows]


PAGE = """
SELECT camera.*, secret.camera_id IS NOT NULL AS has_credentials,
       init.video_codec AS init_video, init.audio_codec AS init_audio, init.codecs AS init_codecs,
       init.width AS init_width, init.height AS init_height,
       probe.video_codec AS probe_video, probe.audio_codec AS probe_audio, probe.audio_received,
       probe.width AS probe_width, probe.height AS probe_height, probe.findings
FROM camera
LEFT JOIN secret ON secret.camera_id = camera.id
LEFT JOIN probe ON probe.camera_id = camera.id
LEFT JOIN init ON init.id = (
    SELECT init_id FROM segment WHERE segment.camera_id = camera.id ORDER BY start_us DESC LIMIT 1
)
WHERE camera.code > :after
  AND (:camera_id IS NULL OR camera.id = :camera_id)
  AND (:any_age OR (archived_us IS NOT NULL) = :archived)
  AND (:enabled IS NULL OR enabled = :enabled)
  AND (:kind IS NULL OR owner_kind = :kind)
  AND (:station IS NULL OR station = :station)
  AND (:ward IS NULL OR ward = :ward)
  AND (:zone IS NULL OR zone = :zone)
  AND (:site IS NULL OR site = :site)
  AND (:tag IS NULL OR EXISTS (SELECT 1 FROM json_each(tags) WHERE value = :tag))
  AND (:node IS NULL OR node = :node)
  AND (:ids IS NULL OR camera.id IN (SELECT value FROM json_each(:ids)))
  AND (:found IS NULL OR :found = EXISTS (
    SELECT 1 FROM json_each(probe.findings) AS finding WHERE finding.value IN (SELECT value FROM json_each(:findings))
  ))
  AND (:w0 = '' OR NOT EXISTS (
    SELECT 1 FROM (VALUES (:w0), (:w1), (:w2), (:w3), (:w4), (:w5), (:w6), (:w7)) AS words
    WHERE instr(lower(code || char(10) || name || char(10) || name_hi || char(10) || owner || char(10) || site
          || char(10) || station || char(10) || ward || char(10) || zone || char(10) || address
          || char(10) || tags || char(10) || make || char(10) || camera.model || char(10)
          || coalesce((SELECT site.name_hi || char(10) || site.address FROM site WHERE site.name = camera.site), '')
    ), words.column1) = 0
  ))
ORDER BY camera.code
LIMIT :limit
"""


def _listed(row: Row) -> Listed:
    media = None
    if row["init_codecs"] is not None:
        media = Media(row["init_video"], row["init_audio"], row["init_codecs"], row["init_width"], row["init_height"])
    elif row["probe_video"]:
        audio = row["probe_audio"] if row["audio_received"] else ""
        media = Media(row["probe_video"], audio, "", row["probe_width"], row["probe_height"])
    return Listed(_camera(row), bool(row["has_credentials"]), media, tuple(json.loads(row["findings"] or "[]")))


def _page_values(wanted: Filter, after: str, limit: int) -> dict[str, Any]:
    words = [*search_words(wanted.text), *[""] * MAX_WORDS][:MAX_WORDS]
    return {
        "after": after,
        "camera_id": None,
        "any_age": 0,
        "archived": int(wanted.archived),
        "enabled": None if wanted.enabled is None else int(wanted.enabled),
        "kind": wanted.kind,
        "station": wanted.station,
        "ward": wanted.ward,
        "zone": wanted.zone,
        "site": wanted.site,
        "tag": wanted.tag,
        "node": wanted.node,
        "ids": None if wanted.ids is None else json.dumps(wanted.ids),
        "findings": json.dumps(wanted.findings),
        "found": None if wanted.found is None else int(wanted.found),
        "limit": limit,
    } | {f"w{number}": word for number, word in enumerate(words)}


def page(db: Connection, wanted: Filter, *, after: str = "", limit: int) -> list[Listed]:
    """By code (in binary order), those after the code `after`, at most `limit`."""
    return [_listed(row) for row in db.execute(PAGE, _page_values(wanted, after, limit))]


ONE = PAGE.replace("camera.code > :after", "camera.id = :camera_id")


def listed(db: Connection, camera_id: CameraId) -> Listed:
    """One camera as a page would show it, archived ones too. Raises NotFound."""
    values = _page_values(Filter(), "", 1) | {"camera_id": camera_id, "any_age": 1}
    row = db.execute(ONE, values).fetchone()
    if row is None:
        raise NotFound(f"there is no camera {camera_id}", field="camera_id")
    return _listed(row)


@dataclass(frozen=True, slots=True)
class Brief:
    """A camera's names, for lists of the whole city."""

    id: CameraId
    code: str
    name: str
    name_hi: str
    enabled: bool
    owner_kind: str = ""
    station: str = ""


def briefs(db: Connection, *, archived: bool = False) -> list[Brief]:
    """Of all cameras that are not archived, or of those that are, by code."""
    rows = db.execute(
        "SELECT id, code, name, name_hi, enabled, owner_kind, station FROM camera"
        " WHERE (archived_us IS NOT NULL) = :archived ORDER BY code",
        {"archived": int(archived)},
    )
    return [Brief(CameraId(row[0]), row[1], row[2], row[3], bool(row[4]), row[5], row[6]) for row in rows]


UPDATE = (
    "UPDATE camera SET code = :code, name = :name, name_hi = :name_hi, owner_kind = :owner_kind, owner = :owner,"
    " contact = :contact, site = :site, station = :station, ward = :ward, zone = :zone, address = :address,"
    " covers = :covers, lat = :lat, lon = :lon, bearing = :bearing, fov = :fov, make = :make, model = :model,"
    " serial = :serial, mac = :mac, firmware = :firmware, legal_basis = :legal_basis, tags = :tags, url = :url,"
    " audio = :audio, mode = :mode, node = :node, enabled = :enabled, archived_us = :archived_us WHERE id = :id"
)


def update(
    db: Connection,
    camera_id: CameraId,
    *,
    by: str = "",
    place_since_us: int | None = None,
    **changes: Any,
) -> Camera:
    """Change fields of `Camera` (not `id`); what changed goes into its history. `place_since_us`: since when the place that
    it has now holds, None: a new one from now on. Raises NotFound, Invalid, or Conflict where the new code is taken."""
    before = get(db, camera_id)
    changed = checked(replace(before, **changes))
    if changed == before and place_since_us is None:
        return before
    try:
        db.execute(UPDATE, _values(changed))
    except sqlite3.IntegrityError:
        raise _taken(db, changed.code) from None
    if changed.site != before.site or changed.archived_us is None:
        sites.ensure(db, changed)
    camera_history.changed(db, before, changed, by=by, place_since_us=place_since_us)
    return changed


def put_place(db: Connection, camera: Camera, lat: float | None, lon: float | None, bearing: float | None) -> Camera:
    """The row's place alone, as its newest row of `camera_place` says; the caller tells its history."""
    db.execute(
        "UPDATE camera SET lat = :lat, lon = :lon, bearing = :bearing WHERE id = :id",
        {"id": camera.id, "lat": lat, "lon": lon, "bearing": bearing},
    )
    return replace(camera, lat=lat, lon=lon, bearing=bearing)


def archive(db: Connection, camera_id: CameraId, at_us: int, *, by: str = "") -> Camera:
    """Record it no more and take it out of listings; its footage stays. Raises NotFound. Again is no change."""
    camera = get(db, camera_id)
    if camera.archived_us is not None:
        return camera
    return update(db, camera_id, by=by, enabled=False, archived_us=at_us)
