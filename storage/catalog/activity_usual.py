"""Rows of `activity_usual`: the smoothed log2 ratio of storage.activity per camera and hour of the day (UTC)."""

from __future__ import annotations

from storage.catalog.sqlite import Connection
from storage.model import CameraId


def load(db: Connection) -> dict[tuple[CameraId, int], float]:
    rows = db.execute("SELECT camera_id, hour_of_day, log2_ratio FROM activity_usual")
    return {(CameraId(row[0]), row[1]): row[2] for row in rows}


def put(db: Connection, camera_id: CameraId, hour_of_day: int, log2_ratio: float) -> None:
    db.execute(
        "INSERT OR REPLACE INTO activity_usual (camera_id, hour_of_day, log2_ratio)"
        " VALUES (:camera_id, :hour_of_day, :log2_ratio)",
        {"camera_id": camera_id, "hour_of_day": hour_of_day, "log2_ratio": log2_ratio},
    )
