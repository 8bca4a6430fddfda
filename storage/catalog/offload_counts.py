"""What is on its way to the object store, what is there, what failed: for people and alarms. Read from indexes and `hour`."""

from __future__ import annotations

from dataclasses import dataclass

from storage.catalog import object_garbage
from storage.catalog.sqlite import Connection
from storage.model import CameraId, RunId, Tier


@dataclass(frozen=True, slots=True)
class Count:
    segments: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """An upload that waits to be tried again."""

    camera_id: CameraId
    run_id: RunId
    n: int
    attempts: int
    next_try_us: int
    error: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """`oldest_us`: start of the oldest footage that waits. `tiers`: all footage by where it is. `failing`: of `queued`."""

    queued: Count
    uploading: Count
    oldest_us: int | None
    failing: int
    tiers: dict[Tier, Count]
    garbage: int
    garbage_failing: int


QUEUED = "SELECT count(*), coalesce(sum(size_bytes), 0), min(start_us) FROM offload WHERE state = 'queued'"
BUSY = "SELECT count(*), coalesce(sum(size_bytes), 0), min(start_us) FROM offload WHERE state IN ('uploading', 'gone')"
FAILING = "SELECT count(*) FROM offload WHERE error <> ''"
TIERS = "SELECT tier, sum(segments), sum(bytes) FROM hour GROUP BY tier"
ERRORS = (
    "SELECT camera_id, run_id, n, attempts, next_try_us, error FROM offload WHERE error <> ''"
    " ORDER BY next_try_us DESC LIMIT :limit"
)


def backlog(db: Connection) -> Backlog:
    queued = db.execute(QUEUED).fetchone()
    busy = db.execute(BUSY).fetchone()
    garbage, garbage_failing = object_garbage.counts(db)
    tiers = {Tier(row[0]): Count(int(row[1]), int(row[2])) for row in db.execute(TIERS)}
    return Backlog(
        queued=Count(int(queued[0]), int(queued[1])),
        uploading=Count(int(busy[0]), int(busy[1])),
        oldest_us=min((start for start in (queued[2], busy[2]) if start is not None), default=None),
        failing=int(db.execute(FAILING).fetchone()[0]),
        tiers={tier: tiers.get(tier, Count()) for tier in Tier},
        garbage=garbage,
        garbage_failing=garbage_failing,
    )


def failures(db: Connection, limit: int) -> list[Failure]:
    """Those with an error, the one that was put off longest first."""
    return [Failure(*row) for row in db.execute(ERRORS, {"limit": limit})]
