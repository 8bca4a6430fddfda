"""Sheets as spreadsheets really save them, and files that are no sheets."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from config.errors import Invalid
from storage.registry import sheet_read
from storage.registry.sheet_read import CSV, MAX_ROWS, XLSX, Sheet, read

TEXT = "Code,नाम,URL\r\nC-1,द्वार,rtsp://10.0.0.1/a\r\n"


def cells(sheet: Sheet) -> list[dict[str, str]]:
    return [row.cells for row in sheet.rows]


def workbook(rows: Sequence[Sequence[Any]], **more: Any) -> bytes:
    book = Workbook()
    page = book.active
    assert page is not None
    for row in rows:
        page.append(list(row))
    for name, change in more.items():
        change(book, page, name)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.encode("utf-16"),
        b"\xff\xfe" + TEXT.encode("utf-16-le"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode("utf-16"),
        TEXT.replace("\r\n", "\n").encode(),
        b"sep=;\r\n" + TEXT.replace(",", ";").encode(),
        ("Cameras of the city,,\r\n,,\r\n25 November 2026,,\r\n" + TEXT).encode(),
        TEXT.replace("\r\n", "\r\n,,\r\n").encode(),
    ],
)
def test_every_way_of_saving_csv_is_read(data: bytes) -> None:
    assert cells(read(data, CSV)) == [{"code": "C-1", "name": "द्वार", "url": "rtsp://10.0.0.1/a"}]


def test_utf_16_without_a_mark_is_read() -> None:
    text = "Code,Name,URL\nC-1,Gate,rtsp://10.0.0.1/a\n"
    for encoding in ("utf-16-le", "utf-16-be"):
        assert cells(read(text.encode(encoding), CSV))[0]["code"] == "C-1"


def test_rows_are_numbered_as_the_spreadsheet_counts_them() -> None:
    sheet = read(b'Title,\n\nCode,Name\nA,"two\nlines"\n,\nB,x\n', CSV)
    assert [(row.number, row.cells["code"]) for row in sheet.rows] == [(4, "A"), (6, "B")]
    data = workbook([["Title"], [], ["Code", "Name"], ["A", "x"], [], ["B", "x"]])
    assert [(row.number, row.cells["code"]) for row in read(data, XLSX).rows] == [(4, "A"), (6, "B")]


def test_columns_that_are_not_known_are_told_with_the_nearest() -> None:
    sheet = read(b"S.No.,Code,Longitued,Height of pole,URL\n1,A,80.3,5,x\n", CSV)
    assert sheet.headers == {"code": "Code", "url": "URL"}
    assert len(sheet.notes) == 2
    assert "'Longitued'" in sheet.notes[0] and "did you mean Longitude (देशांतर)?" in sheet.notes[0]
    assert "'Height of pole'" in sheet.notes[1]


def test_serial_numbers_that_count_the_rows_are_no_cameras_serial_numbers() -> None:
    sheet = read(b"Serial No,Code,URL\n1,A,x\n2,B,y\n", CSV)
    assert "serial" not in sheet.headers and "numbers of the rows" in sheet.notes[0]
    assert "serial" in read(b"Serial No,Code,URL\nAB12,A,x\n2,B,y\n", CSV).headers


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "empty"),
        (b" \r\n\n", "empty"),
        (b"\0\0\0\0", "empty"),
        ("Code,Name\nA,B\nC,Caf\xe9\n".encode("latin-1"), "line 3 has the byte 0xE9"),
        (b"\xff\xfeC\0o", "UTF-16"),
        (b"\xff\xfe\x00\xd8C\0", "UTF-16"),
        (b"Code,Name\nA,x\0y\n", "line 2 holds a NUL"),
        (b'Code,Name\nA,"open\nB,x\n', "cannot be read"),
        (b"Name,Station\nGate,Kotwali\n", "no row has the headers"),
        (b"Name,Station,Latitude,Longitude\nGate,Kotwali,1,2\n", "no column Code"),
        (b"Code,Camera ID,Name\nA,B,C\n", "two columns mean the same: 'Code' and 'Camera ID'"),
        (b"Code,Coordinates,Latitude\nA,B,C\n", "places twice"),
        (b"Code,Name\n", "no camera below"),
        (b"{}", "no row has the headers"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), ".xls"),
        (b"PK\x03\x04" + bytes(200), "broken"),
        (b"Code\n" + b"A\n" * 3, "no row has the headers"),
    ],
)
def test_what_is_no_sheet_is_refused_with_what_to_do(data: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words.replace("(", "\\(")) as caught:
        read(data, CSV)
    assert caught.value.field == "body"


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_sheet_or_are_refused(data: bytes) -> None:
    with contextlib.suppress(Invalid):
        assert read(data, CSV).rows


def test_too_many_rows_are_refused() -> None:
    rows = "".join(f"C-{n},x\n" for n in range(MAX_ROWS))
    assert len(read(f"Code,Name\n{rows}".encode(), CSV).rows) == MAX_ROWS
    with pytest.raises(Invalid, match=f"more than {MAX_ROWS} rows"):
        read(f"Code,Name\n{rows}more,x\n".encode(), CSV)


def test_a_cell_of_many_characters_is_a_fault_of_that_cell() -> None:
    (row,) = read(b"Code,Name\nA," + b"x" * 5000 + b"\n", CSV).rows
    assert row.faults == {"name": "has more than 4000 characters"}


def test_a_workbook_is_read_as_it_is_shown() -> None:
    def zeros(book: Workbook, page: Any, name: str) -> None:
        page["A2"].number_format = "0000"

    data = workbook(
        [
            ["Code", "Name", "Serial", "Latitude", "Record", "Contact", "Firmware"],
            [412, "द्वार", 17.0, 26.4716, True, 9876543210, date(2026, 11, 25)],
            ["0413", None, "=1+1", "x", False, "#N/A", 1.5],
        ],
        zeros=zeros,
    )
    first, second = read(data, XLSX).rows
    assert first.cells == {
        "code": "0412",
        "name": "द्वार",
        "serial": "17",
        "lat": "26.4716",
        "enabled": "yes",
        "contact": "9876543210",
        "firmware": "25/11/2026",
    }
    assert (second.cells["code"], second.cells["enabled"], second.cells["firmware"]) == ("0413", "no", "1.5")
    assert second.faults["contact"] == "holds the spreadsheet's error #N/A"
    assert "never computed" in second.faults["serial"]


def test_titles_merged_above_the_header_and_other_sheets_do_no_harm() -> None:
    def dress(book: Workbook, page: Any, name: str) -> None:
        page.merge_cells("A1:C1")
        page.title = "Data"
        notes = book.create_sheet("Notes", 0)
        notes.append(["This workbook holds cameras"])
        hidden = book.create_sheet("Hidden", 0)
        hidden.append(["Code", "Name"])
        hidden.append(["WRONG", "x"])
        hidden.sheet_state = "hidden"

    data = workbook([["Cameras of Kanpur"], [], ["Code", "थाना", "URL"], ["A", "Kotwali", "x"]], dress=dress)
    assert cells(read(data, XLSX)) == [{"code": "A", "station": "Kotwali", "url": "x"}]


def test_a_million_blank_rows_below_are_no_rows() -> None:
    def far(book: Workbook, page: Any, name: str) -> None:
        page.cell(row=60_000, column=3).value = "\u00a0"

    assert len(read(workbook([["Code", "Name", "URL"], ["A", "x", "y"]], far=far), XLSX).rows) == 1


def package(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in parts.items():
            made.writestr(name.replace("__", "/").replace("_xml", ".xml"), data)
    return out.getvalue()


def test_a_file_that_unpacks_to_far_more_is_refused_before_it_does() -> None:
    bomb = package(xl__workbook_xml=b"<workbook/>", xl__worksheets__sheet1_xml=bytes(sheet_read.MAX_UNPACKED_BYTES + 1))
    assert len(bomb) < 1_000_000
    with pytest.raises(Invalid, match="unpacks to more than 128 MiB"):
        read(bomb, XLSX)


def test_a_package_that_is_no_workbook_is_refused() -> None:
    with pytest.raises(Invalid, match="no XLSX file"):
        read(package(word__document_xml=b"<x/>"), XLSX)
    with pytest.raises(Invalid, match="broken"):
        read(package(xl__workbook_xml=b"<workbook"), XLSX)


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">%s]><workbook>&j;</workbook>""" % b"".join(
    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
)


def test_entities_that_grow_are_refused() -> None:
    data = bytearray(workbook([["Code", "Name"], ["A", "x"]]))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, part in parts.items():
            made.writestr(name, LAUGHS if name == "xl/workbook.xml" else part)
    with pytest.raises(Invalid, match="broken"):
        read(out.getvalue(), XLSX)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 5000), st.binary(min_size=1, max_size=20))
def test_a_damaged_workbook_is_read_or_refused(at: int, noise: bytes) -> None:
    data = bytearray(SOUND)
    at = at % len(data)
    data[at : at + len(noise)] = noise
    with contextlib.suppress(Invalid):
        assert read(bytes(data), XLSX).rows


SOUND = workbook([["Code", "Name", "URL"], ["A", "x", "y"]])
