"""A camera's timeline: spans, gaps with causes, activity. Above 6 h it reads `hour`, and segments only at the edges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from storage.catalog import causes, hours, segments
from storage.catalog.sqlite import Connection
from storage.gaps import Reason, explain_all, join_spans, uncovered
from storage.hours import MINUTE_US, Hour, fragment_activity
from storage.model import HOUR_US, CameraId, Segment, Span, Timeline

FINE_US = 6 * HOUR_US
EDGE_US = 15_000_000
"""The newest fragment is still being written: a camera that records is not in a gap for that."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the catalog holds of a window."""

    segments: list[Segment]  # of the whole window, or of its edges where `hours` stand for the middle
    hours: list[Hour]
    reasons: list[Reason]
    recording: bool  # the camera's state at the end of the window


def read(db: Connection, camera_id: CameraId, from_us: int, to_us: int, now_us: int) -> Recorded:
    """Everything `build` needs, in one go."""
    until_us = min(to_us, now_us)
    middle: list[Hour] = []
    if until_us - from_us > FINE_US:
        first = -(-from_us // HOUR_US) * HOUR_US
        last = until_us // HOUR_US * HOUR_US
        middle = hours.between(db, camera_id, first, last)
        found = segments.overlapping(db, camera_id, from_us, first) if first > from_us else []
        if until_us > last:
            # One that reaches over the edge is in both: join_spans takes it once.
            found += segments.overlapping(db, camera_id, last, until_us)
    else:
        found = segments.overlapping(db, camera_id, from_us, until_us)
    why = causes.reasons(db, camera_id, from_us, until_us)
    return Recorded(found, middle, why, recording=not any(r.cause for r in _at_end(why)))


def _at_end(reasons: Sequence[Reason]) -> list[Reason]:
    return [reason for reason in reasons if reason.to_us >= 1 << 61]


def build(
    camera_id: CameraId,
    recorded: Recorded,
    growing: Iterable[Segment],
    *,
    from_us: int,
    to_us: int,
    now_us: int,
    buckets: int,
) -> Timeline:
    """Pure. `growing`: the segments without a row."""
    until_us = max(min(to_us, now_us), from_us)
    known = {(segment.run_id, segment.n) for segment in recorded.segments}
    fine = [*recorded.segments, *(s for s in growing if (s.run_id, s.n) not in known)]
    spans = join_spans(
        [
            *(Span(segment.start_us, segment.end_us, segment.run_id) for segment in fine),
            *(
                Span(hour.hour_us + start, hour.hour_us + end, run)  # type: ignore[arg-type]
                for hour in recorded.hours
                for start, end, run in hour.spans
            ),
        ],
        from_us,
        until_us,
    )
    if spans and now_us - until_us < EDGE_US and recorded.recording and until_us - spans[-1].to_us < EDGE_US:
        until_us = spans[-1].to_us
    gaps = explain_all(uncovered(spans, from_us, until_us), recorded.reasons)
    expected_us = until_us - from_us
    bucket_us = max(1, -(-(to_us - from_us) // buckets))
    return Timeline(
        camera_id=camera_id,
        from_us=from_us,
        to_us=to_us,
        coverage=sum(s.to_us - s.from_us for s in spans) / expected_us if expected_us else 0.0,
        spans=tuple(spans),
        gaps=tuple(gaps),
        bucket_us=bucket_us,
        activity=tuple(_activity(fine, recorded.hours, from_us, bucket_us, -(-(to_us - from_us) // bucket_us))),
    )


def _activity(fine: Iterable[Segment], coarse: Iterable[Hour], from_us: int, bucket_us: int, count: int) -> list[int]:
    """The largest value in each bucket."""
    values = [0] * count
    for segment in fine:
        for at_us, value in fragment_activity(segment):
            index = (at_us - from_us) // bucket_us
            if 0 <= index < count and value > values[index]:
                values[index] = value
    for hour in coarse:
        for index, value in _hour_buckets(hour, from_us, bucket_us):
            if 0 <= index < count and value > values[index]:
                values[index] = value
    return values


def _hour_buckets(hour: Hour, from_us: int, bucket_us: int) -> Iterator[tuple[int, int]]:
    """(bucket, largest value of its minutes): a slice for each bucket, not a step for each minute."""
    minute = 0
    while minute < 60:
        at_us = hour.hour_us + minute * MINUTE_US - from_us
        index = at_us // bucket_us
        end = min(60, minute + max(1, -(-((index + 1) * bucket_us - at_us) // MINUTE_US)))
        value = max(hour.activity[minute:end])
        # Buckets finer than a minute: the minute's value stands for all of them.
        for fine in range(index, index + max(1, MINUTE_US // bucket_us)) if bucket_us < MINUTE_US else (index,):
            yield fine, value
        minute = end
