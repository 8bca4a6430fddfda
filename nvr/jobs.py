"""Jobs: what the command line asks of the running server, done one after the other in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import structlog

from config.errors import NvrError
from storage.catalog import jobs
from storage.catalog.db import Catalog
from storage.catalog.jobs import Job
from storage.clock import Clock, wall_us
from storage.reconcile import Reconciler

log = structlog.get_logger()

FSCK = "fsck"
RETENTION_APPLY = "retention_apply"


class Jobs:
    """`look` when the catalog has changed; `close` at the end. What was cut short is done again by the next server."""

    def __init__(
        self,
        catalog: Catalog,
        reconciler: Reconciler,
        *,
        apply: Callable[[], Awaitable[Any]] | None = None,
        clock: Clock = wall_us,
    ) -> None:
        self._catalog = catalog
        self._reconciler = reconciler
        self._apply = apply  # sweeps what is due
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Returns at once."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._all_open(), name="jobs")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _all_open(self) -> None:
        while (job := await self._catalog.read(jobs.next_open)) is not None:
            await self._catalog.write(partial(jobs.start, job_id=job.id, at_us=self._clock()))
            result: Any = None
            error: str | None = None
            try:
                result = await self._do(job)
            except (OSError, NvrError) as failure:
                error = str(failure)
            except Exception as failure:  # a defect in one job must not be met again by every server to come
                log.exception("job failed", job=job.id, kind=job.kind)
                error = f"a defect: {type(failure).__name__}: {failure}"
            done = partial(jobs.done, job_id=job.id, at_us=self._clock(), result=result, error=error)
            await self._catalog.write(done)

    async def _do(self, job: Job) -> Any:
        if job.kind == FSCK:
            report = await self._reconciler.everything(
                dry_run=bool(job.args.get("dry_run")), accept_loss=bool(job.args.get("accept_loss"))
            )
            return report.as_dict()
        if job.kind == RETENTION_APPLY and self._apply is not None:
            return await self._apply()
        raise NvrError(f"this server knows no job {job.kind}: is the command of another version?")
