"""The keeper: the server's retention loop. Everything that makes footage go starts here, and the sweeper does it.

    every 2 s, each volume   watch it; make room where it fills (retention.volume_keeper); send cameras away where it is lost
    every 2 s                stop cameras class by class where only held footage is left; let them again where there is room
    every 10 min, on demand  settle the policies, plan, sweep what is due; say how the promises stand
    hourly, daily            close the days that are over; hold files and rows against each other

Runs on the event loop. No step waits for another one, nor any volume for another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import structlog

from config.errors import NvrError
from config.settings import RetentionSettings
from retention import planned, report
from retention.apply import decided
from retention.class_shed import WHY, Shedding
from retention.forecast import Forecast
from retention.plan import Cut, VolumeNeed
from retention.report import Report, VolumeRoom
from retention.settle import settle
from retention.volume_keeper import Recorders as VolumeRecorders
from retention.volume_keeper import Relief, VolumeKeeper, VolumeStanding
from storage.catalog import garbage, policies
from storage.catalog.db import Catalog
from storage.clock import Clock, mono_us, wall_us
from storage.model import CameraId, VolumeId
from storage.terms import InForce
from storage.volumes import Volumes

log = structlog.get_logger()

WATCH_S = 2.0
PLAN_US = 600_000_000
GARBAGE_S = 300.0
SWEEP_WAIT_S = 10.0
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
REPORT_KEPT_US = 30_000_000
SHED_FOR_US = 900_000_000
"""A volume counts as shedding for so long after footage younger than its minimum went."""


class Recorders(VolumeRecorders, Protocol):
    def hold_back(self, cameras: Collection[CameraId], why: str) -> None:
        """These may not record; all others may."""

    def wanted_cameras(self) -> Collection[CameraId]:
        """Those that are to be recorded by this node."""


class Swept(Protocol):
    @property
    def segments(self) -> int: ...

    @property
    def bytes(self) -> int: ...


class Sweeps(Protocol):
    """retention.sweep.Sweeper, as far as it is needed here."""

    async def sweep(self, cuts: Sequence[Cut], *, pinned_counts: bool) -> Swept: ...

    async def drain_garbage(self) -> object: ...


@dataclass(slots=True)
class Chore:
    """Something to be done every `every_us`, the first time `every_us` after the start unless `soon`."""

    name: str
    every_us: int
    work: Callable[[], Awaitable[object]]
    last_us: int | None = None

    def due(self, now_us: int) -> bool:
        return self.last_us is None or now_us - self.last_us >= self.every_us


@dataclass(frozen=True, slots=True)
class Facts:
    """What is told of retention in metrics and pages; read with every plan. `garbage`: files that wait to be removed."""

    terms: Mapping[CameraId, InForce] = field(default_factory=dict)
    oldest_us: Mapping[CameraId, int] = field(default_factory=dict)
    garbage: Mapping[VolumeId, int] = field(default_factory=dict)
    held_bytes: Mapping[VolumeId, int] = field(default_factory=dict)
    forecasts: tuple[Forecast, ...] = ()


class Keeper:
    """`doubt`: why the wall clock may not decide what is too old, "" where it may (retention.clock)."""

    def __init__(
        self,
        catalog: Catalog,
        volumes: Volumes,
        sweeper: Sweeps,
        recorders: Recorders,
        settings: RetentionSettings,
        *,
        doubt: Callable[[], Awaitable[str]],
        chores: Sequence[Chore] = (),
        clock: Clock = wall_us,
    ) -> None:
        self._catalog = catalog
        self._volumes = volumes
        self._sweeper = sweeper
        self._recorders = recorders
        self._settings = settings
        self._doubt = doubt
        self._clock = clock
        self._chores = tuple(chores)
        self._keepers: dict[VolumeId, VolumeKeeper] = {}
        self._shedding = Shedding()
        self._asked = True
        self._planned_us = 0
        self._report: Report | None = None
        self._below_min_us: dict[VolumeId, int] = {}
        self._sweeps: dict[VolumeId, asyncio.Task[None]] = {}
        self.facts = Facts()

    def open(self) -> list[tuple[str, float, Callable[[], Awaitable[object]]]]:
        """The loops that the server is to run, when its volumes are open: (name, seconds between two turns, a turn)."""
        for volume in self._volumes.all():
            self._keepers[volume.id] = VolumeKeeper(
                self._volumes,
                volume.id,
                self._recorders,
                self._relieve,
                min_free_percent=self._settings.min_free_percent,
            )
        return [
            *((f"volume {volume_id}", WATCH_S, keeper.step) for volume_id, keeper in self._keepers.items()),
            ("room", WATCH_S, self._room_step),
            ("retention", WATCH_S, self._plan_step),
            ("garbage", GARBAGE_S, self._sweeper.drain_garbage),
            *((chore.name, 60.0, partial(self._chore_step, chore)) for chore in self._chores),
        ]

    async def close(self) -> None:
        for keeper in self._keepers.values():
            await keeper.close()
        for task in self._sweeps.values():
            task.cancel()
        await asyncio.gather(*self._sweeps.values(), return_exceptions=True)

    def ask(self) -> None:
        """Policies, holds or cameras were changed: settle, plan and sweep soon."""
        self._asked = True

    # -- room ----------------------------------------------------------------------------------------------------------

    async def _relieve(self, need: VolumeNeed) -> Relief:
        """Make room on one volume. What is being served does not count, a doubtful clock deletes nothing for its age alone."""
        doubt = await self._doubt()
        plan = await self._catalog.read(partial(planned.pressed, now_us=self._clock(), needs=[need], by_age=not doubt))
        below = sum(cut.bytes for cut in plan.cuts if cut.reason == "below_min")
        if below:
            if need.volume_id not in self.shedding():
                log.error(
                    "footage goes before its time", volume=need.volume_id, bytes=below, need_bytes=need.need_bytes
                )
            self._below_min_us[need.volume_id] = mono_us()
        swept = await self._sweeper.sweep(plan.cuts, pinned_counts=False)
        if swept.segments:
            log.info("room made", volume=need.volume_id, segments=swept.segments, bytes=swept.bytes)
        return Relief(swept.bytes, plan.short.get(need.volume_id, 0))

    async def _room_step(self) -> None:
        """Nearly always nothing: only where held footage alone is left."""
        rooms = {volume_id: room for volume_id, keeper in self._keepers.items() if (room := keeper.room()) is not None}
        short = frozenset(volume_id for volume_id, room in rooms.items() if room.short)
        self._volumes.held_full = short
        if any(volume.id not in short for volume in self._volumes.ok()):
            for volume_id in short:  # its cameras go to where there is room, one by one
                detail = f"{self._volumes.path(volume_id)} is full and no footage is left there that may go"
                self._recorders.leave(volume_id, "disk_full", detail, at_once=False)
        if not self._shedding.due(list(rooms.values())):
            return
        in_force = await self._catalog.read(policies.in_force)
        wanted = self._recorders.wanted_cameras()
        priorities = {camera_id: in_force[camera_id].terms.priority for camera_id in wanted if camera_id in in_force}
        before = self._shedding.cameras
        cameras = self._shedding.look(list(rooms.values()), priorities)
        if cameras != before:
            self._recorders.hold_back(cameras, WHY)

    # -- what is due ---------------------------------------------------------------------------------------------------

    async def _plan_step(self) -> None:
        now_us = mono_us()
        if not self._asked and now_us - self._planned_us < PLAN_US:
            return
        self._asked, self._planned_us = False, now_us
        await self.sweep_due()

    async def sweep_due(self) -> None:
        """Settle, plan, sweep. With a doubtful clock nothing is deleted."""
        doubt = await self._doubt()
        seed = partial(policies.seed, default_days=self._settings.default_days, at_us=self._clock())
        if not await self._catalog.read(policies.ever):
            await self._catalog.write(seed)
        await settle(self._catalog, self._clock(), trusted=not doubt)
        if doubt:
            log.error("nothing is deleted by age: the clock is not trusted", why=doubt)
        else:
            cuts, _ = await decided(self._catalog, self._clock())
            await self._sweep_each(cuts)
        await self._tell()

    async def _sweep_each(self, cuts: Sequence[Cut]) -> None:
        """Each volume by itself: one that hangs has its sweep pending and gets no other; nobody waits for it long."""
        by_volume: dict[VolumeId, list[Cut]] = {}
        for cut in cuts:
            by_volume.setdefault(cut.volume_id, []).append(cut)
        for volume_id, some in by_volume.items():
            running = self._sweeps.get(volume_id)
            if running is None or running.done():
                self._sweeps[volume_id] = asyncio.create_task(self._sweep(volume_id, some), name=f"sweep-{volume_id}")
        if pending := [task for task in self._sweeps.values() if not task.done()]:
            await asyncio.wait(pending, timeout=SWEEP_WAIT_S)

    async def _sweep(self, volume_id: VolumeId, cuts: Sequence[Cut]) -> None:
        """A supervised task: what fails is planned again."""
        try:
            swept = await self._sweeper.sweep(cuts, pinned_counts=True)
            log.info("swept", volume=volume_id, segments=swept.segments, bytes=swept.bytes)
        except (NvrError, OSError) as error:
            log.error("sweep failed", volume=volume_id, error=str(error))
        except Exception:
            log.exception("sweep failed", volume=volume_id)

    async def _tell(self) -> None:
        """How things stand, for metrics and pages; and what the volumes can take, for the choice among them."""
        found = await self.report()
        waiting = await self._catalog.read(garbage.counts)
        in_force = await self._catalog.read(policies.in_force)
        self.facts = Facts(
            terms=in_force,
            oldest_us={camera.camera_id: camera.oldest_us for camera in found.cameras if camera.oldest_us is not None},
            garbage={volume_id: files for volume_id, (files, _) in waiting.items()},
            held_bytes=found.held_bytes,
            forecasts=found.volumes,
        )
        spare = {room.volume_id: room.spare_bytes for room in self._rooms()}
        self._volumes.weigh(
            {
                volume_id: max(1, size + found.footage_bytes.get(volume_id, 0) - found.held_bytes.get(volume_id, 0))
                for volume_id, size in spare.items()
            }
        )

    async def _chore_step(self, chore: Chore) -> None:
        now_us = mono_us()
        if chore.due(now_us):
            chore.last_us = now_us
            await chore.work()

    # -- what is asked -------------------------------------------------------------------------------------------------

    def _rooms(self) -> list[VolumeRoom]:
        return [
            VolumeRoom(standing.volume_id, max(0, standing.free_bytes - standing.marks.low))
            for standing in self.standings()
        ]

    async def report(self) -> Report:
        """As of now; for half a minute the same."""
        now_us = self._clock()
        if self._report is None or not 0 <= now_us - self._report.at_us < REPORT_KEPT_US:
            self._report = await self._catalog.read(partial(report.read, now_us=now_us, rooms=self._rooms()))
        return self._report

    def standings(self) -> list[VolumeStanding]:
        """Of the volumes that can be used."""
        return [found for keeper in self._keepers.values() if (found := keeper.standing()) is not None]

    def held_back(self) -> frozenset[CameraId]:
        """Cameras that may not record for want of room."""
        return self._shedding.cameras

    def shedding(self) -> frozenset[VolumeId]:
        """Volumes from which footage younger than its minimum went a moment ago."""
        now_us = mono_us()
        return frozenset(key for key, at_us in self._below_min_us.items() if now_us - at_us < SHED_FOR_US)
