"""Gaps and their causes. Pure: what the segments leave uncovered, explained by what else the catalog knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise

from storage.model import Gap, Span


@dataclass(frozen=True, slots=True)
class Reason:
    """Something known of an interval. A larger `rank` wins where several speak; `cause` None says nothing."""

    from_us: int
    to_us: int
    cause: str | None
    detail: str
    rank: int


RANK_RUN_END = 1  # why the last process ended: what is left when nothing else speaks
RANK_STATE = 2
RANK_SERVER_DOWN = 3
RANK_BEFORE_CAMERA = 4
RANK_DELETED = 5

SHORT_US = 1_000_000
"""A stretch shorter than this is not told apart from its neighbour inside one gap."""


def join_spans(spans: Iterable[Span], from_us: int, to_us: int) -> list[Span]:
    """Cut to the window, without overlaps (what comes first stays), neighbours of one run joined."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.from_us, span.run_id)):
        start = max(span.from_us, from_us, joined[-1].to_us if joined else from_us)
        end = min(span.to_us, to_us)
        if end <= start:
            continue
        if joined and joined[-1].run_id == span.run_id and joined[-1].to_us == start:
            joined[-1] = Span(joined[-1].from_us, end, span.run_id)
        else:
            joined.append(Span(start, end, span.run_id))
    return joined


def uncovered(spans: Sequence[Span], from_us: int, to_us: int) -> list[tuple[int, int]]:
    """What `join_spans` leaves of the window."""
    holes = []
    reach = from_us
    for span in spans:
        if span.from_us > reach:
            holes.append((reach, span.from_us))
        reach = span.to_us
    if to_us > reach:
        holes.append((reach, to_us))
    return holes


def explain(hole: tuple[int, int], reasons: Sequence[Reason]) -> list[Gap]:
    """The hole as one gap or, where the cause changed inside it, several that tile it."""
    start, end = hole
    near = [reason for reason in reasons if reason.from_us < end and reason.to_us > start]
    if all(reason.from_us <= start and reason.to_us >= end for reason in near):  # most holes: nothing changes inside
        best = max((r for r in near if r.cause is not None), key=lambda r: (r.rank, r.from_us), default=None)
        return [_gap(start, end, best)]
    edges = sorted({start, end, *(e for r in near for e in (r.from_us, r.to_us) if start < e < end)})
    pieces: list[tuple[int, int, Reason | None]] = []
    coming = sorted((r for r in near if r.cause is not None), key=lambda r: r.from_us)
    speaking: list[tuple[int, int, int, Reason]] = []  # a heap: the largest rank first, of equal ones the latest
    begun = 0
    for left, right in pairwise(edges):
        while begun < len(coming) and coming[begun].from_us <= left:
            reason = coming[begun]
            heappush(speaking, (-reason.rank, -reason.from_us, begun, reason))
            begun += 1
        while speaking and speaking[0][3].to_us <= left:
            heappop(speaking)
        best = speaking[0][3] if speaking else None
        last = pieces[-1] if pieces else None
        if last and _same(last[2], best):
            pieces[-1] = (last[0], right, last[2])
        else:
            pieces.append((left, right, best))
    return [_gap(*piece) for piece in _merge_short(pieces)]


def _gap(left: int, right: int, reason: Reason | None) -> Gap:
    return Gap(left, right, reason.cause if reason and reason.cause else "unknown", reason.detail if reason else "")


def explain_all(holes: Iterable[tuple[int, int]], reasons: Iterable[Reason]) -> list[Gap]:
    """As `explain` for each of the holes, which come in the order of time; a reason is looked at where it speaks only."""
    coming = sorted(reasons, key=lambda r: r.from_us)
    near: list[Reason] = []
    begun = 0
    gaps: list[Gap] = []
    for start, end in holes:
        while begun < len(coming) and coming[begun].from_us < end:
            near.append(coming[begun])
            begun += 1
        near = [reason for reason in near if reason.to_us > start]
        gaps += explain((start, end), near)
    return gaps


def _same(one: Reason | None, other: Reason | None) -> bool:
    return one is other or (one is not None and other is not None and one.cause == other.cause)


def _merge_short(
    pieces: list[tuple[int, int, Reason | None]],
) -> list[tuple[int, int, Reason | None]]:
    """Give short and unexplained pieces to a neighbour: the one before, for the first the one behind."""
    merged: list[tuple[int, int, Reason | None]] = []
    for left, right, reason in pieces:
        weak = right - left < SHORT_US or reason is None
        if merged and (weak or _same(merged[-1][2], reason)):
            merged[-1] = (merged[-1][0], right, merged[-1][2])
        elif merged and (merged[-1][2] is None or merged[-1][1] - merged[-1][0] < SHORT_US):
            merged[-1] = (merged[-1][0], right, reason)
        else:
            merged.append((left, right, reason))
    return merged
