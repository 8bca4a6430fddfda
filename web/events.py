"""Server-sent events: what changes, told to every open page as it happens. Runs on the event loop.

    event: camera    data: {"camera_id": 1, "state": "failed", "cause": "refused", ...}
    event: storage   data: {"volume_id": 1, "state": "full", ...}
    event: job       data: {"job_id": 7, "state": "done"}

A client that does not keep up is let go: it connects again by itself and reads the state anew. Events are hints.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from config.errors import Unavailable
from storage.clock import rfc3339
from storage.model import CameraState, Volume

QUEUE = 256  # events a client may lag behind
MAX_CLIENTS = 200

_END = b""


class Events:
    """The broadcaster. `publish` never waits; call it on the loop."""

    def __init__(self) -> None:
        self._clients: set[asyncio.Queue[bytes]] = set()
        self._closed = False

    def publish(self, name: str, data: Mapping[str, object]) -> None:
        """`name`: camera | storage | job; `data`: JSON values."""
        if not self._clients:
            return
        message = f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
        for queue in list(self._clients):
            self._put(queue, message)

    def camera_state(self, state: CameraState) -> None:
        """A camera's new state."""
        self.publish(
            "camera",
            {
                "camera_id": state.camera_id,
                "state": state.state,
                "cause": state.cause,
                "detail": state.detail,
                "since": rfc3339(state.since_us),
            },
        )

    def volume_state(self, volume: Volume) -> None:
        """A volume's new state."""
        self.publish(
            "storage", {"volume_id": volume.id, "path": volume.path, "state": volume.state, "detail": volume.detail}
        )

    def _put(self, queue: asyncio.Queue[bytes], message: bytes) -> None:
        try:
            queue.put_nowait(message)
        except asyncio.QueueFull:
            self._clients.discard(queue)
            while not queue.empty():
                queue.get_nowait()
            queue.put_nowait(_END)

    def subscribe(self) -> asyncio.Queue[bytes]:
        """Messages as they go over the wire; an empty one is the end. Raises Unavailable when too many listen."""
        if self._closed or len(self._clients) >= MAX_CLIENTS:
            raise Unavailable("too many pages listen for events: close some, or ask again later")
        queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE)
        self._clients.add(queue)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[bytes]) -> None:
        self._clients.discard(queue)

    def close(self) -> None:
        """Ends every stream: the server would otherwise wait for its clients."""
        self._closed = True
        for queue in list(self._clients):
            self._put(queue, _END)
        self._clients.clear()
