"""The plan for a catalog: reads what it needs, in one look, and is cheap where little is due. Run it in a reader.

    plan = await catalog.read(partial(planned.due, now_us=now_us))

Without pressure a camera costs a range of `hour` and the segments of the hour that its cut divides. A volume that needs room
costs all its hours; the hours that decide are looked at again, segment by segment, so that not an hour goes where a
minute is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from retention.plan import Cut, Interval, Plan, VolumeNeed, held, joined, max_cut_us, min_cut_us, plan
from storage.catalog import holds as hold_rows
from storage.catalog import policies, usage
from storage.catalog.sqlite import Connection
from storage.model import HOUR_US, CameraId
from storage.terms import DAY_US, Terms
from storage.usage import HourUse

ROUNDS = 8
"""Looks at deciding hours; each is refined once, and two or three rounds are usual."""
FINE_HOURS = 2000
"""A volume with fewer hours of cameras is looked at more closely: there an hour is much."""


def due(db: Connection, now_us: int) -> Plan:
    """What goes without pressure."""
    terms, holds = _promises(db), held_intervals(db)
    rows: list[HourUse] = []
    for camera_id, promised in terms.items():
        rows += _due_rows(db, now_us, camera_id, promised, holds.get(camera_id, ()))
    return plan(now_us, terms, holds, (), rows)


def pressed(db: Connection, now_us: int, needs: Sequence[VolumeNeed], *, by_age: bool = True) -> Plan:
    """What goes from these volumes, and from these alone, so that each gets what it needs.

    `by_age`: as `retention.plan.plan` has it. From a volume of more than FINE_HOURS up to an hour of a camera too much may go.
    """
    terms, holds = _promises(db), held_intervals(db)
    rows = [row for need in needs for row in usage.on_volume(db, need.volume_id)]
    hours = _Hours(db, rows)
    fine = len(rows) <= FINE_HOURS
    made = plan(now_us, terms, holds, needs, rows, by_age=by_age)
    if all(cut.reason == "max_days" for cut in made.cuts) and not made.short:
        return made
    finer = hours.refine(list(_partly_held(holds, rows)))
    if fine or made.short or any(cut.reason == "below_min" for cut in made.cuts):
        limits = [(max_cut_us(now_us, some), min_cut_us(now_us, some)) for some in terms.values()]
        finer |= hours.split((camera, cut) for camera, cuts in zip(terms, limits, strict=True) for cut in cuts)
    for _ in range(ROUNDS if fine else int(finer)):
        made = plan(now_us, terms, holds, needs, hours.listing(), by_age=by_age)
        if not fine or not hours.refine(_deciding(made.cuts)):
            break
    return made


def _deciding(cuts: Iterable[Cut]) -> Iterator[tuple[CameraId, int]]:
    """The last hours of what is shed: perhaps a part of them is enough."""
    for cut in cuts:
        if cut.reason != "max_days":  # of an hour that goes whole the cut lies up to a quarter of an hour behind it
            first_us = usage.edge_us(cut.before_us - 1) - HOUR_US
            yield from ((cut.camera_id, hour_us) for hour_us in range(first_us, cut.before_us, HOUR_US))


def _promises(db: Connection) -> dict[CameraId, Terms]:
    return {camera_id: found.terms for camera_id, found in policies.in_force(db).items()}


def held_intervals(db: Connection) -> dict[CameraId, list[Interval]]:
    """Of every camera with an active hold: in order, joined."""
    found: dict[CameraId, list[Interval]] = {}
    for hold in hold_rows.active(db):
        found.setdefault(hold.camera_id, []).append((hold.start_us, hold.end_us))
    return {camera_id: joined(some) for camera_id, some in found.items()}


def _due_rows(
    db: Connection, now_us: int, camera_id: CameraId, terms: Terms, holds: Sequence[Interval]
) -> list[HourUse]:
    """What may be due of a camera: beyond its maximum, its local copies beyond theirs, all of it where it has a quota."""
    cuts = [max_cut_us(now_us, terms)]
    if terms.local_days is not None and terms.local_days < terms.max_days:
        cuts.append(now_us - terms.local_days * DAY_US)
    if terms.quota_bytes is not None:
        cuts.append(min_cut_us(now_us, terms))
    if len(cuts) == 1 and not holds:
        return usage.due(db, camera_id, cuts[0])
    latest_us = now_us if terms.quota_bytes is not None else max(cuts)
    hours = _Hours(db, usage.before(db, camera_id, latest_us))
    hours.split([(camera_id, cut_us) for cut_us in cuts])
    hours.refine(list(_partly_held({camera_id: holds}, hours.listing())))
    return hours.listing()


def _edges(cut_us: int) -> range:
    """Hours that a cut may divide."""
    return range(usage.edge_us(cut_us), cut_us, HOUR_US)


def _partly_held(
    holds: Mapping[CameraId, Sequence[Interval]], rows: Iterable[HourUse]
) -> Iterator[tuple[CameraId, int]]:
    """Hours of which a part is held. A row that spans several names each."""
    for row in rows:
        some = holds.get(row.camera_id)
        if some and 0 < held(some, row.hour_us, row.until_us) < row.until_us - row.hour_us:
            for hour_us in range(row.hour_us // HOUR_US * HOUR_US, row.until_us, HOUR_US):
                yield row.camera_id, hour_us


class _Hours:
    """Rows, some of them looked at closer: an hour's rows give way to finer ones."""

    def __init__(self, db: Connection, rows: Sequence[HourUse]) -> None:
        self._db = db
        self._rows = rows
        self._finer: dict[tuple[CameraId, int], list[HourUse]] = {}
        self._refined: set[tuple[CameraId, int]] = set()
        self._whole: set[tuple[CameraId, int]] | None = None

    def listing(self) -> list[HourUse]:
        if not self._finer:
            return list(self._rows)
        rows = [row for row in self._rows if (row.camera_id, row.hour_us) not in self._finer]
        return rows + [row for some in self._finer.values() for row in some]

    def _there(self, hours: Iterable[tuple[CameraId, int]]) -> set[tuple[CameraId, int]]:
        """Those that have footage here."""
        if self._whole is None:
            self._whole = {(row.camera_id, row.hour_us) for row in self._rows}
        return {hour for hour in hours if hour in self._whole}

    def _replace(self, hours: set[tuple[CameraId, int]], found: Iterable[HourUse]) -> None:
        """A row speaks for its own volume and tier alone."""
        camera_ids = {camera_id for camera_id, _ in hours}
        places = {
            (row.camera_id, row.hour_us, row.volume_id, row.tier) for row in self._rows if row.camera_id in camera_ids
        }
        self._finer.update((hour, []) for hour in hours)
        for row in found:
            hour = (row.camera_id, row.hour_us // HOUR_US * HOUR_US)
            if hour in hours and (*hour, row.volume_id, row.tier) in places:
                self._finer[hour].append(row)

    def split(self, cuts: Iterable[tuple[CameraId, int]]) -> bool:
        """The hours that a camera's cut may divide give way to what has ended by it and the rest. False: there are none."""
        fresh: set[tuple[CameraId, int]] = set()
        found: list[HourUse] = []
        for camera_id, cut_us in cuts:
            hours = self._there((camera_id, hour_us) for hour_us in _edges(cut_us)) - self._refined - fresh
            if hours:
                fresh |= hours
                some = usage.split(self._db, camera_id, cut_us)
                found += [row for row in some if (camera_id, row.hour_us // HOUR_US * HOUR_US) in hours]
        if fresh:
            self._replace(fresh, found)
        return bool(fresh)

    def refine(self, hours: Iterable[tuple[CameraId, int]]) -> bool:
        """They give way to their segments. False: all of them did before, or have no footage here."""
        fresh = self._there(hours) - self._refined
        if fresh:
            self._replace(fresh, [row for hour in sorted(fresh) for row in usage.segments(self._db, *hour)])
            self._refined |= fresh
        return bool(fresh)
