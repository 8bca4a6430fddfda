"""What the catalog knows about why there is no footage: states, ends of runs, the server's life, deletions."""

from __future__ import annotations

from collections.abc import Sequence
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
        *server_down(db, from_us, to_us),
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
    )
    return of_states([tuple(row) for row in rows])


def of_states(rows: Sequence[tuple[int, str | None, str]]) -> list[Reason]:
    """From a camera's (since_us, cause, detail) in the order of time: each speaks until the next."""
    ends = [*(row[0] for row in rows[1:]), *([_FOREVER] if rows else [])]
    return [
        Reason(since_us, end, cause, detail, RANK_STATE)
        for (since_us, cause, detail), end in zip(rows, ends, strict=True)
    ]


def _run_ends(db: Connection, window: dict[str, int]) -> list[Reason]:
    rows = db.execute(
        "SELECT started_us, end_reason FROM run WHERE camera_id = :camera_id AND id < :to_us / 1000"
        " AND id >= coalesce((SELECT max(id) FROM run WHERE camera_id = :camera_id AND id <= :from_us / 1000), 0)"
        " ORDER BY id",
        window,
    )
    return of_run_ends([tuple(row) for row in rows])


def of_run_ends(rows: Sequence[tuple[int, str | None]]) -> list[Reason]:
    """From a camera's (started_us, end_reason) in the order of time: from the end of a run to the start of the next."""
    found = []
    for index, (started_us, end_reason) in enumerate(rows):
        if end_reason is None:
            continue
        # The footage ends before its process does: the reason speaks from the run's start on, the spans cover the rest.
        next_start_us = rows[index + 1][0] if index + 1 < len(rows) else _FOREVER
        found.append(Reason(started_us, next_start_us, end_reason, "", RANK_RUN_END))
    return found


def server_down(db: Connection, from_us: int, to_us: int) -> list[Reason]:
    """Between the server's lives: the same for all cameras."""
    rows = db.execute(
        "SELECT started_us, coalesce(ended_us, seen_us) AS until_us FROM server_life"
        " WHERE started_us < :to_us ORDER BY started_us DESC LIMIT 1000",
        {"to_us": to_us},
    ).fetchall()
    found = []
    for later, earlier in pairwise(rows):
        if later["started_us"] > from_us and earlier["until_us"] < later["started_us"]:
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
    return [of_deletion(*row) for row in rows]


def of_deletion(start_us: int, end_us: int, reason: str) -> Reason:
    cause = "missing" if reason == "missing" else "deleted"
    return Reason(start_us, end_us, cause, DELETED_BECAUSE.get(reason, reason), RANK_DELETED)
