"""Coverage: recorded over expected seconds, and what is missing by class of cause."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from aiohttp import web

from config.errors import Invalid
from storage.camera_rules import unfit
from storage.catalog import cameras
from storage.catalog import coverage as rows
from storage.catalog import search as registry
from storage.catalog.coverage import Named
from storage.catalog.search import Wanted
from storage.catalog.sqlite import Connection
from storage.clock import rfc3339, wall_us
from storage.coverage import words
from storage.coverage.days import Covered, covered
from storage.coverage.parts import edges, of_camera
from storage.model import CameraId
from web import bodies, params
from web.keys import CATALOG, ZONE
from web.operations import CAMERA_ID, CURSOR, LIMIT, WINDOW, Operation, Parameter, Reply
from web.search import TEXT, WHICH, window
from web.search_schemas import CameraCoverage, CoverageByTime, CoverageOut, CoveragePart

MAX_BY_DAY_US = 400 * 24 * 3_600_000_000
BY = ("hour", "day")
STRIDE = 200


def total(some: Iterable[Covered]) -> Covered:
    """The sum of all."""
    expected_us = recorded_us = 0
    causes: dict[str, int] = {}
    for one in some:
        expected_us += one.expected_us
        recorded_us += one.recorded_us
        for name, lost_us in one.causes.items():
            causes[name] = causes.get(name, 0) + lost_us
    return Covered(expected_us, recorded_us, causes)


def seconds(causes: Mapping[str, int]) -> dict[str, float]:
    return {name: lost_us / 1_000_000 for name, lost_us in causes.items()}


def _wanted(db: Connection, wanted: Wanted, from_us: int) -> list[Named]:
    """By code."""
    found = rows.named(db, from_us, kind=wanted.kind, station=wanted.station, zone=wanted.zone)
    asked = words.words(wanted.text)
    if not asked:
        return found
    known = registry.cameras(db, wanted, from_us, [camera.id for camera in found])
    fitting = {camera.id for camera in known if words.holds(camera.texts, asked)}
    return [camera for camera in found if camera.id in fitting]


def _counted(
    db: Connection, wanted: Wanted, from_us: int, to_us: int, now_us: int
) -> tuple[list[Named], dict[CameraId, Covered], Covered]:
    found = _wanted(db, wanted, from_us)
    known = covered(db, from_us, to_us, now_us, cameras=[camera.id for camera in found])
    return found, known, total(known.values())


async def coverage(request: web.Request) -> web.Response:
    from_us, to_us = window(request)
    limit, after = params.limit(request), _after(request)
    wanted = Wanted(
        kind=params.text(request, "kind"),
        station=params.text(request, "station"),
        zone=params.text(request, "zone"),
        text=params.text(request, "text") or "",
    )
    found, known, whole = await request.app[CATALOG].read(
        partial(_counted, wanted=wanted, from_us=from_us, to_us=to_us, now_us=wall_us())
    )
    coming = [camera for camera in found if camera.code > after]
    items = []
    for number, camera in enumerate(coming[:limit], 1):
        items.append(_shown(camera, known[camera.id]))
        if number % STRIDE == 0:
            await asyncio.sleep(0)
    return bodies.answer(
        CoverageOut(
            from_=rfc3339(from_us),
            to=rfc3339(to_us),
            expected_s=whole.expected_us / 1_000_000,
            recorded_s=whole.recorded_us / 1_000_000,
            coverage=whole.coverage,
            causes=seconds(whole.causes),
            items=items,
            next=params.as_cursor(items[-1].code) if len(coming) > limit else None,
        )
    )


def _shown(camera: Named, one: Covered) -> CameraCoverage:
    return CameraCoverage(
        camera_id=camera.id,
        code=camera.code,
        name=camera.name,
        name_hi=camera.name_hi,
        owner_kind=camera.owner_kind,
        station=camera.station,
        expected_s=one.expected_us / 1_000_000,
        recorded_s=one.recorded_us / 1_000_000,
        coverage=one.coverage,
        causes=seconds(one.causes),
    )


def _after(request: web.Request) -> str:
    cursor = params.cursor(request)
    if cursor is None:
        return ""
    if len(cursor) != 1 or not isinstance(cursor[0], str) or unfit(cursor[0]):
        raise params.bad_cursor()
    return cursor[0]


async def by_time(request: web.Request) -> web.Response:
    camera_id = params.camera_id(request)
    by = params.choice(request, "by", BY, default="hour")
    from_us, to_us = params.window(request) if by == "day" else window(request)
    if to_us - from_us > MAX_BY_DAY_US:
        raise Invalid("a window by day is at most 400 days long: ask for it in parts", field="to")
    parts = edges(from_us, to_us, by, request.app[ZONE])
    now_us = wall_us()

    def look(db: Connection) -> Sequence[tuple[tuple[int, int], Covered]]:
        cameras.get(db, camera_id)
        return of_camera(db, camera_id, parts, now_us)

    found = await request.app[CATALOG].read(look)
    return bodies.answer(
        CoverageByTime(
            camera_id=camera_id,
            by=by,  # type: ignore[arg-type]  # one of BY
            items=[
                CoveragePart(
                    from_=rfc3339(part[0]),
                    to=rfc3339(part[1]),
                    expected_s=one.expected_us / 1_000_000,
                    recorded_s=one.recorded_us / 1_000_000,
                    coverage=one.coverage,
                    causes=seconds(one.causes),
                )
                for part, one in found
            ],
        )
    )


def operations() -> list[Operation]:
    by = Parameter(
        "by",
        "query",
        {"type": "string", "enum": list(BY), "default": "hour"},
        "Hours (of at most 31 days) or days (at most 400) of the site's zone.",
    )
    return [
        Operation(
            "GET",
            "/api/v1/coverage",
            coverage,
            "Footage",
            "Coverage of all cameras",
            {200: Reply("Sums of all that fit, and a page of them by code.", CoverageOut)},
            description="Recorded over expected seconds, at most 31 days. Expected is the past part of the window in which a"
            " camera was registered, switched off or not.",
            parameters=(*WINDOW, *WHICH, TEXT, LIMIT, CURSOR),
        ),
        Operation(
            "GET",
            "/api/v1/cameras/{camera_id}/coverage",
            by_time,
            "Footage",
            "Coverage of a camera by hour or day",
            {200: Reply("Each hour or day of the window.", CoverageByTime)},
            parameters=(CAMERA_ID, *WINDOW, by),
        ),
    ]
