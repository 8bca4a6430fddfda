"""What each camera is promised, why, and what waits: pages of cameras for people. Only reads."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from retention.effective import Wanted, wanted_by
from retention.loss import Interval, Loss, loss
from storage.catalog import cameras, holds, policies
from storage.catalog.cameras import Filter
from storage.catalog.sqlite import Connection
from storage.model import Camera, CameraId
from storage.terms import InForce, Pending


@dataclass(frozen=True, slots=True)
class Wish:
    """Which cameras. None: any. `policy`: the one that decides now, by name."""

    text: str = ""
    pending: bool | None = None
    policy: str | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class CameraTerms:
    """`wanted`: what policies and camera say now. `loss`: what goes when `pending` comes into force."""

    camera: Camera
    wanted: Wanted | None
    in_force: InForce | None
    pending: Pending | None
    loss: Loss


def page(db: Connection, wish: Wish, *, after: str, limit: int) -> list[CameraTerms]:
    """By code, those after the code `after`, at most `limit`."""
    wanted_filter = Filter(text=wish.text, archived=wish.archived, ids=_ids(db, wish))
    found = [item.camera for item in cameras.page(db, wanted_filter, after=after, limit=limit)]
    ids = frozenset(camera.id for camera in found)
    wanted = wanted_by(policies.listing(db), policies.subjects(db, ids))
    in_force, pending = policies.in_force(db, ids), policies.pending(db, ids)
    held: dict[CameraId, list[Interval]] = defaultdict(list)
    for hold in holds.active(db) if pending else ():
        held[hold.camera_id].append((hold.start_us, hold.end_us))
    made = []
    for camera in found:
        promised, waiting = in_force.get(camera.id), pending.get(camera.id)
        lost = Loss()
        if promised and waiting:
            lost = loss(db, camera.id, promised.terms, waiting.terms, held.get(camera.id, ()), waiting.due_us)
        made.append(CameraTerms(camera, wanted.get(camera.id), promised, waiting, lost))
    return made


def _ids(db: Connection, wish: Wish) -> tuple[CameraId, ...] | None:
    """None where any will do."""
    if wish.pending is None and wish.policy is None:
        return None
    wanted = wanted_by(policies.listing(db), policies.subjects(db))
    waiting = policies.pending(db)
    return tuple(
        camera_id
        for camera_id in sorted(cameras.ids(db))
        if (wish.pending is None or (camera_id in waiting) is wish.pending)
        and (wish.policy is None or (camera_id in wanted and wanted[camera_id].policy_name == wish.policy))
    )
