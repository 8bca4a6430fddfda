"""The sliding playlist of what a camera records now (RFC 8216 6.2.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from aiohttp import web

from storage.footage import Footage
from storage.model import CameraId, RunId, Segment, Slice
from storage.selection import follows, times_us
from web import hls, params, windows
from web.keys import FOOTAGE

DEFAULT_WINDOW_S = 600
MIN_WINDOW_S = 10
MAX_WINDOW_S = 1800
EMPTY_TARGET_S = 3
TARGET_ROOM_PERCENT = 125
"""Fragments of one camera differ by a frame or two: the target must not jump between 2 and 3 s for that."""

Break = tuple[RunId, int]


@dataclass(slots=True)
class _Camera:
    """`target`: EXT-X-TARGETDURATION, which may not change (6.2.1); it rises only when an entry would not fit.

    `breaks`: segments before which files of their run are missing, as long as a playlist shows them. `passed`: how many of
    those have left the playlists.
    """

    target: int = 0
    breaks: set[Break] = field(default_factory=set)
    passed: int = 0


@dataclass(slots=True)
class Memory:
    """What has to stay the same from one live playlist of a camera to the next. Lives as long as the server."""

    cameras: dict[CameraId, _Camera] = field(default_factory=dict)

    def target(self, camera_id: CameraId, longest_ms: int) -> int:
        camera = self.cameras.setdefault(camera_id, _Camera())
        if hls.target_s(longest_ms) > camera.target:
            camera.target = hls.target_s(longest_ms * TARGET_ROOM_PERCENT // 100)
        return camera.target

    def passed(self, camera_id: CameraId, slices: list[Slice]) -> int:
        """Discontinuities inside runs that were listed once and lie before the first entry now."""
        camera = self.cameras.setdefault(camera_id, _Camera())
        for before, after in pairwise(slices):
            if before.segment.run_id == after.segment.run_id and not follows(before, after):
                camera.breaks.add((after.segment.run_id, after.segment.n))
        first = (slices[0].segment.run_id, slices[0].segment.n)
        gone = {key for key in camera.breaks if key <= first}
        camera.breaks -= gone
        camera.passed += len(gone)
        return camera.passed


MEMORY: web.AppKey[Memory] = web.AppKey("live memory")


async def playlist(request: web.Request) -> web.Response:
    camera_id = params.camera_id(request)
    window_s = params.integer(request, "window_s", default=DEFAULT_WINDOW_S, low=MIN_WINDOW_S, high=MAX_WINDOW_S)
    footage, memory = request.app[FOOTAGE], request.app[MEMORY]
    found = await _newest(footage, camera_id, window_s * 1_000_000)
    if not found:
        await footage.camera(camera_id)
        text = hls.live([], {}, {}, target=EMPTY_TARGET_S, sequence=0, discontinuities=0)
    else:
        special = await windows.in_file(footage, found)
        leads = await request.app[windows.LEADS].of(found)
        run = await footage.run(found[0].segment.run_id)
        text = hls.live(
            found,
            await windows.init_lengths(footage, found),
            special,
            target=memory.target(camera_id, hls.longest_ms(found, special, leads)),
            sequence=run.seq0 + found[0].segment.frag0 + found[0].first,
            discontinuities=run.discontinuities + memory.passed(camera_id, found),
            leads=leads,
        )
    return web.Response(body=text.encode(), headers={"Content-Type": hls.CONTENT_TYPE, "Cache-Control": "no-store"})


async def _newest(footage: Footage, camera_id: CameraId, window_us: int) -> list[Slice]:
    """Every fragment of the window that ends with the newest footage, in the order in which they were recorded.

    Runs that overlap are listed one after the other, whole: each fragment has its number for ever, so none can be left out.
    """
    edge_us = await footage.newest_us(camera_id)
    if edge_us is None:
        return []
    from_us = edge_us - window_us
    segments = await footage.segments(camera_id, from_us, edge_us + 1_000_000)
    segments.sort(key=lambda segment: (segment.run_id, segment.n))
    parts: list[Slice] = []
    sequence = -1
    for segment in segments:
        part = await _since(footage, segment, from_us) if not parts else _whole(segment)
        if part is None:
            continue
        number = (await footage.run(segment.run_id)).seq0 + segment.frag0 + part.first
        if parts and number != sequence:
            parts = []  # a number that does not go on would be read as another entry's: begin with this one
        sequence = number + hls.entry_count(part)
        parts.append(part)
    return parts


async def _since(footage: Footage, segment: Segment, from_us: int) -> Slice | None:
    fragments = await footage.fragments(segment)
    times = times_us(segment, fragments)
    for index, fragment in enumerate(fragments):
        if fragment.keyframe and times[index] >= from_us:
            return Slice(segment, index, None, times[index], segment.end_us)
    return None


def _whole(segment: Segment) -> Slice:
    return Slice(segment, 0, None, segment.start_us, segment.end_us)
