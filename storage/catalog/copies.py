"""Statements about the catalog as a whole: copying it while it is in use, and telling whether a copy is sound."""

from __future__ import annotations

from pathlib import Path

from storage.catalog.sqlite import Connection

TABLES = frozenset({"camera", "segment", "hour", "run", "init", "volume"})


def copy_into(db: Connection, target: Path) -> None:
    """A compact copy as of now. `target` is missing or empty. The file is not made durable yet."""
    db.execute("VACUUM INTO :target", {"target": str(target)})


def problem(db: Connection) -> str:
    """What is wrong with the database, "" when it is a whole catalog. Reads all of it."""
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if missing := TABLES - tables:
        return f"it has no table {', '.join(sorted(missing))}"
    verdict = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    return "" if verdict == "ok" else verdict


def raise_camera_id(db: Connection, highest: int) -> None:
    """The next camera's id is above `highest`: folders of cameras this catalog does not know are never taken over."""
    db.execute(
        "INSERT INTO sqlite_sequence (name, seq) SELECT 'camera', 0"
        " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'camera')"
    )
    db.execute("UPDATE sqlite_sequence SET seq = max(seq, :highest) WHERE name = 'camera'", {"highest": highest})
