"""Rows of `init`: ftyp + moov, kept once however many runs share it."""

from __future__ import annotations

import hashlib

from storage.catalog.sqlite import Connection
from storage.fmp4 import InitBoxes
from storage.model import Init, InitId


def put(db: Connection, boxes: InitBoxes) -> InitId:
    """Idempotent on the bytes' SHA-256."""
    digest = hashlib.sha256(boxes.data).digest()
    row = db.execute("SELECT id FROM init WHERE sha256 = :sha256", {"sha256": digest}).fetchone()
    if row is not None:
        return InitId(row["id"])
    video = boxes.video
    cursor = db.execute(
        "INSERT INTO init (sha256, data, video_codec, audio_codec, codecs, width, height, timescale)"
        " VALUES (:sha256, :data, :video_codec, :audio_codec, :codecs, :width, :height, :timescale)",
        {
            "sha256": digest,
            "data": boxes.data,
            "video_codec": video.codec,
            "audio_codec": next((track.codec for track in boxes.tracks if track.kind == "audio"), ""),
            "codecs": boxes.codecs,
            "width": video.width,
            "height": video.height,
            "timescale": video.timescale,
        },
    )
    assert cursor.lastrowid is not None
    return InitId(cursor.lastrowid)


def get(db: Connection, init_id: InitId) -> Init | None:
    row = db.execute("SELECT * FROM init WHERE id = :id", {"id": init_id}).fetchone()
    return Init(**{key: row[key] for key in row.keys()}) if row else None  # noqa: SIM118 - Row is no mapping
