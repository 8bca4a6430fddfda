"""`nvr offload`: how far footage has come on its way to the object store, and a push for what failed."""

from __future__ import annotations

import click

from config.settings import Settings
from nvr.cli_base import catalog_for_reading, catalog_for_writing, json_option, show, table, with_settings
from storage.catalog import object_garbage, offload_counts, offloads
from storage.clock import rfc3339, wall_us
from storage.model import Tier

ERRORS_SHOWN = 5


@click.group()
def offload() -> None:
    """Footage in the object store."""


@offload.command()
@json_option
@with_settings
def status(settings: Settings, as_json: bool) -> None:
    """What waits, what is there, what failed."""
    from web.offload import shown

    with catalog_for_reading(settings) as db:
        found = offload_counts.backlog(db)
        failures = offload_counts.failures(db, ERRORS_SHOWN)
    now_us = wall_us()
    if as_json:
        told = shown(
            found, failures, None, now_us, endpoint=settings.offload.endpoint, bucket=settings.offload.bucket
        ).model_dump(mode="json", by_alias=True)
        # Only the server that uploads knows these: they are in GET /api/v1/offload.
        for name in ("waiting_for", "rate_bytes_per_s", "object_lock", "last_error", "last_error_at"):
            del told[name]
        show(told)
        return
    if not settings.offload.bucket:
        click.echo("no object store is configured: set offload.bucket")
    rows = [
        ("queued", found.queued),
        ("uploading", found.uploading),
        ("on volumes alone", found.tiers[Tier.LOCAL]),
        ("on both", found.tiers[Tier.BOTH]),
        ("in the store alone", found.tiers[Tier.REMOTE]),
    ]
    table(["", "segments", "bytes"], [[name, f"{count.segments:,}", f"{count.bytes:,}"] for name, count in rows])
    if found.oldest_us is not None:
        age_h = (now_us - found.oldest_us) / 3.6e9
        click.echo(f"the oldest footage that waits is of {rfc3339(found.oldest_us)}, {age_h:,.1f} h old")
    if found.garbage:
        click.echo(
            f"{found.garbage:,} objects of deleted footage are still to be deleted ({found.garbage_failing:,} failed)"
        )
    if failures:
        click.echo(f"{found.failing:,} have failed and are tried again, such as:")
        head = ["camera", "run", "n", "tries", "next try", "error"]
        table(
            head,
            [[f.camera_id, f.run_id, f.n, f.attempts, rfc3339(f.next_try_us), f.error] for f in failures],
        )


@offload.command()
@with_settings
def retry(settings: Settings) -> None:
    """Try again at once what has failed. The server sees it within seconds, or minutes where the whole store failed."""
    with catalog_for_writing(settings) as db:
        uploads = offloads.retry(db)
        object_garbage.retry(db, wall_us())
    click.echo(f"{uploads:,} uploads will be tried again now")
