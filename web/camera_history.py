"""How a camera came to be as it is, and where it stood when."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from storage.catalog import camera_history as rows
from storage.catalog import cameras, place_feed
from storage.catalog.camera_history import Change, Place
from storage.catalog.sqlite import Connection
from storage.clock import rfc3339
from storage.model import CameraId
from web import bodies, params
from web.keys import CATALOG
from web.operations import CAMERA_ID, CURSOR, LIMIT, TIME, Operation, Reply
from web.schemas import BY, Answer, Body, Text, Time

MAX_PLACES = 1000
MAX_PLACES_BYTES = 256 * 1024


class HistoryPair(Answer):
    """A field's value before and after. `before` is null of a camera just registered."""

    before: Any
    after: Any


class HistoryOut(Answer):
    """`changes` by the field's name; beside fields of the camera: `places` (how many are known), `corrected_places`,
    `place_since`."""

    at: Time
    by: str
    changes: dict[str, HistoryPair]


class HistoryPage(Answer):
    items: list[HistoryOut]
    next: str | None


class PlaceOut(Answer):
    """`since` null: as far back as there is footage. `lat` null: not known from then on."""

    since: Time | None
    lat: float | None
    lon: float | None
    bearing: float | None


class PlacePage(Answer):
    items: list[PlaceOut]
    next: str | None


class PlaceIn(Body):
    since: Annotated[str | int | None, Field(json_schema_extra={"anyOf": [*TIME["anyOf"], {"type": "null"}]})]
    lat: Annotated[float | None, Field(ge=-90, le=90)]
    lon: Annotated[float | None, Field(ge=-180, le=180)]
    bearing: Annotated[float | None, Field(ge=0, lt=360)] = None


class PlacesIn(Body):
    """Where the camera was, in any order. One that begins when a known one begins corrects it."""

    items: Annotated[list[PlaceIn], Field(min_length=1, max_length=MAX_PLACES)]
    by: Annotated[Text, Field(description="Who says so, as long as nobody signs in.")] = BY


class PlacesTaken(Answer):
    """What the feed brought, and where the camera is now."""

    added: int
    corrected: int
    same: Annotated[int, Field(description="Those that were known as they are.")]
    lat: float | None
    lon: float | None
    bearing: float | None


def _before(request: web.Request, lowest: int) -> int | None:
    cursor = params.cursor(request)
    if cursor is None:
        return None
    if len(cursor) != 1 or type(cursor[0]) is not int or not lowest <= cursor[0] <= params.MAX_ID:
        raise params.bad_cursor()
    return cursor[0]


async def history(request: web.Request) -> web.Response:
    camera_id, limit, before_id = params.camera_id(request), params.limit(request), _before(request, 1)

    def read(db: Connection) -> list[tuple[int, Change]]:
        cameras.get(db, camera_id)
        return rows.changes(db, camera_id, before_id=before_id, limit=limit + 1)

    found = await request.app[CATALOG].read(read)
    items = [
        HistoryOut(
            at=rfc3339(change.at_us),
            by=change.by,
            changes={name: HistoryPair(before=pair[0], after=pair[1]) for name, pair in change.changes.items()},
        )
        for _, change in found[:limit]
    ]
    following = params.as_cursor(found[limit - 1][0]) if len(found) > limit else None
    return bodies.answer(HistoryPage(items=items, next=following))


async def places(request: web.Request) -> web.Response:
    camera_id, limit, before_us = params.camera_id(request), params.limit(request), _before(request, 0)

    def read(db: Connection) -> list[Place]:
        cameras.get(db, camera_id)
        return rows.place_page(db, camera_id, before_us=before_us, limit=limit + 1)

    found = await request.app[CATALOG].read(read)
    items = [
        PlaceOut(
            since=rfc3339(place.since_us) if place.since_us else None,
            lat=place.lat,
            lon=place.lon,
            bearing=place.bearing,
        )
        for place in found[:limit]
    ]
    following = params.as_cursor(found[limit - 1].since_us) if len(found) > limit else None
    return bodies.answer(PlacePage(items=items, next=following))


async def feed(request: web.Request) -> web.Response:
    camera_id = params.camera_id(request)
    body = await bodies.read(request, PlacesIn, max_bytes=MAX_PLACES_BYTES)
    given = [_place(camera_id, item, number) for number, item in enumerate(body.items)]
    # Nothing that records depends on a place, and a bus tells a new one every few seconds: the fleet is not woken.
    taken = await request.app[CATALOG].write(partial(place_feed.take, camera_id=camera_id, places=given, by=body.by))
    camera = taken.camera
    return bodies.answer(
        PlacesTaken(
            added=taken.added,
            corrected=taken.corrected,
            same=taken.same,
            lat=camera.lat,
            lon=camera.lon,
            bearing=camera.bearing,
        )
    )


def _place(camera_id: CameraId, item: PlaceIn, number: int) -> Place:
    since_us = 0 if item.since is None else params.parse_time(str(item.since), f"items.{number}.since")
    return Place(camera_id, since_us, item.lat, item.lon, item.bearing)


def operations() -> list[Operation]:
    tag = "Cameras"
    return [
        Operation(
            "GET",
            "/api/v1/cameras/{camera_id}/history",
            history,
            tag,
            "What was changed, when and by whom",
            {200: Reply("A page, the newest first.", HistoryPage)},
            parameters=(CAMERA_ID, LIMIT, CURSOR),
        ),
        Operation(
            "GET",
            "/api/v1/cameras/{camera_id}/places",
            places,
            tag,
            "Where it stood when",
            {200: Reply("A page, the newest first.", PlacePage)},
            description="A place holds until the next one begins.",
            parameters=(CAMERA_ID, LIMIT, CURSOR),
        ),
        Operation(
            "POST",
            "/api/v1/cameras/{camera_id}/places",
            feed,
            tag,
            "Tell where it was: a bus's GPS",
            {200: Reply("What was new. The camera's own place is its newest one.", PlacesTaken)},
            description="At most 1000 at once, in any order; sent again they change nothing. All or none is kept.",
            parameters=(CAMERA_ID,),
            body=PlacesIn,
        ),
    ]
