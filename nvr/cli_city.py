"""`nvr city ...`: a city of invented cameras, for trying the program out."""

from __future__ import annotations

from pathlib import Path

import click

from config.errors import Invalid
from config.owner_kinds import all_kinds
from storage.registry.sample import CITY, sample_city
from storage.registry.sheet_read import MAX_ROWS
from storage.registry.sheet_write import FORMATS, LANGUAGES, csv_bytes, xlsx_bytes


@click.group()
def city() -> None:
    """A city of invented cameras, for tests and demonstrations."""


@city.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--cameras", type=click.IntRange(1, MAX_ROWS), default=CITY, show_default=True)
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Of headers and words.")
def sample(file: Path, cameras: int, language: str) -> None:
    """Write a sheet of invented cameras of Kanpur, disabled, that `nvr camera import` takes."""
    form = file.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise Invalid(f"{file.name}: the file's name ends with .csv or .xlsx", field="FILE")
    made = sample_city(cameras)
    kinds = all_kinds(())
    file.write_bytes(xlsx_bytes(made, kinds, language) if form == "xlsx" else csv_bytes(made, kinds, language))
    click.echo(f"{len(made)} cameras: {file}")
