"""What the catalog knows about why there is no footage: states, ends of runs, the server's life, deletions."""

from __future__ import annotations

from itertools import pairwise

from storage.catalog.sqlite import Connection
from storage.clock import rfc3339
from storage.gaps import (
    RANK_BEFORE_CAMERA,
    RANK_DELETED,
    RANK_RUN_END,
    RANK_SERVER_DOWN,
    RANK_STATE,
    Reason,
)
from storage.model import CameraId

_FOREVER = 1 << 62
DELETED_BECAUSE = {
    "missing": "its files were found missing",
    "max_days": "it was older than its policy keeps footage",
    "quota": "its camera had more footage than its quota",
    "above_min": "the disk was full, and it was older than its minimum",
    "below_min": "the disk was full, and nothing older could go",
}


def reasons(db: Connection, camera_id: CameraId, from_us: int, to_us: int) -> list[Reason]:
    """All that speaks about [from_us, to_us) for a camera."""
    window = {"camera_id": camera_id, "from_us": from_us, "to_us": to_us}
    return [
        *_before_camera(db, window),
        *_states(db, window),
        *_run_ends(db, window),
        *_server_down(db, window),
        *_deletions(db, window),
    ]


def _before_camera(db: Connection, window: dict[str, int]) -> list[Reason]:
    row = db.execute("SELECT created_us FROM camera WHERE id = :camera_id", window).fetchone()
    if row is None or row[0] <= window["from_us"]:
        return []
    detail = f"the camera was registered at {rfc3339(row[0])}"
    return [Reason(0, row[0], "not_registered", detail, RANK_BEFORE_CAMERA)]


def _states(db: Connection, window: dict[str, int]) -> list[Reason]:
    rows = db.execute(
        "SELECT since_us, cause, detail FROM camera_state WHERE camera_id = :camera_id AND since_us < :to_us"
        " AND since_us >= coalesce((SELECT max(since_us) FROM camera_state WHERE camera_id = :camera_id"
        " AND since_us <= :from_us), 0) ORDER BY since_us",
        window,
    ).fetchall()
    ends = [*(row["since_us"] for row in rows[1:]), *([_FOREVER] if rows else [])]
    return [
        Reason(row["since_us"], end, row["cause"], row["detail"], RANK_STATE)
        for row, end in zip(rows, ends, strict=True)
    ]


def _run_ends(db: Connection, window: dict[str, int]) -> list[Reason]:
    """From the end of a run to the start of the next."""
    rows = db.execute(
        "SELECT started_us, ended_us, end_reason FROM run WHERE camera_id = :camera_id AND id < :to_us / 1000"
        " AND id >= coalesce((SELECT max(id) FROM run WHERE camera_id = :camera_id AND id <= :from_us / 1000), 0)"
        " ORDER BY id",
        window,
    ).fetchall()
    found = []
    for index, row in enumerate(rows):
        if row["end_reason"] is None:
            continue
        # The footage ends before its process does: the reason speaks from the run's start on, the spans cover the rest.
        next_start = rows[index + 1]["started_us"] if index + 1 < len(rows) else _FOREVER
        found.append(Reason(row["started_us"], next_start, row["end_reason"], "", RANK_RUN_END))
    return found


def _server_down(db: Connection, window: dict[str, int]) -> list[Reason]:
    rows = db.execute(
        "SELECT started_us, coalesce(ended_us, seen_us) AS until_us FROM server_life"
        " WHERE started_us < :to_us ORDER BY started_us DESC LIMIT 1000",
        window,
    ).fetchall()
    found = []
    for later, earlier in pairwise(rows):
        if later["started_us"] > window["from_us"] and earlier["until_us"] < later["started_us"]:
            found.append(
                Reason(
                    earlier["until_us"],
                    later["started_us"],
                    "server_down",
                    "the recorder's server was down",
                    RANK_SERVER_DOWN,
                )
            )
    return found


def _deletions(db: Connection, window: dict[str, int]) -> list[Reason]:
    rows = db.execute(
        "SELECT start_us, end_us, reason FROM deletion WHERE camera_id = :camera_id AND start_us < :to_us"
        " AND end_us > :from_us",
        window,
    )
    return [
        Reason(
            row["start_us"],
            row["end_us"],
            "missing" if row["reason"] == "missing" else "deleted",
            DELETED_BECAUSE.get(row["reason"], row["reason"]),
            RANK_DELETED,
        )
        for row in rows
    ]
