"""GET /api/v1/events: a page's stream of server-sent events, kept alive, and the watch over the volumes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from web.keys import EVENTS, VOLUMES
from web.operations import Operation, Reply

KEEP_ALIVE_S = 15.0  # proxies close what is silent for a minute
RETRY_MS = 3000
VOLUMES_S = 1.0


async def watch_volumes(app: web.Application) -> AsyncIterator[None]:
    """cleanup_ctx: tells of a volume whose state has changed. Reads memory alone: the server's pass asks the disks."""

    async def watch() -> None:
        known = {volume.id: volume.state for volume in app[VOLUMES].all()}
        while True:
            await asyncio.sleep(VOLUMES_S)
            for volume in app[VOLUMES].all():
                if known.get(volume.id) != volume.state:
                    known[volume.id] = volume.state
                    app[EVENTS].volume_state(volume)

    task = asyncio.create_task(watch(), name="volume events")
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def stream(request: web.Request) -> web.StreamResponse:
    events = request.app[EVENTS]
    queue = events.subscribe()
    try:
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        await response.write(f"retry: {RETRY_MS}\n\n".encode())
        if request.method == "HEAD":
            return response
        while message := await _next(queue):
            await response.write(message)
        return response
    finally:
        events.unsubscribe(queue)


async def _next(queue: asyncio.Queue[bytes]) -> bytes:
    try:
        async with asyncio.timeout(KEEP_ALIVE_S):
            return await queue.get()
    except TimeoutError:
        return b": still here\n\n"


async def _end(app: web.Application) -> None:
    app[EVENTS].close()


def setup(app: web.Application) -> None:
    app.on_shutdown.append(_end)
    app.cleanup_ctx.append(watch_volumes)


def operations() -> list[Operation]:
    return [
        Operation(
            "GET",
            "/api/v1/events",
            stream,
            "Events",
            "Changes as server-sent events",
            {200: Reply("An endless stream.", media_type="text/event-stream", schema={"type": "string"})},
            description="`camera`, `storage` and `job`, each with JSON data. A client that lags is let go and connects again.",
        )
    ]
