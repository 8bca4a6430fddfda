"""A window of time of one camera, as the playback URLs take it."""

from __future__ import annotations

from aiohttp import web

from config.errors import Invalid, NotFound
from storage.clock import rfc3339
from storage.footage import Footage
from storage.lead import Leads
from storage.model import CameraId, Fragment, InitId, RunId, Segment, SegmentFlag, Slice

MAX_WINDOW_US = 31 * 86_400 * 1_000_000
"""The index of a month is some 45,000 rows: longer windows are asked for in parts."""
LEADS: web.AppKey[Leads] = web.AppKey("leads")


async def slices(footage: Footage, camera_id: CameraId, from_us: int, to_us: int) -> list[Slice]:
    """What the window is played from; at least one.

    Raises NotFound, with the nearest footage before and after, when there is none; Invalid for a window that is too long.
    """
    if to_us - from_us > MAX_WINDOW_US:
        raise Invalid("a window is at most 31 days long: ask for it in parts", field="to")
    found = await footage.slices(camera_id, from_us, to_us)
    if not found:
        await footage.camera_exists(camera_id)
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
