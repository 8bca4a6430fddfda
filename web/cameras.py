"""Cameras: list, register, change, archive. How each fares comes from the fleet's memory, the rest from one read."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

from aiohttp import web

from config.errors import Conflict, Invalid
from config.owner_kinds import known_kind
from config.settings import is_loopback
from retention.settle import clock_trusted, settle_now, settling
from storage import camera_url
from storage.camera_rules import unfit
from storage.catalog import cameras as rows
from storage.catalog import logins
from storage.catalog.cameras import Brief, Filter, Listed, Media
from storage.catalog.search import Found
from storage.catalog.sqlite import Connection
from storage.clock import rfc3339, wall_us
from storage.model import Camera, CameraId, Credentials
from storage.registry.findings import FINDINGS
from web import bodies, params
from web.keys import CATALOG, FLEET, KEEPER, SETTINGS, CameraHealth
from web.operations import CAMERA_ID, CURSOR, LIMIT, Operation, Parameter, Reply
from web.schemas import BY, FIT, CameraChange, CameraIn, CameraOut, CameraPage, CredentialsIn
from web.sites import kinds_of

STATES = ("recording", "starting", "failed", "disabled", "unknown")
ORDERS = ("code", "use")
STRIDE = 100
"""Cameras put into an answer before the loop gets its turn: about 3 ms."""

TROUBLES = tuple(code for code, finding in FINDINGS.items() if finding.level != "info")
"""Findings that need a hand."""

_NO_MEDIA = Media("", "", "", 0, 0)


def state_of(camera: Camera | Brief | Found, health: CameraHealth | None) -> str:
    """What a page shows: a disabled camera is disabled whatever its recorder still does."""
    if not camera.enabled:
        return "disabled"
    return health.state if health is not None and health.state in STATES else "unknown"


def milliseconds(us: int | None) -> float | None:
    return None if us is None else us / 1000


def shown(item: Listed, health: CameraHealth | None) -> CameraOut:
    camera, media = item.camera, item.media or _NO_MEDIA
    quiet = health is None or not camera.enabled
    return CameraOut(
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
        lat=camera.lat,
        lon=camera.lon,
        bearing=camera.bearing,
        tags=list(camera.tags),
        contact=camera.contact,
        ward=camera.ward,
        address=camera.address,
        fov=camera.fov,
        make=camera.make,
        model=camera.model,
        serial=camera.serial,
        mac=camera.mac,
        firmware=camera.firmware,
        legal_basis=camera.legal_basis,
        url=camera.url,
        has_credentials=item.has_credentials,
        audio=camera.audio,
        mode=camera.mode,
        node=camera.node,
        enabled=camera.enabled,
        created_at=rfc3339(camera.created_us),
        archived_at=params.rfc3339_or_none(camera.archived_us),
        state=state_of(camera, health),  # type: ignore[arg-type]  # one of STATES
        cause=None if health is None or quiet else health.cause,
        detail="" if health is None or quiet else health.detail,
        since=None if health is None else rfc3339(health.since_us),
        newest_footage=None if health is None else params.rfc3339_or_none(health.newest_footage_us),
        missed_segments=0 if health is None or quiet else health.missed_segments,
        clock_offset_ms=None if health is None else milliseconds(health.clock_offset_us),
        video_codec=media.video_codec,
        audio_codec=media.audio_codec,
        codecs=media.codecs,
        width=media.width,
        height=media.height,
        troubles=[code for code in item.findings if code in TROUBLES],
    )


async def listing(request: web.Request) -> web.Response:
    limit = params.limit(request)
    by_use = params.choice(request, "order", ORDERS, default="code") == "use"
    after, in_use = _after(request, by_use=by_use)
    state = params.choice(request, "state", STATES, default=None)
    archived = params.flag(request, "archived", default=False)
    wanted = Filter(
        text=params.text(request, "text") or "",
        enabled=params.flag(request, "enabled", default=None),
        kind=params.text(request, "kind"),
        station=params.text(request, "station"),
        ward=params.text(request, "ward"),
        zone=params.text(request, "zone"),
        site=params.text(request, "site"),
        tag=params.text(request, "tag"),
        node=params.text(request, "node"),
        archived=archived,
        ids=None if state is None else await _in_state(request, state, archived=archived),
        findings=TROUBLES,
        found=params.flag(request, "troubles", default=None),
    )
    page = partial(_by_use, in_use=in_use) if by_use else rows.page
    items = await request.app[CATALOG].read(partial(page, wanted=wanted, after=after, limit=limit + 1))
    fleet = request.app[FLEET]
    shown_items = []
    for number, item in enumerate(items[:limit], 1):
        shown_items.append(shown(item, fleet.health(item.camera.id)))
        if number % STRIDE == 0:
            await asyncio.sleep(0)
    last = items[limit - 1].camera if len(items) > limit else None
    cursor = () if last is None else (int(last.enabled), last.code) if by_use else (last.code,)
    return bodies.answer(CameraPage(items=shown_items, next=params.as_cursor(*cursor) if cursor else None))


def _by_use(db: Connection, *, in_use: bool, wanted: Filter, after: str, limit: int) -> list[Listed]:
    """The enabled ones first, each of the two by code. `in_use`: whether `after` is the code of an enabled one."""
    found: list[Listed] = []
    for enabled in (True, False):
        if (enabled and not in_use) or wanted.enabled not in (None, enabled):
            continue
        begin = after if enabled == in_use else ""
        found += rows.page(db, replace(wanted, enabled=enabled), after=begin, limit=limit - len(found))
        if len(found) == limit:
            break
    return found


async def _in_state(request: web.Request, state: str, *, archived: bool) -> tuple[CameraId, ...]:
    """Cameras whose state, which lives in the fleet's memory and not in the catalog, is the one asked for."""
    fleet = request.app[FLEET]
    cameras = await request.app[CATALOG].read(partial(rows.briefs, archived=archived))
    return tuple(camera.id for camera in cameras if state_of(camera, fleet.health(camera.id)) == state)


def _after(request: web.Request, *, by_use: bool) -> tuple[str, bool]:
    """(the code where the page before ended, whether that camera is enabled)."""
    cursor = params.cursor(request)
    if cursor is None:
        return "", True
    in_use = cursor.pop(0) if by_use and len(cursor) == 2 else 1
    if len(cursor) != 1 or in_use not in (0, 1) or not isinstance(cursor[0], str) or unfit(cursor[0]):
        raise params.bad_cursor()
    return cursor[0], bool(in_use)


async def _answer(request: web.Request, camera_id: CameraId, *, status: int = 200) -> web.Response:
    item = await request.app[CATALOG].read(partial(rows.listed, camera_id=camera_id))
    headers = {"Location": f"/api/v1/cameras/{camera_id}"} if status == 201 else None
    return bodies.answer(shown(item, request.app[FLEET].health(camera_id)), status=status, headers=headers)


async def one(request: web.Request) -> web.Response:
    return await _answer(request, params.camera_id(request))


async def by_code(request: web.Request) -> web.Response:
    code = request.match_info["code"]
    camera = await request.app[CATALOG].read(partial(rows.by_code, code=code))
    return await _answer(request, camera.id)


def _allow_loopback(request: web.Request) -> bool:
    settings = request.app[SETTINGS]
    return settings.recording.allow_loopback or is_loopback(settings.server.host)


def place_of(request: web.Request, url: str, login: CredentialsIn | None) -> camera_url.CameraUrl:
    """The URL as it is kept, with its login from the one place where it was given."""
    parsed = camera_url.parse(url, allow_loopback=_allow_loopback(request))
    if login is None:
        return parsed
    if parsed.credentials is not None:
        raise Invalid("credentials are given twice: in the url and beside it", field="credentials")
    return camera_url.CameraUrl(parsed.url, _login(login))


def _login(login: CredentialsIn) -> Credentials:
    return camera_url.check_credentials(login.username, login.password)


async def add(request: web.Request) -> web.Response:
    body = await bodies.read(request, CameraIn)
    known_kind(body.owner_kind, kinds_of(request))
    place = place_of(request, body.url, body.credentials)
    fields = body.model_dump(exclude={"url", "credentials", "covers", "tags", "by"})
    camera = Camera(
        id=CameraId(0),
        url=place.url,
        node=request.app[SETTINGS].server.node,
        covers=tuple(body.covers),
        tags=tuple(body.tags),
        created_us=wall_us(),
        **fields,
    )

    def write(db: Connection) -> Camera:
        made = rows.add(db, camera, place.credentials, by=body.by)
        settle_now(db, wall_us(), trusted=clock_trusted(db), cameras=frozenset([made.id]))
        return made

    made = await request.app[CATALOG].write(write)
    request.app[FLEET].camera_changed(made.id)
    request.app[KEEPER].ask()
    return await _answer(request, made.id, status=201)


async def change(request: web.Request) -> web.Response:
    camera_id = params.camera_id(request)
    body = await bodies.read(request, CameraChange)
    given = body.model_fields_set
    if body.archived:
        raise Invalid("archived can only be set to false: DELETE archives a camera", field="archived")
    place = place_of(request, body.url, body.credentials) if "url" in given else None
    login = _login(body.credentials) if body.credentials is not None and place is None else None
    if place is not None:
        login = place.credentials
    fields: dict[str, Any] = body.model_dump(
        exclude_unset=True, exclude={"url", "credentials", "archived", "place_since", "by"}
    )
    known_kind(fields.get("owner_kind", ""), kinds_of(request))
    fields |= {name: tuple(fields[name]) for name in ("covers", "tags") if name in fields}
    place_since_us = _place_since(body)
    forget = "credentials" in given and body.credentials is None

    def write(db: Connection) -> None:
        before = rows.get(db, camera_id)
        if before.archived_us is not None and "archived" not in given:
            raise _archived(camera_id)
        if "archived" in given:
            fields["archived_us"] = None
        if place is not None:
            _keep_login_at_its_host(db, before, place, forget)
            fields["url"] = place.url
            if place.url != before.url:
                rows.forget_probe(db, camera_id)
        with settling(db, camera_id, wall_us()):
            rows.update(db, camera_id, by=body.by, place_since_us=place_since_us, **fields)
        if login is not None or forget:
            rows.set_credentials(db, camera_id, login)

    await request.app[CATALOG].write(write)
    request.app[FLEET].camera_changed(camera_id)
    request.app[KEEPER].ask()
    return await _answer(request, camera_id)


def _place_since(body: CameraChange) -> int | None:
    """Raises Invalid without a place that could hold since then."""
    if body.place_since is None:
        return None
    since_us = params.parse_time(body.place_since, "place_since")
    if since_us > wall_us():
        raise Invalid("place_since lies in the future", field="place_since")
    if not body.model_fields_set & {"lat", "lon", "bearing"}:
        raise Invalid("place_since says since when lat and lon hold: give them too", field="place_since")
    return since_us


def _archived(camera_id: CameraId) -> Conflict:
    return Conflict(f'camera {camera_id} is archived: bring it back with {{"archived": false}}', field="archived")


def _keep_login_at_its_host(db: Connection, before: Camera, place: camera_url.CameraUrl, forget: bool) -> None:
    """A stored password is never sent to another host than it was given for."""
    moved = camera_url.host_of(place.url) != camera_url.host_of(before.url) or (
        before.url.startswith("rtsps:") and not place.url.startswith("rtsps:")
    )
    if moved and place.credentials is None and not forget and logins.has(db, before.id):
        raise Invalid(
            "the url leads to another host: give the credentials again, or null for none", field="credentials"
        )


async def archive(request: web.Request) -> web.Response:
    camera_id = params.camera_id(request)
    await request.app[CATALOG].write(partial(rows.archive, camera_id=camera_id, at_us=wall_us(), by=BY))
    request.app[FLEET].camera_changed(camera_id)
    return web.Response(status=204)


def _query(name: str, description: str, schema: dict[str, Any] | None = None) -> Parameter:
    return Parameter(
        name, "query", schema or {"type": "string", "maxLength": params.MAX_TEXT, "pattern": FIT}, description
    )


_FLAG = {"type": "boolean"}
_TAG = "Cameras"
_CODE = Parameter("code", "path", {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"}, "The camera's code.", True)


def operations() -> list[Operation]:
    found = Reply("The camera.", CameraOut)
    return [
        Operation(
            "GET",
            "/api/v1/cameras",
            listing,
            _TAG,
            "List cameras, by code",
            {200: Reply("A page.", CameraPage)},
            parameters=(
                _query(
                    "text", "Words, each of which occurs in names, owner, site, place, address, tags, make or model."
                ),
                _query("state", "Only cameras in this state.", {"type": "string", "enum": list(STATES)}),
                _query("enabled", "Only enabled, or only disabled ones.", _FLAG),
                _query("kind", "Kind of owner."),
                _query("station", "Police station."),
                _query("ward", "Ward."),
                _query("zone", "Zone."),
                _query("site", "Name of a site."),
                _query("tag", "One of their tags."),
                _query("node", "The server that records them."),
                _query("troubles", "Only those whose last look found what needs a hand, or only the others.", _FLAG),
                _query("archived", "The archived ones instead.", _FLAG),
                _query(
                    "order",
                    "By code, or those in use (enabled) before the others.",
                    {"type": "string", "enum": list(ORDERS), "default": "code"},
                ),
                LIMIT,
                CURSOR,
            ),
        ),
        Operation(
            "POST",
            "/api/v1/cameras",
            add,
            _TAG,
            "Register a camera",
            {201: Reply("It is registered; recording starts by itself.", CameraOut, headers={"Location": "Its URL."})},
            body=CameraIn,
            problems=(409,),
        ),
        Operation(
            "GET",
            "/api/v1/cameras/by-code/{code}",
            by_code,
            _TAG,
            "Find a camera by its code",
            {200: found},
            parameters=(_CODE,),
        ),
        Operation("GET", "/api/v1/cameras/{camera_id}", one, _TAG, "One camera", {200: found}, parameters=(CAMERA_ID,)),
        Operation(
            "PATCH",
            "/api/v1/cameras/{camera_id}",
            change,
            _TAG,
            "Change a camera",
            {200: found},
            parameters=(CAMERA_ID,),
            body=CameraChange,
            problems=(409,),
        ),
        Operation(
            "DELETE",
            "/api/v1/cameras/{camera_id}",
            archive,
            _TAG,
            "Archive a camera",
            {204: Reply("It is recorded no more and leaves the lists. Its footage stays.")},
            parameters=(CAMERA_ID,),
        ),
    ]
