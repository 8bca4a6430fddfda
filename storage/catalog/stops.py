"""Rows of `sweep_stop`: sweeps that would take so much at once that an operator is asked first."""

from __future__ import annotations

from dataclasses import dataclass

from storage.catalog.sqlite import Connection
from storage.model import VolumeId


@dataclass(frozen=True, slots=True)
class Stop:
    """`bytes` of `of_bytes` would go from a volume, the oldest of `oldest_us`. `confirmed_us`: somebody said they may."""

    volume_id: VolumeId
    asked_us: int
    bytes: int
    of_bytes: int
    oldest_us: int
    confirmed_us: int | None = None


_COLUMNS = "volume_id, asked_us, bytes, of_bytes, oldest_us, confirmed_us"


def listing(db: Connection) -> list[Stop]:
    return [Stop(*row) for row in db.execute(f"SELECT {_COLUMNS} FROM sweep_stop ORDER BY volume_id")]


def put(db: Connection, stop: Stop) -> None:
    db.execute(
        f"INSERT OR REPLACE INTO sweep_stop ({_COLUMNS})"
        " VALUES (:volume_id, :asked_us, :bytes, :of_bytes, :oldest_us, :confirmed_us)",
        {
            "volume_id": stop.volume_id,
            "asked_us": stop.asked_us,
            "bytes": stop.bytes,
            "of_bytes": stop.of_bytes,
            "oldest_us": stop.oldest_us,
            "confirmed_us": stop.confirmed_us,
        },
    )


def drop(db: Connection, volume_id: VolumeId) -> None:
    db.execute("DELETE FROM sweep_stop WHERE volume_id = :volume_id", {"volume_id": volume_id})


SUMS = "SELECT volume_id, tier, sum(bytes), sum(segments) FROM hour GROUP BY volume_id, tier"


def footage(db: Connection) -> dict[tuple[VolumeId, int], tuple[int, int]]:
    """(bytes, segments) of all footage by volume and tier. Reads all hours: with each plan, not more often."""
    return {(VolumeId(row[0]), int(row[1])): (int(row[2]), int(row[3])) for row in db.execute(SUMS)}
