"""Offload: what the terms say goes to the object store, in the background, for ever and again until it is there.

    terms -> `queue_due` -> the queue in the catalog -> workers (retention.offload_upload) -> tier BOTH

One Offloader a server, used from the event loop. It holds back nothing: a store that is slow, full or gone costs recording and
playback of local footage nothing, and whatever was at work when the server died is found in the queue again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog

from config.errors import Corrupt, Unavailable
from config.settings import Settings
from retention.offload_far import FarEnd
from retention.offload_times import StoreBackoff, again_us, within
from retention.offload_upload import TROUBLE, Step, Uploader
from storage.catalog import offloads, policies
from storage.catalog.db import Catalog
from storage.catalog.offloads import Uploaded, Work
from storage.catalog.sqlite import Connection
from storage.clock import Clock, mono_us, wall_us
from storage.model import HOUR_US, CameraId
from storage.objects import Objects
from storage.pace import Pace
from storage.storekeys import below, key_of
from storage.terms import DAY_US
from storage.volumes import Volumes

log = structlog.get_logger()

QUEUE_S = 60.0
IDLE_S = 5.0  # how soon new rows in the queue are seen
FAR_S = 15.0
HOURS_AT_ONCE = 48
LOOK_AGAIN_US = DAY_US
"""All hours are looked at again so often: footage is indexed late too."""
FINISH_WAIT_S = 0.2
FINISH_AT_ONCE = 64
RATE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Standing:
    """How the offloader fares, from memory. `waiting_for`: "" | "hours" | "store"; `rate`: bytes a second, last minute."""

    rate: float
    uploaded_segments: int
    uploaded_bytes: int
    waiting_for: str
    last_error: str
    last_error_us: int | None
    object_lock: bool | None  # None: not known yet


class Offloader:
    """`start` and `close`; the other methods are its steps, for tests and benches."""

    def __init__(
        self,
        catalog: Catalog,
        volumes: Volumes,
        objects: Objects,
        settings: Settings,
        *,
        clock: Clock = wall_us,
        step: Step = lambda name: None,
    ) -> None:
        self._catalog = catalog
        self._objects = objects
        self._settings = settings.offload
        self._zone = settings.server.timezone
        self._node = settings.server.node
        self._clock = clock
        self._step = step
        self._pace = Pace(settings.offload.mbit_per_second * 1e6 / 8)
        self.uploader = Uploader(catalog, volumes, objects, self._pace, self._node, step=step)
        self.far = FarEnd(catalog, objects, clock=clock, step=step)
        self._backoff = StoreBackoff()
        self._looked: dict[CameraId, int] = {}
        self._looked_since_us = clock()
        self._ready: asyncio.Queue[Work] = asyncio.Queue(settings.offload.parallel)
        self._more = asyncio.Event()
        self._uploaded: asyncio.Queue[Uploaded] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._aborted = False
        self._sent: deque[tuple[int, int]] = deque()  # (CLOCK_MONOTONIC, bytes)
        self._segments = self._bytes = 0
        self._last_error: tuple[str, int] | None = None

    # -- life ------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """What the last server was at goes back to the queue. Returns at once: the store need not answer."""
        back = await self._catalog.write(partial(offloads.recover, at_us=self._clock()))
        if back:
            log.info("uploads of the last server are queued again", segments=back)
        for name, work in (
            ("offload-queue", partial(self._every, QUEUE_S, self.queue_due)),
            ("offload-far", partial(self._every, FAR_S, self.far_step)),
            ("offload-feed", partial(self._every, 0, self._feed)),
            ("offload-finish", partial(self._every, 0, self._finish)),
            *((f"offload-{number}", partial(self._every, 0, self._work)) for number in range(self._settings.parallel)),
        ):
            self._tasks.append(asyncio.create_task(work(), name=name))

    async def close(self) -> None:
        """Uploads are broken off: the next server does them again."""
        self._pace.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        while not self._uploaded.empty():
            await self._finish()

    async def _every(self, period_s: float, work: Callable[[], Awaitable[object]]) -> None:
        """A supervised loop: an error is logged, the next turn comes all the same."""
        name = asyncio.current_task().get_name()  # type: ignore[union-attr]  # it runs in one
        while True:
            pause_s = period_s
            try:
                await work()
            except TROUBLE as error:
                self._failed(error)
                log.error("failed", loop=name, error=str(error))
                pause_s = max(period_s, IDLE_S)
            except Exception:
                log.exception("failed", loop=name)
                pause_s = max(period_s, IDLE_S)
            if pause_s:
                await asyncio.sleep(pause_s)

    # -- the queue ---------------------------------------------------------------------------------------------------

    async def queue_due(self) -> int:
        """Queue all footage that its terms say should be in the store by now; how many segments were new."""
        now_us = self._clock()
        if not 0 <= now_us - self._looked_since_us < LOOK_AGAIN_US:
            self._looked, self._looked_since_us = {}, now_us
        in_force = await self._catalog.read(policies.in_force)
        queued = 0
        for camera_id, promise in in_force.items():
            after_days = promise.terms.offload_after_days
            if after_days is not None:
                before_us = now_us - after_days * DAY_US
                queued += await self._queue_camera(camera_id, before_us, promise.terms.storage_class)
        if queued:
            self._more.set()
            log.info("queued for the object store", segments=queued)
        return queued

    async def _queue_camera(self, camera_id: CameraId, before_us: int, storage_class: str) -> int:
        """From where the last look ended, some hours at a time: other writers get their turn."""
        queued = 0
        while True:
            from_us = self._looked.get(camera_id, 0)
            found = await self._catalog.read(
                partial(
                    offloads.hours_local,
                    camera_id=camera_id,
                    from_us=from_us,
                    before_us=before_us,
                    limit=HOURS_AT_ONCE,
                )
            )
            if not found:
                return queued

            def queue(db: Connection, hours: Iterable[int] = tuple(found)) -> int:
                return sum(offloads.queue_hour(db, camera_id, hour, before_us, storage_class) for hour in hours)

            queued += await self._catalog.write(queue)
            # An hour that is not due to its end is looked at again, and so is the last one: a segment may be indexed late.
            after_us = max(from_us, min(found[-1] + HOUR_US, before_us - before_us % HOUR_US - HOUR_US))
            self._looked[camera_id] = after_us
            if len(found) < HOURS_AT_ONCE or after_us == from_us:
                return queued

    # -- the workers -------------------------------------------------------------------------------------------------

    async def _feed(self) -> None:
        """Claims what the workers will need next. One turn."""
        await self._store_answers()
        if not self._open():
            await asyncio.sleep(IDLE_S)
            return
        claimed = await self.claim(self._settings.parallel)
        for work in claimed:
            await self._ready.put(work)
        if not claimed:
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE_S):
                    await self._more.wait()
            self._more.clear()

    async def claim(self, limit: int) -> list[Work]:
        name = partial(key_of, self._objects.prefix, self._node)
        return await self._catalog.write(partial(offloads.claim, now_us=self._clock(), limit=limit, key_of=name))

    async def _work(self) -> None:
        """One segment. One turn of a worker."""
        work = await self._ready.get()
        await self._store_answers()
        await self.take(work)

    async def take(self, work: Work) -> Uploaded | None:
        """Upload it, or put it back with what went wrong. Raises nothing that a store or a disk does."""
        segment = work.segment
        try:
            made = await self.uploader.upload(work)
        except TROUBLE as error:
            self._failed(error)
            if isinstance(error, Corrupt):
                log.error("footage has not its SHA-256", camera=segment.camera_id, key=work.key, error=str(error))
            now_us = self._clock()
            back = partial(
                offloads.fail,
                run_id=segment.run_id,
                n=segment.n,
                error=str(error),
                next_try_us=now_us + again_us(work.attempts),
                at_us=now_us,
            )
            await self._catalog.write(back)
            return None
        self._backoff.succeeded()
        self._note(segment.size_bytes)
        self._uploaded.put_nowait(made)
        return made

    async def _finish(self) -> None:
        """Rows of what was uploaded, several in one transaction: those of one hour then cost one look at that hour."""
        some = [await self._uploaded.get()]
        if self._tasks:
            await asyncio.sleep(FINISH_WAIT_S)
        while len(some) < FINISH_AT_ONCE and not self._uploaded.empty():
            some.append(self._uploaded.get_nowait())
        await self.finish(some)

    async def finish(self, some: list[Uploaded]) -> None:
        self._step("uploaded")
        try:
            await self._catalog.write(partial(offloads.finish, uploaded=some, at_us=self._clock()))
        except BaseException:
            for one in some:  # the objects are there: only their rows are late
                self._uploaded.put_nowait(one)
            raise
        self._step("verified")

    # -- the far end ---------------------------------------------------------------------------------------------------

    async def far_step(self) -> None:
        """Objects of deleted segments go, held ones are held there too; first, once, what broken uploads have left."""
        await self._store_answers()
        if not self._aborted:
            count = await self._objects.abort_uploads(below(self._objects.prefix, self._node))
            self._aborted = True
            if count:
                log.info("unfinished uploads aborted", uploads=count)
        while await self.far.drain():
            pass
        await self.uploader.know_the_store()
        if self.uploader.has_lock:
            await self.far.keep_legal_holds()

    # -- how it goes ---------------------------------------------------------------------------------------------------

    async def _store_answers(self) -> None:
        """Returns when the store may be asked again."""
        if (wait_s := self._backoff.wait_s(mono_us())) > 0:
            await asyncio.sleep(wait_s)

    def _open(self) -> bool:
        return within(self._settings.hours, self._zone, self._clock())

    def _failed(self, error: Exception) -> None:
        self._last_error = (str(error), self._clock())
        if isinstance(error, Unavailable):
            self._backoff.failed(mono_us())

    def _note(self, size_bytes: int) -> None:
        now_us = mono_us()
        self._segments += 1
        self._bytes += size_bytes
        self._sent.append((now_us, size_bytes))
        while self._sent and now_us - self._sent[0][0] > RATE_US:
            self._sent.popleft()

    def standing(self) -> Standing:
        now_us = mono_us()
        recent = sum(count for at_us, count in self._sent if now_us - at_us <= RATE_US)
        waiting = "store" if self._backoff.wait_s(now_us) > 0 else "" if self._open() else "hours"
        error, error_us = self._last_error or ("", None)
        return Standing(
            rate=recent / (RATE_US / 1e6),
            uploaded_segments=self._segments,
            uploaded_bytes=self._bytes,
            waiting_for=waiting,
            last_error=error,
            last_error_us=error_us,
            object_lock=self.uploader.has_lock,
        )
