"""Open footage files: a cache of descriptors, and the pins that keep what is being served from being deleted.

One Files for the whole server, used from the event loop; every open runs in the pool of the file's volume. A file is known by
(run, n), not by its path: the descriptor stays good when the file moves from the spool to the archive. Footage that is in the
object store is read from there when it is not here.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import FileIO

from config.errors import NotFound, Unavailable
from storage.clock import Clock, mono_us
from storage.model import CameraId, RunId, Segment, Tier
from storage.paths import segment_path
from storage.remote import Remote, RemoteFile
from storage.volumes import Volumes

MAX_OPEN = 256
PIN_AFTER_US = 60_000_000
"""A file counts as being served for so long after its last byte: a player asks for the next range."""
PIN_IN_ALL_US = 600_000_000
SAMPLE_BYTES = 1 << 16
"""Is a page cached? One in 64 KiB is asked: the kernel reads ahead and gives up memory in larger pieces than that."""

Key = tuple[RunId, int]
LookUp = Callable[[CameraId, RunId, int], Awaitable[Segment]]


@dataclass(slots=True, eq=False)
class OpenFile:
    """`file` is raw and read by offset only, so many readers share it. Blocking reads go into `pool`."""

    key: Key
    file: FileIO
    pool: Executor
    readers: int = 0
    dropped: bool = False

    @property
    def fd(self) -> int:
        return self.file.fileno()

    @property
    def size_bytes(self) -> int:
        return os.fstat(self.fd).st_size

    def pread(self, count: int, offset: int) -> bytes:
        """As os.pread. Blocking."""
        return os.pread(self.fd, count, offset)

    async def ready(self, offset: int) -> None:
        """Nothing is in the way of reading there."""

    def cached(self, offset: int, count: int) -> bool:
        """Whether these bytes can be had without the disk, as far as samples tell. False where the file system cannot say."""
        byte = [bytearray(1)]
        try:
            for at in range(offset, offset + count, SAMPLE_BYTES):
                if os.preadv(self.fd, byte, at, os.RWF_NOWAIT) == 0:
                    return True  # the end of the file: nothing to wait for
            os.preadv(self.fd, byte, offset + count - 1, os.RWF_NOWAIT)
        except OSError:
            return False  # EAGAIN: not in memory; EOPNOTSUPP: it cannot say
        return True

    async def read(self, offset: int, count: int) -> bytes:
        """At most so many bytes; fewer only at the end of the file. Never waits for the disk on the loop."""
        if self.cached(offset, count):
            return os.pread(self.fd, count, offset)
        return await asyncio.get_running_loop().run_in_executor(self.pool, os.pread, self.fd, count, offset)


Source = OpenFile | RemoteFile
"""What a segment's bytes are read from."""


@dataclass(slots=True)
class _Pin:
    since_us: int
    last_us: int
    readers: int = 0


class Files:
    """`look_up` answers where a segment is now; raises NotFound. `remote`: None without an object store. `clock` must never
    step."""

    def __init__(
        self,
        volumes: Volumes,
        look_up: LookUp,
        *,
        remote: Remote | None = None,
        clock: Clock = mono_us,
        max_open: int = MAX_OPEN,
    ) -> None:
        self._volumes = volumes
        self._look_up = look_up
        self._remote = remote
        self._clock = clock
        self._max_open = max_open
        self._open: OrderedDict[Key, OpenFile] = OrderedDict()
        self._pins: dict[Key, _Pin] = {}

    @asynccontextmanager
    async def open(self, segment: Segment) -> AsyncIterator[Source]:
        """The segment's file, kept open and pinned meanwhile; its object where the file is not here.

        Raises NotFound when it is gone, Unavailable when its volume or the store is away or does not answer as it should,
        Conflict (`cold`) when it must be restored first.
        """
        key = (segment.run_id, segment.n)
        handle = self._open.get(key) or await self._opened(segment)
        if isinstance(handle, RemoteFile):
            self._pin(key, 1)
            try:
                yield handle
            finally:
                self._pin(key, -1)
            return
        self._open.move_to_end(key)
        handle.readers += 1
        self._pin(key, 1)
        try:
            yield handle
        finally:
            handle.readers -= 1
            self._pin(key, -1)
            if handle.dropped and handle.readers == 0:
                handle.file.close()

    async def _opened(self, segment: Segment) -> Source:
        """Local before remote: it is nearer, and the store may be away."""
        if segment.tier is Tier.REMOTE:
            return await self._remote_file(segment)
        try:
            return await self._local(segment)
        except (FileNotFoundError, NotFound, Unavailable) as error:
            if segment.tier is Tier.LOCAL and isinstance(error, Unavailable):
                raise
            # Moved from the spool to the archive a moment ago, or taken from its volume: look it up once more.
            segment = await self._look_up(segment.camera_id, segment.run_id, segment.n)
            if segment.tier is not Tier.LOCAL:
                return await self._remote_file(segment)
        try:
            return await self._local(segment)
        except FileNotFoundError as error:
            message = f"the file of segment {segment.n} of run {segment.run_id} is missing"
            raise NotFound(message) from error

    async def _remote_file(self, segment: Segment) -> RemoteFile:
        if self._remote is None:
            raise Unavailable(
                f"segment {segment.n} of run {segment.run_id} is in the object store only, and no store is configured",
                field="offload.bucket",
            )
        return await self._remote.open(segment)

    async def _local(self, segment: Segment) -> OpenFile:
        file, pool = await self._open_at(segment)
        key = (segment.run_id, segment.n)
        known = self._open.get(key)
        if known is not None:  # another request was as quick
            file.close()
            return known
        self._open[key] = handle = OpenFile(key, file, pool)
        while len(self._open) > self._max_open:
            self._drop(next(iter(self._open)))
        return handle

    async def _open_at(self, segment: Segment) -> tuple[FileIO, Executor]:
        path = segment_path(self._volumes.path(segment.volume_id), segment)
        pool = self._volumes.pool(segment.volume_id)
        try:
            return await _finished(asyncio.get_running_loop().run_in_executor(pool, FileIO, str(path), "rb")), pool
        except FileNotFoundError:
            volume = self._volumes.get(segment.volume_id)
            if volume.state in ("missing", "foreign"):
                raise Unavailable(f"volume {volume.id} is {volume.state}: {volume.detail}") from None
            raise
        except OSError as error:
            raise Unavailable(f"{path} cannot be read: {error.strerror}") from error

    def _drop(self, key: Key) -> None:
        handle = self._open.pop(key, None)
        if handle is None:
            return
        handle.dropped = True
        if handle.readers == 0:
            handle.file.close()

    def close(self, run_id: RunId, n: int) -> None:
        """Before the file is removed: its space is free once its last reader is done."""
        self._drop((run_id, n))

    def close_all(self) -> None:
        """When the server ends."""
        for key in list(self._open):
            self._drop(key)

    def pinned(self) -> set[Key]:
        """Files that are being served, or were in the last minute; none for more than ten minutes in all."""
        now_us = self._clock()
        for key, pin in list(self._pins.items()):
            if pin.readers == 0 and now_us - pin.last_us > PIN_AFTER_US:
                del self._pins[key]
        return {key for key, pin in self._pins.items() if now_us - pin.since_us <= PIN_IN_ALL_US}

    def _pin(self, key: Key, readers: int) -> None:
        now_us = self._clock()
        pin = self._pins.get(key)
        if pin is None or (pin.readers == 0 and now_us - pin.last_us > PIN_AFTER_US):
            pin = self._pins[key] = _Pin(now_us, now_us)
            if len(self._pins) > 8 * self._max_open:
                self.pinned()  # forget the old ones
        pin.readers += readers
        pin.last_us = now_us


async def _finished(opening: asyncio.Future[FileIO]) -> FileIO:
    """A request may be cancelled while the thread opens its file: nobody else would close it."""
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close)
        raise


def _close(opened: asyncio.Future[FileIO]) -> None:
    if not opened.cancelled() and opened.exception() is None:
        opened.result().close()
