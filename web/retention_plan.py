"""What will go, how much, and of which cameras, before it goes."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from retention import apply
from retention.plan import Cut
from storage.catalog import cameras, stops, trust
from storage.catalog.sqlite import Connection
from storage.catalog.stops import Stop
from storage.clock import rfc3339, wall_us
from storage.model import CameraId
from web import bodies, params
from web.hold_schemas import CutOut, PlanPage, StopOut
from web.keys import CATALOG
from web.operations import CURSOR, LIMIT, Operation, Reply
from web.params import rfc3339_or_none


def shown_cut(cut: Cut, code: str) -> CutOut:
    return CutOut(
        camera_id=cut.camera_id,
        code=code,
        volume_id=cut.volume_id,
        kind=cut.kind,
        reason=cut.reason,  # type: ignore[arg-type]  # without pressure one of the three
        before=rfc3339(cut.before_us),
        oldest=rfc3339(cut.oldest_us),
        segments=cut.segments,
        bytes=cut.bytes,
    )


def shown_stop(stop: Stop) -> StopOut:
    return StopOut(
        volume_id=stop.volume_id,
        asked_at=rfc3339(stop.asked_us),
        bytes=stop.bytes,
        of_bytes=stop.of_bytes,
        oldest=rfc3339(stop.oldest_us),
        confirmed_at=rfc3339_or_none(stop.confirmed_us),
    )


def read(db: Connection, now_us: int, first: int, limit: int) -> PlanPage:
    """The plan as the next sweep would make it. Run it in a reader."""
    plan, wanted = apply.look(db, now_us)
    waits = apply.to_ask(wanted, stops.listing(db))
    ordered = sorted(plan.cuts, key=lambda cut: (-cut.bytes, cut.camera_id, cut.volume_id, cut.kind))
    page = ordered[first : first + limit]
    codes: dict[CameraId, str] = {}
    for cut in page:
        if cut.camera_id not in codes:
            codes[cut.camera_id] = cameras.get(db, cut.camera_id).code
    last = trust.get(db)
    return PlanPage(
        items=[shown_cut(cut, codes[cut.camera_id]) for cut in page],
        next=params.as_cursor(first + limit) if first + limit < len(ordered) else None,
        cameras=len({cut.camera_id for cut in plan.cuts}),
        segments=sum(cut.segments for cut in plan.cuts),
        bytes=plan.bytes,
        doubt=last.doubt if last is not None else "",
        waits=[shown_stop(stop) for stop in waits],
    )


async def plan(request: web.Request) -> web.Response:
    limit, cursor = params.limit(request), params.cursor(request)
    if cursor is not None and (len(cursor) != 1 or type(cursor[0]) is not int or not 0 <= cursor[0] < 1 << 32):
        raise params.bad_cursor()
    ask = partial(read, now_us=wall_us(), first=cursor[0] if cursor else 0, limit=limit)
    return bodies.answer(await request.app[CATALOG].read(ask))


def operations() -> list[Operation]:
    return [
        Operation(
            "GET",
            "/api/v1/retention/plan",
            plan,
            "Retention",
            "What will go with the next sweep",
            {200: Reply("A page of what goes, the most first, with the sums of all of it.", PlanPage)},
            description="By age and quota, as of now. What a full disk would take is not in it.",
            parameters=(LIMIT, CURSOR),
        )
    ]
