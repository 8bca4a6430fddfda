"""The command `nvr`. Each command lives in the module named beside it and is imported when it is used."""

from __future__ import annotations

from importlib import import_module

import click

from config import logs
from nvr.cli_base import guarded

COMMANDS = {
    "demo": "nvr.cli_demo:demo",
    "serve": "nvr.cli_serve:serve",
    "stop": "nvr.cli_serve:stop",
    "check": "nvr.cli_check:check",
    "simulate": "nvr.cli_simulate:simulate",
    "camera": "nvr.cli_camera:camera",
    "city": "nvr.cli_city:city",
    "footage": "nvr.cli_footage:footage",
    "retention": "nvr.cli_retention:retention",
    "offload": "nvr.cli_offload:offload",
    "hold": "nvr.cli_hold:hold",
    "fsck": "nvr.cli_storage:fsck",
    "backup": "nvr.cli_storage:backup",
    "register": "nvr.cli_register:register",
    "alert": "nvr.cli_alert:alert",
    "bench": "nvr.cli_bench:bench",
}


class LazyGroup(click.Group):
    """Imports only the command that is asked for: `nvr camera list` need not load the web server."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, name = target.partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nvr")
def nvr() -> None:
    """Record IP cameras and play any moment back.

    `nvr demo` shows it with simulated cameras; `nvr camera add` and `nvr serve` record real ones.
    """


def main() -> None:
    logs.setup("error")  # to standard error: what a command prints is its answer; `nvr serve` says more
    guarded(lambda: nvr(prog_name="nvr"))
