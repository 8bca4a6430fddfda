"""Rows of `probe_queue`: cameras that are to be looked at, the longest-waiting first. A row goes when the look's result is
kept, so a restart loses none."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from storage.catalog.sqlite import Connection
from storage.model import CameraId

ASK = (
    "INSERT INTO probe_queue (camera_id, asked_us)"
    " SELECT id, :at_us FROM camera WHERE archived_us IS NULL AND id IN (SELECT value FROM json_each(:ids))"
    " ON CONFLICT (camera_id) DO NOTHING"
)
ASK_UNPROBED = (
    "INSERT INTO probe_queue (camera_id, asked_us)"
    " SELECT id, :at_us FROM camera WHERE archived_us IS NULL AND enabled AND node = :node"
    " AND NOT EXISTS (SELECT 1 FROM probe WHERE camera_id = camera.id AND ok AND bitrate_kbps IS NOT NULL)"
    " ON CONFLICT (camera_id) DO NOTHING"
)
WAITING = (
    "SELECT probe_queue.camera_id, asked_us FROM probe_queue JOIN camera ON camera.id = probe_queue.camera_id"
    " WHERE camera.node = :node AND probe_queue.camera_id NOT IN (SELECT value FROM json_each(:taken))"
    " ORDER BY asked_us, probe_queue.camera_id LIMIT :limit"
)
COUNT = (
    "SELECT count(*) FROM probe_queue JOIN camera ON camera.id = probe_queue.camera_id"
    " WHERE camera.node = :node AND probe_queue.camera_id NOT IN (SELECT value FROM json_each(:taken))"
)


@dataclass(frozen=True, slots=True)
class Asked:
    camera_id: CameraId
    asked_us: int


def ask(db: Connection, camera_ids: Collection[CameraId], at_us: int) -> int:
    """How many were not waiting yet. Unknown and archived cameras are left out."""
    return db.execute(ASK, {"ids": json.dumps(sorted(camera_ids)), "at_us": at_us}).rowcount


def ask_unprobed(db: Connection, node: str, at_us: int) -> int:
    """All enabled ones of a node of which no look has measured anything yet: one that is not linked would only fail. How many
    were not waiting yet."""
    return db.execute(ASK_UNPROBED, {"node": node, "at_us": at_us}).rowcount


def waiting(db: Connection, node: str, *, taken: Collection[CameraId], limit: int) -> Sequence[Asked]:
    """The longest-waiting of a node but for those `taken`."""
    rows = db.execute(WAITING, {"node": node, "taken": json.dumps(sorted(taken)), "limit": limit})
    return [Asked(CameraId(row[0]), row[1]) for row in rows]


def count(db: Connection, node: str, *, taken: Collection[CameraId]) -> int:
    """How many of a node wait but for those `taken`."""
    return int(db.execute(COUNT, {"node": node, "taken": json.dumps(sorted(taken))}).fetchone()[0])


def done(db: Connection, camera_id: CameraId) -> None:
    db.execute("DELETE FROM probe_queue WHERE camera_id = :id", {"id": camera_id})
