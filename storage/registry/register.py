"""The daily register as plain values: what is installed, linked, recording and faulty, by kind of owner and station. Pure.

A day of the past is its 24 hours in the site's zone (23 or 25 where clocks change); today is the 24 hours up to now.

    installed   registered and not archived at the end
    linked      of those, enabled and ever recorded
    recording   of those, with footage at the end: now, or in the last hour of a past day
    faulty      linked, and not recording or with less than half of the time recorded
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from storage.model import CameraId
from storage.terms import DAY_US

WHOLE_CITY: Final = "*"
"""In place of a kind of owner: of all kinds together."""
FAULTY_BELOW: Final = 0.5
"""Of the expected time: a camera that records less is faulty although it may record now."""


@dataclass(frozen=True, slots=True)
class Target:
    """How many cameras are to be linked. `is_all`: all there are, of which `all_known` were counted by hand."""

    owner_kind: str
    station: str = ""  # "": of the kind as a whole
    wanted: int | None = None
    is_all: bool = False
    all_known: int | None = None
    made_by: str = ""
    changed_us: int = 0

    @property
    def number(self) -> int | None:
        """What a share is told of; None: nobody has counted, so there is no share."""
        return self.all_known if self.is_all else self.wanted


@dataclass(frozen=True, slots=True)
class Note:
    """What the officer did about it and remarks. `day`: YYYY-MM-DD."""

    day: str
    owner_kind: str
    station: str
    action: str
    remarks: str
    made_by: str = ""
    changed_us: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """A camera at the end of the day. `cause`: the class of cause of what it lacks, "" where that is nothing; `since_us`: since
    when it is faulty, None where it is not."""

    camera_id: CameraId
    code: str
    name: str
    name_hi: str
    owner_kind: str
    station: str
    owner: str
    contact: str
    linked: bool
    recording: bool
    expected_us: int
    recorded_us: int
    cause: str = ""
    since_us: int | None = None

    @property
    def coverage(self) -> float:
        return self.recorded_us / self.expected_us if self.expected_us else 0.0

    @property
    def faulty(self) -> bool:
        return self.linked and (not self.recording or self.coverage < FAULTY_BELOW)


@dataclass(frozen=True, slots=True)
class Line:
    """A kind of owner, one of its stations (then `stations` is empty), or the whole city. `faulty_days`: of the camera that is
    faulty longest. `proposed`: the note of an earlier day, where this day has none."""

    owner_kind: str
    station: str
    target: Target | None
    installed: int = 0
    linked: int = 0
    recording: int = 0
    faulty: int = 0
    faulty_days: int = 0
    expected_us: int = 0
    recorded_us: int = 0
    note: Note | None = None
    proposed: Note | None = None
    stations: tuple[Line, ...] = ()

    @property
    def coverage(self) -> float | None:
        """Recorded over expected time of the linked cameras; None where nothing is expected."""
        return self.recorded_us / self.expected_us if self.expected_us else None

    @property
    def share(self) -> float | None:
        """Linked over target; None without a number to compare with. May be above 1."""
        number = self.target.number if self.target else None
        return self.linked / number if number else None


@dataclass(frozen=True, slots=True)
class Faulty:
    """A faulty camera, as it is frozen with the day."""

    camera_id: CameraId
    code: str
    name: str
    name_hi: str
    owner_kind: str
    station: str
    owner: str
    contact: str
    cause: str
    recording: bool
    coverage: float
    since_us: int
    days: int


@dataclass(frozen=True, slots=True)
class Register:
    """One day. `taken_us`: as of when; `kept`: it is a row of the catalog and its numbers stay; signed, it never changes."""

    day: str
    from_us: int
    to_us: int
    taken_us: int
    lines: tuple[Line, ...]
    total: Line
    faulty: tuple[Faulty, ...] = ()
    kept: bool = False
    signed_us: int | None = None
    signed_by: str = ""
    remarks: str = ""

    @property
    def digest(self) -> str:
        """Changes with any count, target or note that a signature is for. Coverage, which moves every second, is not in it."""
        told = [
            (
                *(line.owner_kind, line.station, line.installed, line.linked, line.recording, line.faulty),
                (line.target.wanted, line.target.is_all, line.target.all_known) if line.target else None,
                (line.note.action, line.note.remarks) if line.note else None,
            )
            for line in self.every_line()
        ]
        return hashlib.sha256(json.dumps([self.day, told]).encode()).hexdigest()[:16]

    def every_line(self) -> Iterator[Line]:
        """Kinds and their stations, the whole city last."""
        for line in self.lines:
            yield line
            yield from line.stations
        yield self.total


@dataclass(frozen=True, slots=True)
class Asked:
    """What people have entered: targets, the notes of the day and, for proposals, the last ones before it."""

    targets: Sequence[Target] = ()
    notes: Sequence[Note] = ()
    earlier: Sequence[Note] = ()


def faulty_days(since_us: int, to_us: int) -> int:
    """Whole days; one that begun is none."""
    return max(0, to_us - since_us) // DAY_US


def lines_of(
    standings: Iterable[Standing], asked: Asked, kinds: Iterable[str], to_us: int
) -> tuple[tuple[Line, ...], Line]:
    """(a line for each of `kinds` and whatever else cameras, targets and notes name, the whole city)."""
    by_kind: dict[str, dict[str, list[Standing]]] = {kind: {} for kind in kinds}
    everyone = []
    for one in standings:
        everyone.append(one)
        by_kind.setdefault(one.owner_kind, {}).setdefault(one.station, []).append(one)
    entered: Iterable[Target | Note] = (*asked.targets, *asked.notes)
    for named in entered:
        if named.owner_kind != WHOLE_CITY:
            stations = by_kind.setdefault(named.owner_kind, {})
            if named.station:
                stations.setdefault(named.station, [])
    targets = {(one.owner_kind, one.station): one for one in asked.targets}
    notes = {(one.owner_kind, one.station): one for one in asked.notes}
    earlier = {(one.owner_kind, one.station): one for one in asked.earlier}

    def line(kind: str, station: str, some: Iterable[Standing]) -> Line:
        key = (kind, station)
        note = notes.get(key)
        empty = Line(kind, station, targets.get(key), note=note, proposed=None if note else earlier.get(key))
        return summed(empty, some, to_us)

    made = []
    for kind, stations in by_kind.items():
        whole = line(kind, "", (one for some in stations.values() for one in some))
        by_station = tuple(line(kind, station, some) for station, some in sorted(stations.items()) if station)
        made.append(replace(whole, stations=by_station))
    return tuple(made), line(WHOLE_CITY, "", everyone)


def summed(line: Line, standings: Iterable[Standing], to_us: int) -> Line:
    """The line with the counts of its cameras."""
    some = list(standings)
    faulty = [one for one in some if one.faulty]
    return replace(
        line,
        installed=len(some),
        linked=sum(one.linked for one in some),
        recording=sum(one.linked and one.recording for one in some),
        faulty=len(faulty),
        faulty_days=max((faulty_days(one.since_us, to_us) for one in faulty if one.since_us is not None), default=0),
        expected_us=sum(one.expected_us for one in some if one.linked),
        recorded_us=sum(one.recorded_us for one in some if one.linked),
    )


def faulty_of(standings: Iterable[Standing], to_us: int) -> tuple[Faulty, ...]:
    """The longest first."""
    found = [
        Faulty(
            *(one.camera_id, one.code, one.name, one.name_hi, one.owner_kind, one.station, one.owner, one.contact),
            cause=one.cause or "unknown",
            recording=one.recording,
            coverage=one.coverage,
            since_us=one.since_us if one.since_us is not None else to_us,
            days=faulty_days(one.since_us if one.since_us is not None else to_us, to_us),
        )
        for one in standings
        if one.faulty
    ]
    return tuple(sorted(found, key=lambda one: (one.since_us, one.code)))


def faulty_since(back: Mapping[int, int], last_us: int | None, created_us: int, to_us: int, *, recording: bool) -> int:
    """Since when a faulty camera has been faulty without a break.

    `back`: what was recorded in each 24-hour window before `to_us` (0: the last one). Those with less than half of what was
    expected are counted back as far as there is footage; one that is silent, since its last footage ended where that is longer.
    """
    oldest = max(back, default=-1)
    bad = 0
    while bad <= oldest:
        end_us = to_us - bad * DAY_US
        expected_us = end_us - max(end_us - DAY_US, min(created_us, end_us))
        if back.get(bad, 0) >= FAULTY_BELOW * expected_us:
            break
        bad += 1
    since_us = max(to_us - bad * DAY_US, min(created_us, to_us))
    return since_us if recording or last_us is None else min(since_us, last_us)
