"""Holds over HTTP: footage that stays for a case, placed, listed, released for a reason."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from aiohttp import web

from config.errors import Invalid
from retention.holds import HoldUse, uses
from storage.catalog import holds
from storage.catalog.sqlite import Connection
from storage.clock import rfc3339, wall_us
from storage.model import CameraId
from storage.terms import Hold
from web import bodies, params
from web.hold_schemas import HoldIn, HoldList, HoldOut, HoldPage, ReleaseIn
from web.keys import CATALOG, KEEPER
from web.operations import CURSOR, ID, LIMIT, Operation, Parameter, Reply, path_id
from web.params import rfc3339_or_none

HOLD_ID = path_id("hold_id", "The hold's id.")


def shown_hold(use: HoldUse) -> HoldOut:
    hold = use.hold
    return HoldOut(
        id=hold.id,
        case=hold.case_ref,
        camera_id=hold.camera_id,
        code=use.camera.code,
        name=use.camera.name,
        name_hi=use.camera.name_hi,
        from_=rfc3339(hold.start_us),
        to=rfc3339(hold.end_us),
        reason=hold.reason,
        created_by=hold.created_by,
        created_at=rfc3339(hold.created_us),
        review_at=rfc3339_or_none(hold.review_us),
        released_at=rfc3339_or_none(hold.released_us),
        released_by=hold.released_by,
        release_reason=hold.release_reason,
        bytes=None if hold.released_us is not None else use.bytes,
    )


def _time(given: str | int, field: str) -> int:
    return params.parse_time(str(given), field)


async def listing(request: web.Request) -> web.Response:
    limit, cursor = params.limit(request), params.cursor(request)
    if cursor is not None and (len(cursor) != 1 or type(cursor[0]) is not int or not 0 < cursor[0] < 1 << 62):
        raise params.bad_cursor()
    camera = params.integer(request, "camera", default=None, low=1, high=params.MAX_ID)
    ask = partial(
        holds.listing,
        case_ref=params.text(request, "case") or None,
        camera_id=None if camera is None else CameraId(camera),
        released=params.flag(request, "released", default=False),
        before_id=cursor[0] if cursor else 1 << 62,
        limit=limit + 1,
    )

    def read(db: Connection) -> tuple[list[HoldUse], bool]:
        found = ask(db)
        return uses(db, found[:limit]), len(found) > limit

    items, more = await request.app[CATALOG].read(read)
    following = params.as_cursor(items[-1].hold.id) if more else None
    return bodies.answer(HoldPage(items=[shown_hold(use) for use in items], next=following))


async def place(request: web.Request) -> web.Response:
    body = await bodies.read(request, HoldIn)
    now_us = wall_us()
    review_us = None if body.review is None else _time(body.review, "review")
    if review_us is not None and review_us <= now_us:
        raise Invalid("review must be later than now", field="review")
    one = Hold(
        id=0,
        case_ref=body.case,
        camera_id=CameraId(0),
        start_us=_time(body.from_, "from"),
        end_us=_time(body.to, "to"),
        reason=body.reason,
        created_by=body.by,
        created_us=now_us,
        review_us=review_us,
    )

    def write(db: Connection) -> list[HoldUse]:
        made = [holds.place(db, replace(one, camera_id=CameraId(key))) for key in dict.fromkeys(body.cameras)]
        return uses(db, made)

    made = await request.app[CATALOG].write(write)
    return bodies.answer(HoldList(items=[shown_hold(use) for use in made]), status=201)


async def release(request: web.Request) -> web.Response:
    hold_id = params.number(request, "hold_id", "hold")
    body = await bodies.read(request, ReleaseIn)

    def write(db: Connection) -> list[HoldUse]:
        return uses(db, [holds.release(db, hold_id, body.by, body.reason, wall_us())])

    (released,) = await request.app[CATALOG].write(write)
    request.app[KEEPER].ask()
    return bodies.answer(shown_hold(released))


def operations() -> list[Operation]:
    text = {"type": "string", "maxLength": params.MAX_TEXT}
    return [
        Operation(
            "GET",
            "/api/v1/holds",
            listing,
            "Holds",
            "Footage that stays for a case",
            {200: Reply("A page, the newest first.", HoldPage)},
            parameters=(
                Parameter("case", "query", text, "Holds of this case."),
                Parameter("camera", "query", ID, "Holds of this camera, by its id."),
                Parameter("released", "query", {"type": "boolean", "default": False}, "Those that are over as well."),
                LIMIT,
                CURSOR,
            ),
        ),
        Operation(
            "POST",
            "/api/v1/holds",
            place,
            "Holds",
            "Keep footage for a case",
            {201: Reply("The holds that were made, one for each camera.", HoldList)},
            description="From the answer on nothing of the interval is deleted: not by age, not by a policy, not by a full"
            " disk. It may reach into the future. All cameras or none.",
            body=HoldIn,
            problems=(404,),
        ),
        Operation(
            "POST",
            "/api/v1/holds/{hold_id}/release",
            release,
            "Holds",
            "Let go of what a hold keeps",
            {200: Reply("The hold as it is now.", HoldOut)},
            description="Its row stays. What other holds or policies keep stays with them.",
            parameters=(HOLD_ID,),
            body=ReleaseIn,
            problems=(409,),
        ),
    ]
