"""One camera's coverage by hour or by day of the site's zone."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from storage.catalog.sqlite import Connection
from storage.coverage.days import Covered, Stretch, by_class, stretches
from storage.coverage.spans import Interval, cut, explained, length_us
from storage.model import HOUR_US, CameraId, Gap

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def edges(from_us: int, to_us: int, by: str, zone: tzinfo) -> list[Interval]:
    """The window cut at full hours (`by` hour) or midnights (day) of the zone; a day may have 23 or 25 hours."""
    made = []
    at_us = from_us
    while at_us < to_us:
        end_us = min(to_us, _next(at_us, by, zone))
        made.append((at_us, end_us))
        at_us = end_us
    return made


def _next(at_us: int, by: str, zone: tzinfo) -> int:
    local = (_EPOCH + at_us * _MICROSECOND).astimezone(zone)
    offset_us = (local.utcoffset() or timedelta()) // _MICROSECOND
    if by == "hour":
        return ((at_us + offset_us) // HOUR_US + 1) * HOUR_US - offset_us
    tomorrow = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), zone)
    return (tomorrow - _EPOCH) // _MICROSECOND


def of_camera(
    db: Connection, camera_id: CameraId, parts: Sequence[Interval], now_us: int
) -> list[tuple[Interval, Covered]]:
    """Each part with what is covered of it; their sum is that of the whole window. The parts follow one another."""
    if not parts:
        return []
    whole = stretches(db, parts[0][0], parts[-1][1], now_us, cameras=[camera_id]).get(camera_id)
    if whole is None:
        return [(part, Covered(0, 0)) for part in parts]
    gaps = explained(db, {camera_id: whole.holes}).get(camera_id, [])
    return list(zip(parts, _parted(whole, gaps, parts), strict=True))


def _parted(whole: Stretch, gaps: Sequence[Gap], parts: Sequence[Interval]) -> Iterator[Covered]:
    lost = [(gap.from_us, gap.to_us) for gap in gaps]
    for part in parts:
        touching = gaps[_touching(lost, part)]
        yield Covered(
            expected_us=max(0, min(part[1], whole.to_us) - max(part[0], whole.from_us)),
            recorded_us=length_us(cut(whole.spans[_touching(whole.spans, part)], [part])),
            causes=by_class(Gap(max(gap.from_us, part[0]), min(gap.to_us, part[1]), gap.cause) for gap in touching),
        )


def _touching(intervals: Sequence[Interval], part: Interval) -> slice:
    """Of intervals that are in order and do not overlap, those that touch the part."""
    first = bisect_right(intervals, part[0], key=lambda one: one[1])
    return slice(first, bisect_left(intervals, part[1], key=lambda one: one[0]))
