"""What is done at the far end besides uploads: objects whose segments are gone are deleted, held ones get a legal hold.

Only this deletes in the bucket. A rule of the bucket that expires objects would take held footage too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import structlog

from config.errors import Conflict, NvrError
from retention.offload_times import again_us
from storage.catalog import holds, object_garbage, offloads, segments
from storage.catalog.db import Catalog
from storage.catalog.object_garbage import ObjectGarbage
from storage.catalog.offloads import Holdable
from storage.catalog.sqlite import Connection
from storage.clock import Clock, wall_us
from storage.model import MAX_SEGMENT_US, CameraId
from storage.objects import Objects
from storage.paths import parse_archive_name
from storage.storekeys import camera_of
from storage.terms import Hold

log = structlog.get_logger()

AT_ONCE = 100
WORKERS = 4
IN_USE = "in use"
HELD_AGAIN_US = 3_600_000_000


class FarEnd:
    """Used from the event loop."""

    def __init__(
        self,
        catalog: Catalog,
        objects: Objects,
        *,
        clock: Clock = wall_us,
        step: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._catalog = catalog
        self._objects = objects
        self._clock = clock
        self._step = step
        self._holds: list[tuple[int, CameraId, int, int]] | None = None

    async def drain(self) -> int:
        """Delete some of the objects that are due; how many went. Raises Unavailable when the store does not answer."""
        due = await self._catalog.read(partial(object_garbage.due, now_us=self._clock(), limit=AT_ONCE))
        waiting = iter(due)
        gone = 0

        async def work() -> None:
            nonlocal gone
            for one in waiting:
                went = await self._delete(one)
                gone += went

        workers = [asyncio.create_task(work(), name="object garbage") for _ in range(WORKERS)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        return gone

    async def _delete(self, one: ObjectGarbage) -> bool:
        """Whether it went. Raises Unavailable."""
        why_not = await self._catalog.read(partial(kept_by, one=one))
        if why_not == IN_USE:
            await self._catalog.write(partial(object_garbage.done, gone=[one]))
            return False
        if why_not:
            await self._later(one, why_not, self._clock() + HELD_AGAIN_US)
            return False
        try:
            self._step("garbage read")
            await self._objects.delete(one.key, one.version_id)
            self._step("object deleted")
        except NvrError as error:
            await self._later(one, error.message, self._clock() + again_us(one.attempts + 1))
            if isinstance(error, Conflict):  # somebody holds this one there; the others go on
                return False
            raise
        await self._catalog.write(partial(object_garbage.done, gone=[one]))
        return True

    async def _later(self, one: ObjectGarbage, why: str, next_try_us: int) -> None:
        log.warning("object not deleted", key=one.key, reason=why)
        await self._catalog.write(partial(object_garbage.later, one=one, error=why, next_try_us=next_try_us))

    async def keep_legal_holds(self) -> int:
        """Where the bucket's lock is real: held footage there has a legal hold, other footage none. How many were changed."""
        active = await self._catalog.read(holds.active)
        print_ = [(hold.id, hold.camera_id, hold.start_us, hold.end_us) for hold in active]
        if print_ == self._holds:
            return 0
        changed = 0
        for hold in active:
            window = partial(
                offloads.without_legal_hold,
                camera_id=hold.camera_id,
                from_us=hold.start_us,
                to_us=hold.end_us,
                limit=AT_ONCE,
            )
            while some := await self._catalog.read(window):
                for one in some:
                    await self._set(one, on=True)
                changed += len(some)
        changed += await self._clear(active)
        self._holds = print_
        return changed

    async def _clear(self, active: list[Hold]) -> int:
        after, changed = (0, -1), 0
        while some := await self._catalog.read(partial(offloads.with_legal_hold, after=after, limit=AT_ONCE)):
            for one, camera_id, (start_us, end_us) in some:
                if not _overlaps(active, camera_id, start_us, end_us):
                    await self._set(one, on=False)
                    changed += 1
            after = (some[-1][1], some[-1][2][0])
        return changed

    async def _set(self, one: Holdable, *, on: bool) -> None:
        await self._objects.set_legal_hold(one.key, one.version_id, on=on)
        await self._catalog.write(partial(offloads.set_legal_hold, one=one, on=on))


def kept_by(db: Connection, one: ObjectGarbage) -> str:
    """Why an object must stay, "" where it may go: read right before it is deleted.

    Where it is not known how long it lasted, a hold that can touch it keeps it.
    """
    camera, name = camera_of(one.key), parse_archive_name(one.key.rpartition("/")[2])
    if camera is None or name is None:
        return ""
    known = offloads.known_as(db, name.run_id, name.n)
    if known is not None and known.key == one.key and (not one.version_id or known.version_id in ("", one.version_id)):
        return IN_USE
    if not one.version_id and segments.get(db, name.run_id, name.n) is not None:
        return "its segment is indexed again"  # and may be on its way to that key
    start_us = name.start_ms * 1000 if one.start_us is None else one.start_us
    end_us = start_us + MAX_SEGMENT_US if one.end_us is None else one.end_us
    if _overlaps(holds.active(db, camera), camera, start_us, end_us):
        return "a hold was placed on it"
    return ""


def _overlaps(active: list[Hold], camera_id: CameraId, start_us: int, end_us: int) -> bool:
    return any(hold.camera_id == camera_id and hold.start_us < end_us and hold.end_us > start_us for hold in active)
