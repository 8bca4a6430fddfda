"""Rows of `offload`: the queue of segments on their way to the object store, and where there each one is.

    queued -> uploading -> verified            the segment's tier becomes BOTH with `verified`; REMOTE is the sweeper's
                       \\-> queued              what failed, and what a server that died was at
    any -> (row removed, object_garbage)       the segment was deleted; `gone` while its upload still runs

A key is written before the first byte is sent: whatever is in the bucket, a row here or in `object_garbage` names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from storage.catalog import object_garbage, segments
from storage.catalog.sqlite import Connection
from storage.model import HOUR_US, CameraId, RunId, Segment, Tier

IN_STORE = ("verified", "remote")


@dataclass(frozen=True, slots=True)
class Work:
    """A segment that was claimed for upload. `attempts`: with this one."""

    segment: Segment
    code: str  # the camera's
    key: str
    storage_class: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What the store has, checked. `checksum`: as it gave it back; `legal_hold`: it is set on the object."""

    run_id: RunId
    n: int
    key: str
    version_id: str
    checksum: str
    legal_hold: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the bucket a segment is, or will be."""

    key: str
    version_id: str
    storage_class: str


WAITING = (
    "SELECT DISTINCT hour_us FROM hour WHERE camera_id = :camera_id AND hour_us >= :from_us AND hour_us < :before_us"
    " AND tier = :local ORDER BY hour_us LIMIT :limit"
)


def hours_local(db: Connection, camera_id: CameraId, from_us: int, before_us: int, limit: int) -> list[int]:
    """Hours of a camera with footage that is on its volume alone, in order."""
    values = {
        "camera_id": camera_id,
        "from_us": from_us,
        "before_us": before_us,
        "local": int(Tier.LOCAL),
        "limit": limit,
    }
    return [int(row[0]) for row in db.execute(WAITING, values)]


QUEUE = (
    "INSERT INTO offload (run_id, n, camera_id, start_us, end_us, size_bytes, state, attempts, next_try_us, key, version_id,"
    " checksum, storage_class, error)"
    " SELECT run_id, n, camera_id, start_us, start_us + dur_us, size_bytes, 'queued', 0, :hour_us, '', '', '',"
    " :storage_class, '' FROM segment WHERE camera_id = :camera_id AND start_us >= :hour_us AND start_us < :end_us"
    " AND start_us + dur_us <= :before_us AND tier = :local ON CONFLICT DO NOTHING"
)


def queue_hour(db: Connection, camera_id: CameraId, hour_us: int, before_us: int, storage_class: str) -> int:
    """Queue what starts in that hour, ended by `before_us`, is local alone and not queued yet. How many that were."""
    values = {
        "camera_id": camera_id,
        "hour_us": hour_us,
        "end_us": hour_us + HOUR_US,
        "before_us": before_us,
        "storage_class": storage_class,
        "local": int(Tier.LOCAL),
    }
    return int(db.execute(QUEUE, values).rowcount)


NEXT = (
    "SELECT run_id, n FROM offload WHERE state = 'queued' AND next_try_us <= :now_us"
    " ORDER BY next_try_us, run_id, n LIMIT :limit"
)


def claim(db: Connection, now_us: int, limit: int, key_of: Callable[[Segment], str]) -> list[Work]:
    """The next to upload, now `uploading`. A queued row whose segment is gone becomes garbage here."""
    made = []
    for run_id, n in db.execute(NEXT, {"now_us": now_us, "limit": limit}).fetchall():
        segment = segments.get(db, RunId(run_id), n)
        row = {"run_id": run_id, "n": n}
        if segment is None:
            _drop(db, RunId(run_id), n, reason="deleted", at_us=now_us)
            continue
        values = {**row, "key": key_of(segment)}
        db.execute(
            "UPDATE offload SET state = 'uploading', attempts = attempts + 1,"
            " key = CASE key WHEN '' THEN :key ELSE key END WHERE run_id = :run_id AND n = :n",
            values,
        )
        found = db.execute(
            "SELECT camera.code, offload.key, offload.storage_class, offload.attempts FROM offload"
            " JOIN camera ON camera.id = offload.camera_id WHERE run_id = :run_id AND n = :n",
            row,
        ).fetchone()
        if found is not None:
            made.append(Work(segment, *found))
    return made


def fail(db: Connection, run_id: RunId, n: int, *, error: str, next_try_us: int, at_us: int) -> None:
    """An upload that did not succeed goes back to the queue; of a segment that was deleted meanwhile garbage is left."""
    state = _state(db, run_id, n)
    if state == "gone":
        _drop(db, run_id, n, reason="deleted", at_us=at_us)
    elif state == "uploading":
        db.execute(
            "UPDATE offload SET state = 'queued', error = :error, next_try_us = :next_try_us"
            " WHERE run_id = :run_id AND n = :n",
            {"run_id": run_id, "n": n, "error": error, "next_try_us": next_try_us},
        )


def finish(db: Connection, uploaded: Sequence[Uploaded], at_us: int) -> int:
    """They are in the store, and checked: tier BOTH. What was deleted meanwhile becomes garbage. How many are verified."""
    both = []
    for one in uploaded:
        segment = segments.get(db, one.run_id, one.n)
        state = _state(db, one.run_id, one.n)
        if segment is not None and state in IN_STORE:
            continue
        if segment is None or state != "uploading":
            _drop(db, one.run_id, one.n, reason="deleted", at_us=at_us, version_id=one.version_id)
            continue
        db.execute(
            "UPDATE offload SET state = 'verified', version_id = :version_id, checksum = :checksum,"
            " legal_hold = :legal_hold, error = '' WHERE run_id = :run_id AND n = :n",
            {
                "run_id": one.run_id,
                "n": one.n,
                "version_id": one.version_id,
                "checksum": one.checksum,
                "legal_hold": int(one.legal_hold),
            },
        )
        both.append(segment)
    segments.set_tier(db, (segment for segment in both if segment.tier is Tier.LOCAL), Tier.BOTH)
    return len(both)


def recover(db: Connection, at_us: int) -> int:
    """At the start of a server: nothing is being uploaded. How many go back to the queue."""
    busy = "SELECT run_id, n, state FROM offload WHERE state IN ('uploading', 'gone')"
    back = 0
    for run_id, n, state in db.execute(busy).fetchall():
        if state == "gone":
            _drop(db, RunId(run_id), n, reason="deleted", at_us=at_us)
        else:
            back += 1
            db.execute(
                "UPDATE offload SET state = 'queued' WHERE run_id = :run_id AND n = :n", {"run_id": run_id, "n": n}
            )
    return back


def removed(db: Connection, gone: Iterable[tuple[RunId, int]], *, reason: str, at_us: int) -> int:
    """In the transaction that deletes segments: their objects become garbage. How many there may be.

    One whose upload runs now keeps its row, as `gone`, until that upload has ended: only then is it known what is there.
    """
    found = 0
    for run_id, n in gone:
        if _state(db, run_id, n) == "uploading":
            found += 1
            db.execute(
                "UPDATE offload SET state = 'gone' WHERE run_id = :run_id AND n = :n", {"run_id": run_id, "n": n}
            )
        else:
            found += _drop(db, run_id, n, reason=reason, at_us=at_us)
    return found


def _drop(db: Connection, run_id: RunId, n: int, *, reason: str, at_us: int, version_id: str = "") -> bool:
    """The row goes; where it names a key, the object is garbage. Whether it did. `version_id`: of an upload that just ended."""
    row = db.execute(
        "DELETE FROM offload WHERE run_id = :run_id AND n = :n RETURNING key, version_id, start_us, end_us",
        {"run_id": run_id, "n": n},
    ).fetchone()
    if row is None or not row[0]:
        return False
    span = (row[2], row[3])
    object_garbage.add(db, row[0], row[1] or version_id, reason=reason, at_us=at_us, span=span)
    return True


def _state(db: Connection, run_id: RunId, n: int) -> str | None:
    row = db.execute(
        "SELECT state FROM offload WHERE run_id = :run_id AND n = :n", {"run_id": run_id, "n": n}
    ).fetchone()
    return str(row[0]) if row else None


def remember(db: Connection, segment: Segment, *, key: str, version_id: str, checksum: str, storage_class: str) -> None:
    """That the store has a segment, where nobody knew: after a lost catalog. One that is known stays as it is."""
    db.execute(
        "INSERT INTO offload (run_id, n, camera_id, start_us, end_us, size_bytes, state, attempts, next_try_us, key,"
        " version_id, checksum, storage_class, error) VALUES (:run_id, :n, :camera_id, :start_us, :end_us, :size_bytes,"
        " 'verified', 1, :start_us, :key, :version_id, :checksum, :storage_class, '') ON CONFLICT DO NOTHING",
        {
            "run_id": segment.run_id,
            "n": segment.n,
            "camera_id": segment.camera_id,
            "start_us": segment.start_us,
            "end_us": segment.end_us,
            "size_bytes": segment.size_bytes,
            "key": key,
            "version_id": version_id,
            "checksum": checksum,
            "storage_class": storage_class,
        },
    )


def verified(db: Connection, run_id: RunId, n: int) -> bool:
    """The store has these bytes, checked: the local copy may go."""
    return _state(db, run_id, n) in IN_STORE


def place(db: Connection, run_id: RunId, n: int) -> Place | None:
    """Where a verified one is."""
    row = db.execute(
        "SELECT key, version_id, storage_class FROM offload WHERE run_id = :run_id AND n = :n"
        " AND state IN ('verified', 'remote')",
        {"run_id": run_id, "n": n},
    ).fetchone()
    return Place(*row) if row else None


def known_as(db: Connection, run_id: RunId, n: int) -> Place | None:
    """What a segment's row says of its object, whatever its state."""
    row = db.execute(
        "SELECT key, version_id, storage_class FROM offload WHERE run_id = :run_id AND n = :n",
        {"run_id": run_id, "n": n},
    ).fetchone()
    return Place(*row) if row else None


def retry(db: Connection) -> int:
    """Whatever waits after an error may be tried now. How many those are."""
    return int(
        db.execute(
            "UPDATE offload SET next_try_us = start_us WHERE state = 'queued' AND error <> '' AND next_try_us > start_us"
        ).rowcount
    )


UNHELD = (
    "SELECT offload.run_id, offload.n, offload.key, offload.version_id FROM segment"
    " JOIN offload ON offload.run_id = segment.run_id AND offload.n = segment.n"
    " WHERE segment.camera_id = :camera_id AND segment.start_us >= :from_us - 900000000 AND segment.start_us < :to_us"
    " AND segment.start_us + segment.dur_us > :from_us AND offload.legal_hold = 0"
    " AND offload.state IN ('verified', 'remote') ORDER BY segment.start_us LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class Holdable:
    run_id: RunId
    n: int
    key: str
    version_id: str


def without_legal_hold(db: Connection, camera_id: CameraId, from_us: int, to_us: int, limit: int) -> list[Holdable]:
    """Objects of footage in [from_us, to_us) that have none yet."""
    values = {"camera_id": camera_id, "from_us": from_us, "to_us": to_us, "limit": limit}
    return [Holdable(*row) for row in db.execute(UNHELD, values)]


HELD = (
    "SELECT offload.run_id, offload.n, offload.key, offload.version_id, offload.camera_id, offload.start_us,"
    " segment.dur_us FROM offload JOIN segment ON segment.run_id = offload.run_id AND segment.n = offload.n"
    " WHERE offload.legal_hold = 1 AND (offload.camera_id, offload.start_us) > (:camera_id, :after_us)"
    " ORDER BY offload.camera_id, offload.start_us LIMIT :limit"
)


def with_legal_hold(
    db: Connection, after: tuple[int, int], limit: int
) -> list[tuple[Holdable, CameraId, tuple[int, int]]]:
    """Objects that have one, with camera and [start, end), after (camera, start)."""
    values = {"camera_id": after[0], "after_us": after[1], "limit": limit}
    return [
        (Holdable(*row[:4]), CameraId(row[4]), (row[5], row[5] + row[6]))
        for row in map(tuple, db.execute(HELD, values))
    ]


def set_legal_hold(db: Connection, one: Holdable, *, on: bool) -> None:
    """As it is on the object now."""
    db.execute(
        "UPDATE offload SET legal_hold = :on WHERE run_id = :run_id AND n = :n",
        {"on": int(on), "run_id": one.run_id, "n": one.n},
    )
