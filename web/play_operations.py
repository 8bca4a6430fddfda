"""What the playback URLs take and answer. Their handlers are `web.play`'s."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from aiohttp import web

from web.operations import CAMERA_ID, ID, TIME, WINDOW, Operation, Parameter, Reply, Schema, path_id
from web.problems import Handler
from web.schemas import ClipOut, SyncOut

_TAG = "Playback"
_BYTES: Schema = {"type": "string", "contentMediaType": "application/octet-stream"}
_PLAYLIST = Reply("A media playlist (RFC 8216).", media_type="application/vnd.apple.mpegurl", schema={"type": "string"})
_JPEG = Reply(
    "The picture.",
    media_type="image/jpeg",
    schema=_BYTES,
    headers={"X-Frame-Time": "The picture's true time, RFC 3339."},
)
_GAPS = Parameter(
    "gaps",
    "query",
    {"type": "string", "enum": ["skip", "keep"], "default": "skip"},
    "`skip`: footage follows on footage. `keep`: gaps stay in the clip's time.",
)
_RANGE = Parameter("Range", "header", {"type": "string"}, "One range of bytes: bytes=0-499.")
_MP4_HEADERS = {"ETag": "Strong, where the bytes are final.", "Accept-Ranges": "bytes"}


def _mp4(description: str) -> dict[int, Reply]:
    whole = Reply(description, media_type="video/mp4", schema=_BYTES, headers=_MP4_HEADERS)
    part = Reply("The part asked for.", media_type="video/mp4", schema=_BYTES, headers=_MP4_HEADERS)
    return {200: whole, 206: part}


def _described(handler: Handler) -> list[Operation]:
    """With one handler for all: `operations` gives each its own."""
    return [
        Operation(
            "GET",
            "/play/{camera_id}/index.m3u8",
            handler,
            _TAG,
            "Play a window",
            {200: _PLAYLIST},
            description="An HLS VOD playlist of byte ranges into the segments. A `to` beyond the live edge is cut there.",
            parameters=(CAMERA_ID, *WINDOW),
        ),
        Operation(
            "GET",
            "/play/{camera_id}/live.m3u8",
            handler,
            _TAG,
            "Play what happens now",
            {200: _PLAYLIST},
            parameters=(
                CAMERA_ID,
                Parameter(
                    "window_s",
                    "query",
                    {"type": "integer", "minimum": 10, "maximum": 1800, "default": 600},
                    "Seconds one can go back.",
                ),
            ),
        ),
        Operation(
            "GET",
            "/play/{camera_id}/clip.mp4",
            handler,
            _TAG,
            "Download a window as one MP4",
            _mp4("A fragmented MP4, bytes as recorded."),
            description="409 `mixed_streams` where the window's streams cannot be one MP4; `windows` lists those that work.",
            parameters=(CAMERA_ID, *WINDOW, _GAPS, _RANGE),
            problems=(409, 416),
        ),
        Operation(
            "GET",
            "/play/{camera_id}/clip.json",
            handler,
            _TAG,
            "What that clip holds",
            {200: Reply("Its segments, gaps, size and ETag.", ClipOut)},
            parameters=(CAMERA_ID, *WINDOW, _GAPS),
            problems=(409,),
        ),
        Operation(
            "GET",
            "/play/{camera_id}/frame.jpg",
            handler,
            _TAG,
            "One picture",
            {200: _JPEG},
            parameters=(
                CAMERA_ID,
                Parameter("at", "query", TIME, "The instant; the keyframe at or before it is shown.", required=True),
                Parameter("width", "query", {"type": "integer", "minimum": 16, "maximum": 3840}, "Pixels."),
                Parameter("exact", "query", {"type": "integer", "enum": [0, 1], "default": 0}, "1: the very frame."),
            ),
        ),
        Operation(
            "GET",
            "/play/sync",
            handler,
            _TAG,
            "Several cameras on one clock",
            {200: Reply("A playlist for each, with its gaps.", SyncOut)},
            parameters=(
                Parameter(
                    "cameras",
                    "query",
                    {"type": "string", "pattern": "^[1-9][0-9]{0,8}(,[1-9][0-9]{0,8}){0,35}$"},
                    "Ids, with commas.",
                    required=True,
                ),
                *WINDOW,
            ),
            problems=(404,),
        ),
        Operation(
            "GET",
            "/media/{camera_id}/{run_id}/{n}.mp4",
            handler,
            _TAG,
            "One segment",
            _mp4("The file as ffmpeg wrote it; of a growing one its complete fragments."),
            parameters=(
                CAMERA_ID,
                path_id("run_id", "The run."),
                Parameter("n", "path", {**ID, "minimum": 0}, "The segment's number in its run.", required=True),
                _RANGE,
            ),
            problems=(416,),
        ),
    ]


async def _nobody(_: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound


def operations(routes: Iterable[web.RouteDef]) -> list[Operation]:
    """The operations with the handlers of `routes`. Raises LookupError for a route without a description, or the reverse."""
    handlers = {(route.method, route.path): route.handler for route in routes if route.method != "HEAD"}
    made = []
    for operation in _described(_nobody):
        handler: Any = handlers.pop((operation.method, operation.path))  # a function: ours are no view classes
        made.append(replace(operation, handler=handler))
    if handlers:
        raise LookupError(f"not described: {sorted(handlers)}")
    return made
