"""Rows of `camera_state`, written on change only, and `server_life`, touched every 10 s: what gaps are explained with."""

from __future__ import annotations

from storage.catalog.sqlite import Connection, Row
from storage.model import CameraId, CameraState


def _state(row: Row) -> CameraState:
    return CameraState(CameraId(row["camera_id"]), row["since_us"], row["state"], row["cause"], row["detail"])


def current(db: Connection, camera_id: CameraId) -> CameraState | None:
    found = history(db, camera_id, limit=1)
    return found[0] if found else None


def history(db: Connection, camera_id: CameraId, limit: int) -> list[CameraState]:
    """Newest first."""
    rows = db.execute(
        "SELECT * FROM camera_state WHERE camera_id = :camera_id ORDER BY since_us DESC LIMIT :limit",
        {"camera_id": camera_id, "limit": limit},
    )
    return [_state(row) for row in rows]


def put(db: Connection, state: CameraState) -> bool:
    """Add it when it differs from the camera's current one. False: nothing changed."""
    now = current(db, state.camera_id)
    if now is not None and (now.state, now.cause, now.detail) == (state.state, state.cause, state.detail):
        return False
    since_us = state.since_us if now is None else max(state.since_us, now.since_us + 1)
    db.execute(
        "INSERT INTO camera_state (camera_id, since_us, state, cause, detail)"
        " VALUES (:camera_id, :since_us, :state, :cause, :detail)",
        {
            "camera_id": state.camera_id,
            "since_us": since_us,
            "state": state.state,
            "cause": state.cause,
            "detail": state.detail,
        },
    )
    return True


def begin_life(db: Connection, started_us: int) -> None:
    db.execute(
        "INSERT OR REPLACE INTO server_life (started_us, seen_us, ended_us) VALUES (:started_us, :started_us, NULL)",
        {"started_us": started_us},
    )


def touch_life(db: Connection, started_us: int, seen_us: int) -> None:
    db.execute(
        "UPDATE server_life SET seen_us = :seen_us WHERE started_us = :started_us",
        {"seen_us": seen_us, "started_us": started_us},
    )


def end_life(db: Connection, started_us: int, ended_us: int) -> None:
    db.execute(
        "UPDATE server_life SET seen_us = :ended_us, ended_us = :ended_us WHERE started_us = :started_us",
        {"ended_us": ended_us, "started_us": started_us},
    )
