"""Playback URLs: playlists, and the table of all of them. What they answer is described in `web.play_operations`."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import urlencode

from aiohttp import web

from config.errors import Invalid
from storage.clock import rfc3339
from storage.files import Files
from storage.lead import Leads
from storage.model import CameraId
from storage.stills import Stills
from web import bodies, clips, frames, hls, live, media, params, windows
from web.keys import FFMPEG, FILES, FOOTAGE, STILLS, VOLUMES
from web.schemas import GapOut, SyncCamera, SyncOut

MAX_SYNC = 36
THREAD_OVER_US = 3600 * 1_000_000
"""Playlists of longer windows take 5 to 15 ms to write: not on the loop."""


def setup(app: web.Application) -> None:
    """What the playback handlers share. Wants FOOTAGE, VOLUMES and FFMPEG to be there."""
    app[FILES] = Files(app[VOLUMES], app[FOOTAGE].look_up, remote=app[FOOTAGE].remote)
    app[STILLS] = Stills(app[FFMPEG], app[FILES])
    app[windows.LEADS] = Leads(app[FOOTAGE], app[FILES])
    app[live.MEMORY] = live.Memory()
    app.on_cleanup.append(_close)


async def _close(app: web.Application) -> None:
    app[FILES].close_all()


def routes() -> list[web.RouteDef]:
    return [
        web.get("/play/{camera_id}/index.m3u8", index),
        web.get("/play/{camera_id}/live.m3u8", live.playlist),
        web.get("/play/{camera_id}/clip.mp4", clips.mp4),
        web.get("/play/{camera_id}/clip.json", clips.description),
        web.get("/play/{camera_id}/frame.jpg", frames.still),
        web.get("/play/sync", sync),
        web.get("/media/{camera_id}/{run_id}/{n}.mp4", media.segment),
    ]


async def index(request: web.Request) -> web.Response:
    """The VOD playlist of a window."""
    camera_id = params.camera_id(request)
    from_us, to_us = params.window(request)
    footage = request.app[FOOTAGE]
    found = await windows.slices(footage, camera_id, from_us, to_us)
    lengths = await windows.init_lengths(footage, found)
    special = await windows.in_file(footage, found)
    leads = await request.app[windows.LEADS].of(found)
    to_us = min(to_us, found[-1].end_us)
    if to_us - from_us > THREAD_OVER_US:
        text = await asyncio.to_thread(hls.vod, found, from_us, to_us, lengths, special, leads)
    else:
        text = hls.vod(found, from_us, to_us, lengths, special, leads)
    return playlist_answer(text, final=not any(part.segment.growing for part in found))


def playlist_answer(text: str, *, final: bool) -> web.Response:
    cache = "private, no-cache" if final else "no-store"
    return web.Response(body=text.encode(), headers={"Content-Type": hls.CONTENT_TYPE, "Cache-Control": cache})


async def sync(request: web.Request) -> web.Response:
    """Playlists of several cameras for one window, with what each of them lacks."""
    ids = _camera_ids(request)
    from_us, to_us = params.window(request)
    windows.refuse_long(from_us, to_us)
    footage = request.app[FOOTAGE]
    query = urlencode({"from": rfc3339(from_us), "to": rfc3339(to_us)}, safe=":")
    cameras = []
    for camera_id in ids:
        await footage.camera(camera_id)
        timeline = await footage.timeline(camera_id, from_us, to_us, 1)
        gaps = [
            GapOut(from_=rfc3339(g.from_us), to=rfc3339(g.to_us), cause=g.cause, detail=g.detail) for g in timeline.gaps
        ]
        cameras.append(SyncCamera(camera_id=camera_id, playlist=f"/play/{camera_id}/index.m3u8?{query}", gaps=gaps))
    return bodies.answer(SyncOut(from_=rfc3339(from_us), to=rfc3339(to_us), cameras=cameras))


def _camera_ids(request: web.Request) -> list[CameraId]:
    given = request.query.get("cameras", "")
    if not re.fullmatch(r"[1-9][0-9]{0,8}(,[1-9][0-9]{0,8})*", given):
        raise Invalid("cameras is a list of ids with commas, such as 1,2,3", field="cameras")
    ids = list(dict.fromkeys(CameraId(int(text)) for text in given.split(",")))
    if len(ids) > MAX_SYNC:
        raise Invalid(f"cameras lists at most {MAX_SYNC}", field="cameras")
    return ids
