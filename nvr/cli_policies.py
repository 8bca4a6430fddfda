"""What the commands about policies share: the catalog with its first policies, how terms and previews are told, a change made.

What shortens retention is dated by the server, whose clock is watched: a day from when it sees the change. The command line
only writes it down.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from config.settings import Settings
from nvr.cli_base import catalog_for_reading, catalog_for_writing, show, table
from retention import changes
from retention.changes import Prepared, Preview
from retention.settle import UNDATED_US
from storage.catalog import policies
from storage.catalog.policy_changes import Change
from storage.catalog.sqlite import Connection
from storage.clock import rfc3339, wall_us
from storage.model import CameraId
from storage.terms import Policy, Terms

SHOWN = 20
"""Cameras of a preview that a person is shown."""

dry_run_option = click.option("--dry-run", is_flag=True, help="Only tell what it would do.")
confirm_option = click.option(
    "--confirm", is_flag=True, help="Also where more than a fifth of a volume's footage would go."
)


def made_by() -> str:
    """Who runs the command, as the system has it."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


@contextmanager
def policies_for_reading(settings: Settings) -> Iterator[Connection]:
    """The catalog, with its first policies made where it never had any."""
    seed(settings)
    with catalog_for_reading(settings) as db:
        yield db


def seed(settings: Settings) -> None:
    if settings.storage.database.exists():
        with catalog_for_reading(settings) as db:
            if policies.ever(db):
                return
    with catalog_for_writing(settings) as db:
        policies.seed(db, default_days=settings.retention.default_days, at_us=wall_us())


def terms_facts(terms: Terms) -> dict[str, Any]:
    return {name: getattr(terms, name) for name in Terms.__slots__}


def due(due_us: int | None) -> str | None:
    return None if due_us is None or due_us >= UNDATED_US else rfc3339(due_us)


def days(terms: Terms) -> str:
    size = "" if terms.quota_bytes is None else f", {terms.quota_bytes / 1e9:,.1f} GB"
    days = f"{terms.min_days}" if terms.min_days == terms.max_days else f"{terms.min_days} to {terms.max_days}"
    return f"{days} days{size}"


def told_due(due_us: int | None) -> str:
    at = due(due_us)
    return f"in force {at}" if at else "in force a day after the server has seen it"


def target_of(db: Connection, policy: Policy) -> str:
    """As a person names it: a camera by its code, where that could not be read as an id."""
    if policy.scope != "camera":
        return policy.target
    (camera,) = policies.subjects(db, frozenset([CameraId(int(policy.target))])) or (None,)
    return policy.target if camera is None or camera.code.isdecimal() else camera.code


def finish(settings: Settings, prepared: Prepared, *, dry_run: bool, confirm: bool, as_json: bool) -> None:
    """Make it, or only tell; in both cases say what it does."""
    made: list[Change] = []
    if not dry_run and prepared.pairs:
        if not as_json and prepared.preview.needs_confirm and not confirm:
            _tell(prepared.preview)
        with catalog_for_writing(settings) as db:
            made = changes.make(db, prepared, now_us=wall_us(), trusted=False, by=made_by(), confirm=confirm)
    if as_json:
        show({"changes": [change.id for change in made], "dry_run": dry_run, **_preview_facts(prepared.preview)})
        return
    if not prepared.pairs:
        click.echo("nothing changes")
        return
    _tell(prepared.preview)
    for change in made:
        waits = (
            f", {told_due(change.due_us)}: `nvr retention cancel {change.id}` takes it back" if change.due_us else ""
        )
        click.echo(f"change {change.id}: {change.name} {done(change)}{waits}")
    if dry_run:
        click.echo("dry run: nothing was changed")


def done(change: Change) -> str:
    return "deleted" if change.after is None else "made" if change.before is None else "changed"


def _preview_facts(preview: Preview) -> dict[str, Any]:
    facts = preview.summary()
    facts["needs_confirm"] = preview.needs_confirm
    facts["effects"] = [
        {
            "camera": effect.code,
            "before": effect.before and {"policy": effect.before.policy_name, **terms_facts(effect.before.terms)},
            "after": effect.after
            and {"policy": effect.after.policy_name, "why": effect.after.why, **terms_facts(effect.after.terms)},
            "shortens": effect.shortens,
            "segments": effect.loss.segments,
            "bytes": effect.loss.bytes,
            "oldest": None if effect.loss.oldest_us is None else rfc3339(effect.loss.oldest_us),
        }
        for effect in preview.effects
    ]
    return facts


def _tell(preview: Preview) -> None:
    """For a person, the cameras that lose most first."""
    rows = [
        [
            effect.code,
            days(effect.before.terms) if effect.before else "",
            days(effect.after.terms) if effect.after else "",
            effect.after.policy_name if effect.after else "",
            f"{effect.loss.bytes / 1e9:,.1f}" if effect.shortens else "",
            rfc3339(effect.loss.oldest_us)[:10] if effect.loss.oldest_us is not None else "",
        ]
        for effect in preview.effects[:SHOWN]
    ]
    if rows:
        table(["camera", "now", "then", "policy", "GB that go", "oldest"], rows)
    if len(preview.effects) > SHOWN:
        click.echo(f"and {len(preview.effects) - SHOWN} more cameras")
    click.echo(f"cameras that change: {len(preview.effects)}, to less: {preview.shortened}")
    if preview.segments and preview.oldest_us is not None:
        oldest = rfc3339(preview.oldest_us)[:10]
        click.echo(f"deletes {preview.segments:,} segments, {preview.bytes / 1e9:,.1f} GB, the oldest of {oldest}")
    for share in preview.volumes:
        click.echo(
            f"volume {share.volume_id}: {share.bytes / 1e9:,.1f} of {share.of_bytes / 1e9:,.1f} GB ({share.part:.0%})"
        )
