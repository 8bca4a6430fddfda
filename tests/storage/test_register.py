"""The daily register: from cameras, footage and what officers entered to lines, faulty cameras and days that stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Conflict, Invalid
from config.owner_kinds import all_kinds
from storage.catalog import cameras, register, segments, states, targets
from storage.catalog.db import Catalog, connect, prepare
from storage.catalog.sqlite import Connection
from storage.model import HOUR_US, Camera, CameraId, CameraState, RunId, VolumeId
from storage.registry import register_days
from storage.registry.register import (
    Asked,
    Line,
    Note,
    Register,
    Standing,
    Target,
    faulty_since,
    lines_of,
    summed,
)
from storage.registry.register_text import pack, pack_sums, unpack, unpack_sums
from storage.terms import DAY_US
from tests import rows
from tests.rows import T0_US

ZONE = ZoneInfo("Asia/Kolkata")
KINDS = list(all_kinds(()))
DAY = "2026-11-18"
MIDNIGHT_US = register_days.bounds(register_days.parse_day(DAY), ZONE)[1]
NOON_US = MIDNIGHT_US + 12 * HOUR_US
SEGMENT_US = 900_000_000


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    path = tmp_path / "nvr.sqlite3"
    prepare(path)
    made = connect(path)
    yield made
    made.close()


def add(
    db: Connection, code: str, *, kind: str = "shop", station: str = "Kotwali", created_us: int = 1, name_hi: str = ""
) -> CameraId:
    camera = Camera(
        *(CameraId(0), code, f"Gate {code}", "rtsp://10.0.0.5/x", "n1"),
        name_hi=name_hi,
        owner_kind=kind,
        station=station,
        contact="+91 98390",
        created_us=created_us,
    )
    return cameras.add(db, camera).id


def record(db: Connection, camera_id: CameraId, from_us: int, to_us: int) -> None:
    """Without a gap, in files of fifteen minutes."""
    one = replace(rows.segment(durations_ms=(2000,) * 4), camera_id=camera_id, volume_id=VolumeId(1))
    run = RunId(from_us // 1000 + camera_id)
    for n, at_us in enumerate(range(from_us, to_us, SEGMENT_US)):
        dur_us = min(SEGMENT_US, to_us - at_us)
        segments.insert(db, replace(one, start_us=at_us, dur_us=dur_us, run_id=run, n=n))


def read(db: Connection, day: str = DAY, now_us: int = NOON_US) -> Register:
    return register_days.read(db, day, now_us=now_us, zone=ZONE, kinds=KINDS)


def line(found: Register, kind: str, station: str = "") -> Line:
    return next(one for one in found.every_line() if (one.owner_kind, one.station) == (kind, station))


# -- what is told of a day ---------------------------------------------------------------------------------------------


def test_installed_linked_recording_and_faulty_are_told_apart(db: Connection) -> None:
    good, silent, sparse, off = (add(db, code) for code in ("GOOD", "SILENT", "SPARSE", "OFF"))
    add(db, "NEVER", station="Chakeri")
    add(db, "LATER", created_us=MIDNIGHT_US + 1)
    add(db, "BANK", kind="bank_atm")
    record(db, good, MIDNIGHT_US - 2 * DAY_US, MIDNIGHT_US)
    record(db, silent, MIDNIGHT_US - 4 * DAY_US, MIDNIGHT_US - 3 * DAY_US)
    record(db, sparse, MIDNIGHT_US - 6 * HOUR_US, MIDNIGHT_US)
    record(db, off, MIDNIGHT_US - 5 * DAY_US, MIDNIGHT_US - 2 * DAY_US)
    states.put(db, CameraState(off, MIDNIGHT_US - 2 * DAY_US, "disabled", "disabled"))
    states.put(db, CameraState(silent, MIDNIGHT_US - 3 * DAY_US, "failed", "unreachable"))
    found = read(db)
    shops = line(found, "shop")
    assert (shops.installed, shops.linked, shops.recording, shops.faulty, shops.faulty_days) == (5, 3, 2, 2, 3)
    assert shops.expected_us == 3 * DAY_US and shops.recorded_us == 30 * HOUR_US
    assert [(one.station, one.installed, one.linked) for one in shops.stations] == [
        ("Chakeri", 1, 0),
        ("Kotwali", 4, 3),
    ]
    assert (found.total.installed, found.total.linked) == (6, 3)
    assert len(found.lines) == 17, "a kind without cameras is told too"
    assert [(one.code, one.cause, one.recording, one.days) for one in found.faulty] == [
        ("SILENT", "network", False, 3),
        ("SPARSE", "unknown", True, 1),
    ]
    assert found.faulty[0].since_us == MIDNIGHT_US - 3 * DAY_US
    assert found.faulty[0].contact == "+91 98390"


def test_today_is_the_last_24_hours_and_recording_means_now(db: Connection) -> None:
    good, failing, stopped, switched_off = (add(db, code) for code in ("GOOD", "FAILING", "STOPPED", "OFF"))
    for one in (good, failing, switched_off):
        record(db, one, NOON_US - 2 * DAY_US, NOON_US - 60_000_000)
    record(db, stopped, NOON_US - 2 * DAY_US, NOON_US - HOUR_US)
    states.put(db, CameraState(failing, NOON_US - 1000, "failed", "unauthorized"))
    cameras.update(db, switched_off, enabled=False)
    found = read(db, "2026-11-19")
    assert (found.from_us, found.to_us, found.kept) == (NOON_US - DAY_US, NOON_US, False)
    shops = line(found, "shop")
    assert (shops.installed, shops.linked, shops.recording, shops.faulty) == (4, 3, 1, 2)
    assert {(one.code, one.cause) for one in found.faulty} == {("FAILING", "credentials"), ("STOPPED", "unknown")}


def test_footage_that_was_deleted_was_recorded_all_the_same(db: Connection) -> None:
    camera = add(db, "A")
    db.execute(
        "INSERT INTO deletion (camera_id, start_us, end_us, segments, bytes, merkle_nodes, reason, at_us)"
        " VALUES (?, ?, ?, 1, 1, x'', 'max_days', 1)",
        (camera, MIDNIGHT_US - 41 * DAY_US, MIDNIGHT_US - 40 * DAY_US),
    )
    found = read(db)
    assert line(found, "shop").linked == 1
    assert [(one.code, one.days) for one in found.faulty] == [("A", 40)]


def test_a_share_is_told_only_of_a_number(db: Connection) -> None:
    for kind in ("shop", "school", "bank_atm", "hotel"):
        record(db, add(db, kind, kind=kind), MIDNIGHT_US - DAY_US, MIDNIGHT_US)
    targets.put(
        db,
        [
            Target("shop", wanted=4),
            Target("school", is_all=True),
            Target("bank_atm", is_all=True, all_known=2),
            Target("hotel", wanted=0),
            Target("*", wanted=10),
            Target("shop", "Panki", wanted=7),
        ],
    )
    found = read(db)
    assert {one.owner_kind: one.share for one in found.lines if one.linked} == {
        "shop": 0.25,
        "school": None,
        "bank_atm": 0.5,
        "hotel": None,
    }
    assert found.total.share == 0.4
    assert line(found, "lab").share is None and line(found, "lab").target is None
    assert line(found, "shop", "Panki").share == 0.0, "a station with a target and without a camera"
    targets.put(db, [Target("shop")])
    assert line(read(db), "shop").target is None


def test_days_are_those_of_the_sites_zone() -> None:
    from_us, to_us = register_days.bounds(register_days.parse_day(DAY), ZONE)
    assert to_us - from_us == DAY_US and from_us % DAY_US == DAY_US - 19_800_000_000
    from_us, to_us = register_days.bounds(register_days.parse_day("2026-03-29"), ZoneInfo("Europe/Berlin"))
    assert to_us - from_us == 23 * HOUR_US
    assert register_days.day_of(MIDNIGHT_US, ZONE) == "2026-11-19"
    assert register_days.day_of(MIDNIGHT_US - 1, ZONE) == DAY


@pytest.mark.parametrize("text", ["2026-02-30", "18/11/2026", "2026-W47-3", "1999-12-31", "", "२०२६-११-१८"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as error:
        register_days.parse_day(text)
    assert error.value.field == "day"


def test_a_day_to_come_has_no_register(db: Connection) -> None:
    with pytest.raises(Invalid, match="has not begun"):
        read(db, "2026-11-20")


@pytest.mark.parametrize(
    ("back", "last", "created_us", "recording", "since"),
    [
        ({0: 2, 1: 24}, -1, 1, True, -24),  # bad for a day
        ({0: 2, 1: 3, 2: 11, 3: 12}, -1, 1, True, -72),
        ({0: 20, 1: 24}, -4, 1, False, -4),  # silent for four hours only
        ({2: 3, 3: 24}, -50, 1, False, -72),  # it was faulty before it fell silent
        ({}, -900, 1, False, -900),  # nothing within the days that are looked at
        ({0: 2}, -1, 1, True, -24),  # nothing older is known
        ({0: 2, 1: 6}, -1, -36, True, -24),  # registered 36 hours ago: six of twelve hours are enough
        ({0: 1}, -1, -6, True, -6),  # registered six hours ago
    ],
)
def test_faulty_since(back: dict[int, int], last: int, created_us: int, recording: bool, since: int) -> None:
    """Hours against the register's end."""
    created = created_us if created_us > 0 else T0_US + created_us * HOUR_US
    hours = {window: count * HOUR_US for window, count in back.items()}
    found = faulty_since(hours, T0_US + last * HOUR_US, created, T0_US, recording=recording)
    assert (found - T0_US) / HOUR_US == since


STANDINGS = st.builds(
    Standing,
    camera_id=st.integers(1, 99).map(CameraId),
    code=st.just("A"),
    name=st.just(""),
    name_hi=st.just(""),
    owner_kind=st.sampled_from(["shop", "bank_atm", "metro", ""]),
    station=st.sampled_from(["", "Kotwali", "Panki"]),
    owner=st.just(""),
    contact=st.just(""),
    linked=st.booleans(),
    recording=st.booleans(),
    expected_us=st.integers(0, DAY_US),
    recorded_us=st.integers(0, DAY_US),
    since_us=st.integers(0, T0_US),
)


@given(st.lists(STANDINGS, max_size=20))
def test_the_city_is_the_sum_of_its_kinds_and_a_kind_of_its_stations(some: list[Standing]) -> None:
    lines, total = lines_of(some, Asked(), KINDS, T0_US)
    for name in ("installed", "linked", "recording", "faulty", "expected_us", "recorded_us"):
        assert getattr(total, name) == sum(getattr(one, name) for one in lines)
    for one in lines:
        named = summed(one, [s for s in some if s.owner_kind == one.owner_kind and s.station], T0_US)
        assert sum(station.installed for station in one.stations) == named.installed
        assert one.recording <= one.linked <= one.installed and one.faulty <= one.linked


# -- notes, kept days, signatures --------------------------------------------------------------------------------------


def note(day: str, kind: str = "shop", station: str = "", action: str = "called the owner") -> Note:
    return Note(day, kind, station, action, "", "SI Verma", 5)


def test_the_note_of_an_earlier_day_is_proposed_until_there_is_one(db: Connection) -> None:
    register.put_note(db, note("2026-11-10", action="long ago"))
    register.put_note(db, note("2026-11-16", action="wrote to the owner"))
    register.put_note(db, note("2026-11-16", kind="bank_atm"))
    register.put_note(db, note("2026-11-17", kind="bank_atm", action=""))
    register.put_note(db, note("2026-09-16", kind="hotel"))
    found = read(db)
    assert line(found, "shop").note is None
    assert line(found, "shop").proposed == note("2026-11-16", action="wrote to the owner")
    assert line(found, "bank_atm").proposed is None, "on the last day there was nothing any more"
    assert line(found, "hotel").proposed is None, "two months old"
    register.put_note(db, note(DAY, action="done"))
    assert line(read(db), "shop").note == note(DAY, action="done") and line(read(db), "shop").proposed is None


def sign(db: Connection, *, seen: str | None = None, by: str = "ACP Sharma", now_us: int = NOON_US) -> Register:
    made = register_days.signed(db, DAY, by=by, remarks=" all told ", seen=seen, now_us=now_us, zone=ZONE, kinds=KINDS)
    register_days.put_signed(db, made)
    return made


def test_a_signed_day_never_changes(db: Connection) -> None:
    camera = add(db, "A")
    record(db, camera, MIDNIGHT_US - DAY_US, MIDNIGHT_US)
    register.put_note(db, note(DAY))
    signed = sign(db, seen=read(db).digest)
    assert (signed.signed_by, signed.remarks, signed.signed_us) == ("ACP Sharma", "all told", NOON_US)
    add(db, "B")
    targets.put(db, [Target("shop", wanted=9)])
    assert read(db) == signed and read(db).total.installed == 1
    with pytest.raises(Conflict, match="signed by ACP Sharma already"):
        sign(db, by="someone else")
    with pytest.raises(Conflict, match="next day's remarks"):
        register.put_note(db, note(DAY, action="other words"))
    assert read(db) == signed


def test_a_register_that_changed_since_it_was_looked_at_is_not_signed(db: Connection) -> None:
    seen = read(db).digest
    register.put_note(db, note(DAY))
    with pytest.raises(Conflict, match="has changed") as error:
        sign(db, seen=seen)
    assert error.value.extra["digest"] == read(db).digest != seen
    looked = register_days.signed(db, DAY, by="ACP", remarks="", seen=None, now_us=NOON_US, zone=ZONE, kinds=KINDS)
    register.put_note(db, note(DAY, action="between reading and writing"))
    with pytest.raises(Conflict, match="has changed"):
        register_days.put_signed(db, looked)
    assert sign(db, seen=read(db).digest).signed_us == NOON_US
    with pytest.raises(Invalid):
        sign(db, by="  ")


def test_what_is_kept_is_read_back_as_it_was(db: Connection) -> None:
    record(db, add(db, "A", name_hi="मुख्य द्वार"), MIDNIGHT_US - 3 * DAY_US, MIDNIGHT_US - DAY_US)
    targets.put(db, [Target("shop", is_all=True, all_known=3)])
    register.put_note(db, note(DAY))
    found = read(db)
    columns = {"taken_us": found.taken_us, "kept": found.kept}
    assert unpack(pack(found), **columns) == found
    sums = unpack_sums(pack_sums(found), "shop")
    assert sums is not None and (sums.target, sums.installed, sums.faulty) == (3, 1, 1)
    assert unpack_sums(pack_sums(found), "metro") is None


async def test_days_that_are_over_are_kept_once_and_after_a_day_off_too(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "nvr.sqlite3")
    await catalog.open()
    try:

        async def take(now_us: int) -> int:
            return await register_days.take_due(catalog, zone=ZONE, kinds=KINDS, now_us=now_us)

        assert await take(NOON_US) == 0, "no camera, nothing to tell"
        await catalog.write(lambda db: add(db, "A", created_us=MIDNIGHT_US - HOUR_US))
        assert await take(MIDNIGHT_US + 60_000_000) == 0, "its last files may still come"
        assert await take(MIDNIGHT_US + HOUR_US) == 1
        assert await take(MIDNIGHT_US + HOUR_US) == 0
        await catalog.write(lambda db: add(db, "B", created_us=MIDNIGHT_US + HOUR_US))
        assert await take(MIDNIGHT_US + 3 * DAY_US + HOUR_US) == 3
        kept = await catalog.read(lambda db: list(register.sums(db, "2026-11-01", "2026-12-01")))
        assert [(day, signed) for day, _, signed in kept] == [(f"2026-11-{n}", False) for n in (18, 19, 20, 21)]
        assert [sums.installed for _, text, _ in kept if (sums := unpack_sums(text))] == [1, 2, 2, 2]
        assert await take(MIDNIGHT_US + 100 * DAY_US) == register_days.CATCH_UP_DAYS
        first = await catalog.read(read)
        assert first.kept and first.total.installed == 1, "as it was then, although there are two now"
    finally:
        await catalog.close()
