"""The promise report: what every camera was promised, what it has, and for how long that will go on.

`camera_promise` is pure, as is retention.forecast; `read` gathers what both need. Run it in a reader: it reads all hours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retention.forecast import CameraUse, Forecast, Kept, forecast
from retention.plan import Interval, held
from retention.planned import held_intervals
from storage.catalog import cameras as camera_rows
from storage.catalog import holds as hold_rows
from storage.catalog import offload_counts, policies, promises
from storage.catalog.cameras import Brief
from storage.catalog.promises import DayUse, Written
from storage.catalog.sqlite import Connection
from storage.model import CameraId, VolumeId
from storage.terms import DAY_US, InForce

KEPT, FILLING, BROKEN, NONE = "kept", "filling", "broken", "none"
STATES = (KEPT, FILLING, BROKEN, NONE)


@dataclass(frozen=True, slots=True)
class CameraPromise:
    """`state`: kept | filling (it has not recorded for so long yet) | broken (footage younger than the minimum is gone) |
    none (it has no footage). `achieved_days`: from its oldest footage that nothing after it was deleted from, to now.
    `recorded_days`: footage within the minimum, gaps not counted."""

    camera_id: CameraId
    code: str
    name: str
    policy: str
    why: str
    min_days: int
    max_days: int
    priority: int
    state: str
    oldest_us: int | None
    achieved_days: float
    recorded_days: float
    gone_us: int | None  # end of the newest footage that went before its time
    bytes: int
    remote_bytes: int
    held_bytes: int
    name_hi: str = ""
    owner_kind: str = ""
    station: str = ""
    rate: float = 0.0  # bytes a day that it writes now


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for the object store."""

    segments: int
    bytes: int
    oldest_us: int | None
    failing: int


@dataclass(frozen=True, slots=True)
class VolumeRoom:
    """Of a volume that can be used: free bytes above its mark."""

    volume_id: VolumeId
    spare_bytes: int


@dataclass(frozen=True, slots=True)
class Report:
    at_us: int
    cameras: tuple[CameraPromise, ...]
    volumes: tuple[Forecast, ...]
    held_bytes: Mapping[VolumeId, int]
    footage_bytes: Mapping[VolumeId, int]
    backlog: Backlog


def camera_promise(
    now_us: int,
    camera: Brief,
    terms: InForce,
    *,
    oldest_us: int | None,
    gone_us: int | None,
    days: Sequence[DayUse],
    holds: Sequence[Interval] = (),
    rate: float = 0.0,
) -> CameraPromise:
    """`gone_us`: of footage that was recorded within the minimum and is deleted, since this was promised."""
    minimum_us = min(terms.terms.min_days, terms.terms.max_days) * DAY_US
    since_us = None if oldest_us is None else max(oldest_us, gone_us or 0)
    age_us = 0 if since_us is None else max(0, now_us - since_us)
    if gone_us is not None:
        state = BROKEN
    elif oldest_us is None:
        state = NONE
    else:
        state = KEPT if age_us >= minimum_us else FILLING
    return CameraPromise(
        camera_id=camera.id,
        code=camera.code,
        name=camera.name,
        policy=terms.policy_name,
        why=terms.why,
        min_days=terms.terms.min_days,
        max_days=terms.terms.max_days,
        priority=terms.terms.priority,
        state=state,
        oldest_us=oldest_us,
        achieved_days=age_us / DAY_US,
        recorded_days=sum(day.recorded_us for day in days if day.day_us + DAY_US > now_us - minimum_us) / DAY_US,
        gone_us=gone_us,
        bytes=sum(day.bytes for day in days),
        remote_bytes=sum(day.bytes for day in days if not day.local),
        held_bytes=sum(held_of(now_us, day, holds) for day in days),
        name_hi=camera.name_hi,
        owner_kind=camera.owner_kind,
        station=camera.station,
        rate=rate,
    )


def held_of(now_us: int, day: DayUse, holds: Sequence[Interval]) -> int:
    """About so much of it is held: footage is taken for evenly spread over its day, as far as that has passed."""
    to_us = max(day.day_us + 1, min(now_us, day.day_us + DAY_US))
    return day.bytes * held(holds, day.day_us, to_us) // (to_us - day.day_us)


def rate(written: Written) -> float:
    """Bytes a day, while it records: a camera that is silent today is taken to come back."""
    return written.bytes * DAY_US / written.recorded_us if written.recorded_us else 0.0


def read(db: Connection, now_us: int, rooms: Sequence[VolumeRoom]) -> Report:
    """Of every camera that has terms; the forecast of the volumes named in `rooms`."""
    in_force, holds = policies.in_force(db), held_intervals(db)
    days: dict[CameraId, list[DayUse]] = {}
    for day in promises.days(db):
        days.setdefault(day.camera_id, []).append(day)
    made: list[CameraPromise] = []
    uses: dict[VolumeId, list[CameraUse]] = {}
    for camera in (*camera_rows.briefs(db), *camera_rows.briefs(db, archived=True)):
        terms = in_force.get(camera.id)
        if terms is None:
            continue
        here, some = days.get(camera.id, []), holds.get(camera.id, [])
        floor_us = now_us - min(terms.terms.min_days, terms.terms.max_days) * DAY_US
        used = _uses(now_us, terms, here, some, promises.written_since(db, camera.id, now_us - DAY_US))
        made.append(
            camera_promise(
                now_us,
                camera,
                terms,
                oldest_us=promises.oldest_us(db, camera.id),
                gone_us=promises.gone_since(db, camera.id, floor_us, terms.since_us),
                days=here,
                holds=some,
                rate=sum(use.rate for _, use in used),
            )
        )
        for volume_id, use in used:
            uses.setdefault(volume_id, []).append(use)
    footage = {volume_id: sum(kept.bytes for use in found for kept in use.kept) for volume_id, found in uses.items()}
    queue = offload_counts.backlog(db)
    return Report(
        at_us=now_us,
        cameras=tuple(made),
        volumes=tuple(
            forecast(room.volume_id, footage.get(room.volume_id, 0) + room.spare_bytes, uses.get(room.volume_id, []))
            for room in rooms
        ),
        held_bytes=_held_on_volumes(db, holds),
        footage_bytes=footage,
        backlog=Backlog(
            queue.queued.segments + queue.uploading.segments,
            queue.queued.bytes + queue.uploading.bytes,
            queue.oldest_us,
            queue.failing,
        ),
    )


def _held_on_volumes(db: Connection, holds: Mapping[CameraId, Sequence[Interval]]) -> dict[VolumeId, int]:
    found = hold_rows.held_bytes(db, [(camera_id, *one) for camera_id, some in holds.items() for one in some])
    return {volume_id: size for volume_id, size in found.items() if volume_id is not None}


def _uses(
    now_us: int, terms: InForce, days: Sequence[DayUse], holds: Sequence[Interval], written: Written | None
) -> list[tuple[VolumeId, CameraUse]]:
    """A camera's share in each volume. Its rate counts where it wrote last."""
    kept: dict[VolumeId, list[Kept]] = {}
    for day in days:
        if day.local:
            age = max(0, (now_us - day.day_us) // DAY_US)
            kept.setdefault(day.volume_id, []).append(Kept(age, day.bytes, held_of(now_us, day, holds)))
    rates = {written.volume_id: rate(written)} if written else {}
    return [
        (volume_id, CameraUse(terms.camera_id, terms.terms, rates.get(volume_id, 0.0), tuple(kept.get(volume_id, ()))))
        for volume_id in kept.keys() | rates.keys()
    ]
