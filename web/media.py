"""One segment, byte for byte as ffmpeg wrote it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from aiohttp import web

from storage.model import Segment, Tier
from storage.paths import ARCHIVE, archive_path
from web import params, ranges
from web.keys import FILES, FOOTAGE, SETTINGS, VOLUMES

CONTENT_TYPE = "video/mp4"


async def segment(request: web.Request) -> web.StreamResponse:
    """A closed one never changes. Of a growing one the complete fragments are there, and nothing may keep them."""
    camera_id, run_id, n = params.camera_id(request), params.run_id(request), params.segment_number(request)
    found = await request.app[FOOTAGE].segment(camera_id, run_id, n)
    etag = None if found.growing else f'"{found.sha256.hex()}"'
    headers = {
        "Content-Type": CONTENT_TYPE,
        "Cache-Control": "no-store" if found.growing else "private, max-age=31536000, immutable",
    }
    prefix = request.app[SETTINGS].playback.x_accel_prefix
    if prefix and not found.growing and _here(request, found):
        return web.Response(headers={**headers, "X-Accel-Redirect": _below(prefix, found)})
    wanted = ranges.wanted(request.method, request.headers, found.size_bytes, etag)
    async with request.app[FILES].open(found) as file:  # before the head is sent: a missing file is a 404
        if wanted.status in (200, 206) and request.method == "GET":
            await file.ready(wanted.start)

        async def body() -> AsyncGenerator[ranges.Part, None]:
            yield ranges.FilePart(file, wanted.start, wanted.size_bytes)

        return await ranges.answer(request, wanted, body(), size_bytes=found.size_bytes, etag=etag, headers=headers)


def _here(request: web.Request, found: Segment) -> bool:
    """Its file is where nginx finds it. Of footage that the object store has too the volume may be away."""
    if found.tier is Tier.BOTH:
        return request.app[VOLUMES].get(found.volume_id).state in ("ok", "full", "readonly")
    return found.tier is Tier.LOCAL


def _below(prefix: str, found: Segment) -> str:
    """For nginx: an internal location that maps <prefix>/<volume id>/ to the volume's root."""
    path = archive_path(found.camera_id, found.start_us, found.run_id, found.n)
    return f"{prefix.rstrip('/')}/{found.volume_id}/{ARCHIVE}/{path}"
