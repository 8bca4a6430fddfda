"""Footage that is in the object store, read by ranges as if it were a file. Used from the event loop.

Blocks of 1 MiB are kept in memory, 64 MiB of them; one that several readers want is fetched once; who reads on and on finds the
next one on its way. A range of an object cannot be held against the segment's SHA-256: that was done when it was put there.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial

from config.errors import Conflict, NotFound, Unavailable
from storage.catalog import offloads
from storage.catalog.db import Catalog
from storage.catalog.offloads import Place
from storage.clock import Clock, mono_us
from storage.daemon_pool import DaemonPool
from storage.model import RunId, Segment
from storage.objects import COLD, Objects
from storage.objects_trouble import REFUSED

BLOCK_BYTES = 1 << 20
KEEP_BYTES = 64 << 20
PLACES_KEPT = 4096
PLACE_KEPT_US = 60_000_000
WAITERS = 4
RETRY_S = (0.1, 0.5)
RETRY_WITHIN_US = 5_000_000
"""A store that does not answer for so long is not asked once more while a player waits."""
RESTORE_DAYS = 7
RESTORE_HOURS = {"GLACIER": 5, "DEEP_ARCHIVE": 12}
"""How long a restore of the standard kind takes at most."""

Key = tuple[RunId, int]
Block = tuple[str, str, int]  # key, version, number


@dataclass(slots=True, eq=False)
class RemoteFile:
    """Has what storage.files.OpenFile has, but for the descriptor. `pool`: where blocking callers of `pread` wait."""

    key: Key
    place: Place
    size_bytes: int
    pool: Executor
    _remote: Remote
    _loop: asyncio.AbstractEventLoop
    _last: int = field(default=-2)

    def cached(self, offset: int, count: int) -> bool:
        """Never to be sent from a descriptor."""
        return False

    async def ready(self, offset: int) -> None:
        """Raises what reading there would raise; afterwards it is in memory."""
        if offset < self.size_bytes:
            await self._remote.block(self.place, offset // BLOCK_BYTES, self.size_bytes)

    async def read(self, offset: int, count: int) -> bytes:
        """At most so many bytes; fewer only at the end. Raises NotFound, Unavailable, Conflict (`cold`)."""
        end = min(offset + count, self.size_bytes)
        if end <= offset:
            return b""
        first, last = offset // BLOCK_BYTES, (end - 1) // BLOCK_BYTES
        if first in (self._last, self._last + 1) and (last + 1) * BLOCK_BYTES < self.size_bytes:
            self._remote.prefetch(self.place, last + 1, self.size_bytes)
        self._last = last
        blocks = await asyncio.gather(
            *(self._remote.block(self.place, number, self.size_bytes) for number in range(first, last + 1))
        )
        whole = blocks[0] if len(blocks) == 1 else b"".join(blocks)
        return whole[offset - first * BLOCK_BYTES : end - first * BLOCK_BYTES]

    def pread(self, count: int, offset: int) -> bytes:
        """As os.pread. Blocking: never on the loop."""
        return asyncio.run_coroutine_threadsafe(self.read(offset, count), self._loop).result()


class Remote:
    """One for the whole server."""

    def __init__(
        self, catalog: Catalog, objects: Objects, *, keep_bytes: int = KEEP_BYTES, clock: Clock = mono_us
    ) -> None:
        self._catalog = catalog
        self._objects = objects
        self._keep_bytes = keep_bytes
        self._clock = clock
        self._kept: OrderedDict[Block, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._running: dict[Block, asyncio.Task[bytes]] = {}
        self._places: OrderedDict[Key, tuple[Place, int]] = OrderedDict()
        self._readable: dict[str, int] = {}  # keys of cold classes that were found restored, and when
        self._pool = DaemonPool(WAITERS, "s3-wait")
        self.fetched_bytes = 0

    async def open(self, segment: Segment) -> RemoteFile:
        """Nothing is fetched yet. Raises NotFound when the catalog knows no object of it, Conflict (`cold`) when it must be
        restored first, which is asked for here."""
        place = await self._place(segment)
        if place.storage_class in COLD:
            await self._warm(place)
        key = (segment.run_id, segment.n)
        return RemoteFile(key, place, segment.size_bytes, self._pool, self, asyncio.get_running_loop())

    async def _place(self, segment: Segment) -> Place:
        key = (segment.run_id, segment.n)
        now_us = self._clock()
        known = self._places.get(key)
        if known is not None and now_us - known[1] < PLACE_KEPT_US:
            return known[0]
        place = await self._catalog.read(partial(offloads.place, run_id=segment.run_id, n=segment.n))
        if place is None:
            raise NotFound(f"segment {segment.n} of run {segment.run_id} is not in the object store")
        self._places[key] = (place, now_us)
        self._places.move_to_end(key)
        while len(self._places) > PLACES_KEPT:
            self._places.popitem(last=False)
        return place

    async def _warm(self, place: Place) -> None:
        """Raises Conflict unless a readable copy is there."""
        now_us = self._clock()
        if now_us - self._readable.get(place.key, -PLACE_KEPT_US) < PLACE_KEPT_US:
            return
        stored = await self._objects.head(place.key, place.version_id)
        if not stored.cold:
            self._readable[place.key] = now_us
            while len(self._readable) > PLACES_KEPT:
                del self._readable[next(iter(self._readable))]
            return
        if not stored.restore:
            await self._objects.restore(place.key, place.version_id, RESTORE_DAYS)
        hours = RESTORE_HOURS.get(stored.storage_class, max(RESTORE_HOURS.values()))
        asked = "is being restored since it was asked for before" if stored.restore else "was just asked for"
        raise Conflict(
            f"this footage is in the storage class {stored.storage_class}: its restore {asked}; try again within {hours} h",
            code="cold",
            storage_class=stored.storage_class,
            expected_hours=hours,
        )

    def prefetch(self, place: Place, number: int, size_bytes: int) -> None:
        """Returns at once. What goes wrong is met by who wants the block."""
        block = (place.key, place.version_id, number)
        if block not in self._kept and block not in self._running:
            self._start(place, block, size_bytes)

    async def block(self, place: Place, number: int, size_bytes: int) -> bytes:
        """One block of an object of that size. Raises NotFound, Unavailable, Conflict (`cold`)."""
        block = (place.key, place.version_id, number)
        kept = self._kept.get(block)
        if kept is not None:
            self._kept.move_to_end(block)
            return kept
        task = self._running.get(block) or self._start(place, block, size_bytes)
        return await asyncio.shield(task)  # several may wait for it: one that leaves must not take it from the others

    def _start(self, place: Place, block: Block, size_bytes: int) -> asyncio.Task[bytes]:
        task = asyncio.create_task(self._fetch(place, block, size_bytes), name=f"fetch of {block[0]}")
        self._running[block] = task
        task.add_done_callback(partial(self._done, block))
        return task

    def _done(self, block: Block, task: asyncio.Task[bytes]) -> None:
        del self._running[block]
        if task.cancelled() or task.exception() is not None:
            return
        self._kept[block] = task.result()
        self._kept_bytes += len(task.result())
        while self._kept_bytes > self._keep_bytes:
            _, old = self._kept.popitem(last=False)
            self._kept_bytes -= len(old)

    async def _fetch(self, place: Place, block: Block, size_bytes: int) -> bytes:
        start = block[2] * BLOCK_BYTES
        count = min(BLOCK_BYTES, size_bytes - start)
        began_us = self._clock()
        for pause_s in (*RETRY_S, None):
            try:
                data = await self._objects.read(place.key, place.version_id, start, count)
            except Unavailable as error:
                late = self._clock() - began_us > RETRY_WITHIN_US
                if pause_s is None or late or error.extra.get("store_code") in (*REFUSED, "NoSuchBucket"):
                    raise
                await asyncio.sleep(pause_s)
            except Conflict:  # a rule of the bucket has moved it into a cold class
                self._readable.pop(place.key, None)
                await self._warm(place)
                raise
            else:
                self.fetched_bytes += count
                return data
        raise AssertionError("the last try returns or raises")

    async def close(self) -> None:
        """When the server ends."""
        for task in list(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        self._pool.shutdown(wait=False)
