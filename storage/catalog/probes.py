"""Rows of `probe`: what a camera was last found to send, and what was found wrong with it.

A camera that could not be read keeps what it was known to send: `ok`, `cause` and the findings tell of the last look, the media
of the last good one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from storage.catalog.sqlite import Connection, Row
from storage.model import CameraId, Probe

MEDIA = (
    "INSERT INTO probe (camera_id, probed_us, video_codec, width, height, fps, audio_codec, audio_received, detail)"
    " VALUES (:camera_id, :probed_us, :video_codec, :width, :height, :fps, :audio_codec, :audio_received, :detail)"
    " ON CONFLICT (camera_id) DO UPDATE SET probed_us = excluded.probed_us, video_codec = excluded.video_codec,"
    " width = excluded.width, height = excluded.height, fps = excluded.fps, audio_codec = excluded.audio_codec,"
    " audio_received = excluded.audio_received, detail = excluded.detail, ok = 1, cause = NULL"
)
LOOK = (
    "UPDATE probe SET ok = :ok, cause = :cause, bitrate_kbps = :bitrate_kbps, keyframe_s = :keyframe_s,"
    " clock_offset_us = :clock_offset_us, findings = :findings WHERE camera_id = :camera_id"
)
FAILED = (
    "INSERT INTO probe (camera_id, probed_us, video_codec, width, height, fps, audio_codec, audio_received, detail, ok, cause,"
    " findings)"
    " VALUES (:camera_id, :probed_us, '', 0, 0, NULL, '', 0, :detail, 0, :cause, :findings)"
    " ON CONFLICT (camera_id) DO UPDATE SET probed_us = excluded.probed_us, detail = excluded.detail, ok = 0,"
    " cause = excluded.cause, findings = excluded.findings"
)


def _values(probe: Probe) -> dict[str, object]:
    return {
        "camera_id": probe.camera_id,
        "probed_us": probe.probed_us,
        "video_codec": probe.video_codec,
        "width": probe.width,
        "height": probe.height,
        "fps": probe.fps,
        "audio_codec": probe.audio_codec,
        "audio_received": int(probe.audio_received),
        "detail": probe.detail,
        "ok": int(probe.ok),
        "cause": probe.cause,
        "bitrate_kbps": probe.bitrate_kbps,
        "keyframe_s": probe.keyframe_s,
        "clock_offset_us": probe.clock_offset_us,
        "findings": json.dumps(probe.findings),
    }


def put_probe(db: Connection, probe: Probe) -> None:
    """Keep what a camera was found to send by a short look that measured nothing: what an earlier one measured stays."""
    db.execute(MEDIA, _values(probe))


def put_look(db: Connection, probe: Probe) -> None:
    """Keep a whole look, good or not."""
    if not probe.ok:
        db.execute(FAILED, _values(probe))
        return
    db.execute(MEDIA, _values(probe))
    db.execute(LOOK, _values(probe))


def get_probe(db: Connection, camera_id: CameraId) -> Probe | None:
    """What the camera is known to send, None where it could never be read."""
    found = last_look(db, camera_id)
    return found if found is not None and found.video_codec else None


def last_look(db: Connection, camera_id: CameraId) -> Probe | None:
    """The last look, good or not; None before the first."""
    row = db.execute("SELECT * FROM probe WHERE camera_id = :id", {"id": camera_id}).fetchone()
    return _probe(row) if row is not None else None


def forget_probe(db: Connection, camera_id: CameraId) -> None:
    """After the URL has changed: what the old one sent says nothing."""
    db.execute("DELETE FROM probe WHERE camera_id = :id", {"id": camera_id})


def _probe(row: Row) -> Probe:
    findings: Sequence[str] = json.loads(row["findings"])
    return Probe(
        camera_id=CameraId(row["camera_id"]),
        probed_us=row["probed_us"],
        video_codec=row["video_codec"],
        width=row["width"],
        height=row["height"],
        fps=row["fps"],
        audio_codec=row["audio_codec"],
        audio_received=bool(row["audio_received"]),
        detail=row["detail"],
        ok=bool(row["ok"]),
        cause=row["cause"],
        bitrate_kbps=row["bitrate_kbps"],
        keyframe_s=row["keyframe_s"],
        clock_offset_us=row["clock_offset_us"],
        findings=tuple(findings),
    )
