"""Coverage of the last 24 h for the metrics: counted in a reader thread, once in five minutes at most, whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

import structlog
from aiohttp import web

from config.errors import NvrError
from storage.catalog.db import Catalog
from storage.clock import Clock, mono_us, wall_us
from storage.coverage.days import Covered, covered
from storage.model import CameraId

log = structlog.get_logger()

KEPT_US = 300 * 1_000_000
DAY_US = 24 * 3_600_000_000


class CoverageWatch:
    """Used on the event loop."""

    def __init__(self, catalog: Catalog, *, clock: Clock = wall_us, mono: Clock = mono_us) -> None:
        self._catalog, self._clock, self._mono = catalog, clock, mono
        self._known: Mapping[CameraId, Covered] | None = None
        self._asked_us = 0
        self._task: asyncio.Task[None] | None = None

    async def last_day(self) -> Mapping[CameraId, Covered]:
        """As of the last count; an old one is told while a new one is made. Only the very first is waited for."""
        stale = self._known is None or self._mono() - self._asked_us >= KEPT_US
        if stale and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._count(), name="coverage")
        if self._known is None and self._task is not None:
            await asyncio.shield(self._task)
        return self._known or {}

    async def _count(self) -> None:
        self._asked_us = self._mono()
        now_us = self._clock()
        try:
            self._known = await self._catalog.read(
                partial(covered, from_us=now_us - DAY_US, to_us=now_us, now_us=now_us)
            )
        except NvrError as error:
            log.warning("coverage of the last day could not be counted", error=error.message)

    async def close(self) -> None:
        """A count on its way is waited for: the catalog closes after this."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)


COVERAGE: web.AppKey[CoverageWatch] = web.AppKey("coverage of the last day")
