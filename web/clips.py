"""A window as one MP4 file, and what that file holds."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from aiohttp import web

from storage.clip import Clip
from storage.clip_source import head, plan
from storage.clock import rfc3339
from storage.files import Files
from storage.fmp4_edit import shifted
from storage.footage import Footage
from storage.model import Camera
from web import bodies, params, ranges, windows
from web.keys import FILES, FOOTAGE, ZONE
from web.schemas import ClipOut, ClipSegment, GapOut, WindowOut
from web.timeline import shown_segment

CONTENT_TYPE = "video/mp4"
GAPS = ("skip", "keep")


async def mp4(request: web.Request) -> web.StreamResponse:
    """Length, ranges and ETag are known from rows alone; the bytes are read as they are sent."""
    asked = await _asked(request, windows.MAX_CLIP_SEGMENTS)
    clip = asked.clip
    name = file_name(asked.camera.code, asked.from_us, request.app[ZONE])
    headers = {
        "Content-Type": CONTENT_TYPE,
        "Content-Disposition": f'inline; filename="{name}"',
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
    asked = await _asked(request, windows.MAX_DESCRIBED_SEGMENTS)
    clip = asked.clip
    delivered_us = clip.parts[0].part.start_us, clip.parts[-1].part.end_us
    timeline = await request.app[FOOTAGE].timeline(asked.camera.id, *delivered_us, 1)
    return bodies.answer(
        ClipOut(
            camera_id=asked.camera.id,
            requested=WindowOut(from_=rfc3339(asked.from_us), to=rfc3339(asked.to_us)),
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


def file_name(code: str, from_us: int, zone: tzinfo) -> str:
    """`CODE-20261123-183000.mp4`, in the site's time. A code holds nothing that a file name may not."""
    return f"{code}-{datetime.fromtimestamp(from_us // 1_000_000, zone):%Y%m%d-%H%M%S}.mp4"


@dataclass(frozen=True, slots=True)
class _Asked:
    camera: Camera
    from_us: int
    to_us: int
    clip: Clip


async def _asked(request: web.Request, at_most: int) -> _Asked:
    """Of at most so many segments."""
    from_us, to_us = params.window(request)
    gaps = params.choice(request, "gaps", GAPS, default="skip")
    footage = request.app[FOOTAGE]
    camera = await footage.camera(params.camera_id(request))
    slices = await windows.slices_of_clip(footage, camera.id, from_us, to_us, at_most=at_most)
    clip = await plan(footage, request.app[FILES], slices, keep_gaps=gaps == "keep")
    return _Asked(camera, from_us, to_us, clip)


async def body_of(
    footage: Footage, files: Files, clip: Clip, start: int, end: int
) -> AsyncGenerator[ranges.Part, None]:
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
