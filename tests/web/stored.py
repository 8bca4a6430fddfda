"""A served place with cameras of several kinds, their footage as rows, and volumes that were looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from retention.keeper import Keeper
from retention.settle import settle
from storage.catalog import policies, segments
from storage.catalog.sqlite import Connection
from storage.clock import wall_us
from storage.model import HOUR_US, CameraId, RunId, VolumeId
from storage.terms import DAY_US
from tests import rows
from tests.retention.stocked import camera
from tests.web.served import Served
from web.keys import KEEPER

SEGMENT_BYTES = 40_000_000
SEGMENT_US = 900_000_000


def footage(db: Connection, camera_id: CameraId, days: float, *, until_us: int) -> None:
    """Every hour a segment of fifteen minutes, as far back."""
    one = rows.segment(durations_ms=(2000,) * 4)
    start_us = until_us - round(days * DAY_US)
    for n, at_us in enumerate(range(start_us, until_us, HOUR_US)):
        run = RunId(start_us // 1000 + camera_id)
        made = replace(one, camera_id=camera_id, start_us=at_us, run_id=run, n=n, volume_id=VolumeId(1))
        segments.insert(db, replace(made, size_bytes=SEGMENT_BYTES, dur_us=SEGMENT_US))


async def city(served: Served, cameras: Sequence[tuple[str, str, float]]) -> None:
    """Cameras (code, kind of owner, days of footage) under the policies of a new catalog."""
    now_us = wall_us() // HOUR_US * HOUR_US

    def write(db: Connection) -> None:
        policies.seed(db, default_days=30, at_us=now_us)
        for code, kind, days in cameras:
            made = camera(db, code, name=f"Gate of {code}", owner_kind=kind, station="Kotwali", created_us=1)
            footage(db, made, days, until_us=now_us)

    await served.catalog.write(write)
    await settle(served.catalog, wall_us(), trusted=True)
    await look(served.app[KEEPER])


async def look(keeper: Keeper) -> None:
    """At every volume, as its loop does; what was reported before is forgotten."""
    if not keeper.standings():
        keeper.open()
    for volume in keeper._keepers.values():
        await volume.step()
    keeper._report = None
