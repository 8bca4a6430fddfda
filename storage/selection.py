"""Which fragments a window of time is played from. Pure.

A window is answered by slices: consecutive fragments of one file each, in the order of time. Only segments that are cut are
unpacked, so a day (1,440 segments) costs some milliseconds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence

from storage.model import Fragment, RunId, Segment, SegmentFlag, Slice

Fragments = Callable[[Segment], Sequence[Fragment]]

ROUNDING_US = 1_000
"""Fragment durations are kept in milliseconds: times inside a segment are no more exact than that."""


def select(segments: Iterable[Segment], from_us: int, to_us: int, fragments: Fragments) -> list[Slice]:
    """The slices that show [from_us, to_us), in the order of time.

    The first starts with the fragment that holds `from_us` (or the keyframe before it), the last ends with the fragment that
    holds the instant before `to_us`. Where two runs overlap, the older one is played to its end and the other goes on from
    its first keyframe after that. Every slice starts with a keyframe.
    """
    ordered = sorted(
        (s for s in segments if s.start_us < to_us and s.end_us > from_us and s.dur_us > 0),
        key=lambda s: (s.start_us, s.run_id),
    )
    slices: list[Slice] = []
    older = _OlderRuns(ordered)
    for segment in ordered:
        pieces = older.pieces(segment)
        inside = segment.start_us >= from_us and segment.end_us <= to_us
        keyed = not segment.flags or SegmentFlag.NO_KEYFRAME not in segment.flags
        if inside and pieces is None and keyed:
            slices.append(Slice(segment, 0, None, segment.start_us, segment.end_us))
            continue
        table = _Times(segment, fragments(segment))
        for start_us, end_us in pieces if pieces is not None else [(segment.start_us, segment.end_us)]:
            if start_us < to_us and end_us > from_us:
                found = table.cut(start_us, end_us, from_us, to_us)
                if found is not None:
                    slices.append(found)
    slices.sort(key=lambda s: s.start_us)
    return slices


def follows(before: Slice, after: Slice) -> bool:
    """The same run goes on without a hole: by number, never by comparing clocks."""
    a, b = before.segment, after.segment
    if a.run_id != b.run_id or a.init_id != b.init_id:
        return False
    if a.n == b.n:
        return before.end == after.first
    return a.n + 1 == b.n and before.end is None and after.first == 0


def times_us(segment: Segment, fragments: Sequence[Fragment]) -> list[int]:
    """Wall time of each fragment's start, and of the last one's end."""
    total_ms = sum(f.dur_ms for f in fragments)
    passed_ms = 0
    times = [segment.start_us]
    for index, fragment in enumerate(fragments, 1):
        passed_ms += fragment.dur_ms
        # A segment without any duration (time_bad): fragments share its time evenly.
        part = segment.dur_us * passed_ms // total_ms if total_ms else segment.dur_us * index // len(fragments)
        times.append(segment.start_us + part)
    return times


class _Times:
    """The wall times of a segment's fragments, to cut it."""

    def __init__(self, segment: Segment, fragments: Sequence[Fragment]) -> None:
        self._segment = segment
        self._fragments = fragments
        self._times = times_us(segment, fragments)

    def cut(self, start_us: int, end_us: int, from_us: int, to_us: int) -> Slice | None:
        """What may be played of [start_us, end_us), as far as the window needs it. None without a keyframe."""
        count = len(self._fragments)
        lowest = 0 if start_us <= self._segment.start_us else bisect_left(self._times, start_us - ROUNDING_US)
        highest = count
        if end_us < self._segment.end_us:
            highest = max(bisect_right(self._times, end_us + ROUNDING_US) - 1, 0)
        first = max(bisect_right(self._times, from_us) - 1, lowest)
        end = min(bisect_left(self._times, to_us), highest)
        first = self._keyframe(min(first, count - 1), lowest, end)
        if first >= end:
            return None
        return Slice(self._segment, first, None if end == count else end, self._times[first], self._times[end])

    def _keyframe(self, index: int, lowest: int, end: int) -> int:
        """The nearest one at or before `index`, or else after it; `end` when there is none."""
        for back in range(index, lowest - 1, -1):
            if self._fragments[back].keyframe:
                return back
        for forward in range(max(index, lowest), end):
            if self._fragments[forward].keyframe:
                return forward
        return end


class _OlderRuns:
    """What of a segment is not already shown by a run that began before its own."""

    def __init__(self, ordered: Sequence[Segment]) -> None:
        self._ends: dict[RunId, tuple[int, int]] = {}
        for segment in ordered:
            start_us, end_us = self._ends.get(segment.run_id, (segment.start_us, segment.end_us))
            self._ends[segment.run_id] = (min(start_us, segment.start_us), max(end_us, segment.end_us))

    def pieces(self, segment: Segment) -> list[tuple[int, int]] | None:
        """None: all of it (nearly always)."""
        if len(self._ends) == 1:
            return None
        hidden = sorted(
            (start_us, end_us)
            for run_id, (start_us, end_us) in self._ends.items()
            if run_id < segment.run_id and start_us < segment.end_us and end_us > segment.start_us
        )
        if not hidden:
            return None
        left: list[tuple[int, int]] = []
        at_us = segment.start_us
        for start_us, end_us in hidden:
            if start_us > at_us:
                left.append((at_us, start_us))
            at_us = max(at_us, end_us)
        if at_us < segment.end_us:
            left.append((at_us, segment.end_us))
        return left
