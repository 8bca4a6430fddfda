"""One camera's life: probe, run, watch, fail, wait, run again. One task a camera, asleep but for events.

Nothing in here touches another camera. What ends a run: ffmpeg itself, a verdict of the watch, a changed camera, us.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import structlog

from config.errors import NvrError, Unavailable
from nvr.backoff import Backoff
from nvr.camera_files import CameraFiles
from nvr.failure import Failure, classify, stall
from nvr.ffmpeg import command_sha256, ffconcat_text, record_command
from nvr.probe import probe, probe_row
from nvr.process import Recorder
from nvr.recorder_model import Config, Running, Shared, audio_mode, new_run, read_config
from nvr.watch import RunWatch, Verdict
from storage.camera_url import join
from storage.catalog import cameras, runs, states
from storage.catalog.sqlite import Connection
from storage.clock import mono_us
from storage.model import CameraId, CameraState, FileGrowth, Probe, Run, RunId, Volume

log = structlog.get_logger()

RUN_ENDED_LIMIT_S = 5.0
DISK_FULL_RETRY_S = 5.0
LOCKED_RETRY_S = 10.0  # the camera is not asked meanwhile: only whether the key of its login is back
LEAVE_S = 2.0
"""An ffmpeg that can write ends within milliseconds; one that hangs on its disk is left behind after this."""
ANY_RUN = RunId(1)  # for a command that is only compared: its digest leaves the run out


@dataclass(slots=True)
class CameraRecorder:
    """`state` is what the camera's pages show; `running` is set while an ffmpeg writes."""

    camera_id: CameraId
    shared: Shared
    config: Config | None
    state: CameraState
    newest_us: int | None = None
    running: Running | None = None
    clock_offset_us: int | None = None
    recorded_us: int = 0
    held_back: str = ""  # why it may not record for want of room
    wanted_since_us: int = 0  # wall time at which it was switched on; 0 since before this server
    backoff: Backoff = field(default_factory=Backoff)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _silent: bool = False  # its sound is announced but does not come: the video alone is recorded
    _sound_asked_us: int = 0  # CLOCK_MONOTONIC
    _probe_again: bool = False
    _enabled_us: int | None = None  # CLOCK_MONOTONIC
    _expected_us: int = 0

    @property
    def wanted(self) -> bool:
        config = self.config
        return (
            config is not None
            and config.camera.enabled
            and config.camera.archived_us is None
            and config.camera.node == self.shared.settings.server.node
        )

    @property
    def files(self) -> CameraFiles:
        return CameraFiles(self.shared.state_dir, self.camera_id)

    def expected_us(self) -> int:
        """How long it should have recorded since the server started."""
        return self._expected_us + (mono_us() - self._enabled_us if self._enabled_us is not None else 0)

    def changed(self) -> None:
        self._changed.set()

    # -- life ----------------------------------------------------------------------------------------------------------

    async def live(self) -> None:
        """Until cancelled. An error of ours is a failure of this camera alone, logged with its traceback."""
        while True:
            try:
                await self._turn()
            except (NvrError, OSError) as error:
                cause = str(error.extra.get("cause", "unknown")) if isinstance(error, NvrError) else "unknown"
                await self._fail(Failure(cause, getattr(error, "message", str(error))), 0.0)
            except Exception:
                log.exception("recorder failed", camera=self.camera_id)
                await self._fail(Failure("unknown", "an internal error: see the server's log"), 0.0)

    async def _turn(self) -> None:
        """One run from start to end, or one wait."""
        if self.running is None:
            await self._reload()
            self._count_expected(self.wanted)
            if not self.wanted:
                if self.config is not None:
                    await self._set_state("disabled", "disabled", "switched off by an administrator")
                await self._changed.wait()
                return
            if self.held_back:
                await self._set_state("failed", "disk_full", self.held_back)
                await self._changed.wait()
                return
            if self.config is not None and self.config.locked:
                await self._set_state("failed", "unauthorized", self.config.locked)
                await self._wait(LOCKED_RETRY_S)
                return
            await self.shared.pace()
            if not await self._probed():
                return
            await self._start()
        else:
            self._count_expected(True)
        await self._watch_run()

    def _count_expected(self, enabled: bool) -> None:
        if enabled and self._enabled_us is None:
            self._enabled_us = mono_us()
            if self.state.state == "disabled":
                self.wanted_since_us = self.shared.clock()
        elif not enabled and self._enabled_us is not None:
            self._expected_us, self._enabled_us = self.expected_us(), None

    async def _reload(self) -> None:
        self._changed.clear()
        before = self.config
        self.config = await self.shared.catalog.read(partial(read_config, camera_id=self.camera_id))
        if before is None or self.config is None:
            return
        moved = self.config.camera.url != before.camera.url
        if moved or self.config.camera.audio != before.camera.audio:
            self._silent = False
        self._probe_again = self._probe_again or moved

    # -- asking the camera ---------------------------------------------------------------------------------------------

    async def _probed(self) -> bool:
        """What the camera sends is known. False: it could not be asked; the wait is over then."""
        assert self.config is not None
        if self.config.probe is not None and not self._probe_again:
            return True
        if self.state.state not in ("starting", "failed"):
            await self._set_state("starting", None, "")
        camera = self.config.camera
        report = await probe(self.shared.ffmpeg, camera.url, self.config.credentials, self.shared.state_dir)
        if not report.ok:
            await self._fail(Failure(report.cause or "unknown", report.detail), 0.0)
            return False
        await self._remember(probe_row(camera.id, report, self.shared.clock()))
        self._probe_again = False
        return True

    async def _remember(self, row: Probe) -> None:
        assert self.config is not None
        camera = self.config.camera

        def put(db: Connection) -> None:
            if cameras.get(db, camera.id).url == camera.url:  # changed meanwhile: the next turn asks the new address
                cameras.put_probe(db, row)

        await self.shared.catalog.write(put)
        self.config = replace(self.config, probe=row)
        self._sound_asked_us = mono_us()

    def _sound_wait_s(self) -> float | None:
        """How long until announced but silent sound is asked for again; None where there is nothing to ask for."""
        config = self.config
        if config is None or config.locked or config.camera.audio == "off":
            return None
        announced = config.probe is not None and config.probe.audio_codec != "" and not config.probe.audio_received
        if not self._silent and not (announced and config.camera.audio == "auto"):
            return None
        return max(0.0, self.shared.audio_again_s - (mono_us() - self._sound_asked_us) / 1e6)

    async def _ask_for_sound(self, running: Running) -> None:
        """A second connection beside the recording one: the video goes on. Sound that comes is worth a new run."""
        assert self.config is not None
        self._sound_asked_us = mono_us()
        report = await probe(self.shared.ffmpeg, self.config.camera.url, self.config.credentials, self.shared.state_dir)
        if not (report.ok and report.audio_received) or running.asked is not None:
            return
        await self._remember(probe_row(self.camera_id, report, self.shared.clock()))
        self._silent = False
        await self.end(Failure("parameters_changed", "the camera's sound came: it is recorded from now on"))

    # -- a run ---------------------------------------------------------------------------------------------------------

    def command(self, volume: Volume, run_id: RunId, *, audio: str | None = None) -> tuple[list[str], str]:
        """(arguments, ffconcat text) for today's configuration."""
        config = self.config
        assert config is not None
        mode = "off" if self._silent else audio_mode(config.camera, config.probe)
        arguments = record_command(
            self.camera_id,
            run_id,
            ffmpeg_path=self.shared.ffmpeg,
            volume=Path(volume.path),
            ffconcat=self.files.ffconcat,
            segment_seconds=self.shared.settings.recording.segment_seconds,
            audio=audio or mode,
            hevc=config.probe is not None and config.probe.video_codec == "hevc",
        )
        return arguments, ffconcat_text(join(config.camera.url, config.credentials))

    async def adopt(self, run: Run, process: Recorder, command: Sequence[str], volume: Volume) -> bool:
        """Take on a recorder that outlived the last server, if it does what would be started today; one that leaves
        silent sound out does as well, and one whose login only its own file still tells."""
        written = await asyncio.get_running_loop().run_in_executor(None, self.files.read_ffconcat)
        if written is None:
            return False
        digest = command_sha256(command, written)
        assert self.config is not None
        if not self.config.locked and digest != command_sha256(*self.command(volume, ANY_RUN)):
            if digest != command_sha256(*self.command(volume, ANY_RUN, audio="off")):
                return False
            self._silent, self._sound_asked_us = True, mono_us()
        watch = RunWatch(self.shared.clock(), audio="-c:a" in command)
        self.running = Running(run, process, watch, digest, self.files.log_bytes())
        return True

    async def _start(self) -> None:
        shared, loop = self.shared, asyncio.get_running_loop()
        volume = shared.volumes.choose(self.camera_id)
        arguments, text = self.command(volume, ANY_RUN)
        await loop.run_in_executor(None, self.files.write_ffconcat, text)
        if self.state.state not in ("starting", "failed"):
            await self._set_state("starting", None, "")
        digest = command_sha256(arguments, text)
        audio = arguments[arguments.index("-c:a") + 1] if "-c:a" in arguments else "off"
        run = await shared.catalog.write(
            partial(new_run, shared=shared, camera_id=self.camera_id, volume=volume, digest=digest, audio=audio)
        )
        command, _ = self.command(volume, run.id)
        log_from = self.files.log_bytes()
        try:
            process = await shared.spawn(command, self.files.log)
        except OSError as error:
            await shared.catalog.write(partial(runs.end, run_id=run.id, ended_us=shared.clock(), reason="unknown"))
            raise Unavailable(f"ffmpeg cannot be started: {error}; check recording.ffmpeg") from error
        watch = RunWatch(run.started_us, audio="-c:a" in command)
        self.running = Running(run, process, watch, digest, log_from)
        await shared.catalog.write(partial(runs.set_pid, run_id=run.id, pid=process.pid))

    async def _watch_run(self) -> None:
        """Until the run has ended, then classify and wait. A changed camera ends it when it would be recorded otherwise."""
        running = self.running
        assert running is not None
        ended = asyncio.create_task(running.process.wait())
        try:
            while not ended.done():
                changed = asyncio.create_task(self._changed.wait())
                await asyncio.wait({ended, changed}, timeout=self._sound_wait_s(), return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                if ended.done() or running.left:
                    break
                if self._changed.is_set():
                    await self._reconsider(running)
                elif self._sound_wait_s() == 0.0:
                    await self._ask_for_sound(running)
        finally:
            ended.cancel()
        await self._ended(running)

    async def _reconsider(self, running: Running) -> None:
        await self._reload()
        if not self.wanted:
            running.asked = running.asked or Failure("disabled", "switched off by an administrator")
        elif self.held_back:
            running.asked = running.asked or Failure("disk_full", self.held_back)
        elif self.config is not None and not self.config.locked:  # else it goes on as it is
            volume = self.shared.volumes.get(running.run.volume_id)
            if self._probe_again or command_sha256(*self.command(volume, ANY_RUN)) != running.digest:
                running.asked = running.asked or Failure("parameters_changed", "the camera's settings were changed")
        if running.asked is not None:
            await running.process.end()

    async def _ended(self, running: Running) -> None:
        shared, watch = self.shared, running.watch
        now_us = shared.clock()
        failure = running.asked
        if failure is None:
            stderr, _ = await self._log(running)
            silent_s = (now_us - (watch.newest_us or watch.started_us)) / 1e6
            failure = classify(stderr, returncode=running.process.returncode, silent_s=silent_s)
            shared.on_restart(failure.cause)
            log.warning(
                "recorder ended",
                camera=self.camera_id,
                run=running.run.id,
                cause=failure.cause,
                detail=failure.detail,
            )
        await asyncio.get_running_loop().run_in_executor(None, self.files.mask_log)
        await shared.catalog.write(partial(runs.end, run_id=running.run.id, ended_us=now_us, reason=failure.cause))
        await self._index(running)
        self.running = None
        if failure.cause == "disabled":
            return
        if failure.cause == "audio_silent":
            self._silent, self._sound_asked_us = True, mono_us()
        elif failure.cause in ("unsupported_codec", "no_video"):
            self._probe_again = True
        await self._fail(failure, (now_us - running.run.started_us) / 1e6 if watch.recording else 0.0)

    async def _index(self, running: Running) -> None:
        """What the run left in its spool. The next run must not wait for a disk that hangs: the pass comes to its files."""
        if running.left:
            self.shared.leave_behind(running.run, running.process)
            return
        try:
            async with asyncio.timeout(RUN_ENDED_LIMIT_S):
                await self.shared.run_ended(running.run)
        except (NvrError, OSError, TimeoutError) as error:
            log.warning("files of an ended run are left to the pass", run=running.run.id, error=str(error))

    async def _log(self, running: Running) -> tuple[str, float]:
        """(what the run's ffmpeg said, seconds since its last line)."""

        def read() -> tuple[str, float]:
            return self.files.log_since(running.log_from), self.files.log_age_s()

        return await asyncio.get_running_loop().run_in_executor(None, read)

    async def _fail(self, failure: Failure, recorded_s: float) -> None:
        """Say so, and wait as long as the cause asks for; a change of the camera ends the wait."""
        await self._set_state("failed", failure.cause, failure.detail)
        wait_s = self.backoff.after(failure.cause, recorded_s)
        if failure.cause in ("disk_full", "volume_lost"):  # not the camera's fault: at once where there is room
            wait_s = min(wait_s, DISK_FULL_RETRY_S) if self.shared.volumes.ok() else DISK_FULL_RETRY_S
        await self._wait(wait_s)

    async def _wait(self, wait_s: float) -> None:
        """A change of the camera ends it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._changed.wait()

    async def _set_state(self, state: str, cause: str | None, detail: str) -> None:
        now = CameraState(self.camera_id, self.shared.clock(), state, cause, detail)
        if (state, cause, detail) == (self.state.state, self.state.cause, self.state.detail):
            return
        self.state = now
        self.shared.on_state(now)
        with suppress(Unavailable):  # the catalog's disk is full: recording does not wait for that
            await self.shared.catalog.write(partial(states.put, state=now))

    # -- the watch -----------------------------------------------------------------------------------------------------

    def judge(self, growth: FileGrowth | None, now_us: int) -> tuple[bool, Verdict | None]:
        """The pass has looked at this camera's newest file. (whether there is something to `act` on, the verdict)."""
        running = self.running
        if running is None or running.asked is not None:
            return False, None
        verdict = running.watch.look(growth, now_us)
        if running.watch.newest_us is not None:
            self.newest_us = max(self.newest_us or 0, running.watch.newest_us)
        return verdict is not None or (running.watch.recording and self.state.state != "recording"), verdict

    async def act(self, verdict: Verdict | None) -> None:
        """What `judge` found: end the run, or say that it records."""
        if verdict is not None:
            failure = Failure(verdict.cause, verdict.detail)
            if failure.cause == "timeout" and self.running is not None:
                stderr, age_s = await self._log(self.running)
                failure = stall(failure, stderr, log_age_s=age_s)
            await self.end(failure)
        elif self.running is not None and self.running.asked is None:
            await self._set_state("recording", None, "")

    async def end(self, failure: Failure) -> None:
        """End the present run for a cause; the next one follows."""
        running = self.running
        if running is None or running.asked is not None:
            return
        running.asked = failure
        self.shared.on_restart(failure.cause)
        log.warning(
            "ending a run", camera=self.camera_id, run=running.run.id, cause=failure.cause, detail=failure.detail
        )
        await running.process.end()

    async def leave(self, failure: Failure) -> None:
        """As `end`, for a run whose volume was lost: if it cannot end the camera does not wait for it."""
        running = self.running
        if running is None or running.asked is not None:
            return
        try:
            async with asyncio.timeout(LEAVE_S):
                await self.end(failure)
        except TimeoutError:
            if self.running is running:
                running.left = True
                self._changed.set()

    def hold_back(self, why: str) -> None:
        """Record no more for want of room; "" lets it again."""
        if why != self.held_back:
            self.held_back = why
            self._changed.set()

    async def stopped(self) -> None:
        """The whole fleet was ended, recorders included."""
        if self.wanted:
            await self._set_state("stopped", "server_down", "recording was stopped with the server")
