"""Sites and kinds of owners over HTTP: where cameras stand, and whose they are."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from config.owner_kinds import OwnerKind, all_kinds, known_kind
from storage.camera_rules import KIND, unfit
from storage.catalog import site_changes
from storage.catalog import sites as rows
from storage.catalog.sites import Site
from storage.clock import rfc3339, wall_us
from web import bodies, params
from web.keys import CATALOG, FLEET, SETTINGS
from web.operations import CURSOR, LIMIT, Operation, Parameter, Reply, path_id
from web.schemas import BY, FIT, Answer, Body, Id, Text, Time

SITE_ID = path_id("site_id", "The site's id.")
_OWN = ("name", "name_hi", "owner_kind", "owner", "contact", "station", "ward", "zone", "address", "lat", "lon")


class OwnerKindOut(Answer):
    """`key` is what a camera's `owner_kind` holds."""

    key: str
    name: str
    name_hi: str


class OwnerKinds(Answer):
    items: list[OwnerKindOut]


class SiteIn(Body):
    """A site to make. Cameras name it in their `site`."""

    name: Annotated[Text, Field(min_length=1)]
    name_hi: Text = ""
    owner_kind: Annotated[str, Field(pattern=KIND)] = ""
    owner: Text = ""
    contact: Text = ""
    station: Text = ""
    ward: Text = ""
    zone: Text = ""
    address: Text = ""
    lat: Annotated[float | None, Field(ge=-90, le=90)] = None
    lon: Annotated[float | None, Field(ge=-180, le=180)] = None


class SiteChange(Body):
    """What is to change; what is left out stays. `lat` and `lon` null: its cameras say where it is."""

    name: Annotated[Text, Field(min_length=1, description="A new name goes to its cameras as well.")] = "-"
    name_hi: Text = ""
    owner_kind: Annotated[str, Field(pattern=KIND)] = ""
    owner: Text = ""
    contact: Text = ""
    station: Text = ""
    ward: Text = ""
    zone: Text = ""
    address: Text = ""
    lat: Annotated[float | None, Field(ge=-90, le=90)] = None
    lon: Annotated[float | None, Field(ge=-180, le=180)] = None
    by: Annotated[Text, Field(description="Who changes it, as long as nobody signs in.")] = BY


class SiteOut(Answer):
    """`lat`, `lon`: its own, else the middle of its cameras' places, else null. `cameras`: how many stand there."""

    id: Id
    name: str
    name_hi: str
    owner_kind: str
    owner: str
    contact: str
    station: str
    ward: str
    zone: str
    address: str
    lat: float | None
    lon: float | None
    cameras: int
    created_at: Time


class SitePage(Answer):
    items: list[SiteOut]
    next: str | None


def kinds_of(request: web.Request) -> dict[str, OwnerKind]:
    """Those that the program and its settings know, by key."""
    return all_kinds(request.app[SETTINGS].registry.owner_kinds)


async def owner_kinds(request: web.Request) -> web.Response:
    found = [OwnerKindOut(key=kind.key, name=kind.name, name_hi=kind.name_hi) for kind in kinds_of(request).values()]
    return bodies.answer(OwnerKinds(items=found))


def shown(site: Site) -> SiteOut:
    own: dict[str, Any] = {name: getattr(site, name) for name in _OWN}
    return SiteOut(id=site.id, cameras=site.cameras, created_at=rfc3339(site.created_us), **own)


async def listing(request: web.Request) -> web.Response:
    limit, cursor = params.limit(request), params.cursor(request)
    if cursor is not None and (len(cursor) != 1 or not isinstance(cursor[0], str) or unfit(cursor[0])):
        raise params.bad_cursor()
    ask = partial(
        rows.page, text=params.text(request, "text") or "", after=cursor[0] if cursor else "", limit=limit + 1
    )
    found = await request.app[CATALOG].read(ask)
    following = params.as_cursor(found[limit - 1].name) if len(found) > limit else None
    return bodies.answer(SitePage(items=[shown(site) for site in found[:limit]], next=following))


async def one(request: web.Request) -> web.Response:
    site_id = params.number(request, "site_id", "site")
    return bodies.answer(shown(await request.app[CATALOG].read(partial(rows.get, site_id=site_id))))


async def add(request: web.Request) -> web.Response:
    body = await bodies.read(request, SiteIn)
    known_kind(body.owner_kind, kinds_of(request))
    site = Site(id=0, created_us=wall_us(), own_place=body.lat is not None, **body.model_dump())
    made = await request.app[CATALOG].write(partial(site_changes.add, site=site))
    return bodies.answer(shown(made), status=201, headers={"Location": f"/api/v1/sites/{made.id}"})


async def change(request: web.Request) -> web.Response:
    site_id = params.number(request, "site_id", "site")
    body = await bodies.read(request, SiteChange)
    fields = body.model_dump(exclude_unset=True, exclude={"by"})
    known_kind(fields.get("owner_kind", ""), kinds_of(request))
    write = partial(site_changes.change, site_id=site_id, by=body.by, **fields)
    changed, cameras = await request.app[CATALOG].write(write)
    for camera_id in cameras:
        request.app[FLEET].camera_changed(camera_id)
    return bodies.answer(shown(changed))


async def delete(request: web.Request) -> web.Response:
    site_id = params.number(request, "site_id", "site")
    await request.app[CATALOG].write(partial(rows.delete, site_id=site_id))
    return web.Response(status=204)


def operations() -> list[Operation]:
    found = Reply("The site.", SiteOut)
    tag = "Sites"
    words = {"type": "string", "maxLength": params.MAX_TEXT, "pattern": FIT}
    return [
        Operation(
            "GET",
            "/api/v1/owner-kinds",
            owner_kinds,
            tag,
            "Kinds of camera owners",
            {200: Reply("All that the program and its settings know.", OwnerKinds)},
        ),
        Operation(
            "GET",
            "/api/v1/sites",
            listing,
            tag,
            "List sites, by name",
            {200: Reply("A page.", SitePage)},
            parameters=(
                Parameter("text", "query", words, "Words, each of which occurs in its names, owner, place or address."),
                LIMIT,
                CURSOR,
            ),
        ),
        Operation(
            "POST",
            "/api/v1/sites",
            add,
            tag,
            "Make a site",
            {201: Reply("The site.", SiteOut, headers={"Location": "Its URL."})},
            description="A camera that names an unknown site makes it too.",
            body=SiteIn,
            problems=(409,),
        ),
        Operation("GET", "/api/v1/sites/{site_id}", one, tag, "One site", {200: found}, parameters=(SITE_ID,)),
        Operation(
            "PATCH",
            "/api/v1/sites/{site_id}",
            change,
            tag,
            "Change a site",
            {200: found},
            parameters=(SITE_ID,),
            body=SiteChange,
            problems=(409,),
        ),
        Operation(
            "DELETE",
            "/api/v1/sites/{site_id}",
            delete,
            tag,
            "Delete a site where no camera stands",
            {204: Reply("It is gone.")},
            parameters=(SITE_ID,),
            problems=(409,),
        ),
    ]
