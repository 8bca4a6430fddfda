"""The catalog's tables, as migrations: a released one is never edited, a change is a new one at the end.

Units: `*_us` wall time in microseconds since 1970 UTC; `*_bytes` bytes; JSON where a column says so.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from config.errors import Conflict
from storage.catalog.logins import seal_plain
from storage.catalog.schema_registry import REGISTRY

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


@migrations()
def m002_retention(db: Database) -> None:
    for statement in _M002.split(";\n"):
        if statement.strip():
            db.execute(statement)


_M002 = """
CREATE TABLE policy (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL,  -- storage.terms.SCOPES
    target TEXT NOT NULL,  -- a camera's id, a tag, a station, a zone, a kind of owner; '' for default
    min_days INTEGER NOT NULL,
    max_days INTEGER NOT NULL,
    offload_after_days INTEGER,  -- NULL: never
    local_days INTEGER,  -- NULL: until the disk needs the room
    storage_class TEXT NOT NULL,
    quota_bytes INTEGER,  -- a camera; NULL: none
    priority INTEGER NOT NULL,
    changed_us INTEGER NOT NULL,
    UNIQUE (scope, target)
) STRICT;
CREATE TABLE policy_change (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- kept for ever
    at_us INTEGER NOT NULL,
    policy_id INTEGER NOT NULL,
    before TEXT,  -- JSON of the policy; NULL: it was made
    after TEXT,  -- JSON; NULL: it was deleted
    preview TEXT NOT NULL,  -- JSON: what the change will delete, as it was told
    due_us INTEGER,  -- when its shorter terms come into force; NULL: it shortens nothing
    in_force_us INTEGER,  -- NULL while what it shortens still waits
    cancelled_us INTEGER,
    made_by TEXT NOT NULL,
    cancelled_by TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX policy_change_open ON policy_change (due_us) WHERE in_force_us IS NULL AND cancelled_us IS NULL;
CREATE TABLE terms (
    camera_id INTEGER PRIMARY KEY REFERENCES camera (id),  -- in force
    policy_id INTEGER,
    policy_name TEXT NOT NULL,
    why TEXT NOT NULL,
    min_days INTEGER NOT NULL,
    max_days INTEGER NOT NULL,
    offload_after_days INTEGER,
    local_days INTEGER,
    storage_class TEXT NOT NULL,
    quota_bytes INTEGER,
    priority INTEGER NOT NULL,
    since_us INTEGER NOT NULL
) STRICT;
CREATE TABLE terms_pending (
    camera_id INTEGER PRIMARY KEY REFERENCES camera (id),
    policy_id INTEGER,
    policy_name TEXT NOT NULL,
    why TEXT NOT NULL,
    min_days INTEGER NOT NULL,
    max_days INTEGER NOT NULL,
    offload_after_days INTEGER,
    local_days INTEGER,
    storage_class TEXT NOT NULL,
    quota_bytes INTEGER,
    priority INTEGER NOT NULL,
    seen_us INTEGER NOT NULL,
    due_us INTEGER NOT NULL
) STRICT;
CREATE TABLE hold (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    case_ref TEXT NOT NULL,
    camera_id INTEGER NOT NULL REFERENCES camera (id),
    start_us INTEGER NOT NULL,
    end_us INTEGER NOT NULL,
    reason TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    review_us INTEGER,
    released_us INTEGER,
    released_by TEXT NOT NULL DEFAULT '',
    release_reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX hold_active ON hold (camera_id, start_us) WHERE released_us IS NULL;
CREATE INDEX hold_case ON hold (case_ref);
CREATE TABLE garbage (
    volume_id INTEGER NOT NULL,
    path TEXT NOT NULL,  -- below the volume's root
    reason TEXT NOT NULL,
    since_us INTEGER NOT NULL,
    PRIMARY KEY (volume_id, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX deletion_unclosed ON deletion (start_us) WHERE substr(merkle_nodes, 1, 1) = x'02';
CREATE TABLE day (
    camera_id INTEGER NOT NULL,
    day_us INTEGER NOT NULL,  -- UTC
    leaves INTEGER NOT NULL,
    root BLOB NOT NULL,  -- storage.merkle
    closed_us INTEGER NOT NULL,
    PRIMARY KEY (camera_id, day_us)
) STRICT, WITHOUT ROWID;
CREATE TABLE day_late (
    camera_id INTEGER NOT NULL,  -- segments that came after their day was closed: no leaf of its tree stands for them
    day_us INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    n INTEGER NOT NULL,
    leaf BLOB NOT NULL,
    at_us INTEGER NOT NULL,
    PRIMARY KEY (camera_id, day_us, run_id, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE offload (
    run_id INTEGER NOT NULL,
    n INTEGER NOT NULL,
    camera_id INTEGER NOT NULL,
    start_us INTEGER NOT NULL,
    end_us INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    state TEXT NOT NULL,  -- queued | uploading | verified | remote (no local copy) | gone (deleted while it is uploaded)
    attempts INTEGER NOT NULL,
    next_try_us INTEGER NOT NULL,  -- of one that was never tried the start of its hour: the oldest go first
    key TEXT NOT NULL,  -- written before the first byte is sent; '' before
    version_id TEXT NOT NULL,  -- '' where the bucket keeps no versions
    checksum TEXT NOT NULL,  -- SHA-256 as the store gave it back, base64; '' where it keeps none
    storage_class TEXT NOT NULL,
    legal_hold INTEGER NOT NULL DEFAULT 0,  -- 1: set on the object, in a bucket whose object lock is real
    error TEXT NOT NULL,
    PRIMARY KEY (run_id, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX offload_next ON offload (next_try_us, run_id, n, start_us, size_bytes) WHERE state = 'queued';
CREATE INDEX offload_busy ON offload (state) WHERE state IN ('uploading', 'gone');
CREATE INDEX offload_error ON offload (next_try_us) WHERE error <> '';
CREATE INDEX offload_legal_hold ON offload (camera_id, start_us) WHERE legal_hold = 1;
CREATE TABLE object_garbage (
    key TEXT NOT NULL,
    version_id TEXT NOT NULL,
    start_us INTEGER,  -- of the segment that was there: a hold on it keeps the object; NULL: not known
    end_us INTEGER,
    reason TEXT NOT NULL,
    since_us INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_try_us INTEGER NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (key, version_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX object_garbage_next ON object_garbage (next_try_us);
CREATE TABLE clock_trust (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    boot_id TEXT NOT NULL,
    wall_us INTEGER NOT NULL,
    mono_us INTEGER NOT NULL,
    doubt TEXT NOT NULL  -- '' while the clock is trusted, else why not
) STRICT;
CREATE TABLE sweep_stop (
    volume_id INTEGER PRIMARY KEY,  -- a sweep that an operator must confirm
    asked_us INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    of_bytes INTEGER NOT NULL,
    oldest_us INTEGER NOT NULL,
    confirmed_us INTEGER
) STRICT;
CREATE TABLE alert (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,  -- storage.trouble.KINDS
    subject TEXT NOT NULL,  -- a camera's code, a volume's path, a case
    detail TEXT NOT NULL,
    since_us INTEGER NOT NULL,
    times INTEGER NOT NULL,  -- 1; more where it came back soon after it had ended
    told_us INTEGER,  -- last told; NULL: not yet
    ended_us INTEGER,  -- since then it is gone; it may come back until that is told
    end_told_us INTEGER  -- the row is closed; one that ends before it was told is deleted
) STRICT;
CREATE UNIQUE INDEX alert_open ON alert (kind, subject) WHERE end_told_us IS NULL;
CREATE INDEX alert_closed ON alert (end_told_us) WHERE end_told_us IS NOT NULL;
CREATE TABLE alert_message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- goes when it has arrived
    place TEXT NOT NULL,  -- webhook, mail
    body TEXT NOT NULL,  -- JSON
    made_us INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    error TEXT NOT NULL  -- of the last attempt
) STRICT;
"""


@migrations()
def m003_registry(db: Database) -> None:
    for statement in REGISTRY.split(";\n"):
        if statement.strip():
            db.execute(statement)
    seal_plain(db.conn)


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
