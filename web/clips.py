"""A window as one MP4 file."""

from __future__ import annotations

from aiohttp import web

from config.errors import Unavailable


async def mp4(request: web.Request) -> web.StreamResponse:
    raise Unavailable("clips are not made yet")


async def description(request: web.Request) -> web.StreamResponse:
    raise Unavailable("clips are not made yet")
