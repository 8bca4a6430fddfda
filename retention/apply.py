"""Making the plan come true without pressure: by the server every ten minutes, or by `nvr retention apply`.

A sweep that would take more than a fifth of a volume's footage at once stops and asks: a policy that was mistyped, a clock, a
camera that got the wrong kind. What is asked is written down as a `sweep_stop`; until somebody confirms it, or it is not so
much any more, nothing of that volume is deleted by age. Disk pressure does not ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import structlog

from config.errors import Conflict
from retention import planned
from retention.plan import Cut, Plan
from storage.catalog import stops
from storage.catalog.db import Catalog
from storage.catalog.sqlite import Connection
from storage.catalog.stops import Stop
from storage.model import Tier, VolumeId

log = structlog.get_logger()

MANY_SHARE = 0.2
MANY_SEGMENTS = 20
"""So few may always go: the last footage of a camera that was taken down."""
GROWS_BY = 1.1
"""What was confirmed may grow by so much until it is made: footage becomes due while somebody thinks."""


class Swept(Protocol):
    @property
    def segments(self) -> int: ...

    @property
    def bytes(self) -> int: ...


class Sweeps(Protocol):
    """retention.sweep.Sweeper, as far as it is needed here."""

    async def sweep(self, cuts: Sequence[Cut], *, pinned_counts: bool) -> Swept: ...


@dataclass(frozen=True, slots=True)
class Applied:
    """What went, and where it was stopped to ask."""

    segments: int = 0
    bytes: int = 0
    stopped: tuple[Stop, ...] = ()


def stops_for(
    cuts: Iterable[Cut], footage: Mapping[tuple[VolumeId, int], tuple[int, int]], at_us: int
) -> dict[VolumeId, Stop]:
    """Volumes of which too much would go, whatever was confirmed. `footage`: as storage.catalog.stops tells it. Pure.

    What is on the disk and what the object store has alone are held against their own sums. A dropped local copy is no
    loss.
    """
    due: dict[tuple[VolumeId, bool], list[Cut]] = {}
    for cut in cuts:
        if cut.kind != "drop_local":
            due.setdefault((cut.volume_id, cut.kind == "delete_remote"), []).append(cut)
    found: dict[VolumeId, Stop] = {}
    for (volume_id, remote), some in due.items():
        of_bytes = sum(
            size
            for (volume, tier), (size, _) in footage.items()
            if volume == volume_id and (tier == Tier.REMOTE) == remote
        )
        size, count = sum(cut.bytes for cut in some), sum(cut.segments for cut in some)
        if count > MANY_SEGMENTS and size > MANY_SHARE * of_bytes:
            before = found.get(volume_id)
            oldest_us = min(cut.oldest_us for cut in some)
            if before is not None:
                oldest_us, size, of_bytes = (
                    min(oldest_us, before.oldest_us),
                    size + before.bytes,
                    of_bytes + before.of_bytes,
                )
            found[volume_id] = Stop(volume_id, at_us, size, of_bytes, oldest_us)
    return found


def to_ask(wanted: Mapping[VolumeId, Stop], known: Sequence[Stop]) -> list[Stop]:
    """Of the volumes of which too much would go, those for which nobody has confirmed so much. Pure."""
    confirmed = {stop.volume_id: stop.bytes for stop in known if stop.confirmed_us is not None}
    return [stop for stop in wanted.values() if stop.bytes > GROWS_BY * confirmed.get(stop.volume_id, 0)]


def look(db: Connection, now_us: int) -> tuple[Plan, dict[VolumeId, Stop]]:
    """In a reader: what is due, and the volumes of which that is too much to go without a word."""
    plan = planned.due(db, now_us)
    return plan, stops_for(plan.cuts, stops.footage(db), now_us) if plan.cuts else {}


def ask(db: Connection, wanted: Mapping[VolumeId, Stop]) -> list[Stop]:
    """In a transaction: what must be asked is written down, what is over is forgotten. Those that wait for an answer."""
    known = {stop.volume_id: stop for stop in stops.listing(db)}
    asked = to_ask(wanted, list(known.values()))
    for stop in asked:
        before = known.get(stop.volume_id)
        stops.put(
            db, replace(stop, asked_us=before.asked_us if before and before.confirmed_us is None else stop.asked_us)
        )
    for volume_id in known.keys() - wanted.keys():
        stops.drop(db, volume_id)
    return asked


def confirm(db: Connection, wanted: Mapping[VolumeId, Stop], now_us: int) -> None:
    """In a transaction: so much may go from each of these volumes."""
    for stop in wanted.values():
        stops.put(db, replace(stop, confirmed_us=now_us))


async def decided(catalog: Catalog, now_us: int) -> tuple[list[Cut], list[Stop]]:
    """What may go now, and the questions that wait for an answer, written down."""
    plan, wanted = await catalog.read(partial(look, now_us=now_us))
    asked = await catalog.write(partial(ask, wanted=wanted))
    for stop in asked:
        log.error("a sweep waits for an answer", volume=stop.volume_id, bytes=stop.bytes, of_bytes=stop.of_bytes)
    waiting = {stop.volume_id for stop in asked}
    return [cut for cut in plan.cuts if cut.volume_id not in waiting or cut.kind == "drop_local"], asked


async def apply(catalog: Catalog, sweeper: Sweeps, now_us: int, *, doubt: str) -> Applied:
    """Plan, ask, sweep, when policies are settled. Raises Conflict when the clock is in `doubt`."""
    if doubt:
        raise Conflict(f"{doubt}: set it right, or say that it is right with `nvr retention trust-clock`")
    cuts, asked = await decided(catalog, now_us)
    swept = await sweeper.sweep(cuts, pinned_counts=True)
    return Applied(swept.segments, swept.bytes, tuple(asked))
