"""Closing days: two hours after a UTC day's end each camera's footage of it gets its Merkle root. Hourly, by the keeper."""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from storage.catalog import days, proofs
from storage.catalog.db import Catalog
from storage.model import HOUR_US

log = structlog.get_logger()

CLOSED_AFTER_US = 2 * HOUR_US
"""Files that a crash, or a server that was away, has left come in until then; what comes later stands beside the tree."""
REST_S = 0.02
"""After each day of a camera, some 10 ms of the writer: ingest comes first."""


async def close_days(catalog: Catalog, now_us: int) -> int:
    """How many were closed now. A day that is closed stays as it is."""
    due = await catalog.read(partial(days.unclosed, until_us=now_us - CLOSED_AFTER_US))
    for camera_id, day_us in due:
        await catalog.write(partial(proofs.close, camera_id=camera_id, day_us=day_us, at_us=now_us))
        await asyncio.sleep(REST_S)
    if due:
        log.info("days closed", count=len(due))
    return len(due)
