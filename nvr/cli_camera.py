"""`nvr camera ...`: the cameras in the catalog. A running server acts on every change within two seconds."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from config.settings import Settings, is_loopback
from nvr.cli_base import catalog_for_reading, catalog_for_writing, json_option, show, table, with_settings
from nvr.cli_camera_fields import camera_fields, given_fields
from nvr.cli_policies import made_by
from storage import camera_url
from storage.catalog import cameras, logins, states
from storage.catalog.sqlite import Connection
from storage.clock import rfc3339, wall_us
from storage.model import Camera, CameraId


def loopback_allowed(settings: Settings) -> bool:
    """Whether a camera's URL may name this machine: only where the server itself is reachable from nowhere else."""
    return settings.recording.allow_loopback or is_loopback(settings.server.host)


ELSEWHERE = {
    "set": "nvr.cli_camera_fields:set_",
    "rekey": "nvr.cli_camera_rekey:rekey_",
    "probe": "nvr.cli_probe:probe",
    "discover": "nvr.cli_probe:discover",
    "import": "nvr.cli_camera_files:import_",
    "export": "nvr.cli_camera_files:export",
}


class CameraGroup(click.Group):
    """Its own commands, and those of other modules, which are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *ELSEWHERE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, _, name = ELSEWHERE[cmd_name].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=CameraGroup)
def camera() -> None:
    """Add, list and change cameras."""


def find(db: Connection, key: str) -> Camera:
    """By id (digits alone) or by code. Raises NotFound."""
    return cameras.get(db, CameraId(int(key))) if key.isdecimal() else cameras.by_code(db, key)


@camera.command()
@click.argument("code")
@click.option("--url", required=True, help="rtsp://[user:password@]host[:port]/path")
@camera_fields
@click.option("--disabled", is_flag=True, help="Register it, do not record yet.")
@with_settings
def add(settings: Settings, code: str, url: str, by: str, disabled: bool, **fields: Any) -> None:
    """Register a camera and print its id."""
    parsed = camera_url.parse(url, allow_loopback=loopback_allowed(settings))
    given = {"name": code} | given_fields(settings, fields)
    with catalog_for_writing(settings) as db:
        added = cameras.add(
            db,
            Camera(
                id=CameraId(0),
                code=code,
                url=parsed.url,
                node=settings.server.node,
                enabled=not disabled,
                created_us=wall_us(),
                **given,
            ),
            parsed.credentials,
            by=by,
        )
    click.echo(added.id)


@camera.command("list")
@json_option
@click.option("--text", default="", help="Part of the code, name, site or station.")
@with_settings
def list_(settings: Settings, as_json: bool, text: str) -> None:
    """All cameras, with their state as last written."""
    with catalog_for_reading(settings) as db:
        found = []
        after = ""
        while page := cameras.page(db, cameras.Filter(text=text), after=after, limit=500):
            found += page
            after = page[-1].camera.code
        current = {item.camera.id: states.current(db, item.camera.id) for item in found}
    rows = []
    for item in found:
        state = current[item.camera.id]
        rows.append(
            {
                "id": item.camera.id,
                "code": item.camera.code,
                "name": item.camera.name,
                "state": state.state if state else "unknown",
                "cause": state.cause if state else None,
                "since": rfc3339(state.since_us) if state else None,
                "url": item.camera.url,
            }
        )
    if as_json:
        show(rows)
    else:
        table(["id", "code", "name", "state", "cause", "since", "url"], [list(row.values()) for row in rows])


@camera.command("show")
@click.argument("key", metavar="ID|CODE")
@json_option
@with_settings
def show_(settings: Settings, key: str, as_json: bool) -> None:
    """One camera, its media and its last states."""
    with catalog_for_reading(settings) as db:
        one = find(db, key)
        probe = cameras.get_probe(db, one.id)
        history = states.history(db, one.id, limit=10)
        has_login = logins.has(db, one.id)
    facts = {name: getattr(one, name) for name in Camera.__slots__ if not name.endswith("_us")}
    facts |= {
        "created_at": rfc3339(one.created_us),
        "archived_at": rfc3339(one.archived_us) if one.archived_us else None,
    }
    facts |= {"covers": list(one.covers), "tags": list(one.tags), "has_credentials": has_login}
    facts["media"] = (
        f"{probe.video_codec} {probe.width}x{probe.height}, audio {probe.audio_codec or 'none'}" if probe else None
    )
    facts["states"] = [
        {"since": rfc3339(s.since_us), "state": s.state, "cause": s.cause, "detail": s.detail} for s in history
    ]
    if as_json:
        show(facts)
        return
    for name, value in facts.items():
        if name != "states" and value not in ("", None, []):
            click.echo(f"{name:16} {value}")
    for state in facts["states"]:
        click.echo(f"{state['since']}  {state['state']}  {state['cause'] or ''}  {state['detail']}".rstrip())


def _set(settings: Settings, key: str, **changes: Any) -> None:
    with catalog_for_writing(settings) as db:
        changed = cameras.update(db, find(db, key).id, by=made_by(), **changes)
    click.echo(f"{changed.code}: {', '.join(f'{name} = {value}' for name, value in changes.items())}")


@camera.command()
@click.argument("key", metavar="ID|CODE")
@with_settings
def enable(settings: Settings, key: str) -> None:
    """Record it from now on."""
    _set(settings, key, enabled=True)


@camera.command()
@click.argument("key", metavar="ID|CODE")
@with_settings
def disable(settings: Settings, key: str) -> None:
    """Stop recording it; its footage stays."""
    _set(settings, key, enabled=False)


@camera.command()
@click.argument("key", metavar="ID|CODE")
@with_settings
def archive(settings: Settings, key: str) -> None:
    """Take it out of the lists; its footage stays and can be played."""
    with catalog_for_writing(settings) as db:
        gone = cameras.archive(db, find(db, key).id, wall_us(), by=made_by())
    click.echo(f"{gone.code}: archived")
