"""Rows of `job`: what the command line asks of the running server, and its answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storage.catalog.sqlite import Connection, Row


@dataclass(frozen=True, slots=True)
class Job:
    """`result` once it is done, or `error`: one sentence."""

    id: int
    kind: str
    args: dict[str, Any]
    created_us: int
    started_us: int | None
    done_us: int | None
    result: Any
    error: str | None


def _job(row: Row) -> Job:
    return Job(
        id=row["id"],
        kind=row["kind"],
        args=json.loads(row["args"]),
        created_us=row["created_us"],
        started_us=row["started_us"],
        done_us=row["done_us"],
        result=None if row["result"] is None else json.loads(row["result"]),
        error=row["error"],
    )


def add(db: Connection, kind: str, args: Mapping[str, Any], created_us: int) -> int:
    """Its id. The server sees it within 2 s."""
    cursor = db.execute(
        "INSERT INTO job (kind, args, created_us) VALUES (:kind, :args, :created_us)",
        {"kind": kind, "args": json.dumps(dict(args)), "created_us": created_us},
    )
    return int(cursor.lastrowid or 0)


def get(db: Connection, job_id: int) -> Job | None:
    row = db.execute("SELECT * FROM job WHERE id = :id", {"id": job_id}).fetchone()
    return _job(row) if row else None


NEXT_OPEN = "SELECT * FROM job WHERE done_us IS NULL ORDER BY id LIMIT 1"


def next_open(db: Connection) -> Job | None:
    """The oldest that is not done. One that was started and not done was cut short with its server: do it again."""
    row = db.execute(NEXT_OPEN).fetchone()
    return _job(row) if row else None


def start(db: Connection, job_id: int, at_us: int) -> None:
    db.execute("UPDATE job SET started_us = :at_us WHERE id = :id", {"at_us": at_us, "id": job_id})


def done(db: Connection, job_id: int, at_us: int, *, result: Any = None, error: str | None = None) -> None:
    """The first answer stays."""
    db.execute(
        "UPDATE job SET done_us = :at_us, result = :result, error = :error WHERE id = :id AND done_us IS NULL",
        {"at_us": at_us, "result": json.dumps(result), "error": error, "id": job_id},
    )
