"""What the newest footage of a camera that is being recorded tells of it: as much as another connection would."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from config.errors import NvrError
from storage.fmp4 import FragmentBoxes, InitBoxes, parse_init, read_fragments
from storage.footage import Footage
from storage.model import CameraId, Segment, Tier
from storage.paths import segment_path
from storage.registry.measured import AT_WRITING_US, Measured, measure

RECENT_US = 10 * 60 * 1_000_000
FRAGMENTS = 64
LEAST_S = 5.0
"""Shorter footage does not tell enough."""


@dataclass(frozen=True, slots=True)
class Recorded:
    measured: Measured
    video_codec: str
    audio_codec: str  # as recorded: "" or aac
    clock_offset_us: int | None


async def look(footage: Footage, camera_id: CameraId, now_us: int) -> Recorded | None:
    """None where there is not enough new footage on this server's own disks."""
    found = await footage.segments(camera_id, now_us - RECENT_US, now_us)
    for segment in sorted(found, key=lambda one: one.start_us, reverse=True):
        recorded = await _of(footage, segment) if segment.tier is not Tier.REMOTE else None
        if recorded is not None:
            return recorded
    return None


async def _of(footage: Footage, segment: Segment) -> Recorded | None:
    loop = asyncio.get_running_loop()
    try:
        init = await footage.init(segment.init_id)
        path = segment_path(footage.volumes.path(segment.volume_id), segment)
        boxes, fragments = await loop.run_in_executor(
            footage.volumes.pool(segment.volume_id), partial(_read, path, init.data)
        )
    except (OSError, NvrError):
        return None  # moved or deleted meanwhile
    measured = measure(boxes, fragments, first_of_run=segment.n == 0)
    if measured is None or measured.seconds < LEAST_S:
        return None
    return Recorded(measured, init.video_codec, init.audio_codec, cameras_own(segment, boxes, fragments))


def cameras_own(segment: Segment, init: InitBoxes, fragments: Sequence[FragmentBoxes]) -> int | None:
    """The offset of the camera's clock. One that is as long as the fragments is none: ffmpeg stamps those of a camera that does
    not tell its time when it writes them, at their end."""
    offset_us = segment.clock_offset_us
    lengths_us = [one.dur * 1_000_000 // init.video.timescale for one in fragments]
    if offset_us is None or abs(offset_us - median(lengths_us)) < AT_WRITING_US:
        return None
    return offset_us


def _read(path: Path, init_data: bytes) -> tuple[InitBoxes, list[FragmentBoxes]]:
    """Blocking."""
    init = parse_init(init_data)
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fragments, _ = read_fragments(fd, len(init_data), init, at_most=FRAGMENTS)
    finally:
        os.close(fd)
    return init, fragments
