"""Targets and the daily register over HTTP: what is linked, what really records, what is faulty since when; signed off."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from aiohttp import web

from config.errors import Invalid
from config.owner_kinds import known_kind
from storage.catalog import register as rows
from storage.catalog import targets as target_rows
from storage.catalog.sqlite import Connection
from storage.child import in_child
from storage.clock import wall_us
from storage.registry import register_days, register_paper
from storage.registry.register import WHOLE_CITY, Note, Register, Target
from storage.registry.register_paper import FORMATS, LANGUAGES, Paper
from storage.registry.register_text import pack_sums, unpack_sums
from web import bodies, params
from web.keys import CATALOG, SETTINGS, ZONE
from web.operations import Operation, Parameter, Reply
from web.register_schemas import (
    DAY,
    NOTED_KIND,
    NoteIn,
    NoteOut,
    Progress,
    ProgressDay,
    RegisterOut,
    SignIn,
    TargetIn,
    Targets,
    TargetsIn,
    shown,
    shown_day,
    shown_note,
    shown_target,
)
from web.sites import kinds_of

MAX_DAYS = 400
USUAL_DAYS = 30
EXPORT_LIMIT_S = 30.0
_DAY_SCHEMA = {"type": "string", "format": "date", "pattern": DAY, "examples": ["2026-11-23"]}


def _day(request: web.Request, name: str = "day") -> str:
    """As given, else today in the site's zone."""
    given = params.text(request, name)
    if given is None:
        return register_days.day_of(wall_us(), request.app[ZONE])
    try:
        return register_days.parse_day(given).isoformat()
    except Invalid as error:
        raise Invalid(error.message.replace("day", name, 1), field=name) from None


async def _read(request: web.Request) -> Register:
    ask = partial(
        register_days.read,
        day=_day(request),
        now_us=wall_us(),
        zone=request.app[ZONE],
        kinds=kinds_of(request),
    )
    return await request.app[CATALOG].read(ask)


async def register(request: web.Request) -> web.Response:
    return bodies.answer(shown(await _read(request), kinds_of(request)))


async def export(request: web.Request) -> web.Response:
    kind = params.choice(request, "format", tuple(FORMATS), default="pdf")
    settings = request.app[SETTINGS]
    language = params.choice(request, "language", LANGUAGES, default=settings.server.language)
    found = await _read(request)
    paper = Paper(found, kinds_of(request), settings.server.name, settings.server.timezone, language)
    body = await in_child(register_paper.make, paper, kind, limit_s=EXPORT_LIMIT_S)
    return web.Response(
        body=body,
        content_type=FORMATS[kind],
        charset="utf-8" if kind == "csv" else None,
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="register-{found.day}.{kind}"',
        },
    )


async def progress(request: web.Request) -> web.Response:
    """Both days included, and the day is still told while it lasts: it is made now."""
    zone, now_us, kinds = request.app[ZONE], wall_us(), kinds_of(request)
    today = register_days.day_of(now_us, zone)
    last = _day(request, "to")
    usual = (register_days.parse_day(last) - timedelta(days=USUAL_DAYS - 1)).isoformat()
    first = usual if request.query.get("from") is None else _day(request, "from")
    if first > last:
        raise Invalid("to must not be before from", field="to")
    if (register_days.parse_day(last) - register_days.parse_day(first)).days >= MAX_DAYS:
        raise Invalid(f"from and to are at most {MAX_DAYS} days apart", field="from")
    kind = params.text(request, "kind") or WHOLE_CITY
    if kind != WHOLE_CITY:
        known_kind(kind, kinds)

    def ask(db: Connection) -> list[ProgressDay]:
        kept = [
            shown_day(day, sums, signed=signed)
            for day, text, signed in rows.sums(db, first, last)
            if (sums := unpack_sums(text, kind)) is not None
        ]
        if first <= today <= last and rows.get(db, today) is None:
            made = register_days.read(db, today, now_us=now_us, zone=zone, kinds=kinds)
            sums = unpack_sums(pack_sums(made), kind)
            kept += [shown_day(today, sums, signed=False)] if sums is not None else []
        return kept

    return bodies.answer(Progress(owner_kind=kind, items=await request.app[CATALOG].read(ask)))


async def targets(request: web.Request) -> web.Response:
    found = await request.app[CATALOG].read(target_rows.listing)
    return bodies.answer(Targets(items=[shown_target(one) for one in found]))


async def put_targets(request: web.Request) -> web.Response:
    body = await bodies.read(request, TargetsIn)
    at_us = wall_us()
    made = [_target(request, number, one, body.by, at_us) for number, one in enumerate(body.items)]

    def write(db: Connection) -> list[Target]:
        target_rows.put(db, made)
        return target_rows.listing(db)

    found = await request.app[CATALOG].write(write)
    return bodies.answer(Targets(items=[shown_target(one) for one in found]))


def _target(request: web.Request, number: int, given: TargetIn, by: str, at_us: int) -> Target:
    where = f"items.{number}"
    if given.owner_kind != WHOLE_CITY:
        known_kind(given.owner_kind, kinds_of(request))
    elif given.station:
        raise Invalid("a target of the whole city has no station", field=f"{where}.station")
    if given.all and given.wanted is not None:
        raise Invalid("a target is a number or all there are, not both", field=f"{where}.wanted")
    if given.all_known is not None and not given.all:
        raise Invalid("all_known is how many there are where the target is all of them", field=f"{where}.all_known")
    return Target(given.owner_kind, given.station.strip(), given.wanted, given.all, given.all_known, by, at_us)


async def note(request: web.Request) -> web.Response:
    body = await bodies.read(request, NoteIn)
    if body.owner_kind not in ("", WHOLE_CITY):
        known_kind(body.owner_kind, kinds_of(request))
    made = Note(
        day=body.day,
        owner_kind=body.owner_kind,
        station=body.station.strip(),
        action=body.action.strip(),
        remarks=body.remarks.strip(),
        made_by=body.by,
        changed_us=wall_us(),
    )
    register_days.not_to_come(made.day, now_us=made.changed_us, zone=request.app[ZONE])
    await request.app[CATALOG].write(partial(rows.put_note, note=made))
    return bodies.answer(shown_note(made))


async def sign(request: web.Request) -> web.Response:
    body = await bodies.read(request, SignIn)
    ask = partial(
        register_days.signed,
        day=body.day,
        by=body.by,
        remarks=body.remarks,
        seen=body.seen,
        now_us=wall_us(),
        zone=request.app[ZONE],
        kinds=kinds_of(request),
    )
    made = await request.app[CATALOG].read(ask)
    await request.app[CATALOG].write(partial(register_days.put_signed, register=made))
    return bodies.answer(shown(made, kinds_of(request)))


def operations() -> list[Operation]:
    tag = "Register"
    day = Parameter("day", "query", _DAY_SCHEMA, "A day in the site's zone; left out: today.")
    signed = Reply("The register as it was signed.", RegisterOut)
    return [
        Operation(
            "GET",
            "/api/v1/register",
            register,
            tag,
            "The daily register",
            {200: Reply("By kind of owner and station, with the faulty cameras.", RegisterOut)},
            description=(
                "Today is told as of now over the last 24 hours; a day that is over, as it was kept shortly after midnight or"
                " signed."
            ),
            parameters=(day,),
        ),
        Operation(
            "GET",
            "/api/v1/register/export",
            export,
            tag,
            "The daily register as a sheet or a paper",
            {
                200: Reply(
                    "The file.",
                    media_type=FORMATS["pdf"],
                    or_media_types=(FORMATS["xlsx"], FORMATS["csv"]),
                    schema={"type": "string", "format": "binary"},
                    headers={"Content-Disposition": "A name for the file."},
                )
            },
            parameters=(
                day,
                Parameter(
                    "format", "query", {"type": "string", "enum": list(FORMATS), "default": "pdf"}, "Of the file."
                ),
                Parameter(
                    "language",
                    "query",
                    {"type": "string", "enum": list(LANGUAGES)},
                    "Of its headings; left out: the site's.",
                ),
            ),
            problems=(503,),
        ),
        Operation(
            "GET",
            "/api/v1/register/progress",
            progress,
            tag,
            "The sums of each day, for progress over time",
            {200: Reply("Days that were kept, and today.", Progress)},
            parameters=(
                Parameter("from", "query", _DAY_SCHEMA, f"First day; left out: {USUAL_DAYS} days up to the last."),
                Parameter("to", "query", _DAY_SCHEMA, f"Last day, included; left out: today. At most {MAX_DAYS} days."),
                Parameter(
                    "kind",
                    "query",
                    {"type": "string", "pattern": NOTED_KIND},
                    "A kind of owner; left out: the whole city.",
                ),
            ),
        ),
        Operation(
            "GET",
            "/api/v1/targets",
            targets,
            tag,
            "How many cameras are to be linked",
            {200: Reply("All targets.", Targets)},
        ),
        Operation(
            "PUT",
            "/api/v1/targets",
            put_targets,
            tag,
            "Set targets",
            {200: Reply("All targets as they are now.", Targets)},
            description='A number, or "all" with how many there are once somebody has counted them.',
            body=TargetsIn,
        ),
        Operation(
            "PUT",
            "/api/v1/register/notes",
            note,
            tag,
            "Write down what was done about it",
            {200: Reply("The note.", NoteOut)},
            body=NoteIn,
            problems=(409,),
        ),
        Operation(
            "POST",
            "/api/v1/register/sign",
            sign,
            tag,
            "Sign a day off",
            {200: signed},
            description="From then on the day never changes. A correction goes into the next day's remarks.",
            body=SignIn,
            problems=(409,),
        ),
    ]
