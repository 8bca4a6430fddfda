"""A window of time of one camera, as the playback URLs take it."""

from __future__ import annotations

from aiohttp import web

from config.errors import Invalid, NotFound
from storage.clock import rfc3339
from storage.footage import Footage
from storage.lead import Leads
from storage.model import CameraId, Fragment, InitId, RunId, Segment, SegmentFlag, Slice

MAX_WINDOW_US = 31 * 86_400 * 1_000_000
"""Of a playlist: that of a month has some 45,000 entries. Longer windows are asked for in parts."""
MAX_CLIP_SEGMENTS = 200_000
"""A clip's layout takes 1.1 kB a segment (measured: 147 MB for 132,480) while it is sent: 139 days of minutes."""
MAX_DESCRIBED_SEGMENTS = 50_000
"""A description takes 2.6 kB a segment (measured: 114 MB for 44,640), and 375 bytes of JSON."""
LEADS: web.AppKey[Leads] = web.AppKey("leads")


def refuse_long(from_us: int, to_us: int) -> None:
    """Raises Invalid for a window that no playlist is made of."""
    if to_us - from_us > MAX_WINDOW_US:
        raise Invalid("a window is at most 31 days long: ask for it in parts", field="to")


async def slices(footage: Footage, camera_id: CameraId, from_us: int, to_us: int) -> list[Slice]:
    """What the window is played from; at least one.

    Raises NotFound, with the nearest footage before and after, when there is none; Invalid for a window that is too long.
    """
    refuse_long(from_us, to_us)
    return await _found(footage, camera_id, from_us, to_us)


async def slices_of_clip(
    footage: Footage, camera_id: CameraId, from_us: int, to_us: int, *, at_most: int = MAX_CLIP_SEGMENTS
) -> list[Slice]:
    """As `slices`, of a window of any length as long as it has at most so many segments."""
    if await footage.count(camera_id, from_us, to_us, at_most + 1) > at_most:
        raise Invalid(f"the window has more than {at_most:,} segments: ask for it in parts", field="to")
    return await _found(footage, camera_id, from_us, to_us)


async def _found(footage: Footage, camera_id: CameraId, from_us: int, to_us: int) -> list[Slice]:
    found = await footage.slices(camera_id, from_us, to_us)
    if not found:
        await footage.camera(camera_id)
        before_us, after_us = await footage.nearest(camera_id, from_us, to_us)
        raise NotFound(
            f"camera {camera_id} has no footage from {rfc3339(from_us)} to {rfc3339(to_us)}",
            code="no_footage",
            before=None if before_us is None else rfc3339(before_us),
            after=None if after_us is None else rfc3339(after_us),
        )
    return found


async def init_lengths(footage: Footage, found: list[Slice]) -> dict[InitId, int]:
    ids = {part.segment.init_id for part in found}
    return {init_id: len((await footage.init(init_id)).data) for init_id in ids}


async def in_file(footage: Footage, found: list[Slice]) -> dict[tuple[RunId, int], list[Fragment]]:
    """Fragments of the few segments whose rows do not hold them."""
    special: list[Segment] = [p.segment for p in found if SegmentFlag.FRAGS_IN_FILE in p.segment.flags]
    return {(segment.run_id, segment.n): await footage.fragments(segment) for segment in special}
