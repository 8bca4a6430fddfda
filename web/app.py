"""The aiohttp application: routes, middlewares, what handlers find in it. `nvr.server` runs it."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from zoneinfo import ZoneInfo

from aiohttp import web

from config.settings import Settings
from retention.keeper import Keeper
from retention.offload import Offloader
from storage.catalog.db import Catalog
from storage.footage import Footage
from storage.ingest import Ingest
from storage.volumes import Volumes
from web import (
    alerts,
    camera_history,
    camera_import,
    cameras,
    coverage,
    event_stream,
    health,
    holds,
    hosts,
    offload,
    onvif,
    openapi,
    pages,
    places,
    play,
    play_operations,
    probes,
    problems,
    register,
    retention,
    retention_plan,
    retention_report,
    search,
    sites,
    status,
    timeline,
)
from web import volumes as volume_operations
from web.events import Events
from web.keys import (
    CATALOG,
    EVENTS,
    FFMPEG,
    FLEET,
    FOOTAGE,
    INGEST,
    KEEPER,
    OFFLOADER,
    PROBER,
    SETTINGS,
    VERSION,
    VOLUMES,
    ZONE,
    FleetView,
    ProberView,
)
from web.operations import Operation, Reply, add_routes

MAX_BODY_BYTES = 1024 * 1024

DOCUMENT: web.AppKey[bytes] = web.AppKey("openapi document")
DOCS_PAGE: web.AppKey[str] = web.AppKey("openapi page")


def version() -> str:
    try:
        return installed_version("nvr")
    except PackageNotFoundError:
        return "0"


def all_operations() -> list[Operation]:
    """Every URL of the API, in the order in which the document shows them."""
    return [
        *cameras.operations(),
        *probes.operations(),
        *onvif.operations(),
        *camera_import.operations(),
        *camera_history.operations(),
        *sites.operations(),
        *timeline.operations(),
        *search.operations(),
        *places.operations(),
        *coverage.operations(),
        *play_operations.operations(play.routes()),
        *status.operations(),
        *retention.operations(),
        *alerts.operations(),
        *offload.operations(),
        *volume_operations.operations(),
        *retention_report.operations(),
        *retention_plan.operations(),
        *holds.operations(),
        *register.operations(),
        *event_stream.operations(),
        *health.operations(),
        Operation(
            "GET",
            "/api/v1/openapi.json",
            _document,
            "This document",
            "OpenAPI 3.1",
            {200: Reply("The document.", schema={"type": "object"})},
        ),
    ]


async def _document(request: web.Request) -> web.Response:
    return web.Response(
        body=request.app[DOCUMENT], content_type="application/json", headers={"Cache-Control": "no-cache"}
    )


async def _docs(request: web.Request) -> web.Response:
    headers = {"Content-Security-Policy": pages.CONTENT_SECURITY_POLICY, "Cache-Control": "no-cache"}
    return web.Response(text=request.app[DOCS_PAGE], content_type="text/html", headers=headers)


def make_app(
    settings: Settings,
    *,
    catalog: Catalog,
    footage: Footage,
    volumes: Volumes,
    fleet: FleetView,
    ffmpeg: Path,
    events: Events,
    ingest: Ingest,
    offloader: Offloader | None = None,
    keeper: Keeper,
    prober: ProberView,
    onvif_client: onvif.Onvif,
) -> web.Application:
    """Everything the server answers. Blocking (it reads the pages' files), once."""
    operations = all_operations()
    uploads = {(operation.method, operation.path): operation.uploads for operation in operations if operation.uploads}
    app = web.Application(
        middlewares=[
            problems.answer_errors,
            hosts.guard((settings.server.host, *settings.server.names), settings.server.cors_origins, uploads),
        ],
        client_max_size=MAX_BODY_BYTES,
    )
    app[SETTINGS], app[CATALOG], app[FOOTAGE], app[VOLUMES] = (settings, catalog, footage, volumes)
    app[FLEET], app[FFMPEG], app[EVENTS], app[INGEST], app[VERSION] = (fleet, ffmpeg, events, ingest, version())
    app[KEEPER], app[PROBER], app[onvif.ONVIF] = keeper, prober, onvif_client
    app[OFFLOADER] = offloader
    app[ZONE] = ZoneInfo(settings.server.timezone)
    app.on_response_prepare.append(problems.note_prepared)
    app.on_response_prepare.append(hosts.add_headers)
    for part in (camera_import, event_stream, health, onvif, play, probes):
        part.setup(app)
    api = openapi.document(operations, version=app[VERSION])
    app[DOCUMENT], app[DOCS_PAGE] = json.dumps(api).encode(), openapi.page(api)
    add_routes(app, operations)
    app.router.add_get("/api/docs", _docs)
    pages.setup(app, pages.Site(settings.server.name, settings.server.timezone, settings.server.language))
    return app
