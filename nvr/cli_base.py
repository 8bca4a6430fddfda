"""What every command shares: settings, one-line errors, `--json`, the catalog opened for one command."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from config.errors import Invalid, NvrError
from config.settings import Settings, load
from nvr.lags import Lags
from storage.catalog.copies import raise_camera_id
from storage.catalog.db import Catalog, connect, prepare, transaction
from storage.catalog.sqlite import Connection
from storage.floor import highest_camera_id
from storage.footage import Footage
from storage.growth import Growth
from storage.ingest import Ingest
from storage.spool import Spool
from storage.volumes import Volumes

P = ParamSpec("P")
T = TypeVar("T")


def with_settings(command: Callable[..., T]) -> Callable[..., T]:
    """Adds `--config FILE` and passes the loaded Settings as `settings`."""

    @click.option(
        "--config",
        "config_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Settings file [default: ./nvr.toml, then $NVR_CONFIG].",
    )
    @wraps(command)
    def wrapped(*args: Any, config_file: Path | None, **kwargs: Any) -> T:
        return command(*args, settings=load(config_file, os.environ), **kwargs)

    return wrapped


json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@contextmanager
def catalog_for_writing(settings: Settings) -> Iterator[Connection]:
    """One transaction on the catalog, made where missing. The running server sees the change within 2 s."""
    fresh = not settings.storage.database.exists()
    prepare(settings.storage.database)
    db = connect(settings.storage.database)
    try:
        with transaction(db):
            if fresh:  # where a catalog was lost, new cameras do not get the ids, and so the footage, of old ones
                raise_camera_id(db, max(map(highest_camera_id, settings.storage.volumes)))
            yield db
    finally:
        db.close()


@contextmanager
def catalog_for_reading(settings: Settings) -> Iterator[Connection]:
    if not settings.storage.database.exists():
        raise Invalid(
            f"there is no catalog at {settings.storage.database}: start `nvr serve` or add a camera first",
            field="storage.database",
        )
    prepare(settings.storage.database)
    db = connect(settings.storage.database, readonly=True)
    try:
        yield db
    finally:
        db.close()


@asynccontextmanager
async def footage_of(settings: Settings) -> AsyncIterator[Footage]:
    """The archive as the server sees it, segments that grow included; nothing is written."""
    with catalog_for_reading(settings):
        pass
    catalog = Catalog(settings.storage.database)
    await catalog.open()
    volumes = Volumes(catalog, settings.storage.volumes)
    try:
        await volumes.open()
        ingest = Ingest(catalog, volumes, lag_of=Lags().of)
        growth = Growth(catalog, volumes, ingest, lag_of=Lags().of)
        spool = Spool(volumes, ingest, growth, live_runs=set)
        for volume in volumes.readable():
            growth.listed(volume, await spool.listing(volume))
        yield Footage(catalog, volumes, growth)
    finally:
        volumes.close()
        await catalog.close()


def run(main: Awaitable[T]) -> T:
    """asyncio.run for a command."""

    async def wrapped() -> T:
        return await main

    return asyncio.run(wrapped())


def show(items: Any) -> None:
    """JSON on standard output."""
    click.echo(json.dumps(items, ensure_ascii=False, indent=2))


def table(head: list[str], rows: list[list[Any]]) -> None:
    """Columns for a person; the last column may be as long as it likes."""
    texts = [head, *[["" if value is None else str(value) for value in row] for row in rows]]
    widths = [max(len(row[index]) for row in texts) for index in range(len(head))]
    for row in texts:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def guarded(main: Callable[[], None]) -> None:
    """Runs the command line. An NvrError is one line and exit status 1; so is what the system refuses."""
    try:
        main()
    except NvrError as error:
        where = f"{error.field}: " if error.field and error.field not in error.message else ""
        click.echo(f"nvr: {where}{error.message}", err=True)
        sys.exit(1)
    except (PermissionError, FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        click.echo(f"nvr: {error.filename}: {error.strerror}", err=True)
        sys.exit(1)
