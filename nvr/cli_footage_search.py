"""`nvr footage search`: which cameras stood somewhere in a window, and what each has of it. The same answer as the API's."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import click

from config.errors import Invalid
from config.settings import Settings
from nvr.cli_base import catalog_for_reading, footage_of, json_option, run, show, table, with_settings
from storage.camera_rules import COVERS
from storage.catalog import cameras, states
from storage.catalog.search import Found, Wanted
from storage.coverage.search import Asked
from web import places_asked
from web.cameras import STATES
from web.params import parse_time
from web.search import DEFAULT_LIMIT, MAX_LIMIT, answer, refuse_long
from web.search_schemas import SearchOut

PLACE = ("near", "radius_m", "bbox", "polygon", "route", "width_m")


@click.command()
@json_option
@click.option("--from", "from_", required=True, help="RFC 3339 with an offset, or microseconds since 1970.")
@click.option("--to", required=True, help="As --from; the instant itself is not in it.")
@click.option("--near", metavar="LAT,LON", help="Around a point.")
@click.option("--radius-m", metavar="METRES", help="With --near: how far [default: 500].")
@click.option("--bbox", metavar="S,W,N,E", help="In a box.")
@click.option("--polygon", metavar="LAT,LON;...", help="In a polygon.")
@click.option("--route", metavar="LAT,LON;...", help="Along a line.")
@click.option("--width-m", metavar="METRES", help="With --route: its width in all [default: 100].")
@click.option("--kind", help="Kind of owner.")
@click.option("--station", help="Police station.")
@click.option("--zone", help="Zone.")
@click.option("--site", help="Site.")
@click.option("--covers", type=click.Choice(COVERS), help="What it looks at.")
@click.option("--text", default="", help="Words that occur in a camera's names; Hindi too.")
@click.option("--limit", type=click.IntRange(1, MAX_LIMIT), default=DEFAULT_LIMIT, show_default=True, help="Cameras.")
@with_settings
def search(settings: Settings, *, as_json: bool, from_: str, to: str, limit: int, **given: Any) -> None:
    """Cameras that stood somewhere in a window, the nearest first, with what each has of it."""
    from_us, to_us = parse_time(from_, "--from"), parse_time(to, "--to")
    if from_us >= to_us:
        raise Invalid("--to must be later than --from", field="--to")
    refuse_long(from_us, to_us)
    place = {name: given.pop(name) for name in PLACE}
    shape = places_asked.shape({name: text for name, text in place.items() if text is not None}, settings.registry.city)
    asked = Asked(from_us, to_us, shape, Wanted(**given), limit)
    found = run(_asked(settings, asked))
    if as_json:
        show(found.model_dump(by_alias=True, mode="json"))
        return
    click.echo(f"{found.total} cameras, {found.with_footage} with footage")
    table(
        ["code", "metres", "covered", "name", "why not"],
        [
            [
                item.camera.code,
                None if item.distance_m is None else f"{item.distance_m:.0f}",
                f"{item.coverage:.1%}",
                item.camera.name,
                item.why or item.cause,
            ]
            for item in found.items
        ],
    )


async def _asked(settings: Settings, asked: Asked) -> SearchOut:
    """States are those last written: the fleet that knows better lives in the server."""
    with catalog_for_reading(settings) as db:
        written = {camera_id: states.current(db, camera_id) for camera_id in cameras.ids(db)}

    def state(camera: Found) -> str:
        known = written.get(camera.id)
        if not camera.enabled:
            return "disabled"
        return known.state if known is not None and known.state in STATES else "unknown"

    async with footage_of(settings) as archive:
        return await answer(archive, asked, ZoneInfo(settings.server.timezone), state)
