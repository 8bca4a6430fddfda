"""The whole place at a glance: how many cameras record, which are silent and why, the volumes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from functools import partial

from aiohttp import web

from storage.catalog import cameras as rows
from storage.catalog.alerts import lasting_elsewhere
from storage.catalog.cameras import Brief
from storage.clock import rfc3339, wall_us
from storage.volumes import Volumes
from web import alerts, bodies
from web.cameras import state_of
from web.keys import CATALOG, FLEET, KEEPER, SETTINGS, VERSION, VOLUMES, CameraHealth, FleetView
from web.operations import Operation, Reply
from web.params import rfc3339_or_none
from web.schemas import CameraCounts, StatusOut, Trouble, VolumeOut

SILENT_SEGMENTS = 2
MAX_TROUBLES = 200
MAX_ALERTS = 50
STRIDE = 500
"""Cameras looked at before the loop gets its turn: 500 take about 1 ms."""

Found = tuple[Brief, CameraHealth]


def is_silent(health: CameraHealth) -> bool:
    """Enabled, and failed or without footage for two segments."""
    return health.state == "failed" or health.missed_segments >= SILENT_SEGMENTS


def volumes_shown(volumes: Volumes) -> list[VolumeOut]:
    """As of the last check: no disk is asked."""
    made = []
    for volume in volumes.all():
        space = volumes.space(volume.id)
        made.append(
            VolumeOut(
                id=volume.id,
                path=volume.path,
                state=volume.state,  # type: ignore[arg-type]  # one of the five
                detail=volume.detail,
                free_bytes=space.free_bytes if space else None,
                total_bytes=space.total_bytes if space else None,
            )
        )
    return made


def trouble(camera: Brief, health: CameraHealth) -> Trouble:
    return Trouble(
        camera_id=camera.id,
        code=camera.code,
        name=camera.name,
        name_hi=camera.name_hi,
        cause=health.cause,
        detail=health.detail,
        since=rfc3339(health.since_us),
        newest_footage=rfc3339_or_none(health.newest_footage_us),
    )


async def _survey(fleet: FleetView, cameras: Iterable[Brief]) -> tuple[CameraCounts, list[Found]]:
    """The counts, and the silent ones, longest first."""
    total = recording = disabled = 0
    states: Counter[str] = Counter()
    silent: list[Found] = []
    for camera in cameras:
        total += 1
        if total % STRIDE == 0:
            await asyncio.sleep(0)
        health = fleet.health(camera.id)
        states[state_of(camera, health)] += 1
        if not camera.enabled:
            disabled += 1
        elif health is not None and is_silent(health):
            silent.append((camera, health))
        elif health is not None and health.state == "recording":
            recording += 1
    silent.sort(key=lambda found: found[1].newest_footage_us or found[1].since_us)
    counts = CameraCounts(
        total=total,
        recording=recording,
        silent=len(silent),
        disabled=disabled,
        failed=states["failed"],
        starting=states["starting"],
    )
    return counts, silent


async def status(request: web.Request) -> web.Response:
    settings, keeper = request.app[SETTINGS], request.app[KEEPER]
    counts, silent = await _survey(request.app[FLEET], await request.app[CATALOG].read(rows.briefs))
    return bodies.answer(
        StatusOut(
            name=settings.server.name,
            now=rfc3339(wall_us()),
            timezone=settings.server.timezone,
            language=settings.server.language,
            segment_seconds=settings.recording.segment_seconds,
            cameras=counts,
            troubles=[trouble(*found) for found in silent[:MAX_TROUBLES]],
            volumes=volumes_shown(request.app[VOLUMES]),
            held_back=len(keeper.held_back()),
            shedding=sorted(keeper.shedding()),
            alerts=[
                alerts.shown(alert)
                for alert in await request.app[CATALOG].read(partial(lasting_elsewhere, limit=MAX_ALERTS))
            ],
            version=request.app[VERSION],
        )
    )


def operations() -> list[Operation]:
    return [
        Operation(
            "GET",
            "/api/v1/status",
            status,
            "Health",
            "The whole place at a glance",
            {200: Reply("Counts, silent cameras, volumes.", StatusOut)},
        ),
    ]
