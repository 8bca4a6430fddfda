"""The safe change: what shortens a camera's retention is obeyed a day later, whatever was edited.

`terms` holds what each camera has been promised; policies and cameras say what is wanted now. Settling compares the two. What
is longer is promised at once. What is shorter waits in `terms_pending` for 24 hours, and until then the longer of both holds,
field by field; edited back meanwhile it vanishes. It makes no difference whether a policy was changed or deleted, or a camera
got another kind, tag, station or zone.

`settled` decides and is pure. `settle` is called by the server's retention loop, `settle_now` in the transaction of an edit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from retention.effective import NO_QUOTA, Wanted, wanted_by
from storage.catalog import hour_sums, policies, policy_changes, trust
from storage.catalog.db import Catalog
from storage.catalog.sqlite import Connection
from storage.model import CameraId
from storage.terms import DAY_US, MAX_DAYS, InForce, Pending, Terms

WAIT_US = DAY_US
UNDATED_US = 4_102_444_800_000_000
"""`due_us` of what was edited under a clock that nobody vouched for (the year 2100): the server dates it, a day from when it
sees it with a clock that it trusts."""
BEFORE_ANY = "footage older than the first policy"


@dataclass(frozen=True, slots=True)
class Settled:
    """What is to be written. `dropped`: cameras whose pending terms are in force or no longer wanted."""

    in_force: tuple[InForce, ...] = ()
    pending: tuple[Pending, ...] = ()
    dropped: tuple[CameraId, ...] = ()

    @property
    def cameras(self) -> frozenset[CameraId]:
        rows: tuple[InForce | Pending, ...] = (*self.in_force, *self.pending)
        return frozenset([row.camera_id for row in rows]) | frozenset(self.dropped)


def quota(terms: Terms) -> int:
    return NO_QUOTA if terms.quota_bytes is None else terms.quota_bytes


def shortens(old: Terms, new: Terms) -> bool:
    """Whether footage could go under `new` that stays under `old`."""
    return new.max_days < old.max_days or new.min_days < old.min_days or quota(new) < quota(old)


def longest(old: Terms, new: Terms) -> Terms:
    """Field by field the longer of both, and the priority that goes later; what shortens nothing is as in `new`."""
    larger = max(quota(old), quota(new))
    return replace(
        new,
        min_days=max(old.min_days, new.min_days),
        max_days=max(old.max_days, new.max_days),
        quota_bytes=None if larger == NO_QUOTA else larger,
        priority=max(old.priority, new.priority),
    )


def settled(
    now_us: int,
    wanted: Mapping[CameraId, Wanted],
    in_force: Mapping[CameraId, InForce],
    pending: Mapping[CameraId, Pending],
    *,
    trusted: bool = True,
    older: Collection[CameraId] = (),
) -> Settled:
    """Only what differs from `in_force` and `pending`. Nothing becomes due while the clock is not `trusted`.

    A camera without terms gets them at once; one of `older`, which has footage that they would delete (a catalog from before
    there were policies, or made again), keeps all of it for the same day.
    """
    forces: list[InForce] = []
    waits: list[Pending] = []
    dropped = [camera_id for camera_id in pending if camera_id not in wanted]
    for camera_id, want in wanted.items():
        held, waiting = in_force.get(camera_id), pending.get(camera_id)
        if held is None and camera_id in older:
            held = InForce(
                camera_id, None, "", BEFORE_ANY, replace(want.terms, max_days=MAX_DAYS, quota_bytes=None), now_us
            )
        force, wait = _settled_one(now_us, camera_id, want, held, waiting, trusted)
        if force != in_force.get(camera_id):
            forces.append(force)
        if wait is None:
            if waiting is not None:
                dropped.append(camera_id)
        elif wait != waiting:
            waits.append(wait)
    return Settled(tuple(forces), tuple(waits), tuple(dropped))


def _settled_one(
    now_us: int, camera_id: CameraId, want: Wanted, held: InForce | None, waiting: Pending | None, trusted: bool
) -> tuple[InForce, Pending | None]:
    if waiting is not None and trusted and waiting.due_us <= now_us:
        held = InForce(camera_id, waiting.policy_id, waiting.policy_name, waiting.why, waiting.terms, now_us)
        waiting = None
    if held is None or not shortens(held.terms, want.terms):
        since_us = held.since_us if held is not None and held.terms == want.terms else now_us
        return InForce(camera_id, want.policy_id, want.policy_name, want.why, want.terms, since_us), None
    kept = longest(held.terms, want.terms)
    if kept != held.terms:
        held = replace(held, terms=kept, since_us=now_us)
    seen_us, due_us = now_us, now_us + WAIT_US if trusted else UNDATED_US
    if waiting is not None and not shortens(waiting.terms, want.terms) and not (trusted and waiting.due_us > due_us):
        seen_us, due_us = waiting.seen_us, waiting.due_us  # one further ahead was made under another clock: seen now
    return held, Pending(camera_id, want.policy_id, want.policy_name, want.why, want.terms, seen_us, due_us)


def computed(db: Connection, now_us: int, *, trusted: bool, cameras: frozenset[CameraId] | None = None) -> Settled:
    """What `settle_now` would write, for every camera or those named. Only reads."""
    wanted = wanted_by(policies.listing(db), policies.subjects(db, cameras))
    in_force = policies.in_force(db, cameras)
    older = {
        camera_id
        for camera_id, want in wanted.items()
        if camera_id not in in_force and _has_older(db, camera_id, want.terms, now_us)
    }
    return settled(now_us, wanted, in_force, policies.pending(db, cameras), trusted=trusted, older=older)


def _has_older(db: Connection, camera_id: CameraId, terms: Terms, now_us: int) -> bool:
    """A quota may delete any of it."""
    oldest_us = hour_sums.oldest(db, camera_id)
    return oldest_us is not None and (terms.quota_bytes is not None or oldest_us < now_us - terms.max_days * DAY_US)


def settle_now(db: Connection, now_us: int, *, trusted: bool, cameras: frozenset[CameraId] | None = None) -> Settled:
    """In the transaction of whatever was edited, so that no moment has the edit without its day of waiting."""
    found = computed(db, now_us, trusted=trusted, cameras=cameras)
    policies.put_in_force(db, found.in_force)
    policies.put_pending(db, found.pending)
    policies.drop_pending(db, found.dropped)
    if trusted and policy_changes.to_date(db, now_us):
        policy_changes.date(db, now_us)
    return found


def clock_trusted(db: Connection) -> bool:
    """As the server last judged its clock, which it does all the time; False where none ever has."""
    last = trust.get(db)
    return last is not None and not last.doubt


@contextmanager
def settling(db: Connection, camera_id: CameraId, now_us: int) -> Iterator[None]:
    """Around an edit of a camera, in its transaction: what it was promised before is noted, even if nobody looked at it yet."""
    for_it = partial(settle_now, db, now_us, trusted=clock_trusted(db), cameras=frozenset([camera_id]))
    for_it()
    yield
    for_it()


async def settle(catalog: Catalog, now_us: int, *, trusted: bool) -> None:
    """Every camera, archived ones too. Nothing is written where nothing changed, and the writer never looks at more cameras
    than those that did."""

    def look(db: Connection) -> tuple[frozenset[CameraId], bool]:
        dates = trusted and policy_changes.to_date(db, now_us)
        return computed(db, now_us, trusted=trusted).cameras, dates

    cameras, dates = await catalog.read(look)
    if cameras or dates:
        await catalog.write(lambda db: settle_now(db, now_us, trusted=trusted, cameras=cameras))
