"""Recorders that were left behind: told to end, but their disk hangs and they cannot. Used from the event loop.

Their camera is recorded elsewhere meanwhile. Until such a process is really gone its run counts as alive, so that nobody
takes a file that may still grow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from config.errors import NvrError
from nvr.process import Process, Recorder
from storage.model import Run, RunId

log = structlog.get_logger()


class LeftBehind:
    def __init__(self, run_ended: Callable[[Run], Awaitable[None]]) -> None:
        self._run_ended = run_ended
        self._waiting: dict[RunId, tuple[Recorder, asyncio.Task[None]]] = {}

    def take(self, run: Run, process: Recorder) -> None:
        """What it wrote is indexed when it has gone."""
        log.warning("recorder left behind", camera=run.camera_id, run=run.id, pid=process.pid)
        task = asyncio.create_task(self._wait(run, process), name=f"left-behind-{run.id}")
        self._waiting[run.id] = (process, task)

    async def _wait(self, run: Run, process: Recorder) -> None:
        try:
            await process.end()
        finally:
            self._waiting.pop(run.id, None)
        log.info("recorder that was left behind has ended", camera=run.camera_id, run=run.id)
        with suppress(OSError, NvrError):  # its volume is not back: the pass takes the files
            await self._run_ended(run)

    def runs(self) -> set[RunId]:
        return set(self._waiting)

    async def close(self) -> None:
        """They are the next server's to find."""
        waiting = list(self._waiting.values())
        for process, task in waiting:
            task.cancel()
            if isinstance(process, Process):
                process.forget()
        await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)
