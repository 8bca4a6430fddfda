"""Rows of `run`: one ffmpeg process each. The row is committed before the spawn, the pid after it."""

from __future__ import annotations

from storage import frags
from storage.catalog import segments
from storage.catalog.sqlite import Connection, Row
from storage.model import CameraId, Run, RunId, VolumeId


def _run(row: Row) -> Run:
    return Run(
        id=RunId(row["id"]),
        camera_id=CameraId(row["camera_id"]),
        node=row["node"],
        volume_id=VolumeId(row["volume_id"]),
        started_us=row["started_us"],
        boot_id=row["boot_id"],
        pid=row["pid"],
        command_sha256=row["command_sha256"],
        clock_source=row["clock_source"],
        seq0=row["seq0"],
        discontinuities=row["discontinuities"],
        ended_us=row["ended_us"],
        end_reason=row["end_reason"],
        audio=row["audio"],
    )


def next_id(db: Connection, now_us: int, floor: int = 0) -> RunId:
    """Milliseconds since 1970, at least one more than every run known."""
    row = db.execute("SELECT max(id) FROM run").fetchone()
    return RunId(max(now_us // 1000, (row[0] or 0) + 1, floor + 1))


def insert(db: Connection, run: Run) -> Run:
    """With `seq0` and `discontinuities` counted on from the camera's previous run."""
    seq0, discontinuities = _sequence_after(db, run.camera_id, run.id)
    db.execute(
        "INSERT INTO run (id, camera_id, node, volume_id, started_us, boot_id, pid, command_sha256, clock_source, seq0,"
        " discontinuities, ended_us, end_reason, audio) VALUES (:id, :camera_id, :node, :volume_id, :started_us, :boot_id,"
        " :pid, :command_sha256, :clock_source, :seq0, :discontinuities, :ended_us, :end_reason, :audio)",
        {
            "id": run.id,
            "camera_id": run.camera_id,
            "node": run.node,
            "volume_id": run.volume_id,
            "started_us": run.started_us,
            "boot_id": run.boot_id,
            "pid": run.pid,
            "command_sha256": run.command_sha256,
            "clock_source": run.clock_source,
            "seq0": seq0,
            "discontinuities": discontinuities,
            "ended_us": run.ended_us,
            "end_reason": run.end_reason,
            "audio": run.audio,
        },
    )
    inserted = get(db, run.id)
    assert inserted is not None
    return inserted


def _sequence_after(db: Connection, camera_id: CameraId, run_id: RunId) -> tuple[int, int]:
    """(fragments of all earlier runs, discontinuities before this one), for HLS."""
    row = db.execute(
        "SELECT * FROM run WHERE camera_id = :camera_id AND id < :run_id ORDER BY id DESC LIMIT 1",
        {"camera_id": camera_id, "run_id": run_id},
    ).fetchone()
    if row is None:
        return 0, 0
    last = segments.last_of_run(db, RunId(row["id"]))
    written = last[0].frag0 + frags.count(last[0].frags) if last else 0
    return row["seq0"] + written, row["discontinuities"] + 1


def recover(db: Connection, camera_id: CameraId, run_id: RunId, volume_id: VolumeId) -> Run | None:
    """A run whose row is lost (restored catalog), made again from a file's name. None when the camera is unknown."""
    camera = db.execute("SELECT node FROM camera WHERE id = :id", {"id": camera_id}).fetchone()
    if camera is None:
        return None
    known = get(db, run_id)
    if known is not None:
        return known
    return insert(
        db,
        Run(id=run_id, camera_id=camera_id, node=camera["node"], volume_id=volume_id, started_us=run_id * 1000),
    )


def get(db: Connection, run_id: RunId) -> Run | None:
    row = db.execute("SELECT * FROM run WHERE id = :id", {"id": run_id}).fetchone()
    return _run(row) if row else None


def open_runs(db: Connection, node: str) -> list[Run]:
    """Runs of this node that were not seen to end."""
    rows = db.execute("SELECT * FROM run WHERE ended_us IS NULL AND node = :node ORDER BY id", {"node": node})
    return [_run(row) for row in rows]


def latest(db: Connection, camera_id: CameraId) -> Run | None:
    row = db.execute(
        "SELECT * FROM run WHERE camera_id = :camera_id ORDER BY id DESC LIMIT 1", {"camera_id": camera_id}
    ).fetchone()
    return _run(row) if row else None


def set_pid(db: Connection, run_id: RunId, pid: int) -> None:
    db.execute("UPDATE run SET pid = :pid WHERE id = :id", {"pid": pid, "id": run_id})


def end(db: Connection, run_id: RunId, ended_us: int, reason: str) -> None:
    """Idempotent: the first end stays."""
    db.execute(
        "UPDATE run SET ended_us = :ended_us, end_reason = :reason WHERE id = :id AND ended_us IS NULL",
        {"ended_us": ended_us, "reason": reason, "id": run_id},
    )
