"""How the object store fares: what waits, what is there, what failed."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from retention.offload import Standing
from storage.catalog import offload_counts
from storage.catalog.offload_counts import Backlog, Count, Failure
from storage.clock import rfc3339, wall_us
from storage.model import Tier
from web import bodies
from web.keys import CATALOG, OFFLOADER, SETTINGS
from web.operations import Operation, Reply
from web.params import rfc3339_or_none
from web.schemas import Answer, Id, Time

MAX_ERRORS = 20


class Amount(Answer):
    segments: int
    bytes: int


class OffloadError(Answer):
    """An upload that waits to be tried again."""

    camera_id: Id
    run_id: int
    n: int
    attempts: int
    next_try: Time
    error: str


class OffloadOut(Answer):
    configured: bool
    endpoint: str
    bucket: str
    waiting_for: Annotated[
        Literal["", "hours", "store"],
        Field(description="Why nothing is begun now: `offload.hours`, or a store that fails."),
    ]
    rate_bytes_per_s: Annotated[float, Field(description="Uploaded in the last minute.")]
    object_lock: Annotated[bool | None, Field(description="Whether the bucket's is real; null: not known yet.")]
    queued: Amount
    uploading: Amount
    oldest_waiting: Annotated[Time | None, Field(description="Start of the oldest footage that waits.")]
    backlog_age_s: Annotated[float, Field(description="Its age; 0 without any.")]
    failing: Annotated[int, Field(description="How many of `queued` have failed before.")]
    local: Annotated[Amount, Field(description="Footage on volumes alone.")]
    both: Annotated[Amount, Field(description="On volumes and in the store.")]
    remote: Annotated[Amount, Field(description="In the store alone.")]
    garbage: Annotated[int, Field(description="Objects of deleted footage that are still to be deleted.")]
    garbage_failing: int
    last_error: str
    last_error_at: Time | None
    errors: list[OffloadError]


def shown(
    found: Backlog,
    failures: list[Failure],
    standing: Standing | None,
    now_us: int,
    *,
    endpoint: str,
    bucket: str,
) -> OffloadOut:
    """`standing`: None without a server that uploads."""
    return OffloadOut(
        configured=bool(bucket),
        endpoint=endpoint,
        bucket=bucket,
        waiting_for=standing.waiting_for if standing else "",  # type: ignore[arg-type]  # one of the three
        rate_bytes_per_s=round(standing.rate, 1) if standing else 0.0,
        object_lock=standing.object_lock if standing else None,
        queued=_amount(found.queued),
        uploading=_amount(found.uploading),
        oldest_waiting=rfc3339_or_none(found.oldest_us),
        backlog_age_s=max(0, now_us - found.oldest_us) / 1e6 if found.oldest_us is not None else 0.0,
        failing=found.failing,
        local=_amount(found.tiers[Tier.LOCAL]),
        both=_amount(found.tiers[Tier.BOTH]),
        remote=_amount(found.tiers[Tier.REMOTE]),
        garbage=found.garbage,
        garbage_failing=found.garbage_failing,
        last_error=standing.last_error if standing else "",
        last_error_at=rfc3339_or_none(standing.last_error_us if standing else None),
        errors=[
            OffloadError(
                camera_id=one.camera_id,
                run_id=one.run_id,
                n=one.n,
                attempts=one.attempts,
                next_try=rfc3339(one.next_try_us),
                error=one.error,
            )
            for one in failures
        ],
    )


def _amount(count: Count) -> Amount:
    return Amount(segments=count.segments, bytes=count.bytes)


async def offload(request: web.Request) -> web.Response:
    catalog, settings = request.app[CATALOG], request.app[SETTINGS].offload
    offloader = request.app[OFFLOADER]
    found = await catalog.read(offload_counts.backlog)
    failures = await catalog.read(partial(offload_counts.failures, limit=MAX_ERRORS))
    standing = offloader.standing() if offloader else None
    return bodies.answer(
        shown(found, failures, standing, wall_us(), endpoint=settings.endpoint, bucket=settings.bucket)
    )


def operations() -> list[Operation]:
    return [
        Operation(
            "GET",
            "/api/v1/offload",
            offload,
            "Storage",
            "The object store: what waits, what is there, what failed",
            {200: Reply("Counts, the backlog's age, the latest errors.", OffloadOut)},
        ),
    ]
