"""What the command line changes in the catalog reaches the running server: `PRAGMA data_version`, asked each second."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from storage.catalog import cameras, logins
from storage.catalog.db import Catalog
from storage.catalog.sqlite import Connection
from storage.model import CameraId

Snapshot = dict[CameraId, bytes]


def snapshot(db: Connection, node: str) -> Snapshot:
    """A digest of every camera of a node, its login (as it is sealed) included."""
    found: Snapshot = {}
    sealed = logins.marks(db)
    for camera in cameras.all_of(db, node):
        found[camera.id] = hashlib.sha256(repr((camera, sealed.get(camera.id))).encode()).digest()
    return found


class CatalogWatch:
    def __init__(self, catalog: Catalog, node: str, changed: Callable[[CameraId], None]) -> None:
        self._catalog = catalog
        self._node = node
        self._changed = changed
        self._version = -1
        self._snapshot: Snapshot = {}

    async def start(self) -> None:
        self._version = await self._catalog.data_version()
        self._snapshot = await self._catalog.read(lambda db: snapshot(db, self._node))

    async def poll(self) -> bool:
        """Tell of each camera that another process changed. True when the catalog was changed at all."""
        version = await self._catalog.data_version()
        if version == self._version:
            return False
        self._version = version
        now = await self._catalog.read(lambda db: snapshot(db, self._node))
        for camera_id in now.keys() | self._snapshot.keys():
            if now.get(camera_id) != self._snapshot.get(camera_id):
                self._changed(camera_id)
        self._snapshot = now
        return True
