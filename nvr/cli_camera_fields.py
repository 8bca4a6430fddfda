"""What a camera is, as options of `nvr camera add` and `nvr camera set`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from config.errors import Invalid
from config.owner_kinds import all_kinds, known_kind
from config.settings import Settings
from nvr.cli_base import catalog_for_writing, with_settings
from nvr.cli_policies import made_by
from storage.camera_rules import AUDIO, COVERS
from storage.catalog import cameras
from storage.clock import wall_us
from storage.model import CameraId
from web.params import parse_time

T = TypeVar("T")
_OPTIONS = (
    click.option("--name", help="As people call it [default: the code]."),
    click.option("--name-hi", help="The name in Hindi."),
    click.option("--kind", "owner_kind", help="Kind of owner: shop, bank_atm, police_post ..."),
    click.option("--owner", help="Whose it is."),
    click.option("--contact", help="Whom to call."),
    click.option("--site", help="Where it stands; a new site is made."),
    click.option("--station", help="Police station."),
    click.option("--ward"),
    click.option("--zone"),
    click.option("--address"),
    click.option("--covers", multiple=True, type=click.Choice(COVERS), help="May be given several times."),
    click.option("--lat", type=click.FloatRange(-90, 90)),
    click.option("--lon", type=click.FloatRange(-180, 180)),
    click.option("--bearing", type=click.FloatRange(0, 360, max_open=True), help="Degrees from north."),
    click.option("--fov", type=click.FloatRange(0, 360, min_open=True), help="Its field of view in degrees."),
    click.option("--tag", "tags", multiple=True, help="May be given several times."),
    click.option("--make"),
    click.option("--model"),
    click.option("--serial"),
    click.option("--mac"),
    click.option("--firmware"),
    click.option("--legal-basis", help="Why it may be recorded: an order, a consent."),
    click.option("--audio", type=click.Choice(AUDIO)),
    click.option("--by", default=made_by, help="Who says so, for its history [default: who runs the command]."),
)


def camera_fields(command: Callable[..., T]) -> Callable[..., T]:
    """Adds an option for each field; what is not given is None, or empty where it may be given several times."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> T:
        return command(*args, **kwargs)

    found: Callable[..., T] = wrapped
    for option in reversed(_OPTIONS):
        found = option(found)
    return found


def given_fields(settings: Settings, fields: dict[str, Any]) -> dict[str, Any]:
    """Those that were given. Raises Invalid for an unknown kind of owner."""
    known_kind(fields.get("owner_kind") or "", all_kinds(settings.registry.owner_kinds))
    return {name: value for name, value in fields.items() if value is not None and value != ()}


@click.command("set")
@click.argument("key", metavar="ID|CODE")
@camera_fields
@click.option("--place-since", help="Since when it stands there: RFC 3339 with an offset [default: from now on].")
@with_settings
def set_(settings: Settings, key: str, by: str, place_since: str | None, **fields: Any) -> None:
    """Change what is named, and nothing else; its history tells it."""
    given = given_fields(settings, fields)
    if not given:
        raise Invalid("nothing to change: name a field, such as --station")
    since_us = None if place_since is None else parse_time(place_since, "--place-since")
    if since_us is not None and (since_us > wall_us() or not given.keys() & {"lat", "lon", "bearing"}):
        raise Invalid("--place-since goes with --lat and --lon, and lies in the past", field="--place-since")
    with catalog_for_writing(settings) as db:
        one = cameras.get(db, CameraId(int(key))) if key.isdecimal() else cameras.by_code(db, key)
        changed = cameras.update(db, one.id, by=by, place_since_us=since_us, **given)
    click.echo(f"{changed.code}: {', '.join(f'{name} = {value}' for name, value in given.items())}")
