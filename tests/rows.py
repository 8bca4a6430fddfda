"""Segments as plain values, for tests of what is decided from rows alone."""

from __future__ import annotations

from collections.abc import Sequence

from storage import frags
from storage.model import CameraId, Fragment, InitId, RunId, Segment, SegmentFlag, Tier, VolumeId

NO_FLAGS = SegmentFlag(0)
T0_US = 1_795_000_020_000_000
"""A full minute: 2026-11-18T11:07:00Z."""
INIT_BYTES = 1000
INITS = {InitId(1): INIT_BYTES, InitId(2): INIT_BYTES + 500}


def segment(
    n: int = 0,
    *,
    run: int = 1_795_000_020_000,
    start_s: float = 0,
    durations_ms: Sequence[int] = (2000,) * 30,
    keyframes: Sequence[bool] | None = None,
    frag0: int | None = None,
    init: int = 1,
    flags: SegmentFlag = NO_FLAGS,
    stretch_us: int = 0,
) -> Segment:
    """Segment n of a run, `start_s` after T0; fragment i has 100 + i bytes."""
    keys = keyframes if keyframes is not None else [True] * len(durations_ms)
    made = [Fragment(0, 100 + i, ms, key) for i, (ms, key) in enumerate(zip(durations_ms, keys, strict=True))]
    packed = frags.pack(made)
    assert packed is not None
    return Segment(
        camera_id=CameraId(1),
        start_us=T0_US + int(start_s * 1e6),
        dur_us=sum(durations_ms) * 1000 + stretch_us,
        run_id=RunId(run),
        n=n,
        frag0=n * len(durations_ms) if frag0 is None else frag0,
        media_start=n * sum(durations_ms) * 90,
        init_id=InitId(init),
        size_bytes=INITS[InitId(init)] + sum(f.size_bytes for f in made),
        tier=Tier.LOCAL,
        volume_id=VolumeId(1),
        flags=flags,
        err_us=0,
        clock_offset_us=None,
        sha256=bytes(32),
        frags=packed,
    )


def fragments(of: Segment) -> list[Fragment]:
    return list(frags.unpack(of.frags, INITS[of.init_id]))
