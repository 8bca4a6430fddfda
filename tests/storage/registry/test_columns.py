"""Headers of sheets, in English and Hindi."""

from __future__ import annotations

from dataclasses import fields

import pytest

from storage.model import Camera
from storage.registry.columns import COLUMNS, field_of, ignored, nearest


@pytest.mark.parametrize(
    "header, field",
    [
        ("Code", "code"),
        ("CAMERA_ID", "code"),
        ("  camera   code * ", "code"),
        ("कैमरा कोड", "code"),
        ("Latitude", "lat"),
        ("Latitude (decimal degrees)", "lat"),
        ("अक्षांश", "lat"),
        ("LONG.", "lon"),
        ("देशान्तर", "lon"),
        ("थाना", "station"),
        ("Police Station", "station"),
        ("RTSP", "url"),
        ("नाम (हिन्दी)", "name_hi"),
        ("नाम (हिंदी)", "name_hi"),
        ("Name (Hindi)", "name_hi"),
        ("ज़ोन", "zone"),
        ("जोन", "zone"),
        ("\ufeffCode", "code"),
        ("owner_kind", "owner_kind"),
        ("Lat/Long", "place"),
        ("Height of pole", None),
        ("", None),
    ],
)
def test_a_header_means_a_field(header: str, field: str | None) -> None:
    assert field_of(header) == field


def test_each_column_is_known_by_its_own_headers_and_holds_a_field_of_a_camera() -> None:
    known = {item.name for item in fields(Camera)} | {"username", "password", "place"}
    for column in COLUMNS:
        assert field_of(column.en) == field_of(column.hi) == field_of(column.field) == column.field
        assert column.field in known and column.holds and column.holds_hi
    # What only the server decides is no column.
    assert known - {column.field for column in COLUMNS} == {"id", "node", "mode", "created_us", "archived_us"}


def test_columns_that_sheets_have_and_cameras_have_not_are_passed_over() -> None:
    assert all(map(ignored, ("S.No.", "Sr. No", "क्र.सं.", "Remarks", "टिप्पणी")))
    assert not ignored("Height")


def test_the_nearest_column_is_told() -> None:
    assert (nearest("Longitued"), nearest("xyzzy")) != (None, None)
    assert [column.field for column in (nearest("Longitued"), nearest("Stationn")) if column] == ["lon", "station"]
    assert nearest("xyzzy") is None
