"""One camera's life: probe, run, watch, fail, wait, run again. One task a camera, asleep but for events.

Nothing in here touches another camera. What ends a run: ffmpeg itself, a verdict of the watch, a changed camera, us.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog

from config.errors import NotFound, NvrError, Unavailable
from config.settings import Settings
from nvr.backoff import Backoff
from nvr.failure import Failure, classify
from nvr.ffmpeg import command_sha256, ffconcat_text, record_command
from nvr.probe import probe, probe_row
from nvr.process import Recorder, Spawner, boot_id
from nvr.watch import RunWatch, Verdict
from storage.camera_url import join
from storage.catalog import cameras, runs, states
from storage.catalog.db import Catalog
from storage.catalog.sqlite import Connection
from storage.clock import Clock, mono_us
from storage.model import Camera, CameraId, CameraState, Credentials, FileGrowth, Probe, Run, RunId, Volume
from storage.volumes import Volumes

log = structlog.get_logger()

LOG_READ_BYTES = 64 * 1024
AUDIO_AGAIN_S = 3600.0
RUN_ENDED_LIMIT_S = 5.0
DISK_FULL_RETRY_S = 5.0


@dataclass(slots=True)
class Shared:
    """What all recorders of a fleet share."""

    settings: Settings
    catalog: Catalog
    volumes: Volumes
    ffmpeg: Path
    state_dir: Path
    spawn: Spawner
    clock: Clock
    run_ended: Callable[[Run], Awaitable[None]]
    on_state: Callable[[CameraState], None]
    pace: Callable[[], Awaitable[None]]
    on_restart: Callable[[str], None]
    run_id_floor: int = 0


@dataclass(frozen=True, slots=True)
class Config:
    """A camera as it is to be recorded now."""

    camera: Camera
    credentials: Credentials | None
    probe: Probe | None


def read_config(db: Connection, camera_id: CameraId) -> Config | None:
    """None when the camera does not exist."""
    try:
        camera = cameras.get(db, camera_id)
    except NotFound:
        return None
    return Config(camera, cameras.credentials(db, camera_id), cameras.get_probe(db, camera_id))


def audio_mode(camera: Camera, found: Probe | None) -> str:
    """copy | aac | off. Audio counts only when its packets were received."""
    if camera.audio != "auto":
        return camera.audio
    if found is None or not found.audio_received:
        return "off"
    return "copy" if found.audio_codec == "aac" else "aac"


@dataclass(slots=True)
class Running:
    """A run with its process. `asked`: why we ended it."""

    run: Run
    process: Recorder
    watch: RunWatch
    digest: bytes
    log_from: int = 0
    asked: Failure | None = None


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
    backoff: Backoff = field(default_factory=Backoff)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _audio_off_until_us: int = 0
    _probe_again: bool = False
    _enabled_us: int | None = None  # CLOCK_MONOTONIC
    _expected_us: int = 0

    @property
    def wanted(self) -> bool:
        config = self.config
        return config is not None and config.camera.enabled and config.camera.archived_us is None

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
            if not self.wanted:
                self._count_expected(False)
                if self.config is not None:
                    await self._set_state("disabled", "disabled", "switched off by an administrator")
                await self._changed.wait()
                return
            self._count_expected(True)
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
        elif not enabled and self._enabled_us is not None:
            self._expected_us, self._enabled_us = self.expected_us(), None

    async def _reload(self) -> None:
        self._changed.clear()
        self.config = await self.shared.catalog.read(partial(read_config, camera_id=self.camera_id))

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
        row = probe_row(camera.id, report, self.shared.clock())

        def put(db: Connection) -> None:
            if cameras.get(db, camera.id).url == camera.url:  # changed meanwhile: the next turn asks the new address
                cameras.put_probe(db, row)

        await self.shared.catalog.write(put)
        self._probe_again = False
        self.config = Config(camera, self.config.credentials, row)
        return True

    # -- a run ---------------------------------------------------------------------------------------------------------

    def ffconcat(self) -> Path:
        return self.shared.state_dir / f"{self.camera_id}.ffconcat"

    def log(self) -> Path:
        return self.shared.state_dir / f"{self.camera_id}.log"

    def command(self, volume: Volume, run_id: RunId, *, audio: str | None = None) -> tuple[list[str], str]:
        """(arguments, ffconcat text) for today's configuration."""
        config = self.config
        assert config is not None
        mode = audio or audio_mode(config.camera, config.probe)
        if self._audio_off_until_us > self.shared.clock():
            mode = "off"
        arguments = record_command(
            self.camera_id,
            run_id,
            ffmpeg_path=self.shared.ffmpeg,
            volume=Path(volume.path),
            ffconcat=self.ffconcat(),
            segment_seconds=self.shared.settings.recording.segment_seconds,
            audio=mode,
            hevc=config.probe is not None and config.probe.video_codec == "hevc",
        )
        return arguments, ffconcat_text(join(config.camera.url, config.credentials))

    def same(self, command: Sequence[str], volume: Volume) -> bool:
        """Whether a found process does what would be started today. One that left silent audio out does as well."""
        try:
            today = self.ffconcat().read_text("utf-8")
        except OSError:
            return False
        found = command_sha256(command, today)
        for audio in (None, "off"):
            arguments, text = self.command(volume, RunId(1), audio=audio)
            if command_sha256(arguments, text) == found:
                return True
        return False

    def adopt(self, run: Run, process: Recorder, command: Sequence[str]) -> None:
        """Take on a recorder that outlived the last server."""
        digest = command_sha256(command, self.ffconcat().read_text("utf-8"))
        watch = RunWatch(run.started_us, audio="-c:a" in command)
        watch.recording = True
        self.running = Running(run, process, watch, digest, self._log_size())

    async def _start(self) -> None:
        shared = self.shared
        volume = shared.volumes.choose(self.camera_id)
        _, text = self.command(volume, RunId(1))
        await asyncio.get_running_loop().run_in_executor(None, _write_secret, self.ffconcat(), text)
        now_us = shared.clock()
        digest = command_sha256(self.command(volume, RunId(1))[0], text)

        def insert(db: Connection) -> Run:
            return runs.insert(
                db,
                Run(
                    id=runs.next_id(db, now_us, shared.run_id_floor),
                    camera_id=self.camera_id,
                    node=shared.settings.server.node,
                    volume_id=volume.id,
                    started_us=now_us,
                    boot_id=boot_id(),
                    command_sha256=digest,
                    clock_source="system",
                ),
            )

        if self.state.state not in ("starting", "failed"):
            await self._set_state("starting", None, "")
        run = await shared.catalog.write(insert)
        command, _ = self.command(volume, run.id)
        log_from = self._log_size()
        try:
            process = await shared.spawn(command, self.log())
        except OSError as error:
            await shared.catalog.write(partial(runs.end, run_id=run.id, ended_us=shared.clock(), reason="unknown"))
            raise Unavailable(f"ffmpeg cannot be started: {error}; check recording.ffmpeg") from error
        watch = RunWatch(now_us, audio="-c:a" in command)
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
                await asyncio.wait({ended, changed}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                if not ended.done() and self._changed.is_set():
                    await self._reconsider(running)
        finally:
            ended.cancel()
        await self._ended(running)

    async def _reconsider(self, running: Running) -> None:
        await self._reload()
        if not self.wanted:
            running.asked = running.asked or Failure("disabled", "switched off by an administrator")
        else:
            assert self.config is not None
            if self.config.probe is None and not self._probe_again:
                running.asked = running.asked or Failure("parameters_changed", "the camera's address was changed")
            else:
                volume = self.shared.volumes.get(running.run.volume_id)
                arguments, text = self.command(volume, running.run.id)
                if command_sha256(arguments, text) != running.digest:
                    running.asked = running.asked or Failure("parameters_changed", "the camera's settings were changed")
        if running.asked is not None:
            await running.process.end()

    async def _ended(self, running: Running) -> None:
        shared = self.shared
        now_us = shared.clock()
        failure = running.asked or classify(
            await asyncio.get_running_loop().run_in_executor(None, self._log_since, running.log_from),
            returncode=running.process.returncode,
        )
        if running.asked is None:
            shared.on_restart(failure.cause)
            log.warning("recorder ended", camera=self.camera_id, run=running.run.id, cause=failure.cause, detail=failure.detail)
        await shared.catalog.write(partial(runs.end, run_id=running.run.id, ended_us=now_us, reason=failure.cause))
        try:
            async with asyncio.timeout(RUN_ENDED_LIMIT_S):
                await shared.run_ended(running.run)
        except (NvrError, OSError, TimeoutError) as error:
            # The pass takes the files later; the next run must not wait for a stalled disk.
            log.warning("files of an ended run are left to the pass", run=running.run.id, error=str(error))
        self.running = None
        if failure.cause == "disabled":
            return
        if failure.cause == "audio_silent":
            self._audio_off_until_us = now_us + int(AUDIO_AGAIN_S * 1e6)
        elif failure.cause in ("unsupported_codec", "no_video", "parameters_changed"):
            self._probe_again = True
        recorded_s = (now_us - running.run.started_us) / 1e6 if running.watch.recording else 0.0
        await self._fail(failure, recorded_s)

    async def _fail(self, failure: Failure, recorded_s: float) -> None:
        """Say so, and wait as long as the cause asks for; a change of the camera ends the wait."""
        await self._set_state("failed", failure.cause, failure.detail)
        wait_s = self.backoff.after(failure.cause, recorded_s)
        if failure.cause == "disk_full":
            wait_s = DISK_FULL_RETRY_S
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
            await self.end(Failure(verdict.cause, verdict.detail))
        elif self.running is not None and self.running.asked is None:
            await self._set_state("recording", None, "")

    async def end(self, failure: Failure) -> None:
        """End the present run for a cause; the next one follows."""
        running = self.running
        if running is None or running.asked is not None:
            return
        running.asked = failure
        self.shared.on_restart(failure.cause)
        log.warning("ending a run", camera=self.camera_id, run=running.run.id, cause=failure.cause, detail=failure.detail)
        await running.process.end()

    # -- log -----------------------------------------------------------------------------------------------------------

    def _log_size(self) -> int:
        try:
            return self.log().stat().st_size
        except OSError:
            return 0

    def _log_since(self, start: int) -> str:
        """What this run has written, at most its last 64 KiB; all there is where the log was trimmed meanwhile."""
        try:
            with self.log().open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                begin = start if start <= size else 0
                file.seek(max(begin, size - LOG_READ_BYTES))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""


def _write_secret(path: Path, text: str) -> None:
    """Whole or not at all, mode 0600."""
    temporary = path.with_suffix(".new")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)
