"""`nvr retention ...`: how long footage stays. A running server acts on a change within two seconds."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

import click

from config.errors import Invalid
from config.settings import Settings
from nvr import policy_files
from nvr.cli_base import catalog_for_writing, json_option, show, table, with_settings
from nvr.cli_camera import find
from nvr.cli_policies import (
    confirm_option,
    days,
    done,
    dry_run_option,
    due,
    finish,
    made_by,
    policies_for_reading,
    seed,
    target_of,
    terms_facts,
    told_due,
)
from retention import changes
from retention.changes import Edit
from retention.effective import wanted_by
from retention.settle import computed
from storage.catalog import policies, policy_changes
from storage.clock import rfc3339, wall_us
from storage.terms import DEFAULT_PRIORITY, MAX_DAYS, SCOPES, Policy, Terms

ELSEWHERE = {
    "import": "nvr.cli_policy_files:import_",
    "export": "nvr.cli_policy_files:export",
    "report": "nvr.cli_retention_report:report",
    "plan": "nvr.cli_retention_plan:plan_",
    "apply": "nvr.cli_retention_plan:apply_",
    "trust-clock": "nvr.cli_retention_plan:trust_clock",
}


class RetentionGroup(click.Group):
    """Its own commands, and those of other modules, which are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.commands, *ELSEWHERE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, _, name = ELSEWHERE[cmd_name].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=RetentionGroup)
def retention() -> None:
    """How long footage stays: policies, what each camera gets, changes that wait."""


@retention.command("policies")
@json_option
@with_settings
def policies_(settings: Settings, as_json: bool) -> None:
    """All policies, the most specific first, with the cameras that each decides for."""
    with policies_for_reading(settings) as db:
        found = policies.listing(db)
        wanted = wanted_by(found, policies.subjects(db))
        targets = [target_of(db, policy) for policy in found]
    counts: dict[str, int] = {}
    for want in wanted.values():
        counts[want.policy_name] = counts.get(want.policy_name, 0) + 1
    rows = [
        {
            "name": policy.name,
            "scope": policy.scope,
            "target": target,
            **terms_facts(policy.terms),
            "cameras": counts.get(policy.name, 0),
        }
        for policy, target in zip(found, targets, strict=True)
    ]
    if as_json:
        show(rows)
        return
    head = ["name", "scope", "target", "min", "max", "offload", "local", "class", "quota", "priority", "cameras"]
    table(head, [list(row.values()) for row in rows])


@retention.command("show")
@click.argument("camera")
@json_option
@with_settings
def show_(settings: Settings, camera: str, as_json: bool) -> None:
    """What a camera is promised, which policy decides and why, and what waits."""
    with policies_for_reading(settings) as db:
        one = find(db, camera)
        cameras = frozenset([one.id])
        soon = computed(db, wall_us(), trusted=False, cameras=cameras)  # as a server would settle it next
        in_force = {row.camera_id: row for row in soon.in_force}.get(one.id) or policies.in_force(db, cameras).get(
            one.id
        )
        waiting = {row.camera_id: row for row in soon.pending}.get(one.id) or policies.pending(db, cameras).get(one.id)
        if one.id in soon.dropped:
            waiting = None
        want = wanted_by(policies.listing(db), policies.subjects(db, cameras)).get(one.id)
    facts: dict[str, Any] = {
        "camera": one.code,
        "in_force": in_force
        and {"policy": in_force.policy_name, "why": in_force.why, "since": rfc3339(in_force.since_us)}
        | terms_facts(in_force.terms),
        "policy": want and {"name": want.policy_name, "why": want.why},
        "pending": waiting
        and {"policy": waiting.policy_name, "why": waiting.why, "due": due(waiting.due_us)}
        | terms_facts(waiting.terms),
    }
    if as_json:
        show(facts)
        return
    click.echo(f"camera    {one.code}")
    if in_force is not None:
        source = f"{in_force.policy_name} ({in_force.why})" if in_force.policy_name else in_force.why
        click.echo(f"in force  {days(in_force.terms)}, from {source}, since {rfc3339(in_force.since_us)}")
    if want is not None:
        click.echo(f"policy    {want.policy_name}, because of {want.why}: {days(want.terms)}")
    if waiting is not None:
        click.echo(
            f"pending   {days(waiting.terms)}, from {waiting.policy_name} ({waiting.why}), {told_due(waiting.due_us)}"
        )


class DaysOrNever(click.ParamType[int | None]):
    """A number of days, or `never`."""

    name = "days|never"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        if value == "never":
            return None
        return click.IntRange(0, MAX_DAYS).convert(value, param, ctx)


class SizeOrNone(click.ParamType[int | None]):
    """`500GB`, or `none`."""

    name = "size|none"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        if value == "none":
            return None
        try:
            return policy_files.size_bytes(str(value))
        except Invalid as error:
            self.fail(error.message, param, ctx)


@retention.command("set")
@click.argument("name")
@click.option("--scope", type=click.Choice(SCOPES), help="Whom it is for; needed for a new policy.")
@click.option("--target", help="The camera (id or code), tag, station, zone or kind of owner.")
@click.option(
    "--min-days", type=click.IntRange(1, MAX_DAYS), help="Kept as long as the disk allows [default: --max-days]."
)
@click.option("--max-days", type=click.IntRange(1, MAX_DAYS), help="Deleted when older; needed for a new policy.")
@click.option("--offload-after-days", type=DaysOrNever(), help="Copied to the object store at that age.")
@click.option(
    "--local-days", type=DaysOrNever(), help="The local copy of what is in the object store goes at that age."
)
@click.option("--storage-class", help="Of the copy, such as STANDARD_IA.")
@click.option("--quota", "quota_bytes", type=SizeOrNone(), help="Of a camera on all volumes, such as 500GB.")
@click.option(
    "--priority", type=click.IntRange(0, 100), help="The lowest goes first when a disk is full [default: 50]."
)
@dry_run_option
@confirm_option
@json_option
@with_settings
@click.pass_context
def set_(
    ctx: click.Context, /, settings: Settings, name: str, dry_run: bool, confirm: bool, as_json: bool, **given: Any
) -> None:
    """Make or change a policy. Options left out stay as they are."""
    stated = {
        option: value
        for option, value in given.items()
        if ctx.get_parameter_source(option) is not click.core.ParameterSource.DEFAULT
    }
    with policies_for_reading(settings) as db:
        edit = Edit(name, _merged(policies.find(db, name), name, stated))
        prepared = changes.prepare(db, [edit], wall_us())
    finish(settings, prepared, dry_run=dry_run, confirm=confirm, as_json=as_json)


def _merged(before: Policy | None, name: str, stated: dict[str, Any]) -> Policy:
    if before is None:
        for option in ("scope", "max_days"):
            if option not in stated:
                raise Invalid(f"there is no policy {name} yet: a new one needs --{option.replace('_', '-')}")
        before = Policy(
            0, name, stated["scope"], "", Terms(stated["max_days"], stated["max_days"], priority=DEFAULT_PRIORITY)
        )
    terms = {field: value for field, value in stated.items() if field in Terms.__slots__}
    merged = replace(before, scope=stated.get("scope", before.scope), target=stated.get("target", before.target))
    return replace(merged, terms=replace(before.terms, **terms))


@retention.command()
@click.argument("name")
@dry_run_option
@confirm_option
@json_option
@with_settings
def delete(settings: Settings, name: str, dry_run: bool, confirm: bool, as_json: bool) -> None:
    """Delete a policy: its cameras get what fits them next."""
    with policies_for_reading(settings) as db:
        prepared = changes.prepare(db, [Edit(name, None)], wall_us())
    finish(settings, prepared, dry_run=dry_run, confirm=confirm, as_json=as_json)


@retention.command("changes")
@json_option
@click.option("--limit", type=click.IntRange(1, 1000), default=50, help="How many [default: 50].")
@with_settings
def changes_(settings: Settings, as_json: bool, limit: int) -> None:
    """Changes of policies, the newest first."""
    with policies_for_reading(settings) as db:
        found = policy_changes.listing(db, limit=limit)
    rows = [
        {
            "id": change.id,
            "at": rfc3339(change.at_us),
            "by": change.made_by,
            "policy": change.name,
            "done": done(change),
            "before": None if change.before is None else days(change.before.terms),
            "after": None if change.after is None else days(change.after.terms),
            "status": change.status,
            "due": due(change.due_us),
        }
        for change in found
    ]
    if as_json:
        show(rows)
    else:
        table(
            ["id", "at", "by", "policy", "", "before", "after", "status", "due"], [list(row.values()) for row in rows]
        )


@retention.command()
@click.argument("change_id", metavar="ID", type=click.IntRange(1))
@with_settings
def cancel(settings: Settings, change_id: int) -> None:
    """Take a change back whose shorter terms still wait."""
    seed(settings)
    with catalog_for_writing(settings) as db:
        change = changes.cancel(db, change_id, now_us=wall_us(), trusted=False, by=made_by())
    click.echo(f"change {change_id} is cancelled: the policy {change.name} is as it was before")
