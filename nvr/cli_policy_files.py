"""`nvr retention import` and `export`: policies as a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from config.errors import Invalid, NvrError
from config.settings import Settings
from nvr import policy_files
from nvr.cli_base import json_option, with_settings
from nvr.cli_policies import confirm_option, dry_run_option, finish, policies_for_reading, target_of
from nvr.policy_files import Fault, Row
from retention import changes
from retention.changes import Edit
from storage.catalog import policies
from storage.catalog.sqlite import Connection
from storage.clock import wall_us

MAX_FILE_BYTES = 4 * 1024 * 1024


@click.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@dry_run_option
@confirm_option
@json_option
@with_settings
def import_(settings: Settings, file: Path, dry_run: bool, confirm: bool, as_json: bool) -> None:
    """Make or change the policies of a file (.csv or .toml), all or none; others stay."""
    toml = _is_toml(file)
    rows, faults = policy_files.read(_file_text(file), toml=toml)
    with policies_for_reading(settings) as db:
        edits, more = _edits(db, rows)
        faults += more
        if faults:
            for fault in faults:
                click.echo(str(fault), err=True)
            raise Invalid(
                f"{file}: {len(faults)} of {len(rows) + len(faults) - len(more)} policies are wrong, none was taken"
            )
        prepared = changes.prepare(db, edits, wall_us())
    finish(settings, prepared, dry_run=dry_run, confirm=confirm, as_json=as_json)


def _edits(db: Connection, rows: Sequence[Row]) -> tuple[list[Edit], list[Fault]]:
    """What the rows ask for, and which of them clash with others or with the catalog."""
    edits: list[Edit] = []
    faults: list[Fault] = []
    known = {policy.name: policy for policy in policies.listing(db)}
    places: dict[str, str] = {}
    for row in rows:
        name = row.policy.name
        if name in places:
            faults.append(Fault(row.place, "name", f"{places[name]} has the name {name} already"))
            continue
        places[name] = row.place
        edit = Edit(name, row.policy)
        try:
            edit = Edit(name, changes.resolved(db, row.policy))
            known = changes.edited(list(known.values()), [edit])
        except NvrError as error:
            faults.append(Fault(row.place, error.field or "", error.message))
        edits.append(edit)
    return edits, faults


def _is_toml(file: Path) -> bool:
    if file.suffix.lower() not in (".csv", ".toml"):
        raise Invalid(f"{file}: a file of policies ends in .csv or .toml", field="FILE")
    return file.suffix.lower() == ".toml"


def _file_text(file: Path) -> str:
    with file.open("rb") as stream:
        raw = stream.read(MAX_FILE_BYTES + 1)
    if len(raw) > MAX_FILE_BYTES:
        raise Invalid(f"{file} is larger than {MAX_FILE_BYTES >> 20} MiB: that is no file of policies")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{file} is not UTF-8 (byte {error.start}): save the sheet as CSV UTF-8") from None


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Also over a file that is there.")
@with_settings
def export(settings: Settings, file: Path, force: bool) -> None:
    """Write all policies into a file (.csv or .toml) that import takes."""
    toml = _is_toml(file)
    with policies_for_reading(settings) as db:
        found = policies.listing(db)
        text = policy_files.written([(policy, target_of(db, policy)) for policy in found], toml=toml)
    try:
        with file.open("w" if force else "x", encoding="utf-8", newline="") as stream:
            stream.write(text)
    except FileExistsError:
        raise Invalid(f"{file} is there already: --force writes over it", field="FILE") from None
    click.echo(f"{len(found)} policies in {file}")
