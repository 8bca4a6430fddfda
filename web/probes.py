"""Looks at cameras: one that is not registered, a registered one, or many in their turn."""

from __future__ import annotations

import asyncio
from functools import partial

from aiohttp import web

from config.errors import Invalid, NotFound, Unavailable
from storage.catalog import cameras, probe_queue, probes
from storage.catalog.sqlite import Connection
from storage.clock import rfc3339, wall_us
from storage.model import CameraId, Probe
from storage.registry.findings import FINDINGS
from web import bodies, params
from web.cameras import milliseconds, place_of
from web.keys import CATALOG, FLEET, PROBER, SETTINGS, ProbeReport
from web.operations import CAMERA_ID, Operation, Reply
from web.probe_schemas import FindingOut, KeptProbeOut, ProbeOut, ProbesIn, ProbesOut, QueuedOut
from web.schemas import ProbeIn

PROBE_S = 60.0
PROBES_AT_ONCE = 4

PROBES: web.AppKey[asyncio.Semaphore] = web.AppKey("probes")


def _findings(codes: tuple[str, ...]) -> list[FindingOut]:
    """A code that an older or newer server kept is left out."""
    known = [FINDINGS[code] for code in codes if code in FINDINGS]
    return [FindingOut(code=one.code, level=one.level, text=one.text, fix=one.fix) for one in known]


def _shown(report: ProbeReport) -> ProbeOut:
    return ProbeOut(
        ok=report.ok,
        cause=report.cause,
        detail=report.detail,
        video_codec=report.video_codec,
        width=report.width,
        height=report.height,
        fps=report.fps,
        audio_codec=report.audio_codec,
        audio_received=report.audio_received,
        bitrate_kbps=report.bitrate_kbps,
        keyframe_s=report.keyframe_s,
        clock_offset_ms=milliseconds(report.clock_offset_us),
        findings=_findings(report.findings),
    )


def _kept(row: Probe) -> KeptProbeOut:
    return KeptProbeOut(
        ok=row.ok,
        cause=row.cause,
        detail=row.detail,
        video_codec=row.video_codec,
        width=row.width,
        height=row.height,
        fps=row.fps,
        audio_codec=row.audio_codec,
        audio_received=row.audio_received,
        bitrate_kbps=row.bitrate_kbps,
        keyframe_s=row.keyframe_s,
        clock_offset_ms=milliseconds(row.clock_offset_us),
        findings=_findings(row.findings),
        probed_at=rfc3339(row.probed_us),
    )


async def probe(request: web.Request) -> web.Response:
    """Connects to the camera and reads some seconds; nothing is kept."""
    body = await bodies.read(request, ProbeIn)
    place = place_of(request, body.url, body.credentials)
    try:
        async with asyncio.timeout(PROBE_S), request.app[PROBES]:
            report = await request.app[FLEET].probe(place.url, place.credentials, body.audio)
    except TimeoutError:
        raise Unavailable("the camera could not be looked at in time: try again") from None
    return bodies.answer(_shown(report))


async def look(request: web.Request) -> web.Response:
    """With the login that is kept; so is what is found."""
    return bodies.answer(_kept(await request.app[PROBER].look(params.camera_id(request))))


async def last(request: web.Request) -> web.Response:
    camera_id = params.camera_id(request)

    def read(db: Connection) -> Probe:
        cameras.get(db, camera_id)
        found = probes.last_look(db, camera_id)
        if found is None:
            raise NotFound(f"nobody has looked at camera {camera_id} yet: POST looks at it", field="camera_id")
        return found

    return bodies.answer(_kept(await request.app[CATALOG].read(read)))


async def ask(request: web.Request) -> web.Response:
    body = await bodies.read(request, ProbesIn)
    if bool(body.cameras) == bool(body.unprobed):
        raise Invalid('give either "cameras" or "unprobed": true', field="cameras")
    if body.cameras:
        work = partial(_ask_for, ids=frozenset(CameraId(one) for one in body.cameras), at_us=wall_us())
    else:
        node = request.app[SETTINGS].server.node
        work = partial(probe_queue.ask_unprobed, node=node, at_us=wall_us())
    queued = await request.app[CATALOG].write(work)
    request.app[PROBER].wake()
    return bodies.answer(QueuedOut(queued=queued), status=202)


def _ask_for(db: Connection, ids: frozenset[CameraId], at_us: int) -> int:
    unknown = ids - cameras.ids(db)
    if unknown:
        raise Invalid(f"there is no camera {min(unknown)}", field="cameras")
    return probe_queue.ask(db, ids, at_us)


async def progress(request: web.Request) -> web.Response:
    counts = await request.app[PROBER].counts()
    return bodies.answer(
        ProbesOut(waiting=counts.waiting, running=counts.running, done=counts.done, failed=counts.failed)
    )


def setup(app: web.Application) -> None:
    app[PROBES] = asyncio.Semaphore(PROBES_AT_ONCE)


_TAG = "Looks at cameras"


def operations() -> list[Operation]:
    return [
        Operation(
            "POST",
            "/api/v1/cameras/probe",
            probe,
            _TAG,
            "Look at a camera without registering it",
            {200: Reply("What it sends and what is wrong with it, or why it could not be read.", ProbeOut)},
            body=ProbeIn,
        ),
        Operation(
            "POST",
            "/api/v1/cameras/probes",
            ask,
            _TAG,
            "Look at many cameras, in their turn",
            {202: Reply("How many were put into the queue: those already in it are not counted.", QueuedOut)},
            body=ProbesIn,
        ),
        Operation(
            "GET",
            "/api/v1/cameras/probes",
            progress,
            _TAG,
            "How far the queue is",
            {200: Reply("The numbers.", ProbesOut)},
        ),
        Operation(
            "POST",
            "/api/v1/cameras/{camera_id}/probe",
            look,
            _TAG,
            "Look at a registered camera now",
            {200: Reply("What was found; it is kept.", KeptProbeOut)},
            parameters=(CAMERA_ID,),
        ),
        Operation(
            "GET",
            "/api/v1/cameras/{camera_id}/probe",
            last,
            _TAG,
            "What the last look found",
            {200: Reply("What was found, and when.", KeptProbeOut)},
            parameters=(CAMERA_ID,),
        ),
    ]
