"""A file of cameras as rows of texts: CSV in any of the forms that spreadsheets save, or XLSX. Nothing in it is run.

Blocking, and of unknown files: for a child process (`storage.child`). Raises Invalid with what to do about it.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from config.errors import Invalid
from storage.registry import columns

CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 200
MAX_CELL: Final = 4000
MAX_UNPACKED_BYTES: Final = 128 * 1024 * 1024
MAX_PARTS: Final = 1000
HEADER_WITHIN: Final = 30
"""Titles may stand above the header, so many rows at most."""
FIELD: Final = "body"

_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_ERRORS = frozenset(("#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!"))


@dataclass(frozen=True, slots=True)
class SheetRow:
    """`number` as the spreadsheet counts it. `cells`: field -> text. `faults`: field -> what is wrong with the cell itself."""

    number: int
    cells: dict[str, str]
    faults: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """`headers`: field -> the header as it stands in the sheet. `notes`: what of the header was not understood."""

    headers: dict[str, str]
    rows: tuple[SheetRow, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    fault: str = ""


_Line = tuple[int, list[_Cell]]


def read(data: bytes, media_type: str) -> Sheet:
    """Of the kind that the bytes are, whatever they are called."""
    if not data.strip(b"\0 \r\n\t"):
        raise Invalid("the file is empty", field=FIELD)
    if data.startswith(b"PK\x03\x04"):
        return _of_xlsx(data)
    if data.startswith(_OLD_OFFICE):
        raise Invalid(
            "this is an old Excel file (.xls) or one with a password: save it as .xlsx without a password", field=FIELD
        )
    if media_type == XLSX:
        raise Invalid("this is no XLSX file: save it from the spreadsheet as .xlsx, or as CSV UTF-8", field=FIELD)
    return _of_csv(data)


def _of_csv(data: bytes) -> Sheet:
    text = decoded(data)
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise Invalid(f"line {line} holds a NUL character: this is no CSV file", field=FIELD)
    if text.startswith(("sep=", '"sep=')):
        text = text[text.find("\n") + 1 :]
    return sheet(_lines(text, _delimiter(text)))


def decoded(data: bytes) -> str:
    """UTF-8 or UTF-16, with or without a byte order mark. Raises Invalid for an older encoding, naming line and byte."""
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        if (guess := _without_mark(data)) is not None:
            return data.decode(guess)
    except UnicodeDecodeError:
        raise Invalid('the text is broken UTF-16: save the sheet again as "CSV UTF-8"', field=FIELD) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Invalid(
            f"the text is not UTF-8: line {line} has the byte 0x{data[error.start]:02X}, as Windows-1252, ISCII and other old "
            'encodings do; save the sheet again as "CSV UTF-8", or as XLSX',
            field=FIELD,
        ) from None


def _without_mark(data: bytes) -> str | None:
    """UTF-16 without a byte order mark: in its first line every other byte is zero, as far as it is ASCII."""
    head = data[:400]
    if head[1::2].count(0) > len(head) // 4 and head[::2].count(0) == 0:
        return "utf-16-le"
    if head[::2].count(0) > len(head) // 4 and head[1::2].count(0) == 0:
        return "utf-16-be"
    return None


def _delimiter(text: str) -> str:
    """The one by which most headers are known."""
    head = "\n".join(text.splitlines()[:HEADER_WITHIN])

    def known(delimiter: str) -> int:
        rows = csv.reader(io.StringIO(head), delimiter=delimiter)
        try:
            return max((sum(1 for cell in row if columns.field_of(cell)) for row in rows), default=0)
        except csv.Error:
            return 0

    return max((",", ";", "\t", "|"), key=known)


def _lines(text: str, delimiter: str) -> Iterator[_Line]:
    """A row's number counts rows, as a spreadsheet does that opens the file."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, row in enumerate(reader, 1):
            yield number, [_Cell(cell, _too_long(cell)) for cell in row[:MAX_COLUMNS]]
    except csv.Error as error:
        raise Invalid(
            f'row {number + 1} (line {reader.line_num}) cannot be read: {error}; a " inside of a cell is written twice',
            field=FIELD,
        ) from None


def _too_long(text: str) -> str:
    return f"has more than {MAX_CELL} characters" if len(text) > MAX_CELL else ""


def _of_xlsx(data: bytes) -> Sheet:
    _check_package(data)
    from openpyxl import load_workbook  # takes 0.3 s, in the child process alone

    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        pages = [page for page in book.worksheets if page.sheet_state == "visible"] or book.worksheets
        faults: list[Invalid] = []
        formulas = _has_formulas(data)
        for page in pages:
            page.reset_dimensions()  # what the file says of its size may be wrong
            try:
                return sheet(_table(page, _uncomputed(data, page) if formulas else set()))
            except Invalid as error:
                if error.extra.get("code") != "no_header":
                    raise
                faults.append(error)
        raise faults[0] if faults else Invalid("the workbook has no sheet", field=FIELD)
    except (Invalid, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001  # openpyxl raises anything on a broken file: KeyError, ParseError, BadZipFile
        raise Invalid(
            f"the XLSX file is broken ({type(error).__name__}): open it in a spreadsheet and save it again", field=FIELD
        ) from None


def _check_package(data: bytes) -> None:
    """A small file that unpacks to gigabytes is refused before it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        raise Invalid("the XLSX file is broken: copy it again, or save it again", field=FIELD) from None
    if "xl/workbook.xml" not in {part.filename for part in parts}:
        raise Invalid("this is no XLSX file: save it from the spreadsheet as .xlsx, or as CSV UTF-8", field=FIELD)
    if any(part.flag_bits & 1 for part in parts):
        raise Invalid("the file has a password: save it without one", field=FIELD)
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise Invalid(
            f"the XLSX file unpacks to more than {MAX_UNPACKED_BYTES // 1024**2} MiB: keep the sheet of cameras alone",
            field=FIELD,
        )


def _table(page: Any, uncomputed: Collection[tuple[int, int]]) -> Iterator[_Line]:
    for number, row in enumerate(page.iter_rows(max_col=MAX_COLUMNS), 1):
        cells = [_shown(cell) for cell in row]
        if uncomputed:
            cells = [
                _Cell("=", "holds a formula that was never computed")
                if (number, at) in uncomputed and not cell.text
                else cell
                for at, cell in enumerate(cells, 1)
            ]
        yield number, cells


def _has_formulas(data: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        sheets = (package.read(name) for name in package.namelist() if name.startswith("xl/worksheets/"))
        return any(b"<f>" in part or b"<f " in part for part in sheets)


def _uncomputed(data: bytes, page: Any) -> set[tuple[int, int]]:
    """(row, column) of the formulas of a sheet, by a second look: one without a value is not the same as an empty cell."""
    from openpyxl import load_workbook

    again = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)[page.title]
    again.reset_dimensions()
    return {
        (number, at)
        for number, row in enumerate(again.iter_rows(max_col=MAX_COLUMNS), 1)
        for at, cell in enumerate(row, 1)
        if cell.data_type == "f"
    }


def _shown(cell: Any) -> _Cell:
    """What the spreadsheet shows of a cell: codes with their zeros, days as DD/MM/YYYY."""
    value = cell.value
    if value is None:
        return _Cell("")
    if isinstance(value, bool):
        return _Cell("yes" if value else "no")
    if isinstance(value, int | float):
        return _Cell(_digits(value, str(cell.number_format)))
    if isinstance(value, datetime):
        return _Cell(value.strftime("%d/%m/%Y" if value.time() == time() else "%d/%m/%Y %H:%M:%S"))
    if isinstance(value, date):
        return _Cell(value.strftime("%d/%m/%Y"))
    text = str(value)
    if cell.data_type == "e" or text in _ERRORS:
        return _Cell(text, f"holds the spreadsheet's error {text}")
    return _Cell(text, _too_long(text))


def _digits(value: float, shown_as: str) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, int) and re.fullmatch("0{2,20}", shown_as) and value >= 0:
        return str(value).zfill(len(shown_as))
    return str(value)


def sheet(lines: Iterable[_Line]) -> Sheet:
    """The rows below the header, blank ones left out. Raises Invalid without a header, or with more than MAX_ROWS rows."""
    above: list[list[str]] = []
    given = iter(lines)
    for _, cells in given:
        texts = [cell.text for cell in cells]
        if is_header(texts):
            return _below(texts, given)
        if any(text.strip() for text in texts):
            above.append(texts)
        if len(above) >= HEADER_WITHIN:
            break
    raise _no_header(above)


def is_header(texts: list[str]) -> bool:
    """A code and something else, or any four columns that we know."""
    fields = {field for text in texts if (field := columns.field_of(text))}
    return len(fields) >= (2 if "code" in fields else 4)


def _no_header(above: list[list[str]]) -> Invalid:
    likely = max(above, key=lambda texts: sum(1 for text in texts if text.strip()), default=[])
    found = ", ".join(repr(text.strip()[:30]) for text in likely if text.strip())[:300]
    return Invalid(
        "no row has the headers of a sheet of cameras (Code, Name, Latitude, Longitude, URL ...): take the template; found was "
        f"{found or 'nothing'}",
        field=FIELD,
        code="no_header",
    )


def _below(header: list[str], lines: Iterator[_Line]) -> Sheet:
    fields, notes = _assigned(header)
    rows: list[SheetRow] = []
    for number, cells in lines:
        row = _row(number, cells, fields)
        if row is not None:
            rows.append(row)
        if len(rows) > MAX_ROWS:
            raise Invalid(
                f"the sheet has more than {MAX_ROWS} rows: cut it into sheets of at most {MAX_ROWS}; nothing was imported",
                field=FIELD,
            )
    headers = {field: header[index].strip() for index, field in fields.items()}
    if numbered(rows):
        headers.pop("serial")
        rows = [SheetRow(row.number, _less(row.cells, "serial"), row.faults) for row in rows]
        notes.append("the first serial numbers are 1, 2, 3: taken for the numbers of the rows, not of the cameras")
    if not rows:
        raise Invalid("there is no camera below the header", field=FIELD)
    return Sheet(headers, tuple(rows), tuple(notes))


def numbered(rows: list[SheetRow]) -> bool:
    """Whether the column of serial numbers counts the rows."""
    first = [row.cells.get("serial", "") for row in rows[:3]]
    return bool(first) and first == ["1", "2", "3"][: len(first)]


def _less(cells: dict[str, str], field: str) -> dict[str, str]:
    return {name: text for name, text in cells.items() if name != field}


def _assigned(header: list[str]) -> tuple[dict[int, str], list[str]]:
    """(place in the row -> field, what was not understood). Raises Invalid for two columns of one field, and without a code."""
    fields: dict[int, str] = {}
    notes = []
    for index, text in enumerate(header):
        field = columns.field_of(text)
        if field is None:
            if text.strip() and not columns.ignored(text):
                near = columns.nearest(text)
                hint = f": did you mean {near.en} ({near.hi})?" if near else ""
                notes.append(f"the column {text.strip()[:60]!r} is not known and was left out{hint}")
        elif field in fields.values():
            first = next(header[at] for at, other in fields.items() if other == field)
            raise Invalid(
                f"two columns mean the same: {first.strip()[:60]!r} and {text.strip()[:60]!r}; take one away",
                field=FIELD,
            )
        else:
            fields[index] = field
    if "code" not in fields.values():
        raise Invalid("the sheet has no column Code (कोड): each camera needs one of its own", field=FIELD)
    if "place" in fields.values() and {"lat", "lon"} & set(fields.values()):
        raise Invalid(
            "the sheet gives places twice: as Coordinates and as Latitude, Longitude; take one away", field=FIELD
        )
    return fields, notes


def _row(number: int, cells: list[_Cell], fields: dict[int, str]) -> SheetRow | None:
    """None: nothing stands in any of our columns."""
    mine = {field: cells[index] if index < len(cells) else _Cell("") for index, field in fields.items()}
    if not any(cell.text.strip("\u00a0\u200b\ufeff \t\r\n") for cell in mine.values()):
        return None
    return SheetRow(
        number,
        {field: cell.text[:MAX_CELL] for field, cell in mine.items()},
        {field: cell.fault for field, cell in mine.items() if cell.fault},
    )
