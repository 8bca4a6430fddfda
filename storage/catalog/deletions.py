"""Rows of `deletion`: footage that is gone, why, and what proves the rest of its day without it. Kept for ever.

Each is one stretch without a gap, of one UTC day. Footage of a camera goes piece by piece; what goes on where an earlier piece
ended, for the same reason, is one row with it: a day that has gone is a row with one hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from storage import merkle
from storage.catalog import days
from storage.catalog.sqlite import Connection
from storage.merkle import Node
from storage.model import CameraId, RunId, Segment
from storage.terms import DAY_US

LONGEST_BLOB = 1 << 14
"""A row that holds leaves grows no further: each piece would write all of them again."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """`at_us`: when the last of it went. `nodes`: see storage.merkle."""

    id: int
    camera_id: CameraId
    start_us: int
    end_us: int
    segments: int
    size_bytes: int
    nodes: bytes
    policy_id: int | None
    reason: str
    at_us: int


OF_DAY = (
    "SELECT id, camera_id, start_us, end_us, segments, bytes, merkle_nodes, policy_id, reason, at_us FROM deletion"
    " WHERE camera_id = :camera_id AND start_us >= :day_us AND start_us < :next_us ORDER BY start_us"
)


def of_day(db: Connection, camera_id: CameraId, day_us: int) -> list[Deletion]:
    """Those that start in a UTC day."""
    rows = db.execute(OF_DAY, {"camera_id": camera_id, "day_us": day_us, "next_us": day_us + DAY_US})
    return [Deletion(*row) for row in rows]


def nodes_of(deletions: Iterable[Deletion]) -> list[Node]:
    return [node for deletion in deletions for node in merkle.unpack_nodes(deletion.nodes)]


def set_nodes(db: Connection, deletion_id: int, nodes: bytes) -> None:
    db.execute("UPDATE deletion SET merkle_nodes = :nodes WHERE id = :id", {"nodes": nodes, "id": deletion_id})


def record(db: Connection, gone: Sequence[Segment], *, reason: str, at_us: int, policy_id: int | None) -> None:
    """Write down that these go, in the order of (camera, start), while their rows are still there."""
    for (camera_id, day_us), some in groupby(gone, key=lambda one: (one.camera_id, days.day_of(one.start_us))):
        _record_day(db, camera_id, day_us, list(some), reason, at_us, policy_id)


def _record_day(
    db: Connection,
    camera_id: CameraId,
    day_us: int,
    gone: list[Segment],
    reason: str,
    at_us: int,
    policy_id: int | None,
) -> None:
    closed = days.get(db, camera_id, day_us)
    known = of_day(db, camera_id, day_us)
    places = _places(db, camera_id, day_us, closed.leaves, known, gone[-1].start_us) if closed else {}
    ends = {one.end_us: one for one in known if (one.reason, one.policy_id) == (reason, policy_id)}
    for group in _consecutive(gone):
        earlier = ends.get(group[0].start_us)
        if earlier is not None and _grows(earlier, closed is not None):
            nodes = _nodes(group, closed, places, earlier.nodes)
            _extend(db, earlier, group, nodes, at_us)
        else:
            _insert(db, group, _nodes(group, closed, places, b""), reason, at_us, policy_id)


def _places(
    db: Connection, camera_id: CameraId, day_us: int, count: int, known: list[Deletion], last_us: int
) -> dict[tuple[RunId, int], int]:
    """The index in the day's tree of each segment that is left of it. Those that came late have none."""
    late = days.late_of(db, camera_id, day_us)
    keys = (key for key in days.keys_of(db, camera_id, day_us, last_us) if key not in late)
    return dict(zip(keys, merkle.free(nodes_of(known), count), strict=False))


def _grows(earlier: Deletion, closed: bool) -> bool:
    """Whether a piece may be added: the row's proof is of the same kind, and not too long to be written again."""
    if closed:
        return earlier.nodes[:1] == merkle.NODES and len(earlier.nodes) % 32 != 0
    return earlier.nodes[:1] == merkle.LEAVES and len(earlier.nodes) % 32 != 0 and len(earlier.nodes) < LONGEST_BLOB


def _nodes(group: list[Segment], closed: days.Day | None, places: dict[tuple[RunId, int], int], before: bytes) -> bytes:
    """What proves the day without this group, and without what `before` stands for."""
    if closed is None:
        return merkle.pack_leaves([*merkle.unpack_leaves(before), *map(merkle.leaf_of, group)])
    placed = [(places.get((one.run_id, one.n)), merkle.leaf_of(one)) for one in group]
    new = merkle.leaves((place, leaf.hash()) for place, leaf in placed if place is not None)
    return merkle.pack_nodes(merkle.cover([*merkle.unpack_nodes(before), *new], closed.leaves))


def _insert(db: Connection, group: list[Segment], nodes: bytes, reason: str, at_us: int, policy_id: int | None) -> None:
    db.execute(
        "INSERT INTO deletion (camera_id, start_us, end_us, segments, bytes, merkle_nodes, policy_id, reason, at_us)"
        " VALUES (:camera_id, :start_us, :end_us, :segments, :bytes, :nodes, :policy_id, :reason, :at_us)",
        {
            "camera_id": group[0].camera_id,
            "start_us": group[0].start_us,
            "end_us": group[-1].end_us,
            "segments": len(group),
            "bytes": sum(segment.size_bytes for segment in group),
            "nodes": nodes,
            "policy_id": policy_id,
            "reason": reason,
            "at_us": at_us,
        },
    )


def _extend(db: Connection, earlier: Deletion, group: list[Segment], nodes: bytes, at_us: int) -> None:
    db.execute(
        "UPDATE deletion SET end_us = :end_us, segments = segments + :segments, bytes = bytes + :bytes,"
        " merkle_nodes = :nodes, at_us = :at_us WHERE id = :id",
        {
            "end_us": group[-1].end_us,
            "segments": len(group),
            "bytes": sum(segment.size_bytes for segment in group),
            "nodes": nodes,
            "at_us": at_us,
            "id": earlier.id,
        },
    )


def _consecutive(ordered: list[Segment]) -> list[list[Segment]]:
    groups: list[list[Segment]] = []
    for segment in ordered:
        last = groups[-1][-1] if groups else None
        if last and last.run_id == segment.run_id and last.n + 1 == segment.n:
            groups[-1].append(segment)
        else:
            groups.append([segment])
    return groups
