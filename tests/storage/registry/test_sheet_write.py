"""Cameras as sheets: what is written comes back unchanged, and the template offers what it says."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from config.errors import Invalid
from config.owner_kinds import all_kinds
from storage.camera_rules import AUDIO, COVERS, MAX_TAG, MAX_TEXT, TEXTS, checked, unfit
from storage.model import Camera, CameraId
from storage.registry import check_rows, sheet_read, sheet_write
from storage.registry.columns import EXPORTED, IN_TEMPLATE
from storage.registry.import_plan import Known, Rules

KINDS = all_kinds(["metro: Metro rail | मेट्रो रेल", "tram: Metro rail"])
RULES = Rules(KINDS, (25.9, 79.5, 27.0, 80.9), allow_loopback=False, update=True)


SLOW = [
    HealthCheck.too_slow,
    HealthCheck.filter_too_much,
]  # measured by the clock, and other work on the machine is no defect


def kept(text: str) -> bool:
    return not unfit(text) and text == text.strip()


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf"]), max_size=12).filter(kept)
TRICKY = st.sampled_from(
    ["=1+1", "-", "NA", "+91 512 2540000", "'", "a;b", "a,b", 'say "x"', "द्वार", "@x", "0412", "1e5"]
)
CAMERAS = st.builds(
    Camera,
    id=st.just(CameraId(7)),
    code=st.from_regex(r"\A[A-Za-z0-9._-]{1,12}\Z").filter(
        lambda code: code.strip("-").lower() not in ("", "na", "nil")
    ),
    url=st.sampled_from(["rtsp://10.0.0.1/a", "rtsps://cam.example.org:322/x?channel=1&q={password}"]),
    node=st.just("n1"),
    owner_kind=st.sampled_from(["", "gone", *KINDS]),
    covers=st.lists(st.sampled_from(COVERS), unique=True).map(tuple),
    lat=st.floats(-90, 90),
    lon=st.floats(-180, 180),
    bearing=st.none() | st.floats(0, 360, exclude_max=True),
    fov=st.none() | st.floats(1, 360),
    tags=st.lists((WORDS | TRICKY).filter(bool), max_size=4, unique=True).map(tuple),
    mac=st.sampled_from(["", "00:1a:2b:3c:4d:5e"]),
    audio=st.sampled_from(AUDIO),
    enabled=st.booleans(),
    **{name: WORDS | TRICKY for name in TEXTS if name != "mac"},
)


def as_kept(camera: Camera) -> Camera | None:
    try:
        return checked(camera)
    except Invalid:
        return None


@pytest.mark.parametrize("language", ["en", "hi"])
@settings(max_examples=40, suppress_health_check=SLOW)
@given(camera=CAMERAS.map(as_kept).filter(lambda camera: camera is not None))
def test_any_camera_comes_back_the_same_as_csv(camera: Camera, language: str) -> None:
    comes_back(camera, sheet_write.csv_bytes([camera], KINDS, language))


@settings(max_examples=5, suppress_health_check=SLOW)  # a workbook each
@given(camera=CAMERAS.map(as_kept).filter(lambda camera: camera is not None))
def test_any_camera_comes_back_the_same_as_xlsx(camera: Camera) -> None:
    comes_back(camera, sheet_write.xlsx_bytes([camera], KINDS, "hi"))


def comes_back(camera: Camera, data: bytes) -> None:
    sheet = sheet_read.read(data, sheet_read.CSV)
    assert not sheet.notes and len(sheet.headers) == len(EXPORTED)
    (item,) = check_rows.plan(sheet, [Known(camera, True)], RULES).items
    assert (item.result, item.problems, item.notes) == ("same", (), ())


def test_the_longest_texts_come_back() -> None:
    camera = checked(
        Camera(
            CameraId(7),
            "A",
            "ज" * MAX_TEXT,
            "rtsp://10.0.0.1/a",
            "n1",
            tags=tuple(f"{n}{'=' * (MAX_TAG - 2)}" for n in range(10, 42)),
        )
    )
    comes_back(camera, sheet_write.csv_bytes([camera], KINDS, "en"))


def test_no_cell_is_a_formula() -> None:
    camera = Camera(
        CameraId(7), "-1+1", "=1", "rtsp://10.0.0.1/a", "n1", owner="@x", contact="+91", station="\t=1", lat=-1.5
    )
    page = load_workbook(io.BytesIO(sheet_write.xlsx_bytes([camera], KINDS, "en"))).worksheets[0]
    cells = [cell for row in page.iter_rows(min_row=2) for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    texts = [str(cell.value) for cell in cells if isinstance(cell.value, str)]
    assert not [text for text in texts if text[0] in "=+@\t" or text[0] == "-"]
    assert -1.5 in [cell.value for cell in cells]


@pytest.mark.parametrize("language", ["en", "hi"])
def test_the_template_says_what_each_column_may_hold_and_offers_values(language: str) -> None:
    book = load_workbook(io.BytesIO(sheet_write.template_xlsx(KINDS, language)))
    page, values = book.worksheets
    headers = [cell.value for cell in page[1]]
    assert headers == [column.header(language) for column in IN_TEMPLATE]
    assert [row[0].value for row in values.iter_rows(min_row=2) if row[0].value] == headers
    offered: dict[Any, list[str]] = {}
    for rule in page.data_validations.dataValidation:
        place = str(rule.sqref).partition(":")[0]
        name, _, area = str(rule.formula1).partition("!")
        assert name == f"'{values.title}'"
        offered[page[place[:-1] + "1"].value] = [row[0].value for row in values[area.replace("$", "")]]
    by_field = {column.field: column.header(language) for column in IN_TEMPLATE}
    assert offered[by_field["audio"]] == list(AUDIO)
    assert len(offered[by_field["owner_kind"]]) == len(KINDS)
    assert len(offered[by_field["covers"]]) == len(COVERS)
    assert len(offered[by_field["enabled"]]) == 2
