"""What a stretch of a camera's footage tells about the camera: bit rate, frame rate, distance of keyframes, B-frames. Pure.

Measured from the boxes of fragmented MP4 (`storage.fmp4`), whether a probe recorded it or a recorder did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from storage.fmp4 import FragmentBoxes, InitBoxes

SHORTEST_S = 0.4
"""Fragments shorter than this say nothing of a frame rate."""
STEADY = 1.6
"""Frame rates of a second, or distances of keyframes, further apart than by this factor vary."""
SENDER_REPORT = 24
"""`prft` flags of a time that an RTCP sender report gave: the camera's own clock."""
AT_WRITING_US = 250_000
TELLING_S = 0.6
"""Of shorter fragments the time of writing is too near to that of their first picture to tell the two apart."""


@dataclass(frozen=True, slots=True)
class Measured:
    """`keyframe_s`: the longest distance from one keyframe to the next, None where no two were seen. `keyframe_at_least_s`: the
    same with the open ends of the stretch counted: no less than this passed without a keyframe."""

    width: int
    height: int
    fps: float | None
    bitrate_kbps: float | None
    keyframes: int
    keyframe_s: float | None
    keyframe_at_least_s: float
    keyframes_vary: bool
    fps_varies: bool
    b_frames: bool
    seconds: float  # how long the stretch is


def measure(init: InitBoxes, fragments: Sequence[FragmentBoxes], *, first_of_run: bool) -> Measured | None:
    """None without a fragment that could be believed. `first_of_run`: the first fragment's stamps can be nonsense (before the
    camera's first sender report), so it is left out where there are others."""
    video = init.video
    scale = video.timescale
    seen = [one for one in fragments if 0 < one.dur < 120 * scale]
    if first_of_run and len(seen) > 1:
        seen = seen[1:]
    if not seen or not scale:
        return None
    total = sum(one.dur for one in seen)
    distances = _distances(seen, scale)
    rates = [one.frames * scale / one.dur for one in seen if one.dur >= SHORTEST_S * scale]
    return Measured(
        width=video.width,
        height=video.height,
        fps=round(sum(one.frames for one in seen) * scale / total, 2),
        bitrate_kbps=round(sum(one.key_bytes + one.inter_bytes for one in seen) * 8 * scale / total / 1000, 1),
        keyframes=sum(one.keyframe for one in seen),
        keyframe_s=round(max(distances), 2) if distances else None,
        keyframe_at_least_s=_at_least(seen, scale),
        keyframes_vary=len(distances) > 1 and max(distances) > STEADY * min(distances) and max(distances) > 1.0,
        fps_varies=_varies(rates),
        b_frames=any(one.reorder > scale // 100 for one in seen),
        seconds=total / scale,
    )


def clock_offset_us(
    init: InitBoxes, fragments: Sequence[FragmentBoxes], written_us: Sequence[int | None]
) -> int | None:
    """Camera clock minus server clock, None where the camera does not tell its own.

    `written_us`: when each fragment was written, as far as known; its end had been received then, so the earliest of them all
    is the truest. ffmpeg marks a fragment of a camera that never sent a sender report alike, but stamps it with the time of
    writing: such a stamp is not the camera's (which hides errors of up to a fragment's length, no larger ones).
    """
    scale = init.video.timescale
    if not scale:
        return None
    timed = [
        (one, wall)
        for one, wall in zip(fragments, written_us, strict=True)
        if wall is not None and 0 < one.dur < 120 * scale
    ]
    told = next((one for one, wall in reversed(timed) if _is_cameras_own(one, wall, scale)), None)
    if told is None or told.prft_us is None:
        return None
    zero_us = min(wall - (one.media_start + one.dur) * 1_000_000 // scale for one, wall in timed)
    return told.prft_us - (zero_us + told.prft_media * 1_000_000 // scale)


def _is_cameras_own(one: FragmentBoxes, written_us: int, scale: int) -> bool:
    if one.prft_us is None or one.prft_flags != SENDER_REPORT or one.dur < TELLING_S * scale:
        return False
    return abs(one.prft_us - written_us) > AT_WRITING_US


def _distances(seen: Sequence[FragmentBoxes], scale: int) -> list[float]:
    """Seconds from each keyframe to the next; the last is followed by one only where another fragment begins with it."""
    starts = [one.media_start for one in seen if one.keyframe]
    return [(later - earlier) / scale for earlier, later in pairwise(starts)]


def _at_least(seen: Sequence[FragmentBoxes], scale: int) -> float:
    starts = [one.media_start for one in seen if one.keyframe]
    edges = [seen[0].media_start, *starts, seen[-1].media_start + seen[-1].dur]
    return max(later - earlier for earlier, later in pairwise(edges)) / scale


def _varies(rates: Sequence[float]) -> bool:
    usual = median(rates) if len(rates) > 2 else 0.0
    return usual > 0 and (max(rates) > STEADY * usual or min(rates) * STEADY < usual)
