"""What a sheet's rows would do, and what is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.owner_kinds import all_kinds
from storage.model import Camera, CameraId, Credentials
from storage.registry import check_rows, sheet_read
from storage.registry.columns import COLUMNS
from storage.registry.import_plan import Item, Known, Plan, Problem, Rules

RULES = Rules(all_kinds(()), (25.9, 79.5, 27.0, 80.9), allow_loopback=False, update=True)
GATE = Camera(
    CameraId(7), "GATE", "Gate", "rtsp://10.0.0.7/a", "n1", owner_kind="shop", lat=26.47, lon=80.35, bearing=90.0
)


def plan(text: str, *known: Camera, login: bool = False, rules: Rules = RULES) -> Plan:
    return check_rows.plan(
        sheet_read.read(text.encode(), sheet_read.CSV), [Known(camera, login) for camera in known], rules
    )


def only(text: str, *known: Camera, **more: Any) -> Item:
    (item,) = plan(text, *known, **more).items
    return item


def fault(text: str, *known: Camera, **more: Any) -> Problem:
    item = only(text, *known, **more)
    assert item.result == "wrong"
    (problem,) = item.problems
    return problem


def test_a_new_camera_is_added_with_all_that_its_row_says() -> None:
    made = plan("Code,Owner category,URL,User,Password,Record\nA,दुकान,rtsp://10.0.0.1/a,admin,pw,no\n")
    (wish,) = made.wishes
    assert (wish.camera_id, wish.login) == (None, Credentials("admin", "pw"))
    assert (wish.changes["owner_kind"], wish.changes["enabled"], wish.changes["name"]) == ("shop", False, "A")


def test_a_registered_camera_is_the_same_or_changed() -> None:
    assert only("Code,Name\nGATE,Gate\n", GATE).result == "same"
    changed = plan("Code,Name,Latitude\nGATE,Main gate,26.47\n", GATE)
    assert changed.items[0].result == "change"
    assert changed.items[0].notes == ("Name: Gate -> Main gate",)
    assert changed.wishes[0].changes == {"name": "Main gate"}


def test_an_empty_cell_leaves_a_field_and_a_dash_empties_it() -> None:
    assert only("Code,Owner category,Latitude,Longitude\nGATE,,,\n", GATE).result == "same"
    (wish,) = plan("Code,Owner category,Latitude,Longitude,Bearing\nGATE,-,-,-,NA\n", GATE).wishes
    assert wish.changes == {"owner_kind": "", "lat": None, "lon": None, "bearing": None}


def test_changes_are_refused_where_they_are_not_allowed() -> None:
    problem = fault("Code,Name\nGATE,Main gate\n", GATE, rules=replace(RULES, update=False))
    assert "registered already, with another Name" in problem.what
    assert only("Code,Name\nGATE,Gate\n", GATE, rules=replace(RULES, update=False)).result == "same"


@pytest.mark.parametrize(
    "row, field, what",
    [
        (",rtsp://10.0.0.1/a,,,,,,,", "code", "is missing"),
        ("A B,rtsp://10.0.0.1/a,,,,,,,", "code", "1 to 64"),
        ("A,,,,,,,,", "url", "is missing"),
        ("A,http://10.0.0.1/a,,,,,,,", "url", "rtsp://"),
        ("A,rtsp://127.0.0.1/a,,,,,,,", "url", "loopback"),
        ("A,rtsp://10.0.0.1/a,80.35,26.47,,,,,", "lat", "swapped"),
        ("A,rtsp://10.0.0.1/a,12.97,77.59,,,,,", "lat", "outside of the city"),
        ("A,rtsp://10.0.0.1/a,26.47,,,,,,", "lon", "is missing"),
        ("A,rtsp://10.0.0.1/a,north,80.35,,,,,", "lat", "no place"),
        ("A,rtsp://10.0.0.1/a,95,80.35,,,,,", "lat", "outside of the city"),
        ("A,rtsp://10.0.0.1/a,,,bnak,,,,", "owner_kind", "did you mean Banks and ATMs"),
        ("A,rtsp://10.0.0.1/a,,,,exti,,,", "covers", "did you mean exit"),
        ("A,rtsp://10.0.0.1/a,,,,,400,,", "bearing", "0 to below 360"),
        ("A,rtsp://10.0.0.1/a,,,,,,00:1a:2b,", "mac", "six pairs"),
        ("A,rtsp://10.0.0.1/a,,,,,,,perhaps", "enabled", "neither yes nor no"),
    ],
)
def test_what_is_wrong_is_told_with_its_column_and_how_to_mend_it(row: str, field: str, what: str) -> None:
    item = only(f"कोड,URL,Latitude,Longitude,Owner category,Covers,Bearing,MAC,Record\n{row}\n")
    problem = next(one for one in item.problems if one.field == field)
    assert what in problem.what and problem.mend
    if field == "code":
        assert problem.column == "कोड"
    assert len(item.problems) == 1


def test_all_that_is_wrong_with_a_row_is_told_at_once() -> None:
    item = only(f"Code,Name,Station,URL,Bearing\nA B,{'x' * 201},a\u202eb,ftp://x,-1\n")
    assert {problem.field for problem in item.problems} == {"code", "name", "station", "url", "bearing"}


def test_the_same_code_or_url_in_two_rows_names_the_other_row() -> None:
    made = plan("Code,URL\nA,rtsp://10.0.0.1/a\nA,rtsp://10.0.0.2/a\nB,rtsp://10.0.0.1:554/a\n")
    assert [item.result for item in made.items] == ["add", "wrong", "wrong"]
    assert made.items[1].problems[0].what == "row 2 has the same code"
    assert made.items[2].problems[0].what == "row 2 (A) has the same URL"
    assert made.wishes == ()


def test_the_url_of_a_registered_camera_names_it() -> None:
    assert fault("Code,URL\nB,rtsp://10.0.0.7/a\n", GATE).what == "camera GATE has the same URL"
    # Archived it records no more.
    gone = replace(GATE, archived_us=1)
    assert only("Code,URL\nB,rtsp://10.0.0.7/a\n", gone).result == "add"
    assert "archived" in fault("Code,URL\nGATE,rtsp://10.0.0.8/a\n", gone).what


def test_two_cameras_may_exchange_their_urls() -> None:
    other = replace(GATE, id=CameraId(8), code="DOOR", url="rtsp://10.0.0.8/a")
    made = plan("Code,URL\nGATE,rtsp://10.0.0.8/a\nDOOR,rtsp://10.0.0.7/a\n", GATE, other)
    assert [item.result for item in made.items] == ["change", "change"]


def test_the_same_place_is_worth_a_note() -> None:
    text = 'Code,URL,Coordinates,Bearing\nA,rtsp://10.0.0.1/a,"26.470001, 80.350001",90\n'
    assert only(text, GATE).notes == ("stands where GATE stands and looks the same way",)
    assert only(text.replace(",90", ",180"), GATE).notes == ()


def test_a_password_stays_with_the_host_that_it_was_given_for() -> None:
    assert "another host" in fault("Code,URL\nGATE,rtsp://10.0.0.9/a\n", GATE, login=True).what
    assert only("Code,URL\nGATE,rtsp://10.0.0.9/a\n", GATE).result == "change"
    assert only("Code,URL\nGATE,rtsp://10.0.0.7/b\n", GATE, login=True).result == "change"
    assert only("Code,URL\nGATE,rtsp://u:p@10.0.0.9/a\n", GATE, login=True).result == "change"


def test_a_login_is_given_once() -> None:
    text = "Code,URL,User,Password\nA,rtsp://u:p@10.0.0.1/a,{}\n"
    assert plan(text.format("u,p")).wishes[0].login == Credentials("u", "p")
    assert "another login" in fault(text.format("u,other")).what


def test_what_is_registered_outside_of_the_rules_may_stay() -> None:
    odd = replace(GATE, owner_kind="tram", lat=12.9, lon=77.6, url="rtsp://127.0.0.1/x")
    text = "Code,Owner category,Latitude,Longitude,URL\nGATE,tram,12.9,77.6,rtsp://127.0.0.1/x\n"
    assert only(text, odd).result == "same"


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(st.text(max_size=12), min_size=len(COLUMNS), max_size=len(COLUMNS)), min_size=1, max_size=4))
def test_any_cells_are_checked_and_no_wrong_row_is_wished_for(rows: list[list[str]]) -> None:
    columns = [column for column in COLUMNS if column.field != "place"]
    made = check_rows.plan(
        sheet_read.Sheet(
            {column.field: column.en for column in columns},
            tuple(
                sheet_read.SheetRow(number, {c.field: text for c, text in zip(columns, texts, strict=False)}, {})
                for number, texts in enumerate(rows, 2)
            ),
            (),
        ),
        [Known(GATE, False)],
        RULES,
    )
    assert all((item.result == "wrong") == bool(item.problems) for item in made.items)
    assert not made.wishes or all(item.result != "wrong" for item in made.items)
