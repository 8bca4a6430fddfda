"""The promise report: promised against achieved days, and how long each volume will keep its promises."""

from __future__ import annotations

from aiohttp import web

from retention.forecast import Forecast
from retention.report import CameraPromise, Report
from storage.clock import rfc3339
from web import bodies
from web.keys import KEEPER, VOLUMES
from web.operations import Operation, Reply
from web.params import rfc3339_or_none
from web.promise_schemas import BacklogOut, CameraPromiseOut, ForecastOut, PromiseCounts, PromiseReport

SHOWN_DAYS = 3


def shown_promise(one: CameraPromise) -> CameraPromiseOut:
    return CameraPromiseOut(
        camera_id=one.camera_id,
        code=one.code,
        name=one.name,
        name_hi=one.name_hi,
        owner_kind=one.owner_kind,
        station=one.station,
        policy=one.policy,
        why=one.why,
        min_days=one.min_days,
        max_days=one.max_days,
        priority=one.priority,
        state=one.state,  # type: ignore[arg-type]  # one of retention.report.STATES
        oldest_footage=rfc3339_or_none(one.oldest_us),
        achieved_days=round(one.achieved_days, SHOWN_DAYS),
        recorded_days=round(one.recorded_days, SHOWN_DAYS),
        lost_until=rfc3339_or_none(one.gone_us),
        bytes=one.bytes,
        remote_bytes=one.remote_bytes,
        held_bytes=one.held_bytes,
        bytes_per_day=round(one.rate),
    )


def shown_forecast(one: Forecast, path: str) -> ForecastOut:
    return ForecastOut(
        volume_id=one.volume_id,
        path=path,
        capacity_bytes=one.capacity_bytes,
        needed_bytes=one.needed_bytes,
        write_bytes_per_day=round(one.rate),
        breaks_in_days=None if one.breaks_in_days is None else round(one.breaks_in_days, SHOWN_DAYS),
        breaks_first=list(one.breaks_first),
        full_in_days=None if one.full_in_days is None else round(one.full_in_days, SHOWN_DAYS),
    )


def shown(found: Report, paths: dict[int, str]) -> PromiseReport:
    counts = {
        state: sum(one.state == state for one in found.cameras) for state in ("kept", "filling", "broken", "none")
    }
    return PromiseReport(
        at=rfc3339(found.at_us),
        counts=PromiseCounts(**counts),
        cameras=[shown_promise(one) for one in found.cameras],
        volumes=[shown_forecast(one, paths.get(one.volume_id, "")) for one in found.volumes],
        offload=BacklogOut(
            segments=found.backlog.segments,
            bytes=found.backlog.bytes,
            oldest=rfc3339_or_none(found.backlog.oldest_us),
            failing=found.backlog.failing,
        ),
    )


async def promise_report(request: web.Request) -> web.Response:
    paths = {int(volume.id): volume.path for volume in request.app[VOLUMES].all()}
    return bodies.answer(shown(await request.app[KEEPER].report(), paths))


def operations() -> list[Operation]:
    return [
        Operation(
            "GET",
            "/api/v1/retention/report",
            promise_report,
            "Retention",
            "Promised against achieved days, and the forecast",
            {200: Reply("All cameras and the volumes in use; at most half a minute old.", PromiseReport)},
            description="A promise is `broken` while footage younger than the camera's minimum is missing, `filling` while"
            " the camera has not recorded for so long yet.",
        ),
    ]
