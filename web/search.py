"""Search of recorded footage by place and time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from config.errors import Invalid
from storage.camera_rules import COVERS, unfit
from storage.catalog.search import Found, Wanted
from storage.clock import rfc3339, wall_us
from storage.coverage.search import Asked, Hit, find
from storage.coverage.why import NOT_YET, no_footage
from storage.footage import Footage
from storage.model import CameraId
from web import bodies, params, places_asked
from web.cameras import state_of
from web.keys import FLEET, FOOTAGE, SETTINGS, ZONE
from web.operations import CURSOR, WINDOW, Operation, Parameter, Reply
from web.schemas import FIT, GapOut, WindowOut
from web.search_schemas import FoundCamera, FoundOut, SearchOut

MAX_WINDOW_US = 31 * 24 * 3_600_000_000
DEFAULT_LIMIT, MAX_LIMIT = 50, 200
STILL_WIDTH = 320
STRIDE = 10
"""Cameras put into an answer before the loop gets its turn: each may have a hundred gaps."""


def window(request: web.Request) -> tuple[int, int]:
    """Of at most 31 days."""
    from_us, to_us = params.window(request)
    refuse_long(from_us, to_us)
    return from_us, to_us


def refuse_long(from_us: int, to_us: int) -> None:
    if to_us - from_us > MAX_WINDOW_US:
        raise Invalid("a window is at most 31 days long: ask for it in parts", field="to")


def for_people(at_us: int, zone: tzinfo) -> str:
    """In the site's zone, as DD/MM/YYYY HH:MM:SS."""
    return (
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us))
        .astimezone(zone)
        .strftime("%d/%m/%Y %H:%M:%S")
    )


def why(hit: Hit, from_us: int, now_us: int, zone: tzinfo) -> str | None:
    """The sentence where there is no footage; None where there is some."""
    if hit.spans:
        return None
    if from_us >= now_us or hit.main is None:
        return NOT_YET
    since = "" if hit.since_us is None else for_people(hit.since_us, zone)
    return no_footage(hit.main.cause, hit.main.detail, since)


def _windows(intervals: list[tuple[int, int]]) -> list[WindowOut]:
    return [WindowOut(from_=rfc3339(start_us), to=rfc3339(end_us)) for start_us, end_us in intervals]


def shown(hit: Hit, asked: Asked, now_us: int, zone: tzinfo, state: str) -> FoundOut:
    """`state`: the camera's, now."""
    ranked, camera = hit.ranked, hit.ranked.camera
    still = None
    if hit.still_us is not None:
        still = f"/play/{camera.id}/frame.jpg?at={hit.still_us}&width={STILL_WIDTH}"
    return FoundOut(
        camera=FoundCamera(
            id=camera.id,
            code=camera.code,
            name=camera.name,
            name_hi=camera.name_hi,
            owner_kind=camera.owner_kind,
            owner=camera.owner,
            site=camera.site,
            station=camera.station,
            zone=camera.zone,
            covers=list(camera.covers),
            lat=ranked.lat,
            lon=ranked.lon,
            bearing=ranked.bearing,
            fov=camera.fov,
            enabled=camera.enabled,
            state=state,  # type: ignore[arg-type]  # one of web.cameras.STATES
            video_codec=hit.video_codec,
        ),
        distance_m=None if ranked.distance_mm is None else ranked.distance_mm / 1000,
        moved=ranked.moved,
        within=_windows(list(ranked.within)),
        coverage=min(1.0, max(0.0, hit.coverage)),
        spans=_windows(hit.spans),
        gaps=[
            GapOut(from_=rfc3339(gap.from_us), to=rfc3339(gap.to_us), cause=gap.cause, detail=gap.detail)
            for gap in hit.gaps
        ],
        gaps_left_out=hit.gaps_left_out,
        why=why(hit, asked.from_us, now_us, zone),
        cause=None if hit.main is None else hit.main.cause,
        still=still,
        before=params.rfc3339_or_none(hit.before_us),
        after=params.rfc3339_or_none(hit.after_us),
    )


def together(cameras: list[CameraId], from_us: int, to_us: int) -> str | None:
    """The URL of one synchronised playlist."""
    if not cameras:
        return None
    query = {"cameras": ",".join(map(str, cameras)), "from": rfc3339(from_us), "to": rfc3339(to_us)}
    return f"/play/sync?{urlencode(query, safe=',:')}"


async def search(request: web.Request) -> web.Response:
    from_us, to_us = window(request)
    asked = Asked(
        from_us=from_us,
        to_us=to_us,
        shape=places_asked.shape(request.query, request.app[SETTINGS].registry.city),
        wanted=Wanted(
            kind=params.text(request, "kind"),
            station=params.text(request, "station"),
            zone=params.text(request, "zone"),
            site=params.text(request, "site"),
            covers=params.choice(request, "covers", COVERS, default=None),
            text=params.text(request, "text") or "",
        ),
        limit=params.integer(request, "limit", default=DEFAULT_LIMIT, low=1, high=MAX_LIMIT),
        after=_after(request),
    )
    fleet = request.app[FLEET]

    def state(camera: Found) -> str:
        return state_of(camera, fleet.health(camera.id))

    return bodies.answer(await answer(request.app[FOOTAGE], asked, request.app[ZONE], state))


async def answer(footage: Footage, asked: Asked, zone: tzinfo, state: Callable[[Found], str]) -> SearchOut:
    """`state`: of a camera, now. Raises Invalid naming the parameter."""
    now_us = wall_us()
    result = await find(footage, asked, now_us)
    items = []
    for number, hit in enumerate(result.hits, 1):
        items.append(shown(hit, asked, now_us, zone, state(hit.ranked.camera)))
        if number % STRIDE == 0:
            await asyncio.sleep(0)
    return SearchOut(
        from_=rfc3339(asked.from_us),
        to=rfc3339(asked.to_us),
        total=result.total,
        with_footage=result.with_footage,
        items=items,
        sync=together(result.together, asked.from_us, asked.to_us),
        next=params.as_cursor(*result.next) if result.next else None,
    )


def _after(request: web.Request) -> tuple[int, str] | None:
    cursor = params.cursor(request)
    if cursor is None:
        return None
    if len(cursor) != 2 or type(cursor[0]) is not int or not isinstance(cursor[1], str) or unfit(cursor[1]):
        raise params.bad_cursor()
    return cursor[0], cursor[1]


def words_parameter(name: str, description: str) -> Parameter:
    schema: dict[str, Any] = {"type": "string", "maxLength": params.MAX_TEXT, "pattern": FIT}
    return Parameter(name, "query", schema, description)


WHICH = (
    words_parameter("kind", "Kind of owner."),
    words_parameter("station", "Police station."),
    words_parameter("zone", "Zone."),
)
TEXT = words_parameter(
    "text", "Words, each of which occurs in code, names, owner, site, station, ward, zone, address or tags; Hindi too."
)


def operations() -> list[Operation]:
    limit = Parameter(
        "limit",
        "query",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        "How many cameras at most.",
    )
    return [
        Operation(
            "GET",
            "/api/v1/footage/search",
            search,
            "Footage",
            "Search by place and time",
            {200: Reply("Cameras that stood there then, the nearest first.", SearchOut)},
            description="At most one of near, bbox, polygon and route; without one: everywhere. At most 31 days. A camera that"
            " moves is found where it was in the window.",
            parameters=(
                *WINDOW,
                *places_asked.PARAMETERS,
                *WHICH,
                words_parameter("site", "Site."),
                Parameter("covers", "query", {"type": "string", "enum": list(COVERS)}, "What it looks at."),
                TEXT,
                limit,
                CURSOR,
            ),
        )
    ]
