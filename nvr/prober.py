"""Looks at registered cameras, those that were asked for: a few at a time, paced by the fleet. The queue is in the catalog, so
a restart goes on where the last server stopped. One task of the server's, on its event loop.

A camera that is being recorded is not asked a second time: its newest footage tells the same.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

import structlog

from config.errors import NotFound, NvrError, Unavailable
from nvr import probe_recorded
from nvr.probe import probe_row, with_measured
from nvr.probe_recorded import Recorded
from storage.catalog import cameras, probe_queue, probes
from storage.catalog.db import Catalog
from storage.catalog.probe_queue import Asked
from storage.catalog.sqlite import Connection
from storage.clock import Clock, wall_us
from storage.footage import Footage
from storage.model import Camera, CameraId, Credentials, Probe
from web.keys import FleetView, ProbeCounts, ProbeReport

log = structlog.get_logger()

AT_ONCE = 4
POLL_S = 5.0
"""How soon it sees what another process has asked for."""
AHEAD = 64
LET_START_US = 60_000_000
"""A recorder that is only starting tells more by its footage than a second connection would: so long it is waited for."""
LOOK_S = 60.0


@dataclass(frozen=True, slots=True)
class _Known:
    """What the catalog has of a camera. `locked`: why its login cannot be read."""

    camera: Camera
    credentials: Credentials | None
    probe: Probe | None
    locked: str


class Prober:
    """`run` until cancelled; `look` at one now."""

    def __init__(
        self, catalog: Catalog, footage: Footage, fleet: FleetView, *, node: str, clock: Clock = wall_us
    ) -> None:
        self._catalog = catalog
        self._footage = footage
        self._fleet = fleet
        self._node = node
        self._clock = clock
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._asked = asyncio.Event()
        self._running: set[CameraId] = set()
        self._done = self._failed = 0

    def wake(self) -> None:
        """Something was put into the queue."""
        self._asked.set()

    async def counts(self) -> ProbeCounts:
        running = frozenset(self._running)
        waiting = await self._catalog.read(partial(probe_queue.count, node=self._node, taken=running))
        return ProbeCounts(waiting, len(running), self._done, self._failed)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                self._asked.clear()
                for camera_id in await self._next():
                    self._running.add(camera_id)
                    group.create_task(self._work(camera_id), name=f"probe-{camera_id}")
                try:
                    async with asyncio.timeout(POLL_S):
                        await self._asked.wait()
                except TimeoutError:
                    pass

    async def _next(self) -> list[CameraId]:
        free = AT_ONCE - len(self._running)
        if free <= 0:
            return []
        waiting = await self._catalog.read(
            partial(probe_queue.waiting, node=self._node, taken=frozenset(self._running), limit=AHEAD)
        )
        now_us = self._clock()
        return [one.camera_id for one in waiting if self._ready(one, now_us)][:free]

    def _ready(self, asked: Asked, now_us: int) -> bool:
        health = self._fleet.health(asked.camera_id)
        starting = health is not None and health.state == "starting"
        return not starting or now_us - asked.asked_us > LET_START_US

    async def _work(self, camera_id: CameraId) -> None:
        """One of the queue. What goes wrong is told of this camera alone; it leaves the queue all the same."""
        ok = False
        try:
            ok = (await self.look(camera_id)).ok
        except (NvrError, OSError) as error:
            log.warning("a camera could not be looked at", camera=camera_id, error=str(error))
        except Exception:
            log.exception("a camera could not be looked at", camera=camera_id)
        self._done += ok
        self._failed += not ok
        try:
            await self._catalog.write(partial(probe_queue.done, camera_id=camera_id))
        except NvrError as error:  # the catalog's disk is full: it is looked at again
            log.warning("the queue of looks could not be written", camera=camera_id, error=str(error))
        self._running.discard(camera_id)  # last: until its row is gone it must not be taken again
        self._asked.set()

    async def look(self, camera_id: CameraId) -> Probe:
        """Look at a registered camera now and keep what was found. Raises NotFound, and Unavailable where it takes too long."""
        known = await self._catalog.read(partial(_known, camera_id=camera_id))
        try:
            async with asyncio.timeout(LOOK_S), self._slots:
                report = await self._report(known)
        except TimeoutError:
            raise Unavailable("the camera could not be looked at in time: try again") from None
        row = probe_row(camera_id, report, self._clock())

        def keep(db: Connection) -> Probe | None:
            if cameras.get(db, camera_id).url != known.camera.url:
                return None  # of another address by now
            probes.put_look(db, row)
            probe_queue.done(db, camera_id)
            return probes.last_look(db, camera_id)

        return await self._catalog.write(keep) or row

    async def _report(self, known: _Known) -> ProbeReport:
        camera = known.camera
        health = self._fleet.health(camera.id)
        if camera.enabled and health is not None and health.state == "recording":
            recorded = await probe_recorded.look(self._footage, camera.id, self._clock())
            if recorded is not None:
                return _of_footage(known, recorded)
        if known.locked:
            return ProbeReport(False, "unauthorized", known.locked, findings=("wrong_login",))
        return await self._fleet.probe(camera.url, known.credentials, camera.audio)


def _known(db: Connection, camera_id: CameraId) -> _Known:
    camera = cameras.get(db, camera_id)
    if camera.archived_us is not None:
        raise NotFound(f"camera {camera_id} is archived: it is not looked at", field="camera_id")
    probe = probes.get_probe(db, camera_id)
    try:
        return _Known(camera, cameras.credentials(db, camera_id), probe, "")
    except Unavailable as error:
        return _Known(camera, None, probe, error.message)


def _of_footage(known: _Known, recorded: Recorded) -> ProbeReport:
    """What the camera announced is known from the look before it was recorded; what it sends, from its footage."""
    before, measured = known.probe, recorded.measured
    report = ProbeReport(
        ok=True,
        cause=None,
        detail=before.detail if before else "",
        video_codec=recorded.video_codec,
        width=measured.width,
        height=measured.height,
        fps=before.fps if before else None,
        audio_codec=before.audio_codec if before else recorded.audio_codec,
        audio_received=(before.audio_received if before else False) or recorded.audio_codec != "",
    )
    return with_measured(
        report,
        known.camera.url,
        known.credentials,
        audio=known.camera.audio,
        measured=measured,
        clock_offset_us=recorded.clock_offset_us,
        has_login=known.credentials is not None or bool(known.locked),
    )
