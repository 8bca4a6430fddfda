"""`nvr register`: what is linked, what really records, what is faulty since when; signed off, and as a file."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import click

from config.owner_kinds import OwnerKind, all_kinds
from config.settings import Settings
from nvr.cli_base import catalog_for_reading, catalog_for_writing, json_option, run, show, table, with_settings
from storage.child import in_child
from storage.clock import wall_us
from storage.registry import register_days, register_paper
from storage.registry.register import Line, Register
from storage.registry.register_paper import FORMATS, LANGUAGES, Paper, per_cent

day_option = click.option("--day", metavar="YYYY-MM-DD", help="In the site's zone [default: today].")


@click.group()
def register() -> None:
    """The daily register: targets, what is linked and records, what is faulty."""


def _kinds(settings: Settings) -> dict[str, OwnerKind]:
    return all_kinds(settings.registry.owner_kinds)


def _day(settings: Settings, day: str | None) -> str:
    return day or register_days.day_of(wall_us(), ZoneInfo(settings.server.timezone))


def _read(settings: Settings, day: str | None) -> Register:
    zone = ZoneInfo(settings.server.timezone)
    with catalog_for_reading(settings) as db:
        return register_days.read(db, _day(settings, day), now_us=wall_us(), zone=zone, kinds=list(_kinds(settings)))


@register.command("show")
@day_option
@click.option("--stations", is_flag=True, help="Also by police station.")
@json_option
@with_settings
def show_day(settings: Settings, as_json: bool, stations: bool, day: str | None) -> None:
    """By kind of owner, then the cameras that are faulty, the longest first."""
    found = _read(settings, day)
    kinds = _kinds(settings)
    if as_json:
        from web.register_schemas import shown

        show(shown(found, kinds).model_dump(mode="json", by_alias=True))
        return
    paper = Paper(found, kinds, settings.server.name, settings.server.timezone, "en")
    click.echo(f"{paper.place} {paper.day()}, {paper.window()}; {paper.signature()}")
    lines = [line for line in found.every_line() if stations or not line.station]
    head = ["KIND", "TARGET", "INSTALLED", "LINKED", "OF TARGET", "RECORDING", "COVERAGE", "FAULTY", "DAYS", "ACTION"]
    table(head, [_row(paper, line) for line in lines if line.installed or line.target or line is found.total])
    if found.faulty:
        click.echo()
        rows = [
            [one.code, one.name, one.station, one.cause, one.days, paper.time(one.since_us), one.contact]
            for one in found.faulty
        ]
        table(["FAULTY", "NAME", "STATION", "CAUSE", "DAYS", "SINCE", "CONTACT"], rows)


def _row(paper: Paper, line: Line) -> list[object]:
    return [
        f"  {line.station}" if line.station else paper.kind(line.owner_kind),
        paper.target(line),
        line.installed,
        line.linked,
        _share(line.share),
        line.recording,
        _share(line.coverage),
        line.faulty,
        line.faulty_days if line.faulty else None,
        line.note.action if line.note else "",
    ]


def _share(part: float | None) -> str | None:
    shown = per_cent(part)
    return None if shown is None else f"{shown:.1f} %"


@register.command()
@day_option
@click.option("--by", required=True, help="The nodal officer's name.")
@click.option("--remarks", default="", help="Of the day.")
@with_settings
def sign(settings: Settings, remarks: str, by: str, day: str | None) -> None:
    """Sign a day off: from then on it never changes."""
    zone = ZoneInfo(settings.server.timezone)
    with catalog_for_writing(settings) as db:
        made = register_days.signed(
            db,
            _day(settings, day),
            by=by,
            remarks=remarks,
            seen=None,
            now_us=wall_us(),
            zone=zone,
            kinds=list(_kinds(settings)),
        )
        register_days.put_signed(db, made)
    total = made.total
    click.echo(
        f"{made.day} signed by {made.signed_by}: {total.linked} linked, {total.recording} recording, {total.faulty} faulty"
    )


@register.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@day_option
@click.option("--language", type=click.Choice(LANGUAGES), help="Of headings and kinds of owners [default: the site's].")
@with_settings
def export(settings: Settings, language: str | None, day: str | None, file: Path) -> None:
    """Write FILE: .pdf, .xlsx or .csv."""
    kind = file.suffix.lstrip(".").lower()
    if kind not in FORMATS:
        raise click.UsageError(f"the name of FILE ends in {', '.join(f'.{name}' for name in FORMATS)}")
    found = _read(settings, day)
    paper = Paper(
        found,
        _kinds(settings),
        settings.server.name,
        settings.server.timezone,
        language or settings.server.language,
    )
    file.write_bytes(run(in_child(register_paper.make, paper, kind)))
    click.echo(f"{file}: {paper.day()}, {paper.signature()}")
