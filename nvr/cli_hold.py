"""`nvr hold ...`: footage that stays for a case, whatever policies and disks say. A running server obeys at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from config.errors import Invalid
from config.settings import Settings
from nvr.cli_base import catalog_for_reading, catalog_for_writing, json_option, show, table, with_settings
from nvr.cli_camera import find
from nvr.cli_policies import made_by
from retention.holds import HoldUse, uses
from storage.catalog import holds
from storage.catalog.sqlite import Connection
from storage.clock import rfc3339, wall_us
from storage.model import CameraId
from storage.terms import Hold
from web.holds import shown_hold
from web.params import parse_time

PAGE = 500


@click.group()
def hold() -> None:
    """Keep footage for a case, and let go of it again."""


def _shown(some: list[HoldUse]) -> list[dict[str, Any]]:
    return [shown_hold(use).model_dump(by_alias=True, mode="json") for use in some]


def _table(some: list[HoldUse]) -> None:
    rows = [
        [
            use.hold.id,
            use.hold.case_ref,
            use.camera.code,
            rfc3339(use.hold.start_us),
            rfc3339(use.hold.end_us),
            "released" if use.hold.released_us else f"{use.bytes / 1e9:,.2f}",
            "" if use.hold.review_us is None else rfc3339(use.hold.review_us)[:10],
            use.hold.created_by,
            use.hold.release_reason or use.hold.reason,
        ]
        for use in some
    ]
    table(["id", "case", "camera", "from", "to", "GB", "review", "by", "reason"], rows)


@hold.command()
@click.option("--camera", "keys", multiple=True, required=True, metavar="ID|CODE", help="May be given several times.")
@click.option("--from", "from_", required=True, help="RFC 3339 with an offset, or microseconds since 1970.")
@click.option("--to", required=True, help="As --from; may lie in the future. The instant itself is not in it.")
@click.option("--case", required=True, help="The case's own reference.")
@click.option("--reason", required=True)
@click.option("--review", help="When somebody is to look whether it is still needed; as --from.")
@json_option
@with_settings
def add(
    settings: Settings,
    keys: tuple[str, ...],
    from_: str,
    to: str,
    case: str,
    reason: str,
    review: str | None,
    as_json: bool,
) -> None:
    """Keep a window of one or more cameras; prints the holds' ids."""
    now_us = wall_us()
    review_us = None if review is None else parse_time(review, "--review")
    if review_us is not None and review_us <= now_us:
        raise Invalid("--review must be later than now", field="--review")
    one = Hold(
        id=0,
        case_ref=case,
        camera_id=CameraId(0),
        start_us=parse_time(from_, "--from"),
        end_us=parse_time(to, "--to"),
        reason=reason,
        created_by=made_by(),
        created_us=now_us,
        review_us=review_us,
    )
    with catalog_for_writing(settings) as db:
        cameras = dict.fromkeys(find(db, key).id for key in keys)
        made = uses(db, [holds.place(db, replace(one, camera_id=camera_id)) for camera_id in cameras])
    if as_json:
        show(_shown(made))
        return
    for use in made:
        click.echo(f"{use.hold.id}  {use.camera.code}: {use.bytes / 1e9:,.2f} GB are kept now")


@hold.command("list")
@click.option("--camera", "key", metavar="ID|CODE", help="Of this camera.")
@click.option("--case", help="Of this case.")
@click.option("--released", is_flag=True, help="Those that are over as well.")
@json_option
@with_settings
def list_(settings: Settings, key: str | None, case: str | None, released: bool, as_json: bool) -> None:
    """What is kept, and how much that is; the newest first."""
    with catalog_for_reading(settings) as db:
        camera_id = None if key is None else find(db, key).id
        found = uses(db, _all(db, case, camera_id, released))
    if as_json:
        show(_shown(found))
    else:
        _table(found)


def _all(db: Connection, case: str | None, camera_id: CameraId | None, released: bool) -> list[Hold]:
    found: list[Hold] = []
    before_id = 1 << 62
    while page := holds.listing(
        db, case_ref=case, camera_id=camera_id, released=released, before_id=before_id, limit=PAGE
    ):
        found += page
        before_id = page[-1].id
    return found


@hold.command()
@click.argument("hold_id", metavar="ID", type=int)
@click.option("--reason", required=True, help="Why it need not stay any more.")
@with_settings
def release(settings: Settings, hold_id: int, reason: str) -> None:
    """Let go of what a hold keeps; policies and other holds decide about it from now on."""
    with catalog_for_writing(settings) as db:
        released = holds.release(db, hold_id, made_by(), reason, wall_us())
        (use,) = uses(db, [released])
    click.echo(f"{released.id}  {use.camera.code}: released, case {released.case_ref}")
