"""`nvr retention report`: promised against achieved days, and for how long each volume will keep its promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import click

from config.settings import Settings
from nvr.cli_base import catalog_for_reading, json_option, show, table, with_settings
from retention.forecast import Forecast
from retention.pressure import marks
from retention.report import STATES, CameraPromise, Report, VolumeRoom, read
from storage.catalog import volumes as volume_rows
from storage.catalog.sqlite import Connection
from storage.clock import rfc3339, wall_us
from storage.model import CameraId
from storage.volumes import check, space
from web.retention_report import shown

GB = 1_000_000_000
DAY_US = 86_400_000_000


@click.command()
@click.option("--all", "all_cameras", is_flag=True, help="Also the cameras whose promise is kept.")
@json_option
@with_settings
def report(settings: Settings, as_json: bool, all_cameras: bool) -> None:
    """How the promises stand: promised and achieved days of each camera, and when each volume will break a promise.

    Reads the catalog and the volumes' free space; the server need not run.
    """
    with catalog_for_reading(settings) as db:
        paths = {int(volume.id): volume.path for volume in volume_rows.listing(db)}
        found = read(db, wall_us(), rooms(db, settings))
    if as_json:
        show(shown(found, paths).model_dump(mode="json"))
        return
    _cameras(found, all_cameras)
    click.echo()
    _volumes(found, paths)
    if found.backlog.segments:
        oldest = f", the oldest of {rfc3339(found.backlog.oldest_us)}" if found.backlog.oldest_us else ""
        click.echo(
            f"\noffload: {found.backlog.segments:,} segments ({found.backlog.bytes / GB:,.1f} GB) wait{oldest}; "
            f"{found.backlog.failing:,} have failed at least once"
        )


def rooms(db: Connection, settings: Settings) -> list[VolumeRoom]:
    """Of the configured volumes that can be used now, without a server's measurements."""
    configured = {str(path) for path in settings.storage.volumes}
    made = []
    for volume in volume_rows.listing(db):
        if volume.path in configured and check(volume).state in ("ok", "full"):
            there = space(Path(volume.path))
            low = marks(there.total_bytes, None, settings.retention.min_free_percent).low
            made.append(VolumeRoom(volume.id, max(0, there.free_bytes - low)))
    return made


def _cameras(found: Report, all_cameras: bool) -> None:
    counts = Counter(one.state for one in found.cameras)
    click.echo(f"{len(found.cameras):,} cameras: " + ", ".join(f"{counts[state]:,} {state}" for state in STATES))
    some = [one for one in found.cameras if all_cameras or one.state == "broken"]
    if some:
        click.echo()
        table(
            [
                "camera",
                "state",
                "policy",
                "min",
                "max",
                "achieved",
                "recorded",
                "GB",
                "held GB",
                "oldest",
                "lost until",
            ],
            [_camera(one) for one in some],
        )


def _camera(one: CameraPromise) -> list[object]:
    return [
        one.code,
        one.state,
        one.policy,
        one.min_days,
        one.max_days,
        f"{one.achieved_days:.1f}",
        f"{one.recorded_days:.1f}",
        f"{one.bytes / GB:.1f}",
        f"{one.held_bytes / GB:.1f}",
        rfc3339(one.oldest_us) if one.oldest_us is not None else None,
        rfc3339(one.gone_us) if one.gone_us is not None else None,
    ]


def _volumes(found: Report, paths: dict[int, str]) -> None:
    codes = {one.camera_id: one.code for one in found.cameras}
    table(
        ["volume", "GB a day", "room GB", "needs GB", "held GB", "full in", "breaks a promise in", "whose"],
        [
            [
                paths.get(one.volume_id, one.volume_id),
                f"{one.rate / GB:.1f}",
                f"{one.capacity_bytes / GB:.1f}",
                f"{one.needed_bytes / GB:.1f}",
                f"{found.held_bytes.get(one.volume_id, 0) / GB:.1f}",
                _days(one.full_in_days),
                _days(one.breaks_in_days),
                _whose(one, codes),
            ]
            for one in found.volumes
        ],
    )


def _days(days: float | None) -> str:
    return "never" if days is None else f"{days:.1f} days"


def _whose(one: Forecast, codes: Mapping[CameraId, str]) -> str:
    """The first three, and how many more."""
    names = [codes.get(camera_id, str(camera_id)) for camera_id in one.breaks_first]
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
