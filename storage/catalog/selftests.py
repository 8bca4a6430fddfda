"""Rows of `selftest`: what was measured of an ffmpeg binary, kept per binary."""

from __future__ import annotations

from storage.catalog.sqlite import Connection


def get(db: Connection, binary: str) -> tuple[bool, str, str] | None:
    """(ok, detail, lags as JSON), None when this binary was not tested yet."""
    row = db.execute("SELECT ok, detail, lags FROM selftest WHERE binary = :binary", {"binary": binary}).fetchone()
    return (bool(row["ok"]), row["detail"], row["lags"]) if row else None


def put(db: Connection, binary: str, tested_us: int, ok: bool, detail: str, lags: str) -> None:
    db.execute(
        "INSERT OR REPLACE INTO selftest (binary, tested_us, ok, detail, lags)"
        " VALUES (:binary, :tested_us, :ok, :detail, :lags)",
        {"binary": binary, "tested_us": tested_us, "ok": ok, "detail": detail, "lags": lags},
    )
