"""A server's object store, where one is configured: what is read from there, what goes there."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from config.settings import Settings
from retention.offload import Offloader
from storage.backup import FOLDER
from storage.backup_remote import keep_remote
from storage.catalog.db import Catalog
from storage.objects import Objects
from storage.objects_keys import keys_of
from storage.remote import Remote
from storage.storekeys import below
from storage.volumes import Volumes


class Store:
    """All None without a bucket in the settings. The store need not answer, and its keys need not be right, for a start."""

    def __init__(self, settings: Settings, catalog: Catalog, volumes: Volumes) -> None:
        self._volumes = volumes
        self._below = below(settings.offload.prefix, settings.server.node)
        self.objects: Objects | None = None
        self.remote: Remote | None = None
        self.offloader: Offloader | None = None
        if settings.offload.bucket:
            self.objects = Objects(settings.offload, partial(keys_of, settings.offload))
            self.remote = Remote(catalog, self.objects)
            self.offloader = Offloader(catalog, volumes, self.objects, settings)

    async def start(self) -> None:
        if self.offloader is not None:
            await self.offloader.start()

    async def keep_backup(self) -> None:
        """The newest backup of the volumes in the bucket as well. Raises OSError, NvrError."""
        if self.objects is not None:
            folders = [Path(volume.path) / FOLDER for volume in self._volumes.readable()]
            await keep_remote(self.objects, self._below, folders)

    async def close(self) -> None:
        """Before the catalog is closed."""
        if self.offloader is not None:
            await self.offloader.close()
        if self.remote is not None:
            await self.remote.close()
        if self.objects is not None:
            self.objects.close()
