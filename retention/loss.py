"""What shorter terms would delete, counted from the `hour` rows, so to the hour. Only reads.

Footage of an hour that a hold touches is left out, as is what the terms in force would delete by then anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from retention.effective import NO_QUOTA
from retention.settle import quota, shortens
from storage.catalog import hour_sums
from storage.catalog.hour_sums import Sum
from storage.catalog.sqlite import Connection
from storage.model import HOUR_US, MAX_SEGMENT_US, CameraId, Tier, VolumeId
from storage.terms import DAY_US, Terms

Interval = tuple[int, int]
FOREVER_US = 1 << 61


@dataclass(frozen=True, slots=True)
class Loss:
    """`local`: segments and bytes that leave each volume. `bytes` counts footage once, wherever it is."""

    segments: int = 0
    bytes: int = 0
    remote_bytes: int = 0
    oldest_us: int | None = None
    local: tuple[tuple[VolumeId, int, int], ...] = ()


def summed(parts: Iterable[Sum]) -> Loss:
    segments = size = remote = 0
    oldest_us: int | None = None
    local: dict[VolumeId, tuple[int, int]] = {}
    for part in parts:
        segments += part.segments
        size += part.bytes
        oldest_us = part.oldest_us if oldest_us is None else min(oldest_us, part.oldest_us)
        if part.tier is not Tier.LOCAL:
            remote += part.bytes
        if part.tier is not Tier.REMOTE:
            had = local.get(part.volume_id, (0, 0))
            local[part.volume_id] = (had[0] + part.segments, had[1] + part.bytes)
    return Loss(segments, size, remote, oldest_us, tuple((volume, *counts) for volume, counts in sorted(local.items())))


def loss(db: Connection, camera_id: CameraId, old: Terms, new: Terms, held: Sequence[Interval], at_us: int) -> Loss:
    """Of a camera, when `new` comes into force at `at_us` in the place of `old`."""
    if not shortens(old, new):
        return Loss()
    if not held:
        if quota(new) == quota(old) == NO_QUOTA:
            return summed(hour_sums.between(db, camera_id, _beyond(at_us, old), _beyond(at_us, new)))
        limits, anyway = (_beyond(at_us, new), quota(new)), (_beyond(at_us, old), quota(old))
        return summed(hour_sums.beyond(db, camera_id, new=limits, anyway=anyway))
    rows = hour_sums.each_between(db, camera_id, 0, FOREVER_US)
    anyway_gone = {(row.oldest_us, row.volume_id, row.tier) for row in going(rows, old, held, at_us)}
    lost = going(rows, new, held, at_us)
    return summed(row for row in lost if (row.oldest_us, row.volume_id, row.tier) not in anyway_gone)


def going(rows: Sequence[Sum], terms: Terms, held: Sequence[Interval], at_us: int) -> list[Sum]:
    """Of a camera's hours, the oldest first, those that go: beyond the days, then beyond the quota. Pure."""
    free = [row for row in rows if not _is_held(row, held)]
    beyond_us = _beyond(at_us, terms)
    gone = [row for row in free if row.oldest_us < beyond_us]
    excess = sum(row.bytes for row in rows) - sum(row.bytes for row in gone) - quota(terms)
    for row in free[len(gone) :]:
        if excess <= 0:
            break
        gone.append(row)
        excess -= row.bytes
    return gone


def _beyond(at_us: int, terms: Terms) -> int:
    """Hours that start before it are, at least in part, older than the terms' days."""
    cut_us = at_us - terms.max_days * DAY_US
    return cut_us + -cut_us % HOUR_US


def _is_held(row: Sum, held: Sequence[Interval]) -> bool:
    """A segment that starts in an hour may reach into the next."""
    end_us = row.oldest_us + HOUR_US + MAX_SEGMENT_US
    return any(start < end_us and end > row.oldest_us for start, end in held)
