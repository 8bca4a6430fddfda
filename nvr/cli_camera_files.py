"""`nvr camera import|export`: sheets of cameras. A running server acts on an import within two seconds."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import click

from config.errors import Invalid
from config.owner_kinds import all_kinds
from config.settings import Settings
from nvr.cli_base import catalog_for_reading, catalog_for_writing, json_option, run, show, table, with_settings
from nvr.cli_camera import loopback_allowed
from retention import imported
from storage.catalog import probe_queue
from storage.child import in_child
from storage.clock import wall_us
from storage.registry import importing
from storage.registry.import_plan import Item, Plan, Rules
from storage.registry.sheet_read import CSV, XLSX
from storage.registry.sheet_write import FORMATS, LANGUAGES, csv_bytes, template_csv, template_xlsx, xlsx_bytes

MAX_BYTES = 32 * 1024 * 1024
MAX_SHOWN = 200
"""Rows with problems that are printed; `--json` has all."""
READ_S = 300.0


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only tell what each row would do.")
@click.option("--update", is_flag=True, help="Registered cameras may be changed.")
@click.option("--probe", is_flag=True, help="The server looks at the new and changed cameras afterwards.")
@json_option
@with_settings
def import_(settings: Settings, file: Path, dry_run: bool, update: bool, probe: bool, as_json: bool) -> None:
    """Register the cameras of a CSV or XLSX sheet: all of them, or none."""
    data = _bytes_of(file)
    with catalog_for_writing(settings) as db:
        registered = importing.known(db)
    rules = Rules(
        kinds=all_kinds(settings.registry.owner_kinds),
        city=settings.registry.city,
        allow_loopback=loopback_allowed(settings),
        update=update,
    )
    kind = XLSX if file.suffix.lower() == ".xlsx" else CSV
    plan = run(in_child(importing.looked_at, data, kind, registered, rules, limit_s=READ_S))
    with catalog_for_writing(settings) as db:
        plan = importing.with_logins(db, plan, update=update)
        wrong = sum(1 for item in plan.items if item.result == "wrong")
        if not wrong and not dry_run:
            made = imported.write(db, plan, by=file.name, node=settings.server.node)
            if probe and made:
                probe_queue.ask(db, made, wall_us())
    _tell(plan, dry_run=dry_run, as_json=as_json)
    if wrong:
        raise Invalid(f"{wrong} of {len(plan.items)} rows {'is' if wrong == 1 else 'are'} wrong: nothing was imported")


def _bytes_of(file: Path) -> bytes:
    if file.stat().st_size > MAX_BYTES:
        raise Invalid(f"{file} is larger than {MAX_BYTES // 1024**2} MiB: cut it in parts", field="FILE")
    return file.read_bytes()


def _tell(plan: Plan, *, dry_run: bool, as_json: bool) -> None:
    counted = Counter(item.result for item in plan.items)
    if as_json:
        show({"dry_run": dry_run, "notes": list(plan.notes), "items": [_facts(item) for item in plan.items]})
        return
    for note in plan.notes:
        click.echo(f"note: {note}")
    rows = [
        [item.row, item.code, problem.column, problem.what, problem.mend]
        for item in plan.items
        for problem in item.problems
    ]
    if rows:
        table(["row", "code", "column", "what is wrong", "how to mend it"], list(rows[:MAX_SHOWN]))
        if len(rows) > MAX_SHOWN:
            click.echo(f"... and {len(rows) - MAX_SHOWN} more; --json has all")
    would = "would be " if dry_run or counted["wrong"] else ""
    click.echo(f"{counted['add']} {would}added, {counted['change']} {would}changed, {counted['same']} the same")


def _facts(item: Item) -> dict[str, object]:
    return {
        "row": item.row,
        "code": item.code,
        "result": item.result,
        "problems": [
            {"column": one.column, "field": one.field, "what": one.what, "mend": one.mend} for one in item.problems
        ],
        "notes": list(item.notes),
    }


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Of headers and words.")
@click.option("--template", is_flag=True, help="An empty sheet with an example instead.")
@with_settings
def export(settings: Settings, file: Path, language: str, template: bool) -> None:
    """Write all cameras to a CSV or XLSX sheet that `nvr camera import` takes; without logins."""
    form = file.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise Invalid(f"{file.name}: the file's name ends with .csv or .xlsx", field="FILE")
    kinds = all_kinds(settings.registry.owner_kinds)
    if template:
        file.write_bytes(template_xlsx(kinds, language) if form == "xlsx" else template_csv(kinds, language))
        return
    with catalog_for_reading(settings) as db:
        everyone = importing.registered(db)
    file.write_bytes(partial(xlsx_bytes if form == "xlsx" else csv_bytes, everyone, kinds, language)())
    click.echo(f"{len(everyone)} cameras: {file}")
