"""The register on paper: A4 landscape, English or Hindi or both, with Devanagari shaped (HarfBuzz). In a child process.

Text is drawn by `put` alone; rows that are taller than the rest of a page go on on the next.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import fontpkg_noto_sans_devanagari as noto  # type: ignore[import-untyped]  # it has no stubs
from fpdf import FPDF
from fpdf.enums import TextDirection, TextMode, XPos, YPos
from fpdf.line_break import Fragment

from storage.registry.register_paper import FAULTY_COLUMNS, Cell, Paper, cells, faulty_cells

FONT: Final = "noto"
MARGIN_MM: Final = 10.0
WIDTH_MM: Final = 277.0
BOTTOM_MM: Final = 196.0
LINE_MM: Final = 4.2
PAD_MM: Final = 0.9
SIZE_PT: Final = 8.0
SIGNATURE_MM: Final = 44.0

_COLUMNS: Final = (
    *(("kind", 62.0), ("target", 17.0), ("installed", 18.0), ("linked", 18.0), ("share", 17.0), ("recording", 19.0)),
    *(("coverage", 22.0), ("faulty", 16.0), ("faulty_days", 22.0), ("action", 33.0), ("remarks", 33.0)),
)
_FAULTY: Final = dict(
    zip(FAULTY_COLUMNS, (24.0, 46.0, 44.0, 28.0, 26.0, 11.0, 31.0, 17.0, 26.0, 24.0), strict=True),
)
_NUMBERS: Final = frozenset(
    ("target", "installed", "linked", "share", "recording", "coverage", "faulty", "faulty_days", "days")
)
LINE_WIDTH_MM: Final = 0.1
PAGES: Final = "{nb}"
"""fpdf2 puts the number of pages there."""
FROM_THE_RIGHT: Final = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI"})
_BLACK: Final = (20, 20, 20)
_HEAD: Final = (221, 231, 229)
_KIND: Final = (243, 246, 245)


@dataclass(frozen=True, slots=True)
class _Column:
    key: str
    width_mm: float


class _Page(FPDF):
    """Header and footer of every page."""

    def __init__(self, paper: Paper) -> None:
        super().__init__(orientation="landscape", unit="mm", format="A4")
        self.paper = paper
        self.widths: dict[tuple[float, str], float] = {}
        self.pieces: dict[tuple[str, float, TextMode], Sequence[Fragment]] = {}
        self.add_font(FONT, "", next((Path(noto.ROOT) / "files").glob("*.ttf")))
        self.set_margins(MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(False)
        self.set_title(f"{paper.place} {paper.day()}")
        self.set_lang("hi" if paper.language == "hi" else "en")
        self.set_draw_color(*_BLACK)

    def _preload_bidirectional_text(self, text: str, markdown: bool) -> Sequence[Fragment]:
        """fpdf2 looks at every character for scripts that are written from the right, and cuts the text in pieces: a fifth of
        the time of a register. Without such letters (Urdu has them) it is one piece; that of a text that comes again is kept.
        """
        if not self.text_shaping or any(unicodedata.bidirectional(letter) in FROM_THE_RIGHT for letter in set(text)):
            return super()._preload_bidirectional_text(text, markdown)
        key = (text, self.font_size_pt, self.text_mode)
        found = self.pieces.get(key)
        if found is None:
            direction = TextDirection.LTR
            self.text_shaping.update(paragraph_direction=direction, fragment_direction=direction)
            found = self.pieces[key] = self._preload_font_styles(text, markdown)
        return found

    def header(self) -> None:
        paper = self.paper
        self.put(f"{paper.place}: {paper.word('title')}", WIDTH_MM, 6.5, size_pt=13, bold=True, new_line=True)
        self.put(f"{paper.word('day')}: {paper.day()}", 60, 5.5, size_pt=10, bold=True)
        self.put(paper.window(), WIDTH_MM - 60, 5.5, align="R", new_line=True)
        self.ln(1.5)

    def footer(self) -> None:
        self.set_y(-11)
        self.put(self.paper.signature(), 200, 5, size_pt=7.5)
        self.put(f"{self.paper.word('page')} {self.page_no()} / {PAGES}", WIDTH_MM - 200, 5, size_pt=7.5, align="R")

    def put(
        self,
        text: str,
        width_mm: float,
        height_mm: float,
        *,
        size_pt: float = SIZE_PT,
        bold: bool = False,
        align: str = "L",
        new_line: bool = False,
    ) -> None:
        """A line of text. Bold is a stroke around the letters: the font's own bold takes 1.6 s to be made."""
        self._set(text, size_pt)
        end_x, end_y = (XPos.LMARGIN, YPos.NEXT) if new_line else (XPos.RIGHT, YPos.TOP)
        drawn = self.local_context(text_mode=TextMode.FILL_STROKE, line_width=size_pt / 80) if bold else nullcontext()
        with drawn:
            if text.isascii() and PAGES not in text:
                self._plain(text, width_mm, height_mm, size_pt, to_the_right=align == "R", new_line=new_line)
            else:
                self.cell(width_mm, height_mm, text, align=align, new_x=end_x, new_y=end_y)

    def _plain(
        self, text: str, width_mm: float, height_mm: float, size_pt: float, *, to_the_right: bool, new_line: bool
    ) -> None:
        """As `cell` draws it, in a third of the time: half of a register is numbers, codes and dates."""
        room = width_mm - self.width_of(text, size_pt) - self.c_margin if to_the_right else self.c_margin
        self.text(self.x + room, self.y + 0.5 * height_mm + 0.3 * self.font_size, text)
        if new_line:
            self.set_xy(self.l_margin, self.y + height_mm)
        else:
            self.set_x(self.x + width_mm)

    def width_of(self, text: str, size_pt: float) -> float:
        """Millimetres; words come again and again."""
        key = (size_pt, text)
        found = self.widths.get(key)
        if found is None:
            self._set(text, size_pt)
            found = self.widths[key] = self.get_string_width(text)
        return found

    def _set(self, text: str, size_pt: float) -> None:
        """Letters of English need no shaping, which takes longer than all the rest."""
        if self.font_size_pt != size_pt or self.font_family != FONT:
            self.set_font(FONT, "", size_pt)
        shaped = not text.isascii()
        if shaped != bool(self.text_shaping):
            self.set_text_shaping(shaped)


def pdf_bytes(paper: Paper) -> bytes:
    page = _Page(paper)
    page.add_page()
    columns = [_Column(key, width) for key, width in _COLUMNS]
    table = _Table(page, columns)
    table.head()
    keys = ["kind", "station", *(key for key, _ in _COLUMNS[1:])]
    for line in paper.register.every_line():
        values = dict(zip(keys, cells(paper, line), strict=True))
        name = f"    {line.station}" if line.station else values["kind"]
        whole = line is paper.register.total
        fill = _HEAD if whole else None if line.station else _KIND
        table.row([name, *(values[key] for key, _ in _COLUMNS[1:])], bold=not line.station, fill=fill)
    _faulty(page, paper)
    _signature(page, paper)
    return bytes(page.output())


def _faulty(page: _Page, paper: Paper) -> None:
    if page.get_y() > BOTTOM_MM - 30:
        page.add_page()
    page.ln(4)
    head = f"{paper.word('faulty_list')}: {grouped(len(paper.register.faulty))}"
    page.put(head, WIDTH_MM, 6, size_pt=10, bold=True, new_line=True)
    if not paper.register.faulty:
        page.put(paper.word("none_faulty"), WIDTH_MM, 5, new_line=True)
        return
    table = _Table(page, [_Column(key, width) for key, width in _FAULTY.items()])
    table.head()
    for camera in paper.register.faulty:
        table.row(faulty_cells(paper, camera))


def _signature(page: _Page, paper: Paper) -> None:
    """Kept together, with room for a signature by hand."""
    remarks = _wrapped(page, paper.register.remarks, WIDTH_MM - 10, 9) if paper.register.remarks else []
    if page.get_y() + SIGNATURE_MM + len(remarks) * 5 > BOTTOM_MM:
        page.add_page()
    page.ln(4)
    if remarks:
        page.put(paper.word("remarks"), WIDTH_MM, 5, size_pt=9, bold=True, new_line=True)
        for text in remarks:
            page.put(text, WIDTH_MM, 5, size_pt=9, new_line=True)
    page.ln(14)
    left = MARGIN_MM + WIDTH_MM - 110
    page.set_line_width(LINE_WIDTH_MM)
    page.line(left, page.get_y(), left + 110, page.get_y())
    for text, bold in ((paper.word("nodal"), True), (paper.signature(), False)):
        page.set_x(left)
        page.put(text, 110, 5.5, size_pt=9, bold=bold, new_line=True)


class _Table:
    """Rows under a head that every page repeats."""

    def __init__(self, page: _Page, columns: Sequence[_Column]) -> None:
        self.page = page
        self.columns = columns

    def head(self) -> None:
        texts = [self.page.paper.word(column.key).replace(" / ", "\n") for column in self.columns]
        self._rows(texts, bold=True, fill=_HEAD, size_pt=7.5)

    def row(self, values: Iterable[Cell], *, bold: bool = False, fill: tuple[int, int, int] | None = None) -> None:
        texts = ["–" if value is None else _shown(value) for value in values]
        self._rows(texts, bold=bold, fill=fill, size_pt=SIZE_PT, breaks=True)

    def _rows(
        self,
        texts: Sequence[str],
        *,
        bold: bool,
        fill: tuple[int, int, int] | None,
        size_pt: float,
        breaks: bool = False,
    ) -> None:
        """One row; what does not fit goes on on the next page, under the head again."""
        page = self.page
        lines = [
            _wrapped(page, text, column.width_mm - 2 * PAD_MM - 0.5, size_pt)
            for text, column in zip(texts, self.columns, strict=True)
        ]
        left = max(len(some) for some in lines)
        at = 0
        while left > 0:
            room = int((BOTTOM_MM - page.get_y() - 2 * PAD_MM) / LINE_MM)
            if breaks and room < min(left, 3):
                page.add_page()
                self.head()
                continue
            taken = min(left, max(room, 1))
            self._draw([some[at : at + taken] for some in lines], taken, fill, bold=bold, size_pt=size_pt)
            at, left = at + taken, left - taken

    def _draw(
        self,
        lines: Sequence[Sequence[str]],
        count: int,
        fill: tuple[int, int, int] | None,
        *,
        bold: bool,
        size_pt: float,
    ) -> None:
        page = self.page
        top, height, x = page.get_y(), count * LINE_MM + 2 * PAD_MM, MARGIN_MM
        if fill is not None:
            page.set_fill_color(*fill)
            page.rect(MARGIN_MM, top, sum(column.width_mm for column in self.columns), height, style="F")
            page.set_fill_color(*_BLACK)
        for column, some in zip(self.columns, lines, strict=True):
            page.set_line_width(LINE_WIDTH_MM)
            page.rect(x, top, column.width_mm, height)
            align = "R" if column.key in _NUMBERS else "L"
            for number, text in enumerate(some):
                if not text:
                    continue
                page.set_xy(x + PAD_MM - page.c_margin + 0.2, top + PAD_MM + number * LINE_MM)
                width = column.width_mm - 2 * PAD_MM + 2 * page.c_margin - 0.4
                page.put(text, width, LINE_MM, size_pt=size_pt, bold=bold, align=align)
            x += column.width_mm
        page.set_xy(MARGIN_MM, top + height)


def _shown(value: str | int | float) -> str:
    if isinstance(value, int):
        return grouped(value)
    return f"{value:.1f}" if isinstance(value, float) else value


def grouped(value: int) -> str:
    """As in India: 12,34,567."""
    digits = str(value)
    head, tail = digits[:-3], digits[-3:]
    parts: list[str] = []
    while head:
        head, part = head[:-2], head[-2:]
        parts.insert(0, part)
    return ",".join([*parts, tail])


def _wrapped(page: _Page, text: str, width_mm: float, size_pt: float) -> list[str]:
    """Lines that fit, broken at line ends and blanks; a word that is too long by itself is cut."""
    return [line for part in text.split("\n") for line in _broken(page, part, width_mm, size_pt)]


def _broken(page: _Page, text: str, width_mm: float, size_pt: float) -> list[str]:
    lines: list[str] = []
    indent = text[: len(text) - len(text.lstrip())]
    line = indent
    for word in text.split():
        tried = f"{line} {word}" if line.strip() else f"{line}{word}"
        if page.width_of(tried, size_pt) <= width_mm:
            line = tried
            continue
        if line.strip():
            lines.append(line)
        line = f"{indent}{word}"
        while page.width_of(line, size_pt) > width_mm and len(line) > 1:
            fit = _fitting(page, line, width_mm, size_pt)
            lines.append(line[:fit])
            line = line[fit:]
    return [*lines, line]


def _fitting(page: _Page, text: str, width_mm: float, size_pt: float) -> int:
    """How many characters fit, at least one; a letter keeps its signs."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if page.width_of(text[:middle], size_pt) <= width_mm:
            low = middle
        else:
            high = middle - 1
    while low > 1 and 0x0900 <= ord(text[low]) <= 0x0957 and not 0x0904 <= ord(text[low]) <= 0x0939:
        low -= 1
    return low
