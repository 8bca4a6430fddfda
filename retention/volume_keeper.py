"""One volume's keeper: watches it every two seconds, frees room when it fills, sends its cameras away when it is lost.

Nothing in here waits for another volume. Looking and freeing are apart: a sweep that hangs on its disk does not keep the
watch from seeing that it hangs.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from config.errors import NvrError
from retention.plan import VolumeNeed
from retention.pressure import (
    RATE_WINDOW_US,
    Freed,
    Marks,
    Room,
    Sample,
    marks,
    need_bytes,
    time_to_full_s,
    write_rate,
)
from storage.clock import Clock, mono_us
from storage.model import VolumeId
from storage.volume_watch import VolumeWatch
from storage.volumes import Volumes

log = structlog.get_logger()

LOST = frozenset({"missing", "foreign", "readonly", "slow"})
USED = frozenset({"ok", "full"})
SAMPLE_US = 1_500_000
"""Looks that follow one another faster give one sample: a rate is not made of moments."""


REST, REST_MOST_US = 4, 30_000_000
"""Rest after a sweep: so many times what it took, at most half a minute."""


@dataclass(frozen=True, slots=True)
class Relief:
    """What a sweep for a volume came to. `short_bytes`: what is needed and no cut can give: only held footage is left."""

    bytes: int
    short_bytes: int


class Recorders(Protocol):
    """The fleet as a volume's keeper sees it."""

    def leave(self, volume_id: VolumeId, cause: str, detail: str, *, at_once: bool) -> None:
        """Cameras that record there go elsewhere. May be asked again and again."""


@dataclass(frozen=True, slots=True)
class VolumeStanding:
    """A volume as it was last seen. `rate`: bytes a second that are written there."""

    volume_id: VolumeId
    free_bytes: int
    total_bytes: int
    rate: float | None
    time_to_full_s: float | None
    marks: Marks
    need_bytes: int
    short_bytes: int


class VolumeKeeper:
    """`relieve` plans and sweeps; it is never asked twice at the same time."""

    def __init__(
        self,
        volumes: Volumes,
        volume_id: VolumeId,
        recorders: Recorders,
        relieve: Callable[[VolumeNeed], Awaitable[Relief]],
        *,
        min_free_percent: float,
        clock: Clock = mono_us,
    ) -> None:
        self.volume_id = volume_id
        self._volumes = volumes
        self._recorders = recorders
        self._relieve = relieve
        self._min_free_percent = min_free_percent
        self._clock = clock
        self._watch = VolumeWatch(volumes, volume_id)
        self._samples: deque[Sample] = deque()
        self._freed: Freed | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._short_bytes = 0
        self._rest_us = 0  # no plan before

    async def step(self) -> None:
        """Every WATCH_S. Returns within the watch's deadline."""
        volume = await self._watch.look()
        if volume.state in LOST:
            self._samples.clear()
            self._short_bytes = 0
            # Of a disk that is slow something may still arrive: its cameras go as fast as others can be started.
            self._recorders.leave(self.volume_id, "volume_lost", volume.detail, at_once=volume.state != "slow")
            return
        self._sample()
        standing = self.standing()
        if standing is None:
            return
        if standing.need_bytes == 0:
            self._short_bytes = 0 if standing.free_bytes >= standing.marks.low else self._short_bytes
        elif (self._sweeping is None or self._sweeping.done()) and self._clock() >= self._rest_us:
            need = VolumeNeed(self.volume_id, standing.free_bytes, standing.total_bytes, standing.need_bytes)
            self._sweeping = asyncio.create_task(self._sweep(need), name=f"pressure-{self.volume_id}")

    def _sample(self) -> None:
        there = self._volumes.space(self.volume_id)
        if there is None:
            return
        now_us = self._clock()
        if self._samples and now_us - self._samples[-1].at_us < SAMPLE_US:
            self._samples.pop()
        self._samples.append(Sample(now_us, there.free_bytes, there.total_bytes))
        while now_us - self._samples[0].at_us > RATE_WINDOW_US:
            self._samples.popleft()

    async def _sweep(self, need: VolumeNeed) -> None:
        """A supervised task: what fails is tried again with the next look. A plan that takes long is made more seldom."""
        began_us = self._clock()
        try:
            relief = await self._relieve(need)
        except (NvrError, OSError) as error:
            log.error("no room could be made", volume=need.volume_id, error=str(error))
            return
        except Exception:
            log.exception("no room could be made", volume=need.volume_id)
            return
        now_us = self._clock()
        self._freed = Freed(now_us, relief.bytes, need.free_bytes)
        self._rest_us = now_us + min(REST_MOST_US, REST * (now_us - began_us))
        if relief.short_bytes and not self._short_bytes:
            log.error(
                "no footage is left that may go",
                volume=need.volume_id,
                need_bytes=need.need_bytes,
                freed_bytes=relief.bytes,
            )
        self._short_bytes = relief.short_bytes

    def standing(self) -> VolumeStanding | None:
        """None while it cannot be used, or was not looked at yet."""
        if not self._samples or self._volumes.get(self.volume_id).state not in USED:
            return None
        now, rate = self._samples[-1], write_rate(self._samples)
        of = marks(now.total_bytes, rate, self._min_free_percent)
        return VolumeStanding(
            self.volume_id,
            now.free_bytes,
            now.total_bytes,
            rate,
            time_to_full_s(now, rate),
            of,
            need_bytes(now, of, self._freed),
            self._short_bytes,
        )

    def room(self) -> Room | None:
        """As the shedding of cameras sees it; None while it cannot be used."""
        standing = self.standing()
        if standing is None:
            return None
        return Room(standing.free_bytes, standing.marks, short=standing.short_bytes > 0)

    async def close(self) -> None:
        self._watch.close()
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
