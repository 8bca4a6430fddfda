"""The page about sheets tells every column, as the template has them."""

from __future__ import annotations

import re
from pathlib import Path

from storage.registry.columns import COLUMNS
from storage.registry.sheet_read import MAX_ROWS

PAGE = (Path(__file__).parents[1] / "docs/guide/import.md").read_text("utf-8")


def test_every_column_is_told_with_its_headers_and_what_it_holds() -> None:
    told = [tuple(map(str.strip, row.split(" | "))) for row in re.findall(r"(?m)^\| (.+ \| .+ \| .+ \| .*) \|$", PAGE)]
    for column in COLUMNS:
        assert (column.en, column.hi, column.holds.replace("|", "\\|"), ", ".join(column.other)) in told


def test_the_bound_is_told() -> None:
    assert f"At most {MAX_ROWS:,} rows" in PAGE
