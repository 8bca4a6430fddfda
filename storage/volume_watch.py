"""The watch over one volume: every few seconds its uuid, its space, and whether bytes written there reach the disk.

A stalled disk answers nothing: not even a thread that asks comes back. So each watch asks in a thread of its own, with a
deadline, and asks nothing more until that thread is back. Used from the event loop.
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from storage.clock import Clock, mono_us
from storage.model import Volume, VolumeId
from storage.paths import PROBE_FILE
from storage.volumes import Space, Volumes, look

DEADLINE_S = 5.0
WELL_AFTER_US = 15_000_000
"""A volume that was slow is used again when it has answered in time for so long."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class Look:
    """`fault`: why nothing can be written, "" while it can. `took_s`: of the write with its fsync."""

    volume: Volume
    space: Space | None
    fault: str
    took_s: float


class VolumeWatch:
    def __init__(
        self, volumes: Volumes, volume_id: VolumeId, *, deadline_s: float = DEADLINE_S, clock: Clock = mono_us
    ) -> None:
        self._volumes = volumes
        self._id = volume_id
        self._deadline_s = deadline_s
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"watch-{volume_id}")
        self._asked: asyncio.Future[Look] | None = None
        self._asked_us = 0
        self._slow_us: int | None = None  # when it last did not answer in time

    async def look(self) -> Volume:
        """The volume as it is now. Takes at most the deadline, whatever the disk does."""
        if self._asked is None:
            volume = self._volumes.get(self._id)
            self._asked = asyncio.get_running_loop().run_in_executor(self._thread, _look, volume)
            self._asked_us = self._clock()
        waited_s = (self._clock() - self._asked_us) / 1e6
        done, _ = await asyncio.wait({self._asked}, timeout=max(0.5, self._deadline_s - waited_s))
        if done:
            asked, self._asked = self._asked, None
            self._judge(asked.result())
        elif (self._clock() - self._asked_us) / 1e6 >= self._deadline_s:
            self._slow_us = self._clock()
            self._tell_slow()
            self._volumes.seen(self._volumes.get(self._id), None)
        return self._volumes.get(self._id)

    def _tell_slow(self) -> None:
        root = self._volumes.path(self._id)
        detail = f"{root}: a small write takes longer than {self._deadline_s:.0f} s: check its disk"
        self._volumes.ailing(self._id, "slow", detail)

    def _judge(self, found: Look) -> None:
        now_us = self._clock()
        if found.took_s >= self._deadline_s:
            self._slow_us = now_us
        if found.fault:
            self._volumes.ailing(self._id, "readonly", found.fault)
        elif self._slow_us is not None and now_us - self._slow_us < WELL_AFTER_US:
            self._tell_slow()
        else:
            self._slow_us = None
            self._volumes.ailing(self._id, "ok")
        self._volumes.seen(found.volume, found.space)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


def _look(volume: Volume) -> Look:
    """Blocking."""
    checked, there = look(volume)
    if checked.state not in ("ok", "full"):
        return Look(checked, there, "", 0.0)
    started_s = time.monotonic()
    fault = _write(Path(checked.path) / PROBE_FILE)
    return Look(checked, there, fault, time.monotonic() - started_s)


def _write(path: Path) -> str:
    """The same few bytes over and over: where nothing is free any more they can still be written. Why not, or ""."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.pwrite(fd, b"nvr writes here to see that it can\n", 0)
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        if error.errno in _FULL:
            return ""
        return f"{path.parent} cannot be written: {error.strerror}: check its disk"
    return ""
