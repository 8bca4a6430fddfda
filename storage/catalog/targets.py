"""Rows of `target`: how many cameras of a kind of owner, at a station or in all, are to be linked."""

from __future__ import annotations

from collections.abc import Iterable

from storage.catalog.sqlite import Connection
from storage.registry.register import Target

LISTING = "SELECT * FROM target ORDER BY owner_kind, station"


def listing(db: Connection) -> list[Target]:
    """By kind and station."""
    return [
        Target(
            owner_kind=row["owner_kind"],
            station=row["station"],
            wanted=row["wanted"],
            is_all=bool(row["is_all"]),
            all_known=row["all_known"],
            made_by=row["made_by"],
            changed_us=row["changed_us"],
        )
        for row in db.execute(LISTING)
    ]


def put(db: Connection, targets: Iterable[Target]) -> None:
    """Each in place of the one there was; one that names no number and not "all" is taken away."""
    for target in targets:
        values = {
            "owner_kind": target.owner_kind,
            "station": target.station,
            "wanted": target.wanted,
            "all_known": target.all_known,
            "is_all": int(target.is_all),
            "made_by": target.made_by,
            "changed_us": target.changed_us,
        }
        if target.wanted is None and not target.is_all:
            db.execute("DELETE FROM target WHERE owner_kind = :owner_kind AND station = :station", values)
            continue
        db.execute(
            "INSERT OR REPLACE INTO target (owner_kind, station, wanted, all_known, is_all, made_by, changed_us)"
            " VALUES (:owner_kind, :station, :wanted, :all_known, :is_all, :made_by, :changed_us)",
            values,
        )
