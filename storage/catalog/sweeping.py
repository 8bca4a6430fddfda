"""What the sweeper selects, and the marks it leaves on rows of `offload`. It deletes through `segments.remove` alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from storage.catalog import segments
from storage.catalog.sqlite import Connection
from storage.model import CameraId, RunId, Segment, Tier, VolumeId

Key = tuple[int, int]
"""(start_us, run_id): where a look goes on."""


@dataclass(frozen=True, slots=True)
class Range:
    """Of a camera on a volume, in these tiers, what starts at or after `from_us` and ends by `before_us`."""

    camera_id: CameraId
    volume_id: VolumeId
    tiers: tuple[Tier, ...]
    from_us: int
    before_us: int


DUE = (
    f"SELECT {segments.COLUMNS} FROM segment WHERE camera_id = :camera_id AND start_us >= :from_us"
    " AND start_us < :before_us AND (start_us, run_id) > (:after_us, :after_run) AND start_us + dur_us <= :before_us"
    " AND volume_id = :volume_id AND tier IN (:tier, :other) ORDER BY start_us, run_id LIMIT :limit"
)


def due(db: Connection, of: Range, *, after: Key, limit: int) -> list[Segment]:
    """In start order, those behind `after`; the caller leaves out what must stay."""
    values = {
        "camera_id": of.camera_id,
        "from_us": of.from_us,
        "before_us": of.before_us,
        "after_us": after[0],
        "after_run": after[1],
        "volume_id": of.volume_id,
        "tier": int(of.tiers[0]),
        "other": int(of.tiers[-1]),
        "limit": limit,
    }
    return segments.from_rows(db.execute(DUE, values))


OPEN = "SELECT id FROM run WHERE camera_id = :camera_id AND ended_us IS NULL"


def newest_of_open_runs(db: Connection, camera_id: CameraId) -> set[tuple[RunId, int]]:
    """(run, n) of the last segment of each of a camera's runs that go on: the next one is counted and dated from it."""
    runs = [RunId(row[0]) for row in db.execute(OPEN, {"camera_id": camera_id})]
    return {(last.run_id, last.n) for run_id in runs for last in segments.last_of_run(db, run_id)}


POLICY = "SELECT policy_id FROM terms WHERE camera_id = :camera_id"


def policy_of(db: Connection, camera_id: CameraId) -> int | None:
    """The policy whose promise is kept now, for the record of what went."""
    row = db.execute(POLICY, {"camera_id": camera_id}).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def offloading(db: Connection) -> bool:
    """Whether anything was ever meant for the object store."""
    return db.execute("SELECT 1 FROM offload LIMIT 1").fetchone() is not None


def local_copy_gone(db: Connection, gone: Iterable[Segment]) -> None:
    """In the transaction that condemns local copies: the object store alone has these from now on."""
    some: Sequence[Segment] = list(gone)
    segments.set_tier(db, some, Tier.REMOTE)
    db.executemany(
        "UPDATE offload SET state = 'remote' WHERE run_id = :run_id AND n = :n AND state = 'verified'",
        [{"run_id": one.run_id, "n": one.n} for one in some],
    )
