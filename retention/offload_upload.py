"""One segment's way into the object store: sent, asked for again, held against its SHA-256. Nothing here deletes footage."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from config.errors import Corrupt, Invalid, NotFound, NvrError
from storage import object_metadata
from storage.catalog import holds, inits
from storage.catalog.db import Catalog
from storage.catalog.offloads import Uploaded, Work
from storage.catalog.sqlite import Connection
from storage.model import Init, InitId, Segment
from storage.objects import COLD, Objects, Stored, Upload
from storage.pace import Pace
from storage.paths import segment_path
from storage.storekeys import probe_key
from storage.volumes import Volumes

SAMPLE = 50
"""Of so many uploads one is read back whole, though the store says that it holds the right bytes."""
INITS_KEPT = 200

Step = Callable[[str], None]


class Uploader:
    """Used from the event loop, by several workers at once. `step` is called between any two steps: tests end the process
    there."""

    def __init__(
        self,
        catalog: Catalog,
        volumes: Volumes,
        objects: Objects,
        pace: Pace,
        node: str,
        *,
        step: Step = lambda name: None,
    ) -> None:
        self._catalog = catalog
        self._volumes = volumes
        self._objects = objects
        self._pace = pace
        self._probe = probe_key(objects.prefix, node)
        self._inits: dict[InitId, Init] = {}
        self._step = step
        self._looking = asyncio.Lock()
        self._checks_sums: bool | None = None
        self.has_lock: bool | None = None
        self._count = 0

    async def know_the_store(self) -> None:
        """What the store really does, asked once. Raises Unavailable."""
        async with self._looking:
            if self.has_lock is None:
                self._checks_sums = await self._objects.checks_sums(self._probe)
                self.has_lock = await self._objects.has_lock()

    async def upload(self, work: Work) -> Uploaded:
        """Returns once the store has the bytes, checked. Raises OSError and NvrError; then it is to be tried again."""
        await self.know_the_store()
        segment = work.segment
        stored = await self._there_already(work) if work.attempts > 1 else None
        if stored is None:
            self._step("claimed")
            version_id = await self._send(work)
            self._step("sent")
            stored = await self._objects.head(work.key, version_id)
            await self._check(work, stored, version_id)
            self._step("checked")
        version_id = stored.version_id
        if work.attempts > 1 and version_id:
            await self._objects.delete_other_versions(work.key, version_id)
        hold = bool(self.has_lock) and await self._catalog.read(partial(is_held, segment=segment))
        if hold:
            await self._objects.set_legal_hold(work.key, version_id, on=True)
            self._step("held")
        checksum = base64.b64encode(stored.sha256).decode() if stored.sha256 is not None else ""
        return Uploaded(segment.run_id, segment.n, work.key, version_id, checksum, hold)

    async def _there_already(self, work: Work) -> Stored | None:
        """What an earlier try brought there before its server died. None: there is nothing, or other bytes."""
        try:
            stored = await self._objects.head(work.key)
            await self._check(work, stored, stored.version_id)
        except (NotFound, Corrupt):
            return None
        return stored

    async def _send(self, work: Work) -> str:
        segment = work.segment
        path = segment_path(self._volumes.path(segment.volume_id), segment)
        pool = self._volumes.pool(segment.volume_id)
        fd = await asyncio.get_running_loop().run_in_executor(pool, _open, path)
        try:
            metadata = object_metadata.written(segment, work.code, await self._init(segment.init_id))
            upload = Upload(work.key, fd, segment.size_bytes, segment.sha256, metadata, work.storage_class)
            # Shielded: a thread must not read a descriptor that somebody else has been given meanwhile.
            sending = asyncio.ensure_future(self._objects.put(upload, self._pace.take))
            try:
                return await asyncio.shield(sending)
            except asyncio.CancelledError:
                fd_kept, fd = fd, -1
                sending.add_done_callback(partial(_close_after, fd_kept))
                raise
        finally:
            if fd >= 0:
                os.close(fd)

    async def _init(self, init_id: InitId) -> Init:
        found = self._inits.get(init_id)
        if found is None:
            found = await self._catalog.read(partial(inits.get, init_id=init_id))
            if found is None:
                raise NotFound(f"there is no init {init_id}")
            self._inits = {**dict(list(self._inits.items())[-INITS_KEPT:]), init_id: found}
        return found

    async def _check(self, work: Work, stored: Stored, version_id: str) -> None:
        """Raises Corrupt where the store has other bytes than the segment's, Invalid where that cannot be found out."""
        segment = work.segment
        if stored.size_bytes != segment.size_bytes:
            raise Corrupt(f"{work.key} has {stored.size_bytes} bytes in the store, {segment.size_bytes} were sent")
        if stored.sha256 is not None and stored.sha256 != segment.sha256:
            raise Corrupt(f"{work.key} has another SHA-256 in the store than here")
        trusted = stored.sha256 is not None and bool(self._checks_sums)
        if work.storage_class in COLD or stored.cold:
            if not trusted:
                raise Invalid(
                    f"{self._objects.where} keeps no checksums, so footage in the storage class {work.storage_class} "
                    "cannot be checked there: give its policy another storage class"
                )
            return
        self._count += 1
        if trusted and self._count % SAMPLE != 1:
            return
        if await self._objects.sha256(work.key, version_id, segment.size_bytes) != segment.sha256:
            raise Corrupt(f"{work.key} comes back from the store with another SHA-256")


def is_held(db: Connection, segment: Segment) -> bool:
    active = holds.active(db, segment.camera_id)
    return any(hold.start_us < segment.end_us and hold.end_us > segment.start_us for hold in active)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _close_after(fd: int, sending: asyncio.Future[str]) -> None:
    os.close(fd)
    if not sending.cancelled():
        sending.exception()  # nobody else asks


TROUBLE = (OSError, NvrError)
