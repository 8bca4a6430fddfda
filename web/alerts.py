"""What people are told of: troubles that last, those that ended lately, and messages that have not arrived."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from config.redact import redact
from storage.catalog import alerts as rows
from storage.clock import rfc3339
from storage.trouble import Alert
from web import bodies
from web.keys import CATALOG
from web.operations import Operation, Reply
from web.params import rfc3339_or_none
from web.schemas import AlertOut, AlertsOut, UndeliveredOut

SHOWN = 200
LATELY = 50


def shown(alert: Alert) -> AlertOut:
    return AlertOut(
        id=alert.id,
        kind=alert.kind,
        subject=alert.subject,
        detail=redact(alert.detail),
        since=rfc3339(alert.since_us),
        told=rfc3339_or_none(alert.told_us),
        until=rfc3339_or_none(alert.ended_us),
    )


async def alerts(request: web.Request) -> web.Response:
    catalog = request.app[CATALOG]
    found = await catalog.read(rows.open_rows)
    lasting = [alert for alert in found if alert.ended_us is None]
    lately = await catalog.read(partial(rows.latest_closed, limit=LATELY))
    waiting = await catalog.read(rows.waiting)
    return bodies.answer(
        AlertsOut(
            lasting=[shown(alert) for alert in lasting[:SHOWN]],
            total=len(lasting),
            lately=[shown(alert) for alert in lately],
            waiting=[
                UndeliveredOut(place=place, messages=count, error=error) for place, (count, error) in waiting.items()
            ],
        )
    )


def operations() -> list[Operation]:
    return [
        Operation(
            "GET",
            "/api/v1/alerts",
            alerts,
            "Health",
            "Troubles that people are told of",
            {200: Reply("Those that last, those that ended lately, messages on their way.", AlertsOut)},
        )
    ]
