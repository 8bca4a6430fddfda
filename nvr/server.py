"""The composition root: builds the parts, wires them, runs them, ends them in the right order.

    cameras -> Fleet (one ffmpeg each) -> spool -> Spool, Ingest -> archive + catalog -> Footage -> web

The recorders are not ours to lose: they outlive this process. `stop` leaves them recording unless told else.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web

from config.errors import Invalid, NvrError
from config.owner_kinds import all_kinds
from config.settings import Settings
from nvr.fleet import Fleet
from nvr.jobs import Jobs
from nvr.lags import Lags
from nvr.onvif import Onveef
from nvr.prober import Prober
from nvr.process import Spawner, spawn
from nvr.reload import CatalogWatch
from nvr.selftest import keep_tested
from nvr.server_alerts import KeepingLooks, alerts_of
from nvr.server_store import Store
from retention.apply import apply
from retention.clock import ClockTrust
from retention.days import close_days
from retention.invariant import check as check_files
from retention.keeper import Chore, Keeper
from retention.settle import settle
from retention.sweep import Sweeper
from retention.troubles import RetentionLooks
from storage import binary
from storage.backup import backup_due
from storage.camera_json import CameraJson
from storage.catalog import policies, states
from storage.catalog.db import Catalog, CatalogLock
from storage.clock import mono_us, wall_us
from storage.floor import highest_run_id
from storage.footage import Footage
from storage.growth import Growth
from storage.ingest import Drifted, Ingest
from storage.model import HOUR_US, CameraId, FileGrowth, RunId, Segment, Volume
from storage.reconcile import Reconciler
from storage.registry.register_days import take_due
from storage.spool import Spool
from storage.terms import DAY_US
from storage.volumes import Volumes, refuse_network
from web.app import make_app
from web.events import Events
from web.keys import FILES

log = structlog.get_logger()

PASS_S = 10.0
STARTING_PASS_S = 2.0  # while a camera is starting: its first fragment should show soon
RELOAD_S = 1.0
RECONCILE_S = 60.0
ALERTS_S = 10.0
BACKUP_S = 3600.0  # how often it is looked whether today's is there
STEP_US = 2_000_000
MINUTE_US = 60_000_000
PASS_LIMIT_S = 30.0  # a volume whose listing takes longer is stalled: the others go on


def state_folder(settings: Settings) -> Path:
    """Where ffconcat files and ffmpeg's logs lie: beside the catalog, for the owner's eyes only."""
    database = settings.storage.database
    return database.with_name(database.name + ".run")


class Server:
    """One `nvr serve`. `spawn_recorder` is replaced by the bench's fake recorders alone."""

    def __init__(self, settings: Settings, *, spawn_recorder: Spawner = spawn) -> None:
        self.settings = settings
        self.url = ""
        self.ffmpeg = binary.find(settings.recording.ffmpeg)
        database = settings.storage.database
        self._lock = CatalogLock(database)
        self.catalog = Catalog(database)
        self.volumes = Volumes(self.catalog, settings.storage.volumes)
        self.lags = Lags()
        self.ingest = Ingest(self.catalog, self.volumes, lag_of=self.lags.of)
        self.growth = Growth(
            self.catalog,
            self.volumes,
            self.ingest,
            lag_of=self.lags.of,
            live_runs=self._live_runs,
        )
        self.spool = Spool(self.volumes, self.ingest, self.growth, live_runs=self._live_runs)
        self.store = Store(settings, self.catalog, self.volumes)
        self.footage = Footage(self.catalog, self.volumes, self.growth, remote=self.store.remote)
        self.events = Events()
        self.camera_json = CameraJson(self.catalog, self.volumes)
        self.fleet = Fleet(
            settings=settings,
            catalog=self.catalog,
            volumes=self.volumes,
            ffmpeg=self.ffmpeg,
            state_dir=state_folder(settings),
            run_ended=self.spool.run_ended,
            spawn=spawn_recorder,
            on_event=self.events.camera_state,
            on_camera=self.camera_json.changed,
        )
        self.prober = Prober(self.catalog, self.footage, self.fleet, node=settings.server.node)
        self.sweeper = Sweeper(self.catalog, self.volumes)
        self.clock = ClockTrust(self.catalog)
        self.keeper = Keeper(
            self.catalog,
            self.volumes,
            self.sweeper,
            self.fleet,
            settings.retention,
            doubt=self.clock.doubt,
            chores=self._chores(),
        )
        self.reconciler = Reconciler(self.catalog, self.volumes, self.ingest)
        self.jobs = Jobs(self.catalog, self.reconciler, apply=self._sweep_now)
        looks = {
            **RetentionLooks(self.keeper, self.volumes).all(),
            **KeepingLooks(settings, self.catalog, self.volumes, self.keeper, self.clock, self.store.offloader).all(),
        }
        self.alerts = alerts_of(settings, self.catalog, self.fleet, self.volumes, lambda: self.url, looks)
        self._watch = CatalogWatch(self.catalog, settings.server.node, self._camera_changed)
        self._tasks: list[asyncio.Task[None]] = []
        self._started_us = 0
        self._runner: web.AppRunner | None = None
        self._clock_offset_us = 0

    async def start(self) -> None:
        """Returns when the pages are served and adoption is done; starts of recorders go on. Raises NvrError."""
        refuse_network(self.settings.storage.database, "storage.database")
        self._lock.acquire()
        try:
            await self._start()
        except BaseException:
            await self.stop(end_recorders=False)
            raise

    async def _start(self) -> None:
        await self.catalog.open()
        await self.volumes.open()
        await self.ingest.load_usual()
        self.ingest.on_segment = self._indexed
        self.ingest.on_drift = self._drifted
        self._started_us = wall_us()
        default_days = self.settings.retention.default_days
        await self.catalog.write(partial(policies.seed, default_days=default_days, at_us=self._started_us))
        self._clock_offset_us = self._started_us - mono_us()
        await self.catalog.write(partial(states.begin_life, started_us=self._started_us))
        self.fleet.run_id_floor = await self._run_id_floor()
        self.spool.watch()
        await self._serve()
        await self._watch.start()
        await self.fleet.adopt()
        await self._pass()  # what ended runs left behind is indexed before new runs of the same cameras start
        self.fleet.begin()
        await self.store.start()
        for name, period_s, work in (
            ("pass", PASS_S, self._pass),
            ("reload", RELOAD_S, self._reload),
            ("reconcile", RECONCILE_S, self.reconciler.step),
            ("alerts", ALERTS_S, self.alerts.step),
            ("alerts tidied", BACKUP_S, self.alerts.tidy),
            ("backup", BACKUP_S, partial(backup_due, self.catalog, self.volumes)),
            ("backup into the bucket", BACKUP_S, self.store.keep_backup),
        ):
            self._tasks.append(asyncio.create_task(self._every(name, period_s, work), name=name))
        for name, period_s, turn in self.keeper.open():
            self._tasks.append(asyncio.create_task(self._every(name, period_s, turn), name=name))
        await self.alerts.forget_other_places()
        self._tasks += [asyncio.create_task(courier, name="alert courier") for courier in self.alerts.couriers()]
        self._tasks.append(asyncio.create_task(self._every("probes", PASS_S, self.prober.run), name="probes"))
        self._tasks.append(asyncio.create_task(keep_tested(self.lags, self.catalog, self.ffmpeg), name="selftest"))

    async def _run_id_floor(self) -> int:
        loop = asyncio.get_running_loop()
        found = [
            await loop.run_in_executor(self.volumes.pool(volume.id), highest_run_id, Path(volume.path))
            for volume in self.volumes.readable()
        ]
        return max(found, default=0)

    async def _serve(self) -> None:
        host, port = self.settings.server.host, self.settings.server.port
        app = make_app(
            self.settings,
            catalog=self.catalog,
            footage=self.footage,
            volumes=self.volumes,
            fleet=self.fleet,
            ffmpeg=self.ffmpeg,
            events=self.events,
            ingest=self.ingest,
            offloader=self.store.offloader,
            keeper=self.keeper,
            prober=self.prober,
            onvif_client=Onveef(),
        )
        self.sweeper.files = app[FILES]
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=2.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, backlog=512)
        try:
            await site.start()
        except OSError as error:
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            raise Invalid(
                f"cannot listen on {host}:{port}: {why}; set server.port to a free one", field="server.port"
            ) from error
        bound = self._runner.addresses[0][1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{bound}/"

    async def stop(self, *, end_recorders: bool) -> None:
        """Ends what `start` began. Recorders go on unless `end_recorders`; then what they wrote is indexed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self.jobs.close()
        await self.store.close()
        await self.keeper.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await self.fleet.stop(end_recorders=end_recorders)
        await self.spool.close()
        if self._started_us:
            with suppress(NvrError):
                await self.catalog.write(partial(states.end_life, started_us=self._started_us, ended_us=wall_us()))
        self.volumes.close()
        await self.catalog.close()
        self._lock.release()

    async def _every(self, name: str, period_s: float, work: Callable[[], Awaitable[object]]) -> None:
        """A supervised loop: an error is logged, the next turn comes all the same."""
        while True:
            try:
                await work()
            except (NvrError, OSError) as error:
                log.error("failed", loop=name, error=str(error))
            except Exception:
                log.exception("failed", loop=name)
            if name == "pass":
                await self._until_next_pass()
            else:
                await asyncio.sleep(period_s)

    async def _until_next_pass(self) -> None:
        """PASS_S, or less from when a recorder is starting."""
        for _ in range(round(PASS_S / STARTING_PASS_S)):
            await asyncio.sleep(STARTING_PASS_S)
            if self.fleet.starting():
                return

    async def _pass(self) -> None:
        """Every 10 s: check volumes, list spools, look at growing files, index what is complete, judge the recorders."""
        volumes = self.volumes.all()
        looks = await asyncio.gather(*(self._pass_volume(volume) for volume in volumes))
        blind = {volume.id for volume, look in zip(volumes, looks, strict=True) if look is None}
        self.spool.watch()
        now_us = wall_us()
        offset_us = now_us - mono_us()
        if abs(offset_us - self._clock_offset_us) > STEP_US:
            log.error("the system clock stepped", by_s=(offset_us - self._clock_offset_us) / 1e6)
            self._clock_offset_us = offset_us
            self.fleet.clock_stepped()
        await self.fleet.on_growth([growth for look in looks for growth in look or ()], now_us, blind=blind)
        self.fleet.trim_logs()
        await self.catalog.write(partial(states.touch_life, started_us=self._started_us, seen_us=now_us))

    async def _pass_volume(self, volume: Volume) -> list[FileGrowth] | None:
        """None: it could not be looked at. Nothing of what one volume does may hold back another."""
        loop = asyncio.get_running_loop()
        if volume.state == "slow":
            return None
        try:
            async with asyncio.timeout(PASS_LIMIT_S):
                await loop.run_in_executor(self.volumes.pool(volume.id), self.volumes.recheck, volume.id)
                if self.volumes.get(volume.id).state not in ("ok", "full"):
                    return []
                return await self.spool.sweep(volume)
        except (OSError, NvrError, TimeoutError) as error:
            log.error("pass over a volume failed", volume=volume.id, path=volume.path, error=str(error) or "timeout")
            return None

    async def _reload(self) -> None:
        if await self._watch.poll():
            self.jobs.look()
            self.keeper.ask()

    def _camera_changed(self, camera_id: CameraId) -> None:
        self.fleet.camera_changed(camera_id)
        self.keeper.ask()  # it may have got another policy

    def _chores(self) -> list[Chore]:
        return [
            Chore("clock", MINUTE_US, self.clock.doubt),
            Chore("days", HOUR_US, lambda: close_days(self.catalog, wall_us())),
            Chore("registers", 10 * MINUTE_US, self._keep_registers),
            Chore(
                "invariant",
                DAY_US,
                last_us=mono_us() - DAY_US + 15 * MINUTE_US,
                work=lambda: check_files(self.catalog, self.volumes),
            ),
        ]

    async def _keep_registers(self) -> None:
        """A clock that is wrong by days would keep days that never were."""
        if not await self.clock.doubt():
            kinds = list(all_kinds(self.settings.registry.owner_kinds))
            zone = ZoneInfo(self.settings.server.timezone)
            await take_due(self.catalog, zone=zone, kinds=kinds, now_us=wall_us())

    async def _sweep_now(self) -> dict[str, object]:
        """For `nvr retention apply`."""
        doubt = await self.clock.doubt()
        await settle(self.catalog, wall_us(), trusted=not doubt)
        return asdict(await apply(self.catalog, self.sweeper, wall_us(), doubt=doubt))

    def _live_runs(self) -> set[RunId]:
        return self.fleet.live_runs()  # made after those who ask

    def _indexed(self, segment: Segment) -> None:
        self.fleet.indexed(segment)
        self.camera_json.indexed(segment)

    def _drifted(self, drifted: Drifted) -> None:
        log.error("run drifted", camera=drifted.camera_id, run=drifted.run_id, drift_s=drifted.drift_us / 1e6)
        self.fleet.end_run(drifted.run_id, "camera_time_jump", drifted.sentence)


def spare_the_collector() -> None:
    """What is there once a server has started stays for good: the garbage collector need not walk it again and again (12 to
    16 ms each time, in the middle of a timeline)."""
    gc.collect()
    gc.freeze()


async def hold_until_signal() -> signal.Signals:
    """For a server that has started: returns at the first SIGINT or SIGTERM."""
    spare_the_collector()
    loop = asyncio.get_running_loop()
    got: asyncio.Future[signal.Signals] = loop.create_future()

    def take(which: signal.Signals) -> None:
        if not got.done():
            got.set_result(which)

    for which in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(which, take, which)
    try:
        return await got
    finally:
        for which in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(which)
