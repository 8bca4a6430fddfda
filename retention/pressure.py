"""Disk pressure: how fast a volume fills, when that becomes too much, how many bytes must go. Pure; `retention.keeper` asks.

By rate, not only by level: a volume keeps free what is written to it in `RESERVE_S` at the measured rate, at least
`min_free_percent` of it. What counts is what statvfs shows, never what was deleted: the space of a file that somebody still
reads is not free. Whoever else writes there, or deletes there, is simply part of what is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from storage.volumes import full_bytes

RATE_WINDOW_US = 90_000_000
RATE_SPAN_US = 15_000_000
"""A rate is told when the samples cover so much time; a shorter one would be that of a single burst."""
RESERVE_S = 300
"""Sweeping starts when less is free than is written in this time; one step of it takes a few seconds."""
RESERVE_SHARE = 1 / 8
"""Of the volume: on a very small one the measured rate alone never keeps more free than this."""
SLACK_S = 300
SLACK_LEAST = 1 / 200
SLACK_MOST = 1 / 20
"""How far above the mark a sweep goes, as shares of the volume: a plan every few minutes, not with every sample."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What statvfs said of a volume."""

    at_us: int  # of a clock that never steps
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Freed:
    """What a sweep has deleted after the sample that asked for it; some file systems show it seconds later."""

    at_us: int
    bytes: int
    free_before: int


@dataclass(frozen=True, slots=True)
class Marks:
    """Of one volume, in free bytes. Below `low` footage goes until `high` is free. Below `full` no recorder is started."""

    full: int
    low: int
    high: int


SHOWN_US = 5_000_000
"""Deleted bytes that statvfs does not show after so long are held by readers: others go in their place."""


def write_rate(samples: Sequence[Sample]) -> float | None:
    """Bytes a second that go to the volume, over the last RATE_WINDOW_US; None as long as that cannot be told.

    Times in which the free space grew are left out: somebody deleted, and what was written meanwhile does not show.
    """
    if not samples:
        return None
    newest = samples[-1]
    written = spent_us = 0
    for before, after in pairwise(samples):
        grew = after.free_bytes > before.free_bytes
        old = before.at_us < newest.at_us - RATE_WINDOW_US
        resized = not before.total_bytes == after.total_bytes == newest.total_bytes
        if grew or old or resized or after.at_us <= before.at_us:
            continue
        written += before.free_bytes - after.free_bytes
        spent_us += after.at_us - before.at_us
    return written * 1e6 / spent_us if spent_us >= RATE_SPAN_US else None


def time_to_full_s(sample: Sample, rate: float | None) -> float | None:
    """Until no recorder can be started there, if nothing were deleted; None where that is not in sight."""
    if not rate:
        return None
    return max(0, sample.free_bytes - full_bytes(sample.total_bytes)) / rate


def marks(total_bytes: int, rate: float | None, min_free_percent: float) -> Marks:
    """full < low < high < total for every volume of some MB and every setting."""
    full = full_bytes(total_bytes)
    by_rate = min((rate or 0.0) * RESERVE_S, total_bytes * RESERVE_SHARE)
    low = max(int(total_bytes * min_free_percent / 100), int(by_rate), 2 * full)
    slack = min(max((rate or 0.0) * SLACK_S, total_bytes * SLACK_LEAST), total_bytes * SLACK_MOST)
    return Marks(full, low, low + max(int(slack), 1))


def need_bytes(sample: Sample, of: Marks, freed: Freed | None = None) -> int:
    """What must go now; 0 above the mark. Never more than is used.

    `freed`: of the last sweep. What statvfs does not show of it yet is waited for, but not when the volume is nearly full.
    """
    if sample.free_bytes >= of.low:
        return 0
    need = min(of.high - sample.free_bytes, max(0, sample.total_bytes - sample.free_bytes))
    if freed is None or sample.at_us - freed.at_us > SHOWN_US or sample.free_bytes < of.low // 2:
        return need
    shown = max(0, sample.free_bytes - freed.free_before)
    return max(0, need - max(0, freed.bytes - shown))


# -- when nothing may go any more ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Room:
    """A volume as the shedding of cameras sees it. `short`: it needs room, and no footage is left there that may go."""

    free_bytes: int
    marks: Marks
    short: bool


def classes_allowed(count: int, before: int, rooms: Sequence[Room]) -> int:
    """How many of `count` classes of cameras may record, the highest always the last to stop. `before`: how many did.

    While a volume has room, or footage that may go, all may go on; those that stopped come back one class a call. Else the
    lowest class stops at once, each next one when its share of what is left between the marks is used up, the last at the very
    end: one class alone records until the volumes are full.
    """
    if count == 0 or not rooms:
        return count
    if not all(room.short for room in rooms):
        return min(count, before + 1)
    left = max((room.free_bytes - room.marks.full) / (room.marks.low - room.marks.full) for room in rooms)
    return min(before, 1 + int(min(left, 0.999999) * (count - 1)) if left > 0 else 0)
