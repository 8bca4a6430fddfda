"""`nvr serve` and `nvr stop`."""

from __future__ import annotations

import asyncio

import click

from config import logs
from config.errors import Invalid
from config.settings import Settings
from nvr.cli_base import with_settings


@click.command()
@with_settings
def serve(settings: Settings) -> None:
    """Record, index and serve until SIGTERM; the recorders go on after it."""
    from nvr.server import Server, hold_until_signal

    logs.setup()

    async def main() -> None:
        server = Server(settings)
        await server.start()
        click.echo(f"nvr: {server.url}", err=True)
        try:
            which = await hold_until_signal()
        finally:
            running = len(server.fleet.live_runs())
            await server.stop(end_recorders=False)
        click.echo(
            f"nvr: {which.name}: the server has ended, {running} recorders go on (nvr stop --recorders ends them)",
            err=True,
        )

    asyncio.run(main())


@click.command()
@click.option("--recorders", is_flag=True, help="End the recorders of this catalog's volumes.")
@with_settings
def stop(settings: Settings, recorders: bool) -> None:
    """End recorders that a stopped server left running."""
    from nvr.process import end_recorders

    if not recorders:
        raise Invalid("say what to stop: `nvr stop --recorders` (the server itself ends with SIGTERM)")
    ended = asyncio.run(end_recorders(settings.storage.volumes))
    click.echo(f"{ended} recorders ended")
