"""`nvr footage ...`: what there is of a camera, and any window of it as one MP4. The same answers as the API's.

Works on the catalog and the files themselves, whether a server runs or not; nothing is written but the clip.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from config.errors import Conflict, Invalid, NvrError, Unavailable
from config.settings import Settings
from nvr.cli_base import catalog_for_reading, footage_of, json_option, run, show, table, with_settings
from nvr.cli_camera import find
from nvr.cli_footage_search import search
from storage.catalog import segments
from storage.clip_source import plan
from storage.files import Files
from storage.footage import Footage
from storage.model import Camera, Segment
from web import windows
from web.clips import body_of, file_name
from web.params import parse_time
from web.timeline import MAX_BUCKETS, shown_segment, shown_timeline

PAGE = 1000
COPY_BYTES = 1 << 20
EDGES = (("before", "ends at"), ("after", "begins at"))

T = TypeVar("T")


@click.group()
def footage() -> None:
    """List what is recorded, with its gaps, and cut clips out of it."""


def a_window(command: Callable[..., T]) -> Callable[..., T]:
    """Adds CAMERA, `--from`, `--to` and `--config`; passes Settings, the Camera, and the window in microseconds."""

    @click.argument("key", metavar="CAMERA")
    @click.option("--from", "from_", required=True, help="RFC 3339 with an offset, or microseconds since 1970.")
    @click.option("--to", required=True, help="As --from; the instant itself is not in it.")
    @with_settings
    @wraps(command)
    def wrapped(settings: Settings, key: str, from_: str, to: str, **more: Any) -> T:
        from_us, to_us = parse_time(from_, "--from"), parse_time(to, "--to")
        if from_us >= to_us:
            raise Invalid("--to must be later than --from", field="--to")
        with catalog_for_reading(settings) as db:
            camera = find(db, key)
        return command(settings, camera, from_us, to_us, **more)

    return wrapped


footage.add_command(search)


@footage.command("list")
@json_option
@a_window
def list_(settings: Settings, camera: Camera, from_us: int, to_us: int, *, as_json: bool) -> None:
    """Closed segments of a camera that touch a window."""
    with catalog_for_reading(settings) as db:
        found: list[Segment] = []
        after = (-1, 0)
        page = partial(segments.page, db, camera_id=camera.id, from_us=from_us, to_us=to_us, limit=PAGE)
        while rows := page(after=after):
            found += rows
            after = (rows[-1].start_us, rows[-1].run_id)
    shown = [shown_segment(segment) for segment in found]
    if as_json:
        show([segment.model_dump(by_alias=True, mode="json") for segment in shown])
        return
    table(
        ["from", "to", "run", "n", "bytes", "tier", "± ms", "flags"],
        [
            [s.from_, s.to, s.run_id, s.n, f"{s.size_bytes:,}", s.tier, f"{s.uncertainty_ms:.0f}", " ".join(s.flags)]
            for s in shown
        ],
    )


@footage.command()
@json_option
@click.option("--buckets", type=click.IntRange(1, MAX_BUCKETS), help="Parts into which activity is cut, with --json.")
@a_window
def timeline(
    settings: Settings, camera: Camera, from_us: int, to_us: int, *, as_json: bool, buckets: int | None
) -> None:
    """What is recorded of a camera in a window, and the gaps with their causes."""

    async def ask() -> dict[str, Any]:
        async with footage_of(settings) as archive:
            found = await archive.timeline(camera.id, from_us, to_us, buckets)
            return shown_timeline(found).model_dump(by_alias=True, mode="json")

    answer = run(ask())
    if as_json:
        show(answer)
        return
    click.echo(f"{camera.code}: {answer['coverage']:.2%} of the window is recorded")
    rows = [[span["from"], span["to"], "recorded", ""] for span in answer["spans"]]
    rows += [[gap["from"], gap["to"], gap["cause"], gap["detail"]] for gap in answer["gaps"]]
    table(["from", "to", "what", "detail"], sorted(rows))


@footage.command()
@click.option("--output", "-o", type=click.Path(path_type=Path), help="File to write [default: CODE-TIME.mp4, here].")
@click.option("--gaps", type=click.Choice(["skip", "keep"]), default="skip", show_default=True, help="Time of gaps.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@a_window
def clip(
    settings: Settings,
    camera: Camera,
    from_us: int,
    to_us: int,
    *,
    output: Path | None,
    gaps: str,
    force: bool,
) -> None:
    """A window of a camera as one MP4, coded bytes untouched; prints the file's name."""
    name = file_name(camera.code, from_us, ZoneInfo(settings.server.timezone))
    target = output or Path(name)
    if target.is_dir():
        target /= name
    if target.exists() and not force:
        raise Conflict(f"{target} is there already: name another file with -o, or write over it with --force")

    async def write() -> None:
        async with footage_of(settings) as archive:
            await _write(archive, camera, from_us, to_us, target, keep_gaps=gaps == "keep")

    try:
        run(write())
    except NvrError as error:
        raise type(error)(error.message + _way_out(error), field=error.field) from error
    except OSError as error:
        raise Unavailable(f"{target} cannot be written: {error.strerror}; nothing is left there") from error
    click.echo(target)


def _way_out(error: NvrError) -> str:
    """What the API's answer has in further members: the windows that work, or the nearest footage."""
    if (works := error.extra.get("windows")) and isinstance(works, list):
        return ": " + ", ".join(f"{window['from']} to {window['to']}" for window in works)
    near = [f"the nearest {side} {edge} {error.extra[side]}" for side, edge in EDGES if error.extra.get(side)]
    return f" ({'; '.join(near)})" if near else ""


async def _write(archive: Footage, camera: Camera, from_us: int, to_us: int, target: Path, *, keep_gaps: bool) -> None:
    """The whole clip under its name, or nothing."""
    slices = await windows.slices_of_clip(archive, camera.id, from_us, to_us)
    files = Files(archive.volumes, archive.look_up)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        made = await plan(archive, files, slices, keep_gaps=keep_gaps)
        with temporary.open("xb") as out, _progress() as progress:
            task = progress.add_task("", total=made.size_bytes)
            async for part in body_of(archive, files, made, 0, made.size_bytes):
                if isinstance(part, bytes):
                    out.write(part)
                    progress.advance(task, len(part))
                    continue
                offset, end = part.offset, part.offset + part.size_bytes
                while offset < end:
                    block = await part.file.read(offset, min(COPY_BYTES, end - offset))
                    if not block:
                        raise Conflict(f"{part.file.key} became shorter while it was read: ask again")
                    out.write(block)
                    offset += len(block)
                    progress.advance(task, len(block))
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
        files.close_all()


def _progress() -> Progress:
    """On a terminal alone."""
    console = Console(stderr=True)
    columns = (TextColumn("writing"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
