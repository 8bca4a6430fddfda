"""What is recorded of many cameras in a window, as intervals, from their `hour` rows alone; and what is not, with its cause."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from storage.catalog import coverage as rows
from storage.catalog.sqlite import Connection
from storage.gaps import Reason, explain_all
from storage.hours import unpack_spans
from storage.model import HOUR_US, CameraId, Gap

Interval = tuple[int, int]
"""From (inclusive) and to (exclusive), microseconds since 1970."""


def recorded(db: Connection, cameras: Collection[CameraId], from_us: int, to_us: int) -> dict[CameraId, list[Interval]]:
    """Of each camera with footage in the window: in order, cut to the window, joined where one begins where another ends."""
    ids = rows.as_ids(cameras)
    found: dict[CameraId, list[Interval]] = {}
    for first_us, last_us in _stretches(from_us, to_us):
        for camera_id, bits in rows.full_hours(db, ids, first_us, last_us):
            found.setdefault(camera_id, []).extend(_of_bits(first_us, bits))
        for camera_id, hour_us, packed in rows.part_hours(db, ids, first_us, last_us):
            spans = unpack_spans(packed)
            found.setdefault(camera_id, []).extend((hour_us + start, hour_us + end) for start, end, _ in spans)
    joined = {camera_id: union(some, from_us, to_us) for camera_id, some in found.items()}
    return {camera_id: some for camera_id, some in joined.items() if some}


def _stretches(from_us: int, to_us: int) -> Iterator[Interval]:
    """Whole hours that hold the window, MAX_HOURS at a time."""
    at_us = from_us // HOUR_US * HOUR_US
    while at_us < to_us:
        end_us = min(at_us + rows.MAX_HOURS * HOUR_US, -(-to_us // HOUR_US) * HOUR_US)
        yield at_us, end_us
        at_us = end_us


@lru_cache(maxsize=1024)
def _of_bits(first_us: int, bits: int) -> tuple[Interval, ...]:
    """Neighbouring hours as one interval. Most cameras of a city have the same bits."""
    made = []
    at = 0
    while bits >> at:
        if bits >> at & 1:
            end = at
            while bits >> end & 1:
                end += 1
            made.append((first_us + at * HOUR_US, first_us + end * HOUR_US))
            at = end
        else:
            at += 1
    return tuple(made)


def union(intervals: Iterable[Interval], from_us: int, to_us: int) -> list[Interval]:
    """Cut to the window, in order, joined where they touch or overlap."""
    joined: list[Interval] = []
    for begun_us, ended_us in sorted(intervals):
        start_us, end_us = max(begun_us, from_us), min(ended_us, to_us)
        if end_us <= start_us:
            continue
        if joined and start_us <= joined[-1][1]:
            if end_us > joined[-1][1]:
                joined[-1] = (joined[-1][0], end_us)
        else:
            joined.append((start_us, end_us))
    return joined


def cut(spans: Iterable[Interval], within: Sequence[Interval]) -> list[Interval]:
    """What of the spans lies in one of the intervals; both are in order."""
    return [
        (max(start_us, from_us), min(end_us, to_us))
        for start_us, end_us in spans
        for from_us, to_us in within
        if start_us < to_us and end_us > from_us
    ]


def holes(spans: Iterable[Interval], from_us: int, to_us: int) -> list[Interval]:
    """What intervals that are in order and do not overlap leave of the window."""
    left = []
    reach_us = from_us
    for start_us, end_us in spans:
        if start_us >= to_us:
            break
        if start_us > reach_us:
            left.append((reach_us, start_us))
        reach_us = max(reach_us, end_us)
    if to_us > reach_us:
        left.append((reach_us, to_us))
    return left


def length_us(intervals: Iterable[Interval]) -> int:
    return sum(end_us - start_us for start_us, end_us in intervals)


@dataclass(frozen=True, slots=True)
class Explained:
    """A camera's gaps, and the reasons that were known: they reach beyond the gaps."""

    gaps: list[Gap]
    reasons: list[Reason]


def explained(db: Connection, missing: Mapping[CameraId, Sequence[Interval]]) -> dict[CameraId, list[Gap]]:
    """The gaps of each camera that misses something, for its holes, which are in order: the same as its timeline tells."""
    return {camera_id: one.gaps for camera_id, one in reasoned(db, missing).items()}


def reasoned(
    db: Connection,
    missing: Mapping[CameraId, Sequence[Interval]],
    also: Mapping[CameraId, Sequence[Reason]] | None = None,
) -> dict[CameraId, Explained]:
    """As `explained`, with all that was known. `also`: further reasons."""
    asked = {camera_id: some for camera_id, some in missing.items() if some}
    if not asked:
        return {}
    window = (min(some[0][0] for some in asked.values()), max(some[-1][1] for some in asked.values()))
    known = rows.reasons(db, rows.as_ids(asked), *window)
    for camera_id, more in (also or {}).items():
        if camera_id in known:
            known[camera_id] += more
    made = {
        camera_id: Explained(explain_all(some, known[camera_id]), known[camera_id]) for camera_id, some in asked.items()
    }
    open_ = [camera_id for camera_id, some in asked.items() if _open(some, known[camera_id])]
    ends = rows.run_ends(db, rows.as_ids(open_), *window) if open_ else {}
    for camera_id, some in ends.items():
        if some:
            reasons = [*known[camera_id], *some]
            made[camera_id] = Explained(explain_all(asked[camera_id], reasons), reasons)
    return made


def _open(missing: Sequence[Interval], reasons: Sequence[Reason]) -> bool:
    """No reason speaks somewhere in the holes, though a gap may not show it: it belongs to its neighbour then."""
    spoken = union(
        [(one.from_us, one.to_us) for one in reasons if one.cause is not None], missing[0][0], missing[-1][1]
    )
    at = 0
    for start_us, end_us in missing:
        while at < len(spoken) and spoken[at][1] < end_us:
            at += 1
        if at == len(spoken) or spoken[at][0] > start_us:
            return True
    return False
