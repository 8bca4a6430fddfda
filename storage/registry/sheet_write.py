"""Cameras as a sheet that `sheet_read` takes back unchanged, and the empty template. CSV here; XLSX in a child process.

Passwords and users are never in it. What begins as a formula is written so that no spreadsheet computes it (`cells.safe`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from config.owner_kinds import OwnerKind
from storage.camera_rules import AUDIO, COVERS
from storage.model import Camera
from storage.registry import cells
from storage.registry.columns import EXPORTED, IN_TEMPLATE, Column, plain

Value = str | float | None

LANGUAGES: Final = ("en", "hi")
FORMATS: Final = ("csv", "xlsx")
MAX_LISTED: Final = 20_000
"""Rows of a template whose cells offer the allowed values."""

_NUMBERS = frozenset(("lat", "lon", "bearing", "fov"))
_SHEETS = {"en": ("Cameras", "Allowed values"), "hi": ("कैमरे", "मान्य मान")}
_YES_NO = {"en": ("yes", "no"), "hi": ("हाँ", "नहीं")}
_HEADS = {"en": ("Column", "In Hindi", "What it may hold"), "hi": ("कॉलम", "अंग्रेज़ी में", "क्या भरें")}
_WIDTHS = {"name": 34, "name_hi": 30, "owner_kind": 28, "url": 44, "address": 34, "site": 24, "owner": 24}


def rows(cameras: Iterable[Camera], kinds: Mapping[str, OwnerKind], language: str) -> Iterator[list[Value]]:
    """One list a camera, in the order of EXPORTED."""
    words = cells.kind_words(tuple(kinds.values()))
    for camera in cameras:
        yield [_value(camera, column.field, kinds, words, language) for column in EXPORTED]


def _value(camera: Camera, name: str, kinds: Mapping[str, OwnerKind], words: Mapping[str, str], language: str) -> Value:
    value = getattr(camera, name)
    if name in _NUMBERS:
        return None if value is None else float(value)
    if name == "owner_kind":
        return cells.safe(_kind(value, kinds, words, language))
    if name == "covers":
        return cells.joined_covers(value, language)
    if name == "tags":
        return cells.safe(cells.joined_tags(value))
    if name == "enabled":
        return _YES_NO[language][0 if value else 1]
    return cells.safe(str(value))


def _kind(key: str, kinds: Mapping[str, OwnerKind], words: Mapping[str, str], language: str) -> str:
    """Its name, where that means this kind alone; else its key."""
    kind = kinds.get(key)
    if kind is None:
        return key
    name = kind.name_hi if language == "hi" else kind.name
    return name if words.get(plain(name)) == key else key


def csv_bytes(cameras: Iterable[Camera], kinds: Mapping[str, OwnerKind], language: str) -> bytes:
    """UTF-8 with the mark by which Excel knows it."""
    return _csv([[column.header(language) for column in EXPORTED], *rows(cameras, kinds, language)])


def _csv(lines: Iterable[Sequence[Value]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    for line in lines:
        writer.writerow(["" if value is None else _short(value) for value in line])
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8")


def _short(value: str | float) -> str:
    """26.0 as 26: a spreadsheet shows it so."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def xlsx_bytes(cameras: Sequence[Camera], kinds: Mapping[str, OwnerKind], language: str) -> bytes:
    """In a child process."""
    return _workbook(EXPORTED, rows(cameras, kinds, language), kinds, language)


def _example(kinds: Mapping[str, OwnerKind], language: str) -> list[Value]:
    kind = kinds["smart_city"]
    texts = {column.field: (column.example_hi if language == "hi" else "") or column.example for column in IN_TEMPLATE}
    texts["owner_kind"] = kind.name_hi if language == "hi" else kind.name
    return [
        float(text) if column.field in _NUMBERS and (text := texts[column.field]) else texts[column.field]
        for column in IN_TEMPLATE
    ]


def template_csv(kinds: Mapping[str, OwnerKind], language: str) -> bytes:
    """The headers and one row that shows how; that row is never imported."""
    return _csv([[column.header(language) for column in IN_TEMPLATE], _example(kinds, language)])


def template_xlsx(kinds: Mapping[str, OwnerKind], language: str) -> bytes:
    """In a child process. With a second sheet that says what each column may hold, and lists to choose from."""
    return _workbook(IN_TEMPLATE, [_example(kinds, language)], kinds, language)


def _workbook(
    columns: Sequence[Column], lines: Iterable[Sequence[Value]], kinds: Mapping[str, OwnerKind], language: str
) -> bytes:
    from openpyxl import Workbook  # takes 0.3 s, in the child process alone
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    names = _SHEETS[language]
    page = book.create_sheet(names[0])
    page.freeze_panes = "B2"
    for number, column in enumerate(columns, 1):
        page.column_dimensions[get_column_letter(number)].width = _WIDTHS.get(column.field, 16)
        page.column_dimensions[get_column_letter(number)].number_format = "General" if column.field in _NUMBERS else "@"
    head = [WriteOnlyCell(page, value=column.header(language)) for column in columns]
    for cell in head:
        cell.font = Font(bold=True)
    page.append(head)
    for line in lines:
        page.append([_cell(page, value, WriteOnlyCell) for value in line])
    allowed = _allowed(kinds, language)
    for column in columns:
        if column.field in allowed:
            _offer(
                page,
                columns.index(column) + 1,
                names[1],
                list(allowed).index(column.field) + 5,
                len(allowed[column.field]),
            )
    _explained(book.create_sheet(names[1]), columns, allowed, language, WriteOnlyCell, Font(bold=True))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(page: Any, value: Value, make: Any) -> Any:
    """Texts are marked as such: a code 0412 keeps its zero when somebody edits it."""
    if not isinstance(value, str) or not value:
        return None if value == "" else value
    cell = make(page, value=value)
    cell.data_type = "s"
    cell.number_format = "@"
    return cell


def _allowed(kinds: Mapping[str, OwnerKind], language: str) -> dict[str, list[str]]:
    hindi = language == "hi"
    return {
        "owner_kind": [kind.name_hi if hindi else kind.name for kind in kinds.values()],
        "covers": [cells.joined_covers((cover,), language) for cover in COVERS],
        "audio": list(AUDIO),
        "enabled": list(_YES_NO[language]),
    }


def _offer(page: Any, number: int, values_page: str, values_column: int, count: int) -> None:
    """A list to choose from; another value is not refused, for several may stand in one cell."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    source, target = get_column_letter(values_column), get_column_letter(number)
    offer = DataValidation(
        type="list",
        formula1=f"'{values_page}'!${source}$2:${source}${count + 1}",
        allow_blank=True,
        showErrorMessage=False,
    )
    offer.add(f"{target}2:{target}{MAX_LISTED}")
    page.data_validations.append(offer)


def _explained(
    page: Any, columns: Sequence[Column], allowed: Mapping[str, list[str]], language: str, make: Any, bold: Any
) -> None:
    """Columns A to C: what each column may hold; from E on the values to choose from."""
    hindi = language == "hi"
    by_field = {column.field: column for column in columns}
    for letter, width in (("A", 22), ("B", 22), ("C", 70), ("E", 34), ("F", 20), ("H", 10)):
        page.column_dimensions[letter].width = width
    head = [*_HEADS[language], "", *(by_field[name].header(language) if name in by_field else name for name in allowed)]
    cells_of_head = [make(page, value=text) for text in head]
    for cell in cells_of_head:
        cell.font = bold
    page.append(cells_of_head)
    lists = list(allowed.values())
    for at in range(max(len(columns), *map(len, lists))):
        told: list[str | None] = [None, None, None]
        if at < len(columns):
            column = columns[at]
            told = [
                column.header(language),
                column.header("en" if hindi else "hi"),
                column.holds_hi if hindi else column.holds,
            ]
        page.append([*told, None, *(values[at] if at < len(values) else None for values in lists)])
