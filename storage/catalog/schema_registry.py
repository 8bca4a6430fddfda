"""The tables of the registry: what migration m003 of `storage.catalog.schema` adds. Units as there."""

from __future__ import annotations

from typing import Final

REGISTRY: Final = """
ALTER TABLE camera ADD COLUMN contact TEXT NOT NULL DEFAULT '';
ALTER TABLE camera ADD COLUMN ward TEXT NOT NULL DEFAULT '';
ALTER TABLE camera ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE camera ADD COLUMN fov REAL;
ALTER TABLE camera ADD COLUMN make TEXT NOT NULL DEFAULT '';
ALTER TABLE camera ADD COLUMN model TEXT NOT NULL DEFAULT '';
ALTER TABLE camera ADD COLUMN serial TEXT NOT NULL DEFAULT '';
ALTER TABLE camera ADD COLUMN mac TEXT NOT NULL DEFAULT '';
ALTER TABLE camera ADD COLUMN firmware TEXT NOT NULL DEFAULT '';
ALTER TABLE camera ADD COLUMN legal_basis TEXT NOT NULL DEFAULT '';
ALTER TABLE secret RENAME TO secret_plain;
CREATE TABLE secret (
    camera_id INTEGER PRIMARY KEY REFERENCES camera (id),
    sealed BLOB NOT NULL,  -- storage.secrets: the login under a key that is not in the catalog, bound to the camera
    key_id TEXT NOT NULL  -- of that key
) STRICT;
CREATE TABLE site (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,  -- what `camera.site` holds
    name_hi TEXT NOT NULL,
    owner_kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    contact TEXT NOT NULL,
    station TEXT NOT NULL,
    ward TEXT NOT NULL,
    zone TEXT NOT NULL,
    address TEXT NOT NULL,
    lat REAL,
    lon REAL,
    created_us INTEGER NOT NULL
) STRICT;
CREATE INDEX camera_site ON camera (site) WHERE site <> '';
INSERT INTO site (name, name_hi, owner_kind, owner, contact, station, ward, zone, address, lat, lon, created_us)
    SELECT site, '', owner_kind, owner, contact, station, ward, zone, address, lat, lon, min(created_us)
    FROM camera WHERE site <> '' GROUP BY site;
CREATE TABLE camera_place (
    camera_id INTEGER NOT NULL REFERENCES camera (id),
    since_us INTEGER NOT NULL,  -- until the camera's next row; 0: as far back as there is footage
    lat REAL,  -- NULL: not known from then on
    lon REAL,
    bearing REAL,
    PRIMARY KEY (camera_id, since_us)
) STRICT, WITHOUT ROWID;
INSERT INTO camera_place (camera_id, since_us, lat, lon, bearing)
    SELECT id, 0, lat, lon, bearing FROM camera WHERE lat IS NOT NULL;
CREATE TABLE camera_change (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- kept for ever
    camera_id INTEGER NOT NULL REFERENCES camera (id),
    at_us INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    changes TEXT NOT NULL  -- JSON: field -> [before, after]; before is null of one just registered
) STRICT;
CREATE INDEX camera_change_camera ON camera_change (camera_id, id);
CREATE TABLE target (
    owner_kind TEXT NOT NULL,
    station TEXT NOT NULL,  -- '': of the kind as a whole
    wanted INTEGER,  -- a number; NULL with all_known: all there are
    all_known INTEGER,  -- "all": how many there are, as counted by hand; NULL: not counted, so no percentage
    is_all INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    changed_us INTEGER NOT NULL,
    PRIMARY KEY (owner_kind, station)
) STRICT, WITHOUT ROWID;
CREATE TABLE register_note (
    day TEXT NOT NULL,  -- YYYY-MM-DD in the site's zone
    owner_kind TEXT NOT NULL,
    station TEXT NOT NULL,
    action TEXT NOT NULL,
    remarks TEXT NOT NULL,
    made_by TEXT NOT NULL,
    changed_us INTEGER NOT NULL,
    PRIMARY KEY (day, owner_kind, station)
) STRICT, WITHOUT ROWID;
CREATE TABLE register_day (
    day TEXT PRIMARY KEY,  -- YYYY-MM-DD in the site's zone
    rows TEXT NOT NULL,  -- JSON: the register as it stood
    sums TEXT NOT NULL,  -- JSON: kind of owner ("*": all) -> its counts, for progress over time
    taken_us INTEGER NOT NULL,
    signed_us INTEGER,  -- NULL: nobody signed it off
    signed_by TEXT NOT NULL DEFAULT '',
    remarks TEXT NOT NULL DEFAULT ''
) STRICT;
ALTER TABLE probe ADD COLUMN ok INTEGER NOT NULL DEFAULT 1;
ALTER TABLE probe ADD COLUMN cause TEXT;
ALTER TABLE probe ADD COLUMN bitrate_kbps REAL;
ALTER TABLE probe ADD COLUMN keyframe_s REAL;
ALTER TABLE probe ADD COLUMN clock_offset_us INTEGER;
ALTER TABLE probe ADD COLUMN findings TEXT NOT NULL DEFAULT '[]';
CREATE TABLE probe_queue (
    camera_id INTEGER PRIMARY KEY REFERENCES camera (id),
    asked_us INTEGER NOT NULL
) STRICT
"""
