"""How long a file's footage is: by its media time, or by its frames counted. Pure.

Media time lies when the camera's clock does: after a step of it ffmpeg gives a fragment an hour, or lets 60 frames fall into
a millisecond. Two things do not lie: nothing was filmed later than it was written to disk, and a camera's frames do not come
at twice their usual rate. Where media time breaks one of them, each frame counts as one usual frame.

A written time may be late (network, a muxer that waited for sound), so that there was time enough never proves a length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SLACK_US = 500_000
"""How far a start may be late itself: the delay that every sample of a run's first segment had."""
UNTRUE_US = 2_000_000
STEADY_SHARE = 0.98  # of fragments that agree with the usual rate to 2 %: the camera's rate is constant
HURRY_US = 100_000

Seen = Mapping[int, int]
"""When the first so many fragments were on disk: count -> wall time, ffmpeg's lag taken off where it is known."""


@dataclass(frozen=True, slots=True)
class Length:
    """`counted`: each fragment has its counted length; `bad`: media time cannot be true."""

    us: int
    counted: bool = False
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Lengths:
    """Of each fragment of a file, in microseconds. `counted_us`: its frames times the run's usual frame; empty while that is
    unknown."""

    media_us: Sequence[int]
    counted_us: Sequence[int] = ()

    @property
    def media(self) -> Length:
        return Length(sum(self.media_us))

    @property
    def counted(self) -> Length:
        return Length(sum(self.counted_us), counted=True, bad=True)

    def hurried(self) -> bool:
        """A fragment holds more frames than its time allows. Of a camera whose rate is not constant only twice as many
        tell."""
        pairs = list(zip(self.media_us, self.counted_us, strict=False))
        agreeing = sum(abs(media - counted) <= counted // 50 for media, counted in pairs)
        share = 0.9 if pairs and agreeing >= (len(pairs) - 3) * STEADY_SHARE and agreeing >= 3 else 0.5
        return any(media < share * counted and counted - media > HURRY_US for media, counted in pairs)

    def believed(self, start_us: int, seen: Seen) -> Length:
        """For a file that begins at `start_us`. `seen` holds at least when its last fragment was written."""
        room_us = seen[max(seen)] - start_us
        over_us = overrun_us(self.media_us, start_us, seen)
        if self.counted_us and self.hurried() and overrun_us(self.counted_us, start_us, seen) <= SLACK_US:
            return self.counted
        nearer = bool(self.counted_us) and abs(self.counted.us - room_us) < abs(self.media.us - room_us)
        if over_us > SLACK_US and nearer:
            return self.counted
        if over_us > UNTRUE_US:
            return Length(max(room_us, 0), counted=bool(self.counted_us), bad=True)
        return self.media

    def believed_first(self, earliest_us: int, seen: Seen) -> Length:
        """For a run's first file, whose start follows from its length. `earliest_us`: nothing can have been filmed before."""
        media, counted = self.media, self.counted
        if not self.counted_us or counted.us == 0:
            return media
        if start_us(self.counted_us, seen) < earliest_us - SLACK_US:
            return media  # counting explains nothing
        apart_us = spread_us(self.media_us, seen) - spread_us(self.counted_us, seen)
        if apart_us < -SLACK_US:
            return media  # a camera whose rate changes
        early = start_us(self.media_us, seen) < earliest_us - SLACK_US
        return counted if early or apart_us > UNTRUE_US // 2 or self.hurried() else media


def overrun_us(durations_us: Sequence[int], start_us: int, seen: Seen) -> int:
    """By how much a fragment would end later than it was on disk, at the worst."""
    return max(start_us + sum(durations_us[:count]) - wall_us for count, wall_us in seen.items())


def start_us(durations_us: Sequence[int], seen: Seen) -> int:
    """The earliest start that what was seen allows: delay only ever adds."""
    return min(wall_us - sum(durations_us[:count]) for count, wall_us in seen.items())


def spread_us(durations_us: Sequence[int], seen: Seen) -> int:
    """How differently what was seen dates the start."""
    starts = [wall_us - sum(durations_us[:count]) for count, wall_us in seen.items()]
    return max(starts) - min(starts)
