"""`nvr demo`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress


class Span(click.ParamType):  # type: ignore[type-arg]  # not generic at run time
    """`2h`, `30m`, `90s`, `0`; in seconds."""

    name = "span"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"([0-9]{1,6})([smhd]?)", str(value))
        if match is None:
            self.fail(f"{value!r} is not a span of time: write 2h, 30m or 90s", param, ctx)
        return int(match[1]) * {"s": 1, "": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


@click.command()
@click.option("--cameras", type=click.IntRange(1, 150), default=4, show_default=True)
@click.option("--history", type=Span(), default="2h", show_default=True, help="How far back the past goes; 0 for none.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default="demo-data", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="[default: 8080, or the next free one]")
@click.option(
    "--no-city", is_flag=True, help="Leave out the city around: 1,720 cameras that are registered, not linked."
)
def demo(cameras: int, history: int, data: Path, port: int | None, no_city: bool) -> None:
    """Simulated RTSP cameras with a past, recorded and served. Ctrl-C ends all."""
    from nvr.demo import DemoOptions
    from nvr.demo import demo as run_demo

    options = DemoOptions(cameras, history, data.absolute(), port or 8080, port is not None, not no_city)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:

        def progress(total: int) -> Callable[[int], None]:
            task = bar.add_task("making the past", total=total)
            return lambda step: bar.advance(task, step)

        asyncio.run(run_demo(options, click.echo, progress))
