"""Making, keeping and signing the register of a day.

Reading is for a reader thread of the catalog; some 0.4 s for 6,720 cameras. `take_due` runs on the event loop: every few
minutes it keeps the days that are over, so that there is progress over time although nobody signs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import partial
from typing import Final

import structlog

from config.errors import Conflict, Invalid
from storage.catalog import register as rows
from storage.catalog import targets
from storage.catalog.coverage import as_ids
from storage.catalog.db import Catalog
from storage.catalog.register import KeptDay, Member
from storage.catalog.sqlite import Connection
from storage.coverage.classes import class_of
from storage.coverage.days import Covered, covered
from storage.model import HOUR_US, MAX_SEGMENT_US
from storage.registry.register import (
    WHOLE_CITY,
    Asked,
    Note,
    Register,
    Standing,
    faulty_of,
    faulty_since,
    lines_of,
)
from storage.registry.register_text import pack, pack_sums, unpack
from storage.terms import DAY_US

log = structlog.get_logger()

TAKEN_AFTER_US: Final = 20 * 60_000_000
"""After midnight: by then the last files of the day are closed and indexed."""
CATCH_UP_DAYS: Final = 31
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def day_of(at_us: int, zone: tzinfo) -> str:
    """YYYY-MM-DD in the zone."""
    return _date(at_us, zone).isoformat()


def _date(at_us: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(at_us / 1_000_000, zone).date()


def parse_day(text: str) -> date:
    """Raises Invalid naming the field `day`."""
    try:
        if _DAY.fullmatch(text) and (found := date.fromisoformat(text)).year >= 2000:
            return found
    except ValueError:
        pass
    raise Invalid("day is a date from 2000 on, as YYYY-MM-DD: 2026-11-23", field="day")


def bounds(day: date, zone: tzinfo) -> tuple[int, int]:
    """Its midnights in the zone, microseconds: 23 to 25 hours apart."""
    first, last = (datetime.combine(at, time(), zone).astimezone(UTC) for at in (day, day + timedelta(days=1)))
    return int(first.timestamp()) * 1_000_000, int(last.timestamp()) * 1_000_000


def read(db: Connection, day: str, *, now_us: int, zone: tzinfo, kinds: Collection[str]) -> Register:
    """The day as it was signed, or as it was kept, with its notes; else made now. Raises Invalid for a day to come."""
    from_us, to_us = bounds(parse_day(day), zone)
    not_to_come(day, now_us=now_us, zone=zone)
    kept = rows.get(db, day)
    if kept is not None:
        return _of_kept(db, kept)
    asked = Asked(targets.listing(db), rows.notes(db, day), rows.earlier_notes(db, day))
    if now_us < to_us:
        return _made(db, day, (now_us - DAY_US, now_us), now_us, asked, kinds)
    return _made(db, day, (from_us, to_us), now_us, asked, kinds)


def _of_kept(db: Connection, kept: KeptDay) -> Register:
    register = unpack(
        kept.rows,
        taken_us=kept.taken_us,
        kept=True,
        signed_us=kept.signed_us,
        signed_by=kept.signed_by,
        remarks=kept.remarks,
    )
    return register if kept.signed_us is not None else _with_notes(register, rows.notes(db, kept.day))


def _with_notes(register: Register, notes: Sequence[Note]) -> Register:
    """Notes of a day can be written until it is signed. One of a kind and station that had no camera stays out."""
    found = {(note.owner_kind, note.station): note for note in notes}
    lines = tuple(
        replace(
            line,
            note=found.get((line.owner_kind, "")),
            stations=tuple(replace(one, note=found.get((one.owner_kind, one.station))) for one in line.stations),
        )
        for line in register.lines
    )
    return replace(register, lines=lines, total=replace(register.total, note=found.get((WHOLE_CITY, ""))))


def _made(
    db: Connection, day: str, window: tuple[int, int], now_us: int, asked: Asked, kinds: Collection[str]
) -> Register:
    from_us, to_us = window
    standings = _standings(db, from_us, to_us, now_us)
    lines, total = lines_of(standings, asked, kinds, to_us)
    return Register(
        day=day,
        from_us=from_us,
        to_us=to_us,
        taken_us=now_us,
        lines=lines,
        total=total,
        faulty=faulty_of(standings, to_us),
    )


def _standings(db: Connection, from_us: int, to_us: int, now_us: int) -> list[Standing]:
    """Each installed camera at `to_us`."""
    now = to_us == now_us
    members = rows.members(db, to_us, now=now)
    found = covered(db, from_us, to_us, now_us, cameras=[member.id for member in members])
    last_us = rows.last_footage(db, as_ids(member.id for member in members if member.ever), to_us)
    recent_us = to_us - (MAX_SEGMENT_US if now else HOUR_US)
    standings = []
    for member in members:
        recording = last_us.get(member.id, 0) > recent_us and not (now and member.cause is not None)
        standings.append(_standing(member, found.get(member.id, Covered(0, 0)), recording=recording))
    faulty = [one.camera_id for one in standings if one.faulty]
    back = rows.days_back(db, as_ids(faulty), to_us)
    created_us = {member.id: member.created_us for member in members}
    return [
        replace(
            one,
            since_us=faulty_since(
                back.get(one.camera_id, {}),
                last_us.get(one.camera_id),
                created_us[one.camera_id],
                to_us,
                recording=one.recording,
            ),
        )
        if one.faulty
        else one
        for one in standings
    ]


def _standing(member: Member, covered_: Covered, *, recording: bool) -> Standing:
    lost = covered_.causes
    cause = max(lost, key=lambda name: lost[name], default="")
    if not recording and member.cause is not None:
        cause = class_of(member.cause)
    return Standing(
        camera_id=member.id,
        code=member.code,
        name=member.name,
        name_hi=member.name_hi,
        owner_kind=member.owner_kind,
        station=member.station,
        owner=member.owner,
        contact=member.contact,
        linked=member.enabled and member.ever,
        recording=recording,
        expected_us=covered_.expected_us,
        recorded_us=covered_.recorded_us,
        cause=cause,
    )


# -- kept and signed ---------------------------------------------------------------------------------------------------


def signed(
    db: Connection,
    day: str,
    *,
    by: str,
    remarks: str,
    seen: str | None,
    now_us: int,
    zone: tzinfo,
    kinds: Collection[str],
) -> Register:
    """The day as it stands, with a signature; `put_signed` freezes it. `seen`: the digest of what the officer has looked at.
    Raises Conflict where it has changed since, or is signed already."""
    if not by.strip():
        raise Invalid("by is the name of the officer who signs", field="by")
    register = read(db, day, now_us=now_us, zone=zone, kinds=kinds)
    if register.signed_us is not None:
        raise Conflict(
            f"the register of {day} was signed by {register.signed_by} already: it stays as it is", field="day"
        )
    if seen is not None and seen != register.digest:
        raise _changed(register)
    return replace(register, kept=True, signed_us=now_us, signed_by=by.strip(), remarks=remarks.strip())


def put_signed(db: Connection, register: Register) -> None:
    """For good. Raises Conflict where it was signed, or a note was written, since `signed` has read it."""
    if _with_notes(register, rows.notes(db, register.day)).digest != register.digest:
        raise _changed(register)
    kept = KeptDay(
        day=register.day,
        rows=pack(register),
        taken_us=register.taken_us,
        signed_us=register.signed_us,
        signed_by=register.signed_by,
        remarks=register.remarks,
    )
    rows.sign(db, kept, pack_sums(register))


def _changed(register: Register) -> Conflict:
    return Conflict(
        "the register has changed since it was looked at: look again, then sign", field="seen", digest=register.digest
    )


async def take_due(catalog: Catalog, *, zone: tzinfo, kinds: Collection[str], now_us: int) -> int:
    """Keeps the days that are over and are not kept yet, at most CATCH_UP_DAYS back. How many."""
    taken = 0
    for day in await catalog.read(partial(_due, zone=zone, now_us=now_us)):
        register = await catalog.read(partial(read, day=day, now_us=now_us, zone=zone, kinds=kinds))
        made = partial(rows.keep, day=day, rows=pack(register), sums=pack_sums(register), taken_us=now_us)
        taken += await catalog.write(made)
    if taken:
        log.info("registers kept", days=taken)
    return taken


def _due(db: Connection, *, zone: tzinfo, now_us: int) -> list[str]:
    """Days before today (yesterday only some time after midnight), after the last one kept, with a camera."""
    first_us = rows.first_camera_us(db)
    if first_us is None:
        return []
    end = _date(now_us - TAKEN_AFTER_US, zone)
    begin = max(_date(first_us, zone), end - timedelta(days=CATCH_UP_DAYS))
    days = ((begin + timedelta(days=number)).isoformat() for number in range((end - begin).days))
    return [day for day in days if rows.get(db, day) is None]


def not_to_come(day: str, *, now_us: int, zone: tzinfo) -> None:
    """Raises Invalid for a day that has not begun."""
    if bounds(parse_day(day), zone)[0] > now_us:
        raise Invalid(f"{day} has not begun: there is a register of days up to {day_of(now_us, zone)}", field="day")
