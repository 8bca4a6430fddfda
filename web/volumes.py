"""The volumes: their state, their room, how fast it goes, who is recorded there."""

from __future__ import annotations

from aiohttp import web

from retention.report import Report
from retention.volume_keeper import VolumeStanding
from storage.model import Volume
from storage.volumes import Space
from web import bodies
from web.keys import FLEET, KEEPER, VOLUMES
from web.operations import Operation, Reply
from web.promise_schemas import VolumeDetail, VolumeDetailPage


async def volumes(request: web.Request) -> web.Response:
    """As of the last look at them, a moment ago: no disk is asked."""
    keeper, found = request.app[KEEPER], request.app[VOLUMES]
    standings = {standing.volume_id: standing for standing in keeper.standings()}
    recorded = request.app[FLEET].recording_on()
    report = await keeper.report()
    shedding = keeper.shedding()
    return bodies.answer(
        VolumeDetailPage(
            items=[
                shown(
                    volume,
                    standings.get(volume.id),
                    report,
                    found.space(volume.id),
                    cameras=sorted(recorded.get(volume.id, ())),
                    shedding=volume.id in shedding,
                    garbage=keeper.facts.garbage.get(volume.id, 0),
                )
                for volume in found.all()
            ]
        )
    )


def shown(
    volume: Volume,
    standing: VolumeStanding | None,
    report: Report,
    there: Space | None,
    *,
    cameras: list[int],
    shedding: bool,
    garbage: int,
) -> VolumeDetail:
    forecast = next((one for one in report.volumes if one.volume_id == volume.id), None)
    return VolumeDetail(
        id=volume.id,
        path=volume.path,
        state=volume.state,  # type: ignore[arg-type]  # one of the six
        detail=volume.detail,
        free_bytes=there.free_bytes if there else None,
        total_bytes=there.total_bytes if there else None,
        low_bytes=standing.marks.low if standing else None,
        write_bytes_per_s=standing.rate if standing else None,
        time_to_full_s=standing.time_to_full_s if standing else None,
        footage_bytes=report.footage_bytes.get(volume.id, 0),
        held_bytes=report.held_bytes.get(volume.id, 0),
        garbage_files=garbage,
        cameras=cameras,
        shedding=shedding,
        held_full=bool(standing and standing.short_bytes),
        breaks_in_days=forecast.breaks_in_days if forecast else None,
    )


def operations() -> list[Operation]:
    return [
        Operation(
            "GET",
            "/api/v1/volumes",
            volumes,
            "Retention",
            "The volumes, their room and how long it lasts",
            {200: Reply("All of them.", VolumeDetailPage)},
        ),
    ]
