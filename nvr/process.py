"""Recorder processes: spawned in a session of their own, watched by pidfd, found again in /proc after a restart of the server.

An adopted process is not our child: its exit status is unknown, and tells nothing anyway. Used from the event loop.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from storage.model import CameraId, RunId
from storage.paths import parse_spool_pattern

TERM_S = 5.0  # ffmpeg closes its file within milliseconds of a SIGTERM; after this it is killed
ENDS_AT_ONCE = 10


class Recorder(Protocol):
    """A running ffmpeg, ours or adopted."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    async def wait(self) -> None:
        """Returns when it has gone."""

    async def end(self) -> None:
        """SIGTERM, then SIGKILL after TERM_S; returns when it has gone."""


Spawner = Callable[[Sequence[str], Path], Awaitable[Recorder]]
"""(command, log file) -> the running recorder. Raises OSError."""


@dataclass(slots=True)
class Process:
    """A process by its pidfd: the number cannot come to mean another one."""

    pid: int
    _fd: int
    _child: subprocess.Popen[bytes] | None = None
    _gone: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(cls, pid: int, child: subprocess.Popen[bytes] | None = None) -> Process:
        """Raises ProcessLookupError when it is gone already."""
        process = cls(pid, os.pidfd_open(pid), child)
        asyncio.get_running_loop().add_reader(process._fd, process._ended)
        return process

    def _ended(self) -> None:
        asyncio.get_running_loop().remove_reader(self._fd)
        if self._child is not None:
            self._child.poll()  # reaps it
        os.close(self._fd)
        self._fd = -1
        self._gone.set()

    @property
    def returncode(self) -> int | None:
        """Of our own child once it is gone; negative for a signal. Of an adopted one nobody can know."""
        return self._child.returncode if self._child is not None else None

    def forget(self) -> None:
        """Watch it no more; it goes on."""
        if self._fd >= 0:
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1
        if self._child is not None:
            self._child.returncode = 0  # it is nobody's to wait for: spares Popen's ResourceWarning

    async def wait(self) -> None:
        await self._gone.wait()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError, OSError):
            if self._fd >= 0:
                signal.pidfd_send_signal(self._fd, number)

    async def end(self) -> None:
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(TERM_S):
                await self.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self.wait()


async def spawn(command: Sequence[str], log: Path) -> Recorder:
    """ffmpeg in its own session, without a pipe to us: it outlives the server. stderr is appended to `log`, mode 0600."""
    started = asyncio.get_running_loop().run_in_executor(None, _popen, command, log)
    try:
        child = await asyncio.shield(started)
    except asyncio.CancelledError:
        started.add_done_callback(_disown)  # it records all the same; the next server finds it in /proc
        raise
    return Process.of(child.pid, child)


def _disown(started: asyncio.Future[subprocess.Popen[bytes]]) -> None:
    if not started.cancelled() and started.exception() is None:
        started.result().returncode = 0


def _popen(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=fd,
            start_new_session=True,
            close_fds=True,
        )
    finally:
        os.close(fd)


@dataclass(frozen=True, slots=True)
class Found:
    """A process that writes into one of our spools."""

    pid: int
    command: tuple[str, ...]
    volume: Path
    camera_id: CameraId
    run_id: RunId


def scan(volumes: Iterable[Path]) -> list[Found]:
    """All recorders of these volumes, whoever started them. Blocking: reads each /proc/<pid>/cmdline once."""
    ours = {str(volume) for volume in volumes}
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdecimal():
            continue
        try:
            raw = Path("/proc", entry, "cmdline").read_bytes()
        except OSError:
            continue  # gone, or not ours to read
        command = tuple(os.fsdecode(part) for part in raw.split(b"\0")[:-1])
        last = parse_spool_pattern(command[-1]) if command else None
        if last is not None and str(last[0]) in ours and not _is_zombie(entry):
            found.append(Found(int(entry), command, *last))
    return sorted(found, key=lambda one: one.run_id)


def _is_zombie(pid: str) -> bool:
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return True


async def end_all(found: Iterable[Found]) -> int:
    """End them, some at a time. How many there were."""
    slots = asyncio.Semaphore(ENDS_AT_ONCE)

    async def end(one: Found) -> None:
        async with slots:
            with suppress(ProcessLookupError):
                await Process.of(one.pid).end()

    async with asyncio.TaskGroup() as group:
        ends = [group.create_task(end(one)) for one in found]
    return len(ends)


async def end_recorders(volumes: Iterable[Path]) -> int:
    """For `nvr stop --recorders`."""
    return await end_all(scan(volumes))


def boot_id() -> str:
    """Of this boot of the machine: with the pid it names a process for ever."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""
