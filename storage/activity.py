"""How much moved: the bytes between keyframes over the keyframe's own, against what is usual for that camera and hour. Pure.

A constant-bitrate camera hides absolute sizes, hence the ratio. A hint for the eye, never a reason to delete.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from storage.fmp4 import FragmentBoxes

MAX = 127
STEPS_PER_DOUBLING = 32  # twice the usual is 32, sixteen times fills the scale
SMOOTHING = 0.03  # of a segment in what is usual: about the last 30 segments of that hour of the day


def log2_ratio(fragment: FragmentBoxes) -> float | None:
    """None when the fragment tells nothing: no keyframe in it, or nothing but it."""
    if not fragment.keyframe or fragment.key_bytes <= 0 or fragment.frames < 2 or fragment.inter_bytes <= 0:
        return None
    return math.log2(fragment.inter_bytes / (fragment.frames - 1) / fragment.key_bytes)


def rate(fragments: Sequence[FragmentBoxes], usual: float | None) -> tuple[list[int], float | None]:
    """Activity 0 to 127 of each fragment, and what is usual from now on (None: still unknown)."""
    ratios = [log2_ratio(fragment) for fragment in fragments]
    known = [ratio for ratio in ratios if ratio is not None]
    if not known:
        return [0] * len(ratios), usual
    middle = sorted(known)[len(known) // 2]
    base = middle if usual is None else usual
    values = [0 if ratio is None else max(0, min(MAX, round((ratio - base) * STEPS_PER_DOUBLING))) for ratio in ratios]
    return values, base + (middle - base) * SMOOTHING
