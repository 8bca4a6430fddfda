"""Places by name, for the field in which an investigator types where."""

from __future__ import annotations

from aiohttp import web

from config.errors import Invalid
from storage.catalog import places as rows
from storage.catalog.sqlite import Connection
from storage.coverage.places import Place, find
from web import bodies, params
from web.keys import CATALOG, SETTINGS
from web.operations import Operation, Parameter, Reply
from web.schemas import FIT
from web.search_schemas import PlaceOut, PlacesOut

DEFAULT_LIMIT, MAX_LIMIT = 10, 50


async def places(request: web.Request) -> web.Response:
    text = params.text(request, "text")
    if text is None:
        raise Invalid("text is missing: a name or coordinates", field="text")
    limit = params.integer(request, "limit", default=DEFAULT_LIMIT, low=1, high=MAX_LIMIT)
    city = request.app[SETTINGS].registry.city

    def look(db: Connection) -> list[Place]:
        return find(text, rows.cameras(db), rows.sites(db), city=city, limit=limit)

    found = await request.app[CATALOG].read(look) if text else []
    return bodies.answer(
        PlacesOut(
            items=[
                PlaceOut(
                    kind=place.kind,  # type: ignore[arg-type]  # one of storage.coverage.places.KINDS
                    name=place.name,
                    name_hi=place.name_hi,
                    lat=place.lat,
                    lon=place.lon,
                    cameras=place.cameras,
                    radius_m=place.radius_m,
                )
                for place in found
            ]
        )
    )


def operations() -> list[Operation]:
    return [
        Operation(
            "GET",
            "/api/v1/places",
            places,
            "Footage",
            "Places by name or coordinates",
            {200: Reply("The best first.", PlacesOut)},
            description="Sites, police stations, wards, zones and cameras, in Hindi or English; or coordinates as they are"
            " typed: 26.4499, 80.3319.",
            parameters=(
                Parameter(
                    "text",
                    "query",
                    {"type": "string", "maxLength": params.MAX_TEXT, "pattern": FIT},
                    "A name or a part of it, or coordinates.",
                    required=True,
                ),
                Parameter(
                    "limit",
                    "query",
                    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
                    "How many places at most.",
                ),
            ),
        )
    ]
