"""Rows of `object_garbage`: objects whose segments are gone and that are still in the bucket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.catalog.sqlite import Connection


@dataclass(frozen=True, slots=True)
class ObjectGarbage:
    """`version_id` empty: every version of the key. `start_us`, `end_us`: of the footage, where that is known."""

    key: str
    version_id: str
    start_us: int | None
    end_us: int | None
    reason: str
    since_us: int
    attempts: int
    error: str


def add(
    db: Connection,
    key: str,
    version_id: str,
    *,
    reason: str,
    at_us: int,
    span: tuple[int, int] | None = None,
) -> None:
    """To be deleted from now on; `span`: start and end of the footage. One that is there already stays as it is."""
    db.execute(
        "INSERT INTO object_garbage (key, version_id, start_us, end_us, reason, since_us, attempts, next_try_us, error)"
        " VALUES (:key, :version_id, :start_us, :end_us, :reason, :at_us, 0, :at_us, '') ON CONFLICT DO NOTHING",
        {
            "key": key,
            "version_id": version_id,
            "start_us": span[0] if span else None,
            "end_us": span[1] if span else None,
            "reason": reason,
            "at_us": at_us,
        },
    )


DUE = (
    "SELECT key, version_id, start_us, end_us, reason, since_us, attempts, error FROM object_garbage"
    " WHERE next_try_us <= :now_us ORDER BY next_try_us LIMIT :limit"
)


def due(db: Connection, now_us: int, limit: int) -> list[ObjectGarbage]:
    """Those that may be tried now, the longest waiting first."""
    return [ObjectGarbage(*row) for row in db.execute(DUE, {"now_us": now_us, "limit": limit})]


def done(db: Connection, gone: Sequence[ObjectGarbage]) -> None:
    """The bucket has them no more."""
    for one in gone:
        db.execute(
            "DELETE FROM object_garbage WHERE key = :key AND version_id = :version_id",
            {"key": one.key, "version_id": one.version_id},
        )


def later(db: Connection, one: ObjectGarbage, *, error: str, next_try_us: int) -> None:
    """It could not be deleted now."""
    db.execute(
        "UPDATE object_garbage SET attempts = attempts + 1, error = :error, next_try_us = :next_try_us"
        " WHERE key = :key AND version_id = :version_id",
        {"key": one.key, "version_id": one.version_id, "error": error, "next_try_us": next_try_us},
    )


def counts(db: Connection) -> tuple[int, int]:
    """(rows, of those with an error)."""
    row = db.execute("SELECT count(*), count(nullif(error, '')) FROM object_garbage").fetchone()
    return int(row[0]), int(row[1])


def retry(db: Connection, now_us: int) -> None:
    """All of them may be tried now."""
    db.execute("UPDATE object_garbage SET next_try_us = :now_us WHERE next_try_us > :now_us", {"now_us": now_us})
