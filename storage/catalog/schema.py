"""The catalog's tables, as migrations: a released one is never edited, a change is a new one at the end.

Units: `*_us` wall time in microseconds since 1970 UTC; `*_bytes` bytes; JSON where a column says so.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from config.errors import Conflict

migrations = Migrations("nvr")


@migrations()
def m001_cameras_and_footage(db: Database) -> None:
    # executescript would commit the migration's own transaction: one statement at a time.
    for statement in _M001.split(";\n"):
        if statement.strip():
            db.execute(statement)


_M001 = """
CREATE TABLE camera (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never reused: it names folders
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    name_hi TEXT NOT NULL DEFAULT '',
    owner_kind TEXT NOT NULL DEFAULT '',
    owner TEXT NOT NULL DEFAULT '',
    site TEXT NOT NULL DEFAULT '',
    station TEXT NOT NULL DEFAULT '',
    zone TEXT NOT NULL DEFAULT '',
    covers TEXT NOT NULL DEFAULT '[]',  -- JSON: entrance, exit, road_side, public_area
    lat REAL,
    lon REAL,
    bearing REAL,  -- degrees from north
    tags TEXT NOT NULL DEFAULT '[]',  -- JSON
    url TEXT NOT NULL,  -- without user and password: those are in `secret`
    audio TEXT NOT NULL DEFAULT 'auto',
    mode TEXT NOT NULL DEFAULT 'continuous',
    node TEXT NOT NULL,  -- the server that records it
    enabled INTEGER NOT NULL DEFAULT 1,
    created_us INTEGER NOT NULL,
    archived_us INTEGER
) STRICT;
CREATE TABLE secret (
    camera_id INTEGER PRIMARY KEY REFERENCES camera (id),
    username TEXT NOT NULL,
    password TEXT NOT NULL
) STRICT;
CREATE TABLE probe (
    camera_id INTEGER PRIMARY KEY REFERENCES camera (id),
    probed_us INTEGER NOT NULL,
    video_codec TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    fps REAL,
    audio_codec TEXT NOT NULL,
    audio_received INTEGER NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE TABLE camera_state (
    camera_id INTEGER NOT NULL REFERENCES camera (id),
    since_us INTEGER NOT NULL,
    state TEXT NOT NULL,
    cause TEXT,
    detail TEXT NOT NULL,
    PRIMARY KEY (camera_id, since_us)
) STRICT, WITHOUT ROWID;
CREATE TABLE server_life (
    started_us INTEGER PRIMARY KEY,
    seen_us INTEGER NOT NULL,  -- touched every 10 s
    ended_us INTEGER  -- NULL after a crash
) STRICT;
CREATE TABLE volume (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,  -- as in .nvr-volume
    path TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL
) STRICT;
CREATE TABLE init (
    id INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE,
    data BLOB NOT NULL,  -- ftyp + moov
    video_codec TEXT NOT NULL,
    audio_codec TEXT NOT NULL,
    codecs TEXT NOT NULL,  -- RFC 6381
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    timescale INTEGER NOT NULL  -- of the video track
) STRICT;
CREATE TABLE run (
    id INTEGER PRIMARY KEY,  -- milliseconds since 1970 at the start
    camera_id INTEGER NOT NULL REFERENCES camera (id),
    node TEXT NOT NULL,
    volume_id INTEGER NOT NULL REFERENCES volume (id),
    started_us INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    pid INTEGER,  -- NULL between the row and the spawn
    command_sha256 BLOB NOT NULL,  -- of the command with the run id left out, and of its ffconcat file
    clock_source TEXT NOT NULL,
    seq0 INTEGER NOT NULL,  -- fragments of the camera's earlier runs
    discontinuities INTEGER NOT NULL,  -- discontinuities before this run, for EXT-X-DISCONTINUITY-SEQUENCE
    ended_us INTEGER,
    end_reason TEXT,
    audio TEXT NOT NULL DEFAULT 'off'  -- copy, aac (coded anew, which delays the video) or off
) STRICT;
CREATE INDEX run_camera ON run (camera_id, id);
CREATE INDEX run_open ON run (camera_id) WHERE ended_us IS NULL;
CREATE TABLE segment (
    camera_id INTEGER NOT NULL,
    start_us INTEGER NOT NULL,
    dur_us INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    n INTEGER NOT NULL,
    frag0 INTEGER NOT NULL,
    media_start INTEGER NOT NULL,  -- first tfdt, in the init's timescale
    init_id INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    tier INTEGER NOT NULL,  -- 0 local, 1 both, 2 remote
    volume_id INTEGER NOT NULL,
    flags INTEGER NOT NULL,  -- storage.model.SegmentFlag
    err_us INTEGER NOT NULL,
    clock_offset_us INTEGER,
    sha256 BLOB NOT NULL,
    frags BLOB NOT NULL,  -- storage.frags
    PRIMARY KEY (camera_id, start_us, run_id),
    UNIQUE (run_id, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE hour (
    camera_id INTEGER NOT NULL,
    hour_us INTEGER NOT NULL,
    volume_id INTEGER NOT NULL,
    tier INTEGER NOT NULL,
    recorded_us INTEGER NOT NULL,
    segments INTEGER NOT NULL,  -- that start in this hour
    bytes INTEGER NOT NULL,  -- of those
    spans BLOB NOT NULL,  -- storage.hours
    activity BLOB NOT NULL,  -- one byte 0..127 a minute
    PRIMARY KEY (camera_id, hour_us, volume_id, tier)
) STRICT, WITHOUT ROWID;
CREATE TABLE activity_usual (
    camera_id INTEGER NOT NULL,
    hour_of_day INTEGER NOT NULL,  -- UTC
    log2_ratio REAL NOT NULL,  -- of inter-frame bytes to keyframe bytes, smoothed
    PRIMARY KEY (camera_id, hour_of_day)
) STRICT, WITHOUT ROWID;
CREATE TABLE deletion (
    id INTEGER PRIMARY KEY,
    camera_id INTEGER NOT NULL,
    start_us INTEGER NOT NULL,
    end_us INTEGER NOT NULL,
    segments INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    merkle_nodes BLOB NOT NULL,  -- the SHA-256 of each segment while its day is not closed
    policy_id INTEGER,
    reason TEXT NOT NULL,
    at_us INTEGER NOT NULL
) STRICT;
CREATE INDEX deletion_camera ON deletion (camera_id, start_us);
CREATE TABLE selftest (
    binary TEXT PRIMARY KEY,  -- version line, size and mtime of the ffmpeg binary
    tested_us INTEGER NOT NULL,
    ok INTEGER NOT NULL,
    detail TEXT NOT NULL,
    lags TEXT NOT NULL  -- JSON: frames per second -> measured lag in microseconds
) STRICT;
CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    args TEXT NOT NULL,  -- JSON
    created_us INTEGER NOT NULL,
    started_us INTEGER,
    done_us INTEGER,
    result TEXT,  -- JSON
    error TEXT
) STRICT;
CREATE INDEX job_open ON job (id) WHERE done_us IS NULL;
"""


def migrate(db: Database) -> None:
    """Bring the database to this program's schema. Raises Conflict as `refuse_newer`."""
    refuse_newer(db)
    migrations.apply(db)


def refuse_newer(db: Database) -> None:
    """Only reads. Raises Conflict when a newer program has already migrated it further than this one knows."""
    known = {migration.name for migration in migrations.pending(Database(memory=True))}
    if unknown := {migration.name for migration in migrations.applied(db)} - known:
        raise Conflict(
            f"this catalog was migrated by a newer nvr (it has {', '.join(sorted(unknown))}): "
            "run that version, or restore a backup made by this one",
            field="storage.database",
        )
