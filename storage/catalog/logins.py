"""Rows of `secret`: the cameras' logins, sealed with a key that is never in here (`storage.secrets`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from config.errors import Conflict, Corrupt, NvrError, Unavailable
from storage import secrets
from storage.catalog.sqlite import Connection
from storage.model import CameraId, Credentials
from storage.secrets import Key, KeyRing

INSERT = (
    "INSERT INTO secret (camera_id, sealed, key_id) VALUES (:camera_id, :sealed, :key_id)"
    " ON CONFLICT (camera_id) DO UPDATE SET sealed = excluded.sealed, key_id = excluded.key_id"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many logins are kept, and how many of them nothing opens. `where`: the key's place, for people."""

    logins: int
    unreadable: int
    where: str
    trouble: str = ""  # why the first of those does not open


def database_of(db: Connection) -> Path:
    """The file of an open catalog."""
    return Path(next(row[2] for row in db.execute("PRAGMA database_list") if row[1] == "main"))


def credentials(db: Connection, camera_id: CameraId) -> Credentials | None:
    """For the recorder alone. Raises Unavailable, whose `cause` is `unauthorized`, where the key does not open it."""
    row = db.execute("SELECT sealed, key_id FROM secret WHERE camera_id = :id", {"id": camera_id}).fetchone()
    if row is None:
        return None
    database = database_of(db)
    try:
        return _opened(secrets.load(database), camera_id, row["sealed"], row["key_id"], database)
    except NvrError as error:
        raise Unavailable(
            f"its login cannot be read: {error.message}", field="credentials", cause="unauthorized"
        ) from None


def _opened(ring: KeyRing | None, camera_id: CameraId, sealed: bytes, key_id: str, database: Path) -> Credentials:
    """Raises Unavailable or Corrupt."""
    key = ring.find(key_id) if ring is not None else None
    if key is None:
        what = "is missing" if ring is None else "does not fit"
        raise Unavailable(
            f"the key {secrets.where(database)} {what}: bring back the key {key_id}, or enter the login again",
            field="credentials",
        )
    return secrets.unseal(key, camera_id, sealed)


def has(db: Connection, camera_id: CameraId) -> bool:
    """Whether a login is kept, readable or not."""
    row = db.execute("SELECT 1 FROM secret WHERE camera_id = :id", {"id": camera_id}).fetchone()
    return row is not None


def set_credentials(db: Connection, camera_id: CameraId, login: Credentials | None) -> None:
    """None forgets them. The first login makes the key. Raises Conflict where logins are kept whose key is lost: a new one is
    made when somebody says so (`nvr camera rekey --lost`); Invalid or Unavailable for a key that cannot be used."""
    if login is None:
        db.execute("DELETE FROM secret WHERE camera_id = :id", {"id": camera_id})
        return
    _put(db, camera_id, login, _sealing_key(db))


def _sealing_key(db: Connection) -> Key:
    database = database_of(db)
    ring = secrets.load(database)
    if ring is None:
        kept = int(db.execute("SELECT count(*) FROM secret").fetchone()[0])
        if kept:
            raise Conflict(
                f"the key of {kept} stored login{'' if kept == 1 else 's'}, {secrets.where(database)}, is missing: bring it"
                " back, or, where it is lost, make a new one with `nvr camera rekey --lost`",
                field="credentials",
            )
        ring = secrets.make(database)
    return ring.current


def _put(db: Connection, camera_id: CameraId, login: Credentials, key: Key) -> None:
    values = {"camera_id": camera_id, "sealed": secrets.seal(key, camera_id, login), "key_id": key.id}
    db.execute(INSERT, values)


def marks(db: Connection) -> dict[CameraId, bytes]:
    """For each camera with a login something that is another when the login is. Nothing is opened."""
    return {CameraId(row[0]): row[1] for row in db.execute("SELECT camera_id, sealed FROM secret")}


def standing(db: Connection) -> Standing:
    """Tries to open every login. Never raises for a key."""
    database = database_of(db)
    rows = db.execute("SELECT camera_id, sealed, key_id FROM secret ORDER BY camera_id").fetchall()
    trouble, unreadable, ring = "", 0, None
    try:
        ring = secrets.load(database)
    except NvrError as error:
        trouble = error.message
    for row in rows:
        try:
            _opened(ring, CameraId(row["camera_id"]), row["sealed"], row["key_id"], database)
        except (Unavailable, Corrupt) as error:
            unreadable += 1
            trouble = trouble or error.message
    return Standing(len(rows), unreadable, secrets.where(database), trouble)


def seal_anew(db: Connection, ring: KeyRing) -> int:
    """Every login that any key of the ring opens, with its first key; how many were sealed with another before. In the caller's
    transaction."""
    sealed = 0
    others = db.execute("SELECT camera_id, sealed, key_id FROM secret WHERE key_id <> :id", {"id": ring.current.id})
    for row in others.fetchall():
        key = ring.find(row["key_id"])
        if key is None:
            continue
        camera_id = CameraId(row["camera_id"])
        try:
            login = secrets.unseal(key, camera_id, row["sealed"])
        except Corrupt:
            continue  # counted by `standing`
        _put(db, camera_id, login, ring.current)
        sealed += 1
    return sealed


def are_plain(db: Connection) -> bool:
    """Whether this catalog is from before logins were sealed; the next `prepare` seals them."""
    return "sealed" not in {row[1] for row in db.execute("PRAGMA table_info(secret)")}


def seal_plain(db: Connection) -> None:
    """Of a catalog whose logins were not sealed: those of `secret_plain`, which is dropped. In the migration's transaction;
    `PRAGMA user_version` is 1 until `scrub` has been through."""
    for row in db.execute("SELECT camera_id, username, password FROM secret_plain").fetchall():
        set_credentials(db, CameraId(row["camera_id"]), Credentials(row["username"], row["password"]))
    db.execute("DROP TABLE secret_plain")
    if db.execute("SELECT 1 FROM camera LIMIT 1").fetchone() is not None:
        db.execute("PRAGMA user_version = 1")


def scrub(db: Connection) -> bool:
    """After `seal_plain`: the file is written anew, once, so that no page that was freed holds a login, and the journal is
    emptied. False where somebody still reads the old journal: the next start tries again. Raises OperationalError on a full
    disk."""
    if db.execute("PRAGMA user_version").fetchone()[0] != 1:
        return True
    db.execute("VACUUM")
    if db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        return False
    db.execute("PRAGMA user_version = 0")
    return True
