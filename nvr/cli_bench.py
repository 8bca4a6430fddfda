"""`nvr bench`: measure what the design promises, on this machine, now."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

import click

from config.errors import Invalid
from nvr.bench.report import Figure, machine, merge, page, say, table

BENCHES = {
    "cpu": ("recording", "cpu", "CPU under nvr over bare ffmpeg, side by side"),
    "frames": ("recording", "frames", "150 cameras for ten minutes: lost frames"),
    "hundred": ("recording", "hundred", "100 cameras: cold start, memory, age of the live edge"),
    "players": ("recording", "players", "50 players beside 50 recorders"),
    "fleet": ("fleet", "fleet", "1,720 fake recorders: loop lag, cameras page"),
    "index": ("index", "index", "playlists and timelines at 10 million rows"),
    "search": ("city", "search", "footage by place and time among 6,720 cameras and 10 million rows"),
    "coverage": ("city", "coverage", "coverage of 6,720 cameras for a day"),
    "sweep": ("retention", "sweep", "100,000 segments deleted among 10 million, while ingest goes on"),
    "plan": ("retention", "plan", "what goes, of 5,000 cameras and 10 million segments"),
    "ranges": ("serving", "ranges", "random ranges, against one nginx worker"),
    "clip": ("serving", "clip", "clip.mp4 of an hour, against cat"),
    "offload": ("offload", "offload", "offload to an object store, against plain boto3"),
    "far": ("offload", "far", "first byte of footage in a store that is 50 ms away"),
    "register": ("register", "register", "the daily register of 6,720 cameras, as PDF"),
    "still": ("serving", "still", "stills, uncached and cached"),
}


@click.command()
@click.argument("names", nargs=-1, metavar="[all|" + "|".join(BENCHES) + "]...")
@click.option("--quick", is_flag=True, help="Shorter and smaller: to see that it runs, not to quote.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.option(
    "--keep", type=click.Path(dir_okay=False, path_type=Path), help="Keep the latest figures in this JSON file."
)
@click.option(
    "--page", "page_file", type=click.Path(dir_okay=False, path_type=Path), help="With --keep: write its table there."
)
def bench(names: tuple[str, ...], quick: bool, as_json: bool, keep: Path | None, page_file: Path | None) -> None:
    """Measure; a table of what was measured against its goal. Without a name: all, about 40 minutes."""
    wanted = list(BENCHES) if not names or "all" in names else list(names)
    if unknown := [name for name in wanted if name not in BENCHES]:
        raise Invalid(f"there is no bench {unknown[0]!r}: they are {', '.join(BENCHES)}")
    figures: list[Figure] = []
    for name in wanted:
        module, function, title = BENCHES[name]
        say(f"{name}: {title} ...")
        measure: Callable[..., Awaitable[list[Figure]]] = getattr(import_module(f"nvr.bench.{module}"), function)
        arguments = getattr(import_module(f"nvr.bench.{module}"), "QUICK", {}).get(function, {}) if quick else {}
        figures += asyncio.run(_run(measure, arguments))
        if keep is not None:
            merge(keep, figures)
    if as_json:
        click.echo(json.dumps({"machine": machine(), "figures": [asdict(f) | {"ok": f.ok} for f in figures]}, indent=2))
    else:
        click.echo(f"{machine()}\n\n{table(figures)}")
    if keep is not None and page_file is not None:
        page_file.write_text(page(keep), "utf-8")


async def _run(measure: Callable[..., Awaitable[list[Figure]]], arguments: dict[str, float]) -> list[Figure]:
    return await measure(**arguments)
