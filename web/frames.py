"""A still of an instant."""

from __future__ import annotations

import hashlib

from aiohttp import web

from storage.clock import rfc3339
from storage.model import CameraId
from web import params, windows
from web.keys import FOOTAGE, STILLS

MIN_WIDTH, MAX_WIDTH = 16, 3840
LOOK_BACK_US = 10_000_000
"""An instant so shortly after the newest footage gets its last keyframe: fragments come up to a GOP late."""


async def still(request: web.Request) -> web.Response:
    camera_id: CameraId = params.camera_id(request)
    at_us = params.time(request, "at")
    width = params.integer(request, "width", default=None, low=MIN_WIDTH, high=MAX_WIDTH)
    exact = params.integer(request, "exact", default=0, low=0, high=1) == 1
    footage = request.app[FOOTAGE]
    found = await footage.slices(camera_id, at_us - LOOK_BACK_US, at_us + 1)
    if not found:
        found = await windows.slices(footage, camera_id, at_us, at_us + 1)  # says where the nearest is
    segment = found[-1].segment
    init = await footage.init(segment.init_id)
    fragments = await footage.fragments(segment)
    picture = await request.app[STILLS].at(segment, init, fragments, at_us, width=width, exact=exact)
    etag = f'"{hashlib.sha256(picture.jpeg).hexdigest()[:32]}"'
    headers = {
        "ETag": etag,
        "X-Frame-Time": rfc3339(picture.time_us),
        "Cache-Control": "private, max-age=3600" if picture.final else "no-store",
    }
    if etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    return web.Response(body=picture.jpeg, content_type="image/jpeg", headers=headers)
