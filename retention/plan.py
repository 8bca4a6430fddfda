"""The plan: what goes, why, and in which order. Pure, from hours to a cut time for each camera and volume.

Without pressure only what is due goes: beyond `max_days`, local copies beyond `local_days`, and what is over a quota. A volume
that needs room sheds more, and each step begins only when the one before has nothing left there:

    1. what is due anyway
    2. "offloaded"   local copies of what the object store has, the oldest first
    3. "above_min"   what is older than its camera's minimum, by how much it is: most first
    4. "below_min"   the rest, the lowest priority first, the oldest first

Held footage is never planned. A cut names a time, not files: the sweeper takes what *ends* by it, and looks at the holds again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from storage.model import CameraId, Tier, VolumeId
from storage.terms import DAY_US, Terms
from storage.usage import HourUse

__all__ = ["Cut", "HourUse", "Interval", "Plan", "VolumeNeed", "held", "joined", "max_cut_us", "min_cut_us", "plan"]

Kind = Literal["delete", "drop_local", "delete_remote"]
Reason = Literal["max_days", "local_days", "quota", "offloaded", "above_min", "below_min"]
Interval = tuple[int, int]

ORDER: tuple[Reason, ...] = ("max_days", "local_days", "quota", "offloaded", "above_min", "below_min")
"""Of shedding. Cuts come in this order."""


@dataclass(frozen=True, slots=True)
class VolumeNeed:
    """`need_bytes` > 0: so much must go now, whatever was promised."""

    volume_id: VolumeId
    free_bytes: int
    total_bytes: int
    need_bytes: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Of a camera on a volume, what ends by `before_us` goes, held footage left out. `segments`, `bytes`: how much that is,
    an estimate where an hour goes in part. `oldest_us`: nothing of it starts earlier."""

    kind: Kind
    camera_id: CameraId
    volume_id: VolumeId
    before_us: int
    reason: Reason
    segments: int
    bytes: int
    oldest_us: int


@dataclass(frozen=True, slots=True)
class Plan:
    """`cuts` in the order in which they are to be made. `short`: bytes a volume needs and no cut can give: what is left there
    is held."""

    cuts: tuple[Cut, ...] = ()
    short: Mapping[VolumeId, int] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        return sum(cut.bytes for cut in self.cuts)


def max_cut_us(now_us: int, terms: Terms) -> int:
    return now_us - terms.max_days * DAY_US


def min_cut_us(now_us: int, terms: Terms) -> int:
    return now_us - min(terms.min_days, terms.max_days) * DAY_US


def joined(intervals: Iterable[Interval]) -> list[Interval]:
    """In order, overlapping and touching ones made one."""
    made: list[Interval] = []
    for start_us, end_us in sorted(intervals):
        if made and start_us <= made[-1][1]:
            made[-1] = (made[-1][0], max(made[-1][1], end_us))
        elif end_us > start_us:
            made.append((start_us, end_us))
    return made


def held(holds: Sequence[Interval], from_us: int, to_us: int) -> int:
    """Of [from_us, to_us), how much lies in these joined intervals. An empty one counts as a microsecond."""
    to_us = max(to_us, from_us + 1)
    total = 0
    for start_us, end_us in holds[max(0, bisect_right(holds, (from_us, from_us)) - 1) :]:
        if start_us >= to_us:
            break
        total += max(0, min(end_us, to_us) - max(start_us, from_us))
    return total


@dataclass(slots=True)
class _Piece:
    """A row that is not wholly held. `free`: the share of it that may go; `sure`: all of it goes when its cut is made."""

    row: HourUse
    free: float
    until_us: int
    gone: bool = False

    @property
    def sure(self) -> bool:
        return self.free == 1.0


@dataclass(slots=True)
class _Sum:
    before_us: int
    oldest_us: int
    segments: float = 0
    bytes: float = 0


class _Cuts:
    """Collects cuts; `freed`: bytes that each volume is sure to gain."""

    def __init__(self) -> None:
        self._sums: dict[tuple[Reason, Kind, CameraId, VolumeId], _Sum] = {}
        self.freed: dict[VolumeId, int] = {}

    def add(self, piece: _Piece, reason: Reason, before_us: int, share: float = 1.0) -> None:
        """`share`: of what may go of it; below 1 its end lies beyond the cut."""
        row = piece.row
        key = (reason, _kind(row.tier, reason), row.camera_id, row.volume_id)
        found = self._sums.get(key)
        if found is None:
            found = self._sums[key] = _Sum(before_us, row.hour_us)
        found.before_us = max(found.before_us, before_us)
        found.oldest_us = min(found.oldest_us, row.hour_us)
        found.segments += row.segments * piece.free * share
        found.bytes += row.bytes * piece.free * share
        if share == 1.0:
            piece.gone = True
            if piece.sure and row.tier is not Tier.REMOTE:
                self.freed[row.volume_id] = self.freed.get(row.volume_id, 0) + row.bytes

    def listing(self) -> Iterator[Cut]:
        """Within a reason in the order in which the first piece of each was added."""
        for reason in ORDER:
            for (why, kind, camera_id, volume_id), total in self._sums.items():
                if why == reason:
                    size = (round(total.segments), round(total.bytes))
                    yield Cut(kind, camera_id, volume_id, total.before_us, reason, *size, total.oldest_us)


def _kind(tier: Tier, reason: Reason) -> Kind:
    """Only age takes the copy in the object store; a disk that needs room takes the local one."""
    if tier is Tier.REMOTE:
        return "delete_remote"
    return "drop_local" if tier is Tier.BOTH and reason != "max_days" else "delete"


def plan(
    now_us: int,
    terms: Mapping[CameraId, Terms],
    holds: Mapping[CameraId, Sequence[Interval]],
    needs: Sequence[VolumeNeed],
    rows: Sequence[HourUse],
    *,
    by_age: bool = True,
) -> Plan:
    """What must go at `now_us`. Footage of cameras without terms stays. The same input gives the same plan.

    `by_age` False, for a clock that is not trusted: only what a volume needs goes, nothing because of its age alone.
    """
    pieces = list(_pieces(terms, holds, rows))
    cuts = _Cuts()
    if by_age:
        _due(now_us, terms, pieces, cuts)
        _over_quota(now_us, terms, pieces, cuts)
    short: dict[VolumeId, int] = {}
    for need in sorted(needs, key=lambda need: need.volume_id):
        left = need.need_bytes - cuts.freed.get(need.volume_id, 0)
        if left > 0:
            here = [p for p in pieces if p.row.volume_id == need.volume_id and not p.gone]
            left = _shed(now_us, terms, here, left, cuts)
        if left > 0:
            short[need.volume_id] = left
    return Plan(tuple(cuts.listing()), short)


def _pieces(
    terms: Mapping[CameraId, Terms], holds: Mapping[CameraId, Sequence[Interval]], rows: Sequence[HourUse]
) -> Iterator[_Piece]:
    intervals = {camera_id: joined(some) for camera_id, some in holds.items()}
    for row in sorted(rows, key=lambda row: (row.hour_us, row.camera_id, row.volume_id, row.tier)):
        if row.camera_id not in terms or row.segments == 0:
            continue
        until_us = row.until_us
        free = 1.0
        if row.camera_id in intervals and (kept := held(intervals[row.camera_id], row.hour_us, until_us)):
            whole = until_us - row.hour_us
            free = 0.0 if row.segments == 1 or kept >= whole else 1 - kept / whole
        if free > 0:
            yield _Piece(row, free, until_us)


def _due(now_us: int, terms: Mapping[CameraId, Terms], pieces: Sequence[_Piece], cuts: _Cuts) -> None:
    for piece in pieces:
        row, promised = piece.row, terms[piece.row.camera_id]
        cut_us = max_cut_us(now_us, promised)
        if share := _share(piece, cut_us):
            cuts.add(piece, "max_days", cut_us, share)
        elif row.tier is Tier.BOTH and promised.local_days is not None:
            cut_us = now_us - promised.local_days * DAY_US
            if share := _share(piece, cut_us):
                cuts.add(piece, "local_days", cut_us, share)


def _share(piece: _Piece, cut_us: int) -> float:
    """How much of a piece ends by then: 1 only where all of it does, 0 for a single segment that does not."""
    if piece.until_us <= cut_us:
        return 1.0
    if piece.row.segments == 1:
        return 0.0
    return max(0.0, min(0.99, (cut_us - piece.row.hour_us) / (piece.until_us - piece.row.hour_us)))


def _over_quota(now_us: int, terms: Mapping[CameraId, Terms], pieces: Sequence[_Piece], cuts: _Cuts) -> None:
    """The oldest of a camera goes until the rest fits, but never what is younger than its minimum."""
    of_camera: dict[CameraId, list[_Piece]] = {}
    for piece in pieces:
        if terms[piece.row.camera_id].quota_bytes is not None and piece.row.tier is not Tier.REMOTE and not piece.gone:
            of_camera.setdefault(piece.row.camera_id, []).append(piece)
    for camera_id, some in sorted(of_camera.items()):
        promised = terms[camera_id]
        over = sum(piece.row.bytes for piece in some) - (promised.quota_bytes or 0)
        floor_us = min_cut_us(now_us, promised)
        for piece in some:
            if over <= 0:
                break
            if piece.until_us <= floor_us:
                cuts.add(piece, "quota", piece.until_us)
                over -= piece.row.bytes if piece.sure else 0


def _shed(now_us: int, terms: Mapping[CameraId, Terms], here: Sequence[_Piece], left: int, cuts: _Cuts) -> int:
    """Steps 2 to 4 on one volume; answers what they could not give."""
    floors = {camera_id: min_cut_us(now_us, promised) for camera_id, promised in terms.items()}

    def over(piece: _Piece) -> int:
        return floors[piece.row.camera_id] - piece.row.hour_us

    local = [piece for piece in here if piece.row.tier is Tier.LOCAL]
    above = [piece for piece in local if piece.until_us <= floors[piece.row.camera_id]]
    below = [piece for piece in local if piece.until_us > floors[piece.row.camera_id]]
    steps: tuple[tuple[Reason, list[_Piece]], ...] = (
        ("offloaded", [piece for piece in here if piece.row.tier is Tier.BOTH]),  # they are in the order of time
        ("above_min", sorted(above, key=over, reverse=True)),
        ("below_min", sorted(below, key=lambda piece: (terms[piece.row.camera_id].priority, piece.row.hour_us))),
    )
    for reason, some in steps:
        for piece in some:
            if left <= 0:
                return left
            cuts.add(piece, reason, piece.until_us)
            left -= piece.row.bytes if piece.sure else 0
    return left
