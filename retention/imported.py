"""Many cameras at once, in one transaction: what each was promised before is noted, and what it is promised then."""

from __future__ import annotations

from collections.abc import Callable

from retention.settle import clock_trusted, settle_now
from storage.catalog.sqlite import Connection
from storage.clock import wall_us
from storage.model import CameraId
from storage.registry import importing
from storage.registry.import_plan import Plan


def write(
    db: Connection, plan: Plan, *, by: str, node: str, progress: Callable[[int], None] = lambda done: None
) -> list[CameraId]:
    """`storage.registry.importing.write` with the safe change of retention around it."""
    trusted = clock_trusted(db)
    changed = frozenset(wish.camera_id for wish in plan.wishes if wish.camera_id is not None)
    if changed:
        settle_now(db, wall_us(), trusted=trusted, cameras=changed)
    made = importing.write(db, plan, by=by, node=node, now_us=wall_us(), progress=progress)
    if made:
        settle_now(db, wall_us(), trusted=trusted, cameras=frozenset(made))
    return made
