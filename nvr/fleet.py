"""The recorder fleet: which cameras this node records, adoption of recorders that outlived the last server, paced starts.

Loops over the whole fleet are O(changes) but for the one pass every 10 s. Runs on the event loop.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import structlog

from config.errors import NvrError
from config.settings import Settings
from nvr.camera_files import mask_logs, remove_probes, trim_logs
from nvr.failure import Failure
from nvr.left_behind import LeftBehind
from nvr.probe import probe
from nvr.process import Found, Process, Spawner, end_all, scan, spawn
from nvr.recorder import CameraRecorder
from nvr.recorder_model import AUDIO_AGAIN_S, Config, Shared, config_of
from storage.catalog import cameras, runs, segments, states
from storage.catalog.db import Catalog
from storage.catalog.sqlite import Connection
from storage.clock import Clock, wall_us
from storage.model import Camera, CameraId, CameraState, Credentials, FileGrowth, Run, RunId, Segment, VolumeId
from storage.volumes import Volumes
from web.keys import CameraHealth, CameraTotals, ProbeReport

log = structlog.get_logger()

STOP_LIMIT_S = 15.0  # a process that not even SIGKILL ends waits for a disk: we do not


class Pace:
    """A token bucket: `per_second` starts, spread evenly. After an outage of hundreds of cameras they come back one by one."""

    def __init__(self, per_second: float) -> None:
        self._step_s = 1.0 / per_second
        self._next_s = 0.0

    async def __call__(self) -> None:
        now_s = asyncio.get_running_loop().time()
        at_s = self._next_s = max(now_s, self._next_s + self._step_s)
        if at_s > now_s:
            await asyncio.sleep(at_s - now_s)


class Fleet:
    def __init__(
        self,
        *,
        settings: Settings,
        catalog: Catalog,
        volumes: Volumes,
        ffmpeg: Path,
        state_dir: Path,
        run_ended: Callable[[Run], Awaitable[None]],
        spawn: Spawner = spawn,
        clock: Clock = wall_us,
        on_event: Callable[[CameraState], None] = lambda state: None,
        on_camera: Callable[[CameraId], None] = lambda camera_id: None,
        audio_again_s: float = AUDIO_AGAIN_S,
    ) -> None:
        self._on_camera = on_camera
        self._restarts: Counter[str] = Counter()
        self._left = LeftBehind(run_ended)
        self._leave_pace = Pace(settings.recording.start_per_second)
        self._leaving: set[CameraId] = set()
        self._held_back: dict[CameraId, str] = {}
        self._shared = Shared(
            settings=settings,
            catalog=catalog,
            volumes=volumes,
            ffmpeg=ffmpeg,
            state_dir=state_dir,
            spawn=spawn,
            clock=clock,
            run_ended=run_ended,
            on_state=on_event,
            pace=Pace(settings.recording.start_per_second),
            on_restart=self._count_restart,
            leave_behind=self._left.take,
            audio_again_s=audio_again_s,
        )
        self._recorders: dict[CameraId, CameraRecorder] = {}
        self._tasks: dict[CameraId, asyncio.Task[None]] = {}
        self._acting: set[asyncio.Task[None]] = set()
        self._adopted = False
        self._started_us = clock()

    @property
    def run_id_floor(self) -> int:
        return self._shared.run_id_floor

    @run_id_floor.setter
    def run_id_floor(self, highest: int) -> None:
        """The largest run id that any file names."""
        self._shared.run_id_floor = highest

    # -- start and end -------------------------------------------------------------------------------------------------

    async def adopt(self) -> None:
        """Read the cameras, find running recorders; take on those that do what is wanted today, end the others."""
        shared, loop = self._shared, asyncio.get_running_loop()
        await loop.run_in_executor(None, _private_folder, shared.state_dir)
        for recorder in await shared.catalog.read(self._read_all):
            self._recorders[recorder.camera_id] = recorder
        found = await loop.run_in_executor(None, scan, [Path(volume.path) for volume in shared.volumes.all()])
        unwanted = [one for one in found if not await self._adopt(one)]
        if found:
            log.info("recorders found", adopted=len(found) - len(unwanted), ended=len(unwanted))
        await _at_most(end_all(unwanted))
        await shared.catalog.write(self._end_lost_runs)
        self._adopted = True

    def _read_all(self, db: Connection) -> list[CameraRecorder]:
        made = []
        for camera in cameras.all_of(db, self._shared.settings.server.node):
            config = config_of(db, camera)
            last = segments.newest(db, camera.id)
            recorder = self._recorder(camera.id, config, states.current(db, camera.id))
            recorder.newest_us = last.end_us if last else None
            recorder.clock_offset_us = last.clock_offset_us if last else None
            made.append(recorder)
        return made

    def _recorder(self, camera_id: CameraId, config: Config | None, state: CameraState | None) -> CameraRecorder:
        unknown = CameraState(camera_id, self._shared.clock(), "unknown")
        recorder = CameraRecorder(camera_id, self._shared, config, state or unknown)
        recorder.held_back = self._held_back.get(camera_id, "")
        return recorder

    async def _adopt(self, one: Found) -> bool:
        shared = self._shared
        recorder = self._recorders.get(one.camera_id)
        volume = next((v for v in shared.volumes.readable() if v.path == str(one.volume)), None)
        if recorder is None or not recorder.wanted or volume is None or recorder.running is not None:
            return False
        run = await shared.catalog.write(
            partial(runs.recover, camera_id=one.camera_id, run_id=one.run_id, volume_id=volume.id)
        )
        if run is None or run.ended_us is not None:
            return False
        try:
            process = Process.of(one.pid)
        except ProcessLookupError:
            return False
        if not await recorder.adopt(run, process, one.command, volume):
            process.forget()
            return False
        if run.pid != one.pid:  # the last server was killed between the spawn and the row of its pid
            await shared.catalog.write(partial(runs.set_pid, run_id=run.id, pid=one.pid))
        return True

    def _end_lost_runs(self, db: Connection) -> None:
        """Runs without an end whose process is gone: it ended while no server ran."""
        alive = self.live_runs()
        for run in runs.open_runs(db, self._shared.settings.server.node):
            if run.id not in alive:
                runs.end(db, run.id, self._shared.clock(), "server_down")

    def begin(self) -> None:
        """Start every camera's life; new runs are paced."""
        for recorder in self._recorders.values():
            self._live(recorder)

    def _live(self, recorder: CameraRecorder) -> None:
        self._tasks[recorder.camera_id] = asyncio.create_task(recorder.live(), name=f"camera-{recorder.camera_id}")

    async def stop(self, *, end_recorders: bool) -> None:
        """Stop supervising; the recorders go on unless `end_recorders`, then what they wrote is indexed."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        for task in tuple(self._acting):
            task.cancel()
        await asyncio.gather(*self._acting, return_exceptions=True)
        running = [r.running for r in self._recorders.values() if r.running is not None]
        await self._left.close()
        if end_recorders:
            await self._end_recorders()
        for one in running:
            if isinstance(one.process, Process):
                one.process.forget()

    async def _end_recorders(self) -> None:
        """By what /proc shows, which also knows of a spawn that was cut short."""
        shared, loop = self._shared, asyncio.get_running_loop()
        running = [r.running.process for r in self._recorders.values() if r.running is not None]
        await _at_most(asyncio.gather(*(process.end() for process in running)))
        found = await loop.run_in_executor(None, scan, [Path(volume.path) for volume in shared.volumes.all()])
        await _at_most(end_all(found))
        now_us = shared.clock()
        for run in await shared.catalog.read(partial(runs.open_runs, node=shared.settings.server.node)):
            await shared.catalog.write(partial(runs.end, run_id=run.id, ended_us=now_us, reason="server_down"))
            with suppress(OSError, NvrError):  # its volume is away: the next server takes the files
                await shared.run_ended(run)
        for recorder in self._recorders.values():
            await recorder.stopped()

    # -- what the server tells -----------------------------------------------------------------------------------------

    def camera_changed(self, camera_id: CameraId) -> None:
        """Its row was added, changed or archived; acts on that camera alone, soon."""
        self._on_camera(camera_id)
        recorder = self._recorders.get(camera_id)
        if recorder is None:
            recorder = self._recorders[camera_id] = self._recorder(camera_id, None, None)
            self._live(recorder)
        recorder.changed()

    async def on_growth(self, growths: Sequence[FileGrowth], now_us: int, *, blind: Collection[VolumeId] = ()) -> None:
        """The pass: the newest file of each live run, held against time. `blind`: volumes that could not be looked at;
        nothing is judged from there."""
        newest: dict[RunId, FileGrowth] = {}
        for growth in growths:
            known = newest.get(growth.run_id)
            if known is None or growth.n > known.n:
                newest[growth.run_id] = growth
        for recorder in self._recorders.values():
            running = recorder.running
            if running is None or running.run.volume_id in blind:
                continue
            due, verdict = recorder.judge(newest.get(running.run.id), now_us)
            if due:
                self._act(recorder.act(verdict))

    def _act(self, work: Coroutine[None, None, None]) -> None:
        """Not waited for: ending an ffmpeg takes seconds where its disk or camera hangs."""
        task = asyncio.create_task(work)
        self._acting.add(task)
        task.add_done_callback(self._acting.discard)

    def indexed(self, segment: Segment) -> None:
        """A segment has its row."""
        recorder = self._recorders.get(segment.camera_id)
        if recorder is not None:
            recorder.newest_us = max(recorder.newest_us or 0, segment.end_us)
            if segment.start_us >= self._started_us:  # what an earlier server left behind was expected in its life
                recorder.recorded_us += segment.dur_us
            if segment.clock_offset_us is not None:
                recorder.clock_offset_us = segment.clock_offset_us

    def end_run(self, run_id: RunId, cause: str, detail: str = "") -> None:
        """End one run for a cause, if it still runs."""
        for recorder in self._recorders.values():
            if recorder.running is not None and recorder.running.run.id == run_id:
                self._act(recorder.end(Failure(cause, detail)))

    def clock_stepped(self) -> None:
        """The system's clock was set: times of running runs cannot be followed any more. New runs, one by one."""
        self._act(self._renew([r for r in self._recorders.values() if r.running is not None]))

    async def _renew(self, recorders: Sequence[CameraRecorder]) -> None:
        async with asyncio.TaskGroup() as group:
            for recorder in recorders:
                await self._shared.pace()
                group.create_task(recorder.end(Failure("unknown", "the server's clock was set")))

    # -- room ----------------------------------------------------------------------------------------------------------

    def leave(self, volume_id: VolumeId, cause: str, detail: str, *, at_once: bool) -> None:
        """Its cameras go to other volumes: those that record there now. May be asked again and again. `at_once`: nothing
        they write there is worth anything; else they go one by one."""
        found = [
            recorder
            for recorder in self._recorders.values()
            if recorder.running is not None
            and recorder.running.run.volume_id == volume_id
            and recorder.running.asked is None
            and recorder.camera_id not in self._leaving
        ]
        if found:
            self._leaving.update(recorder.camera_id for recorder in found)
            self._act(self._leave(found, Failure(cause, detail), None if at_once else self._leave_pace))

    async def _leave(self, recorders: Sequence[CameraRecorder], failure: Failure, pace: Pace | None) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for recorder in recorders:
                    if pace is not None:
                        await pace()
                    group.create_task(recorder.leave(failure))
        finally:
            self._leaving.difference_update(recorder.camera_id for recorder in recorders)

    def hold_back(self, cameras: Collection[CameraId], why: str) -> None:
        """These may not record for want of room; all others may. "Stopped by class" is decided by retention.keeper."""
        self._held_back = dict.fromkeys(cameras, why)
        for recorder in self._recorders.values():
            recorder.hold_back(self._held_back.get(recorder.camera_id, ""))

    def wanted_cameras(self) -> Collection[CameraId]:
        """Those that are to be recorded, held back or not."""
        return [recorder.camera_id for recorder in self._recorders.values() if recorder.wanted]

    def recording_on(self) -> Mapping[VolumeId, Sequence[CameraId]]:
        """Where cameras are being recorded now."""
        found: dict[VolumeId, list[CameraId]] = {}
        for recorder in self._recorders.values():
            if recorder.running is not None:
                found.setdefault(recorder.running.run.volume_id, []).append(recorder.camera_id)
        return found

    def _count_restart(self, cause: str) -> None:
        self._restarts[cause] += 1

    # -- what is asked -------------------------------------------------------------------------------------------------

    def live_runs(self) -> set[RunId]:
        """Runs whose ffmpeg is alive, as far as is known."""
        running = {r.running.run.id for r in self._recorders.values() if r.running is not None}
        return running | self._left.runs()

    def starting(self) -> bool:
        """Whether a look sooner than the next pass is worth it."""
        return any(
            r.running is not None and (not r.running.watch.recording or r.running.watch.suspicious)
            for r in self._recorders.values()
        )

    def started(self) -> bool:
        return self._adopted

    def restarts(self) -> Mapping[str, int]:
        return self._restarts

    def health(self, camera_id: CameraId) -> CameraHealth | None:
        recorder = self._recorders.get(camera_id)
        if recorder is None or recorder.config is None or recorder.config.camera.archived_us is not None:
            return None
        camera = recorder.config.camera
        state = recorder.state
        return CameraHealth(
            state=state.state if recorder.wanted else "disabled",
            cause=state.cause if recorder.wanted else "disabled",
            detail=state.detail,
            since_us=state.since_us,
            newest_footage_us=recorder.newest_us,
            missed_segments=self._missed(camera, recorder) if recorder.wanted else 0,
            clock_offset_us=recorder.clock_offset_us,
            run_id=recorder.running.run.id if recorder.running else None,
        )

    def size(self) -> int:
        """How many cameras it knows."""
        return len(self._recorders)

    def healths(self) -> Iterable[tuple[Camera, CameraHealth]]:
        """Every camera that this node records, as it is configured and fares now."""
        for camera_id, recorder in list(self._recorders.items()):
            health = self.health(camera_id)
            if health is not None and recorder.config is not None:
                yield recorder.config.camera, health

    def _missed(self, camera: Camera, recorder: CameraRecorder) -> int:
        """Whole segment lengths without footage since the newest, or since the camera was registered or switched on."""
        since_us = max(recorder.newest_us or camera.created_us, recorder.wanted_since_us)
        return max(
            0, (self._shared.clock() - since_us) // (self._shared.settings.recording.segment_seconds * 1_000_000)
        )

    def totals(self) -> Iterable[CameraTotals]:
        for recorder in self._recorders.values():
            yield CameraTotals(
                recorder.camera_id, recorder.recorded_us / 1e6, recorder.expected_us() / 1e6, recorder.newest_us
            )

    async def probe(self, url: str, credentials: Credentials | None, audio: str) -> ProbeReport:
        """A whole look at a camera; nothing is changed. `audio`: as its setting is, what comes is reported all the same."""
        await self._shared.pace()
        return await probe(self._shared.ffmpeg, url, credentials, self._shared.state_dir, whole=True, audio=audio)

    def trim_logs(self) -> None:
        """Blocking, but for a folder listing only."""
        trim_logs(self._shared.state_dir)


async def _at_most(work: Awaitable[object]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_LIMIT_S):
            await work


def _private_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    remove_probes(folder)
    mask_logs(folder)
