"""A window as one MP4 file, and what that file holds."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from aiohttp import web

from storage.clip import Clip
from storage.clip_source import head, plan
from storage.clock import rfc3339
from storage.files import Files
from storage.fmp4_edit import shifted
from storage.footage import Footage
from storage.model import CameraId, Slice
from web import bodies, params, ranges, windows
from web.keys import FILES, FOOTAGE
from web.schemas import ClipOut, ClipSegment, GapOut, WindowOut
from web.timeline import shown_segment

CONTENT_TYPE = "video/mp4"
GAPS = ("skip", "keep")


async def mp4(request: web.Request) -> web.StreamResponse:
    """Length, ranges and ETag are known from rows alone; the bytes are read as they are sent."""
    camera_id, slices, clip = await _asked(request)
    start = datetime.fromtimestamp(slices[0].start_us // 1_000_000, UTC)
    headers = {
        "Content-Type": CONTENT_TYPE,
        "Content-Disposition": f'inline; filename="camera-{camera_id}-{start:%Y%m%dT%H%M%SZ}.mp4"',
        "Cache-Control": "private, no-cache" if clip.etag else "no-store",
    }
    if clip.etag is None:
        # The next request may find more footage and so other bytes: no part of this answer fits to a part of that one.
        headers["Accept-Ranges"] = "none"
        wanted = ranges.Wanted(200, 0, clip.size_bytes)
    else:
        wanted = ranges.wanted(request.method, request.headers, clip.size_bytes, clip.etag)
    body = body_of(request.app[FOOTAGE], request.app[FILES], clip, wanted.start, wanted.end)
    return await ranges.answer(request, wanted, body, size_bytes=clip.size_bytes, etag=clip.etag, headers=headers)


async def description(request: web.Request) -> web.Response:
    camera_id, slices, clip = await _asked(request)
    from_us, to_us = params.window(request)
    delivered_us = slices[0].start_us, slices[-1].end_us
    timeline = await request.app[FOOTAGE].timeline(camera_id, *delivered_us, 1)
    return bodies.answer(
        ClipOut(
            camera_id=camera_id,
            requested=WindowOut(from_=rfc3339(from_us), to=rfc3339(to_us)),
            delivered=WindowOut(from_=rfc3339(delivered_us[0]), to=rfc3339(delivered_us[1])),
            gaps=[
                GapOut(from_=rfc3339(g.from_us), to=rfc3339(g.to_us), cause=g.cause, detail=g.detail)
                for g in timeline.gaps
            ],
            segments=[
                ClipSegment(
                    **shown_segment(part.part.segment).model_dump(by_alias=False),
                    offset=part.offset,
                    length=part.size_bytes,
                    clip_time_s=round(part.clip_time_s, 6),
                )
                for part in clip.parts
            ],
            size_bytes=clip.size_bytes,
            etag=clip.etag,
        )
    )


async def _asked(request: web.Request) -> tuple[CameraId, list[Slice], Clip]:
    camera_id = params.camera_id(request)
    from_us, to_us = params.window(request)
    gaps = params.choice(request, "gaps", GAPS, default="skip")
    footage = request.app[FOOTAGE]
    slices = await windows.slices(footage, camera_id, from_us, to_us)
    return camera_id, slices, await plan(footage, request.app[FILES], slices, keep_gaps=gaps == "keep")


async def body_of(footage: Footage, files: Files, clip: Clip, start: int, end: int) -> AsyncGenerator[ranges.Part, None]:
    """The clip's bytes [start, end)."""
    if start < len(clip.header):
        yield clip.header[start:end]
    for part in clip.between(start, end):
        fragments = await footage.fragments(part.part.segment)
        async with files.open(part.part.segment) as file:
            at = part.clip_offset
            for index, fragment in enumerate(fragments[part.part.first : part.part.end]):
                after = at + fragment.size_bytes
                if at >= end:
                    break
                if after > start:
                    moved = shifted(await head(file, fragment), part.shifts, part.sequence + index)
                    media = at + len(moved)
                    if start < media:
                        yield bytes(moved[max(start - at, 0) : end - at])
                    first, last = max(start, media), min(end, after)
                    if first < last:
                        yield ranges.FilePart(file, fragment.offset + first - at, last - first)
                at = after
