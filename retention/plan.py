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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
DUE = frozenset(ORDER[:3])
"""What goes without any pressure."""


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
    """A row that is not wholly held. `free`: the share of it that may go; 1: all of it is sure to go when its cut is made."""

    row: HourUse
    until_us: int
    free: float = 1.0
    gone: bool = False


@dataclass(frozen=True, slots=True)
class _Limits:
    """A camera's promise as instants: what ends by `max_us` is due, local copies by `local_us`, by `min_us` not due yet."""

    max_us: int
    local_us: int
    min_us: int
    priority: int

    @property
    def due_us(self) -> int:
        return max(self.max_us, self.local_us)


def _limits(now_us: int, terms: Terms) -> _Limits:
    local_us = 0 if terms.local_days is None else now_us - terms.local_days * DAY_US
    return _Limits(max_cut_us(now_us, terms), local_us, min_cut_us(now_us, terms), terms.priority)


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
            if piece.free == 1.0 and row.tier is not Tier.REMOTE:
                self.freed[row.volume_id] = self.freed.get(row.volume_id, 0) + row.bytes

    def listing(self) -> Iterator[Cut]:
        """What is due by camera and volume; what is shed in the order in which the first piece of each was added."""
        made = [
            Cut(
                kind,
                camera_id,
                volume_id,
                total.before_us,
                why,
                round(total.segments),
                round(total.bytes),
                total.oldest_us,
            )
            for (why, kind, camera_id, volume_id), total in self._sums.items()
        ]
        for reason in ORDER:
            some = [cut for cut in made if cut.reason == reason]
            yield from sorted(some, key=_place) if reason in DUE else some


def _place(cut: Cut) -> tuple[CameraId, VolumeId, Kind]:
    return cut.camera_id, cut.volume_id, cut.kind


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
    """What must go at `now_us`. Footage of cameras without terms stays. The same input, in any order, gives the same plan.

    `by_age` False, for a clock that is not trusted: only what a volume needs goes, nothing because of its age alone.
    """
    limits = {camera_id: _limits(now_us, promised) for camera_id, promised in terms.items()}
    pieces = list(_pieces(limits, holds, rows))
    cuts = _Cuts()
    if by_age:
        _due(limits, pieces, cuts)
        _over_quota(terms, limits, pieces, cuts)
    short: dict[VolumeId, int] = {}
    for need in sorted(needs, key=lambda need: need.volume_id):
        left = need.need_bytes - cuts.freed.get(need.volume_id, 0)
        if left > 0:
            here = [piece for piece in pieces if piece.row.volume_id == need.volume_id and not piece.gone]
            left = _shed(limits, here, left, cuts)
        if left > 0:
            short[need.volume_id] = left
    return Plan(tuple(cuts.listing()), short)


def _pieces(
    limits: Mapping[CameraId, _Limits], holds: Mapping[CameraId, Sequence[Interval]], rows: Sequence[HourUse]
) -> Iterator[_Piece]:
    intervals = {camera_id: joined(some) for camera_id, some in holds.items()}
    for row in rows:
        if row.camera_id not in limits or row.segments == 0:
            continue
        piece = _Piece(row, row.until_us)
        if row.camera_id in intervals and (kept := held(intervals[row.camera_id], row.hour_us, piece.until_us)):
            whole = piece.until_us - row.hour_us
            if row.segments == 1 or kept >= whole:
                continue
            piece.free = 1 - kept / whole
        yield piece


def _due(limits: Mapping[CameraId, _Limits], pieces: Sequence[_Piece], cuts: _Cuts) -> None:
    due_us = {camera_id: limit.due_us for camera_id, limit in limits.items()}
    for piece in pieces:
        row = piece.row
        if row.hour_us >= due_us[row.camera_id]:
            continue
        limit = limits[row.camera_id]
        if share := _share(piece, limit.max_us):
            cuts.add(piece, "max_days", limit.max_us, share)
        elif row.tier is Tier.BOTH and (share := _share(piece, limit.local_us)):
            cuts.add(piece, "local_days", limit.local_us, share)


def _share(piece: _Piece, cut_us: int) -> float:
    """How much of a piece ends by then: 1 only where all of it does, 0 for a single segment that does not."""
    if piece.until_us <= cut_us:
        return 1.0
    if piece.row.segments == 1:
        return 0.0
    return max(0.0, min(0.99, (cut_us - piece.row.hour_us) / (piece.until_us - piece.row.hour_us)))


def _by_time(piece: _Piece) -> tuple[int, CameraId, VolumeId, Tier]:
    return piece.row.hour_us, piece.row.camera_id, piece.row.volume_id, piece.row.tier


def _over_quota(
    terms: Mapping[CameraId, Terms], limits: Mapping[CameraId, _Limits], pieces: Sequence[_Piece], cuts: _Cuts
) -> None:
    """The oldest of a camera goes until the rest fits, but never what is younger than its minimum."""
    quotas = {camera_id: some.quota_bytes for camera_id, some in terms.items() if some.quota_bytes is not None}
    if not quotas:
        return
    of_camera: dict[CameraId, list[_Piece]] = {}
    for piece in pieces:
        if piece.row.camera_id in quotas and piece.row.tier is not Tier.REMOTE and not piece.gone:
            of_camera.setdefault(piece.row.camera_id, []).append(piece)
    for camera_id, some in of_camera.items():
        over = sum(piece.row.bytes for piece in some) - quotas[camera_id]
        for piece in sorted(some, key=_by_time):
            if over <= 0:
                break
            if piece.until_us <= limits[camera_id].min_us:
                cuts.add(piece, "quota", piece.until_us)
                over -= piece.row.bytes if piece.free == 1.0 else 0


def _shed(limits: Mapping[CameraId, _Limits], here: Sequence[_Piece], left: int, cuts: _Cuts) -> int:
    """Steps 2 to 4 on one volume; answers what they could not give."""
    floors = {camera_id: limit.min_us for camera_id, limit in limits.items()}

    def least_over(piece: _Piece) -> tuple[int, int, CameraId]:
        return piece.row.hour_us - floors[piece.row.camera_id], piece.row.hour_us, piece.row.camera_id

    def lowest(piece: _Piece) -> tuple[int, int, CameraId]:
        return limits[piece.row.camera_id].priority, piece.row.hour_us, piece.row.camera_id

    local = [piece for piece in here if piece.row.tier is Tier.LOCAL]
    above = [piece for piece in local if piece.until_us <= floors[piece.row.camera_id]]
    left = _take([piece for piece in here if piece.row.tier is Tier.BOTH], _by_time, "offloaded", left, cuts)
    left = _take(above, least_over, "above_min", left, cuts)
    below = [piece for piece in local if piece.until_us > floors[piece.row.camera_id]] if left > 0 else []
    return _take(below, lowest, "below_min", left, cuts)


def _take(
    some: Sequence[_Piece], order: Callable[[_Piece], tuple[int, ...]], reason: Reason, left: int, cuts: _Cuts
) -> int:
    """The first of them in that order, until nothing is `left` to be freed; answers what is."""
    for piece in sorted(some, key=order) if left > 0 else ():
        if left <= 0:
            break
        cuts.add(piece, reason, piece.until_us)
        left -= piece.row.bytes if piece.free == 1.0 else 0
    return left
