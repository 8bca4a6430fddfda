"""The register as a workbook, set up to be printed on A4 landscape. In a child process."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from storage.registry.register import Line
from storage.registry.register_paper import FAULTY_COLUMNS, LINE_COLUMNS, Cell, Paper, cells, faulty_cells

_WIDTHS: Final = {
    "kind": 34,
    "station": 20,
    "action": 40,
    "remarks": 40,
    "name": 34,
    "cause": 20,
    "since": 20,
    "owner": 24,
    "contact": 22,
    "code": 14,
}
_WIDTH: Final = 13
_FORMATS: Final = {"share": "0.0", "coverage": "0.0"}
_LINE: Final = Side(style="thin", color="999999")
_BORDER: Final = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_HEAD: Final = PatternFill("solid", fgColor="DDE7E5")
_KIND: Final = PatternFill("solid", fgColor="F3F6F5")


def xlsx_bytes(paper: Paper) -> bytes:
    book = Workbook(write_only=True)
    _lines(book, paper)
    _faulty(book, paper)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sheet(book: Workbook, paper: Paper, title: str, columns: Sequence[str], head_row: int) -> Any:
    sheet = book.create_sheet(title)
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9  # A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{head_row}:{head_row}"
    sheet.freeze_panes = f"A{head_row + 1}"
    sheet.oddFooter.center.text = "&P / &N"
    sheet.oddFooter.left.text = f"{paper.place} {paper.day()}".replace("&", "&&")
    for number, column in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTHS.get(column, _WIDTH)
    return sheet


def _cell(sheet: Any, value: Cell, *, bold: bool = False, size: int = 10, fill: PatternFill | None = None) -> Any:
    """A text is a text, whatever it begins with."""
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        cell.data_type = "s"
        cell.quotePrefix = value[:1] in "=+-@" and value != ""
    cell.font = Font(name="Noto Sans Devanagari", bold=bold, size=size)
    if fill is not None:
        cell.fill = fill
    return cell


def _row(
    sheet: Any, columns: Sequence[str], values: Sequence[Cell], *, bold: bool, fill: PatternFill | None
) -> list[Any]:
    made = []
    for column, value in zip(columns, values, strict=True):
        cell = _cell(sheet, value, bold=bold, fill=fill)
        cell.border = _BORDER
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        if column in _FORMATS:
            cell.number_format = _FORMATS[column]
        made.append(cell)
    return made


def _lines(book: Workbook, paper: Paper) -> None:
    sheet = _sheet(book, paper, paper.word("register")[:31].replace("/", "-"), LINE_COLUMNS, head_row=4)
    sheet.append([_cell(sheet, f"{paper.place}: {paper.word('title')}", bold=True, size=14)])
    sheet.append([_cell(sheet, f"{paper.word('day')}: {paper.day()}", bold=True), None, _cell(sheet, paper.window())])
    sheet.append([])
    sheet.append(_row(sheet, LINE_COLUMNS, [paper.word(key) for key in LINE_COLUMNS], bold=True, fill=_HEAD))
    for line in paper.register.every_line():
        sheet.append(_row(sheet, LINE_COLUMNS, cells(paper, line), bold=not line.station, fill=_fill(line, paper)))
    sheet.append([])
    sheet.append([_cell(sheet, f"{paper.word('nodal')}: {paper.signature()}", bold=True)])
    if paper.register.remarks:
        sheet.append([_cell(sheet, f"{paper.word('remarks')}: {paper.register.remarks}")])


def _fill(line: Line, paper: Paper) -> PatternFill | None:
    if line is paper.register.total:
        return _HEAD
    return None if line.station else _KIND


def _faulty(book: Workbook, paper: Paper) -> None:
    title = paper.word("faulty_list")[:31].replace("/", "-")
    sheet = _sheet(book, paper, title, FAULTY_COLUMNS, head_row=3)
    head = f"{paper.place}, {paper.day()}: {paper.word('faulty_list')} ({len(paper.register.faulty)})"
    sheet.append([_cell(sheet, head, bold=True, size=14)])
    sheet.append([])
    sheet.append(_row(sheet, FAULTY_COLUMNS, [paper.word(key) for key in FAULTY_COLUMNS], bold=True, fill=_HEAD))
    for camera in paper.register.faulty:
        sheet.append(_row(sheet, FAULTY_COLUMNS, faulty_cells(paper, camera), bold=False, fill=None))
