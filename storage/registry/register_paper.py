"""The register as tables of texts and numbers, and as a file: CSV, XLSX or PDF. `make` is for a child process."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from config.owner_kinds import OwnerKind
from storage.registry.cells import safe
from storage.registry.register import WHOLE_CITY, Faulty, Line, Register
from storage.registry.register_words import CAUSES, LANGUAGES, WORDS, Words

__all__ = ["FAULTY_COLUMNS", "FORMATS", "LANGUAGES", "LINE_COLUMNS", "Cell", "Paper", "make"]

FORMATS: Final = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
LINE_COLUMNS: Final = (
    *("kind", "station", "target", "installed", "linked", "share", "recording", "coverage", "faulty", "faulty_days"),
    *("action", "remarks"),
)
FAULTY_COLUMNS: Final = ("code", "name", "kind", "station", "cause", "days", "since", "coverage", "owner", "contact")
Cell = str | int | float | None
"""Shares and coverage are per cent with one digit; None is not known."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What is to be made into a file. `place`: the site's name; `zone`: IANA; `language`: one of LANGUAGES."""

    register: Register
    kinds: Mapping[str, OwnerKind]
    place: str
    zone: str
    language: str

    def word(self, key: str) -> str:
        return WORDS[key].text(self.language)

    def kind(self, key: str) -> str:
        """A kind of owner in words."""
        if key == WHOLE_CITY:
            return self.word("total")
        if not key:
            return self.word("no_kind")
        found = self.kinds.get(key)
        return Words(found.name, found.name_hi).text(self.language) if found else key

    def cause(self, key: str) -> str:
        found = CAUSES.get(key)
        return found.text(self.language) if found else key

    def name(self, camera: Faulty) -> str:
        """A camera's own, in the paper's language where it has one."""
        return camera.name_hi if self.language == "hi" and camera.name_hi else camera.name

    def day(self) -> str:
        """DD/MM/YYYY."""
        year, month, day = self.register.day.split("-")
        return f"{day}/{month}/{year}"

    def time(self, at_us: int) -> str:
        """DD/MM/YYYY HH:MM:SS in the site's zone."""
        return datetime.fromtimestamp(at_us // 1_000_000, ZoneInfo(self.zone)).strftime("%d/%m/%Y %H:%M:%S")

    def zone_name(self) -> str:
        """IST, or the short name of another zone."""
        at = datetime.fromtimestamp(self.register.taken_us // 1_000_000, ZoneInfo(self.zone))
        return at.tzname() or self.zone

    def target(self, line: Line) -> Cell:
        """A number; "all", with how many that is where somebody counted; None without a target."""
        if line.target is None:
            return None
        if not line.target.is_all:
            return line.target.wanted
        known = line.target.all_known
        return self.word("all") if known is None else f"{self.word('all')} ({known})"

    def signature(self) -> str:
        """Who and when, or that nobody has."""
        register = self.register
        if register.signed_us is None:
            return self.word("not_signed")
        return f"{self.word('signed')}: {register.signed_by}, {self.time(register.signed_us)} {self.zone_name()}"

    def window(self) -> str:
        """Which 24 hours."""
        register = self.register
        span = f"{self.time(register.from_us)} – {self.time(register.to_us)} {self.zone_name()}"
        return f"{self.word('window')}: {span}"


def per_cent(part: float | None) -> float | None:
    """One digit; never 100.0 of what is less, nor 0.0 of what is more."""
    if part is None:
        return None
    shown = round(part * 100, 1)
    if part < 1 and shown >= 100:
        return 99.9
    return 0.1 if part > 0 and shown <= 0 else shown


def cells(paper: Paper, line: Line) -> list[Cell]:
    """In the order of LINE_COLUMNS."""
    note = line.note
    return [
        paper.kind(line.owner_kind),
        line.station,
        paper.target(line),
        line.installed,
        line.linked,
        per_cent(line.share),
        line.recording,
        per_cent(line.coverage),
        line.faulty,
        line.faulty_days if line.faulty else None,
        note.action if note else "",
        note.remarks if note else "",
    ]


def faulty_cells(paper: Paper, camera: Faulty) -> list[Cell]:
    """In the order of FAULTY_COLUMNS."""
    return [
        *(camera.code, paper.name(camera), paper.kind(camera.owner_kind), camera.station, paper.cause(camera.cause)),
        *(camera.days, paper.time(camera.since_us), per_cent(camera.coverage), camera.owner, camera.contact),
    ]


def make(paper: Paper, kind: str) -> bytes:
    """The file, in one of FORMATS."""
    from storage.registry import register_pdf, register_sheet  # here alone: in the child

    makers: dict[str, Callable[[Paper], bytes]] = {
        "csv": csv_bytes,
        "xlsx": register_sheet.xlsx_bytes,
        "pdf": register_pdf.pdf_bytes,
    }
    return makers[kind](paper)


def csv_bytes(paper: Paper) -> bytes:
    """UTF-8 with the mark by which Excel knows it: the lines, an empty one, the faulty cameras, the signature. What would be a
    formula is none."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")

    def put(row: list[Cell]) -> None:
        writer.writerow(
            ["" if cell is None else safe(cell) if isinstance(cell, str) and cell else cell for cell in row]
        )

    put([paper.word("day"), *map(paper.word, LINE_COLUMNS)])
    for line in paper.register.every_line():
        put([paper.day(), *cells(paper, line)])
    writer.writerow([])
    put([paper.word("day"), *map(paper.word, FAULTY_COLUMNS)])
    for camera in paper.register.faulty:
        put([paper.day(), *faulty_cells(paper, camera)])
    writer.writerow([])
    put([paper.day(), paper.signature(), paper.register.remarks])
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8")
