"""Rows of `volume`: which folders hold footage, and the uuid that proves each."""

from __future__ import annotations

from storage.catalog.sqlite import Connection, Row
from storage.model import Volume, VolumeId


def _volume(row: Row) -> Volume:
    return Volume(VolumeId(row["id"]), row["uuid"], row["path"], row["state"])


def listing(db: Connection) -> list[Volume]:
    return [_volume(row) for row in db.execute("SELECT id, uuid, path, state FROM volume ORDER BY id")]


def add(db: Connection, *, uuid: str, path: str) -> Volume:
    db.execute("INSERT INTO volume (uuid, path, state) VALUES (:uuid, :path, 'ok')", {"uuid": uuid, "path": path})
    row = db.execute("SELECT id, uuid, path, state FROM volume WHERE uuid = :uuid", {"uuid": uuid}).fetchone()
    return _volume(row)


def move(db: Connection, volume_id: VolumeId, path: str) -> None:
    """The same volume (by uuid) is mounted elsewhere now."""
    db.execute("UPDATE volume SET path = :path WHERE id = :id", {"path": path, "id": volume_id})


def set_state(db: Connection, volume_id: VolumeId, state: str) -> None:
    db.execute("UPDATE volume SET state = :state WHERE id = :id", {"state": state, "id": volume_id})
