"""`nvr retention plan`, `apply` and `trust-clock`: what will go, making it go, and vouching for the clock that decides."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

import click

from config.errors import Conflict
from config.settings import Settings
from nvr.cli_base import catalog_for_reading, catalog_for_writing, json_option, run, show, table, with_settings
from nvr.cli_jobs import ask_server
from nvr.cli_policies import policies_for_reading
from nvr.cli_storage import storage_of
from nvr.jobs import RETENTION_APPLY
from retention import apply
from retention.clock import EARLIEST_US, ClockTrust, reading, vouched
from retention.settle import settle
from retention.sweep import Sweeper
from storage.catalog import policies, trust
from storage.catalog import volumes as volume_rows
from storage.catalog.db import CatalogLock
from storage.clock import rfc3339, wall_us
from storage.model import VolumeId
from web.retention_plan import read

ALL = 1 << 31
WORDS = {
    "delete": "deleted",
    "drop_local": "local copy removed",
    "delete_remote": "deleted in the object store",
    "max_days": "beyond its maximum",
    "local_days": "its local copy's days are over",
    "quota": "over its quota",
}


def _gb(size: int) -> str:
    return f"{size / 1e9:,.2f}"


@click.command("plan")
@json_option
@with_settings
def plan_(settings: Settings, as_json: bool) -> None:
    """What the next sweep will take: which cameras, how much, why. Held footage is left out.

    What a full disk would take beyond that is not in it.
    """
    with policies_for_reading(settings) as db:
        found = read(db, wall_us(), 0, ALL)
        paths = {volume.id: volume.path for volume in volume_rows.listing(db)}
    if as_json:
        show(found.model_dump(by_alias=True, mode="json"))
        return
    if found.items:
        head = ["camera", "segments", "GB", "oldest", "before", "what", "why", "volume"]
        table(
            head,
            [
                [
                    *(cut.code, f"{cut.segments:,}", _gb(cut.bytes), cut.oldest[:16], cut.before[:16]),
                    *(WORDS[cut.kind], WORDS[cut.reason], paths.get(VolumeId(cut.volume_id))),
                ]
                for cut in found.items
            ],
        )
    click.echo(f"{found.segments:,} segments of {found.cameras:,} cameras, {_gb(found.bytes)} GB")
    for stop in found.waits:
        click.echo(_question(paths.get(VolumeId(stop.volume_id)), stop.bytes, stop.of_bytes, stop.oldest))
    if found.doubt:
        click.echo(f"nothing goes now: {found.doubt}")


def _question(path: str | None, size: int, of_bytes: int, oldest: str) -> str:
    return (
        f"{path}: {_gb(size)} of {_gb(of_bytes)} GB would go at once, the oldest of {oldest[:16]}: that waits for"
        " `nvr retention apply --confirm`"
    )


@click.command("apply")
@click.option("--confirm", is_flag=True, help="Also where more than a fifth of a volume's footage goes at once.")
@json_option
@with_settings
def apply_(settings: Settings, confirm: bool, as_json: bool) -> None:
    """Delete now what `nvr retention plan` shows, by the running server where there is one."""
    with policies_for_reading(settings) as db:
        _, wanted = apply.look(db, wall_us())
        paths = {volume.id: volume.path for volume in volume_rows.listing(db)}
    if confirm and wanted:
        with catalog_for_writing(settings) as db:
            apply.confirm(db, wanted, wall_us())
    lock = CatalogLock(settings.storage.database)
    try:
        lock.acquire()
    except Conflict:
        report = ask_server(settings, RETENTION_APPLY, {}, "sweeping")
    else:
        try:
            report = run(_here(settings))
        finally:
            lock.release()
    if as_json:
        show(report)
    else:
        click.echo(f"{report['segments']:,} segments, {_gb(report['bytes'])} GB are gone")
    if report["stopped"]:
        raise Conflict(
            "; ".join(
                _question(
                    paths.get(VolumeId(stop["volume_id"])), stop["bytes"], stop["of_bytes"], rfc3339(stop["oldest_us"])
                )
                for stop in report["stopped"]
            )
        )


async def _here(settings: Settings) -> dict[str, Any]:
    async with storage_of(settings) as (catalog, volumes):
        sweeper = Sweeper(catalog, volumes)
        await sweeper.drain_garbage()
        seed = partial(policies.seed, default_days=settings.retention.default_days, at_us=wall_us())
        await catalog.write(seed)
        doubt = await ClockTrust(catalog).doubt()
        await settle(catalog, wall_us(), trusted=not doubt)
        return asdict(await apply.apply(catalog, sweeper, wall_us(), doubt=doubt))


@click.command("trust-clock")
@with_settings
def trust_clock(settings: Settings) -> None:
    """Say that the clock is right, after it was set by hand or the machine was off for long. Then footage goes by age again."""
    now = reading()
    if now.wall_us < EARLIEST_US:
        raise Conflict(f"the clock says {rfc3339(now.wall_us)}, which cannot be: set it first")
    with catalog_for_reading(settings) as db:
        last = trust.get(db)
    with catalog_for_writing(settings) as db:
        trust.put(db, vouched(now))
    if last is not None and last.doubt:
        click.echo(f"it was doubted: {last.doubt}")
    click.echo(f"the clock says {rfc3339(now.wall_us)}, and is trusted")
