"""The row of `clock_trust`: what time it was when somebody last vouched for the clock."""

from __future__ import annotations

from dataclasses import dataclass

from storage.catalog.sqlite import Connection


@dataclass(frozen=True, slots=True)
class Trust:
    """`wall_us` and `mono_us` (since that boot) were read together when the clock was last trusted. `doubt`: why it is not any
    more, "" while it is."""

    boot_id: str
    wall_us: int
    mono_us: int
    doubt: str = ""


def get(db: Connection) -> Trust | None:
    row = db.execute("SELECT boot_id, wall_us, mono_us, doubt FROM clock_trust").fetchone()
    return Trust(*row) if row else None


def put(db: Connection, trust: Trust) -> None:
    db.execute(
        "INSERT OR REPLACE INTO clock_trust (id, boot_id, wall_us, mono_us, doubt)"
        " VALUES (1, :boot_id, :wall_us, :mono_us, :doubt)",
        {
            "boot_id": trust.boot_id,
            "wall_us": trust.wall_us,
            "mono_us": trust.mono_us,
            "doubt": trust.doubt,
        },
    )
