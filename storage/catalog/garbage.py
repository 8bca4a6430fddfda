"""Rows of `garbage`: files whose rows are gone, or whose footage is in the object store, and that are still on a volume.

A row is written by the transaction that takes the segment out, and goes when the file is unlinked. What a crash leaves
in between is mended by the next start. Nothing ever indexes a path that stands here.
"""

from __future__ import annotations

from collections.abc import Iterable

from storage.catalog.sqlite import Connection
from storage.model import VolumeId


def add(db: Connection, volume_id: VolumeId, paths: Iterable[str], reason: str, at_us: int) -> None:
    """`paths` below the volume's root."""
    db.executemany(
        "INSERT INTO garbage (volume_id, path, reason, since_us) VALUES (:volume_id, :path, :reason, :at_us)"
        " ON CONFLICT DO NOTHING",
        [{"volume_id": volume_id, "path": path, "reason": reason, "at_us": at_us} for path in paths],
    )


def drop(db: Connection, volume_id: VolumeId, paths: Iterable[str]) -> None:
    db.executemany(
        "DELETE FROM garbage WHERE volume_id = :volume_id AND path = :path",
        [{"volume_id": volume_id, "path": path} for path in paths],
    )


LISTING = "SELECT path FROM garbage WHERE volume_id = :volume_id AND path > :after ORDER BY path LIMIT :limit"


def listing(db: Connection, volume_id: VolumeId, limit: int, *, after: str = "") -> list[str]:
    """By path, those behind `after`."""
    rows = db.execute(LISTING, {"volume_id": volume_id, "after": after, "limit": limit})
    return [str(row[0]) for row in rows]


BELOW = "SELECT path FROM garbage WHERE volume_id = :volume_id AND path >= :folder AND path < :behind"


def below(db: Connection, volume_id: VolumeId, folder: str) -> list[str]:
    """Those in a folder, named with its slash."""
    values = {"volume_id": volume_id, "folder": folder, "behind": folder[:-1] + "0"}  # "0" follows "/"
    return [str(row[0]) for row in db.execute(BELOW, values)]


HAS = "SELECT 1 FROM garbage WHERE volume_id = :volume_id AND path = :path"


def has(db: Connection, volume_id: VolumeId, path: str) -> bool:
    return db.execute(HAS, {"volume_id": volume_id, "path": path}).fetchone() is not None


def counts(db: Connection) -> dict[VolumeId, tuple[int, int]]:
    """(files, since when the oldest waits) of each volume."""
    rows = db.execute("SELECT volume_id, count(*), min(since_us) FROM garbage GROUP BY volume_id")
    return {VolumeId(row[0]): (int(row[1]), int(row[2])) for row in rows}
