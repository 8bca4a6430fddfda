"""The `hour` rows: what was recorded in an hour, so that a month's timeline reads 720 rows instead of 43,200 segments. Pure.

`spans` is packed, 16 bytes a span, in start order: start and end in microseconds within the hour (unsigned 32 bit), run id
(unsigned 64 bit). Neighbours of one run are joined. `activity`: 60 bytes, the largest value of each minute.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from storage import frags
from storage.model import HOUR_US, CameraId, RunId, Segment, Span, Tier, VolumeId

_SPAN = struct.Struct("<IIQ")
MINUTE_US = 60_000_000
JOIN_US = 1_000  # a segment's length is exact; this only forgives rounding in rebuilt catalogs


@dataclass(slots=True)
class Hour:
    """One row. `segments` and `bytes` count the segments that start in the hour."""

    camera_id: CameraId
    hour_us: int
    volume_id: VolumeId
    tier: Tier
    segments: int = 0
    bytes: int = 0
    spans: list[tuple[int, int, int]] = field(default_factory=list)
    activity: bytearray = field(default_factory=lambda: bytearray(60))

    @property
    def recorded_us(self) -> int:
        return covered_us((start, end) for start, end, _ in self.spans)

    def add(self, segment: Segment) -> None:
        """The part of the segment that lies in this hour."""
        start = max(segment.start_us, self.hour_us) - self.hour_us
        end = min(segment.end_us, self.hour_us + HOUR_US) - self.hour_us
        if self.hour_us <= segment.start_us < self.hour_us + HOUR_US:
            self.segments += 1
            self.bytes += segment.size_bytes
        if end <= start:
            return
        self.spans = join([*self.spans, (start, end, segment.run_id)])
        for at_us, value in fragment_activity(segment):
            minute = (at_us - self.hour_us) // MINUTE_US
            if 0 <= minute < 60 and value > self.activity[minute]:
                self.activity[minute] = value


def hours_of(start_us: int, end_us: int) -> Iterator[int]:
    """Starts of the hours that an interval touches."""
    hour = start_us - start_us % HOUR_US
    while hour < max(end_us, start_us + 1):
        yield hour
        hour += HOUR_US


def fragment_activity(segment: Segment) -> Iterator[tuple[int, int]]:
    """(wall time of the fragment's start, activity) of each fragment."""
    pairs = list(frags.unpack_raw(segment.frags))
    total_ms = sum(ms for ms, _ in pairs) or 1
    passed_ms = 0
    for ms, word in pairs:
        yield segment.start_us + passed_ms * segment.dur_us // total_ms, word >> 25
        passed_ms += ms


def join(spans: Iterable[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """In start order, neighbours of one run made one."""
    joined: list[tuple[int, int, int]] = []
    for start, end, run in sorted(spans):
        if joined and joined[-1][2] == run and start <= joined[-1][1] + JOIN_US:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]), run)
        else:
            joined.append((start, end, run))
    return joined


def covered_us(intervals: Iterable[tuple[int, int]]) -> int:
    """Length of the union of half-open intervals in start order."""
    total = reach = 0
    for start, end in intervals:
        if end > reach:
            total += end - max(start, reach)
            reach = end
    return total


def pack_spans(spans: Iterable[tuple[int, int, int]]) -> bytes:
    return b"".join(_SPAN.pack(*span) for span in spans)


def unpack_spans(packed: bytes) -> list[tuple[int, int, int]]:
    return list(_SPAN.iter_unpack(packed))


def spans_at(hour_us: int, packed: bytes) -> Iterator[Span]:
    for start, end, run in _SPAN.iter_unpack(packed):
        yield Span(hour_us + start, hour_us + end, RunId(run))
