"""`nvr fsck` and `nvr backup`: is the index true, can it be made again, is there a copy of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from config.errors import Conflict, Invalid, NvrError, Unavailable
from config.settings import Settings
from nvr.cli_base import catalog_for_reading, json_option, run, show, with_settings
from nvr.cli_jobs import ask_server
from nvr.jobs import FSCK
from nvr.lags import Lags
from storage import backup as backups
from storage.catalog import logins
from storage.catalog import volumes as volume_rows
from storage.catalog.db import Catalog, CatalogLock
from storage.clock import wall_us
from storage.ingest import Ingest
from storage.model import Volume
from storage.objects import Objects
from storage.objects_keys import keys_of
from storage.rebuild import Rebuilt, rebuild
from storage.rebuild_remote import rebuild_remote
from storage.reconcile import Reconciler
from storage.storekeys import below
from storage.volumes import Volumes, check

TROUBLES_SHOWN = 10
WORDS = {
    "checked": "files looked at",
    "cameras": "cameras brought back",
    "segments": "segments indexed",
    "known": "segments that were indexed",
    "indexed": "files without a row indexed",
    "quarantined": "broken files moved to quarantine",
    "empty": "files without media removed",
    "missing": "rows whose file is gone",
    "wrong_size": "files of another size than their row says",
    "strangers": "files that are no footage, second copies, or of unknown cameras",
}


@click.command()
@click.option("--dry-run", is_flag=True, help="Tell what would be done, change nothing.")
@click.option("--accept-loss", is_flag=True, help="Take rows out of the index however many files are gone.")
@click.option("--rebuild", "from_volumes", is_flag=True, help="Index all footage on the volumes: after a lost catalog.")
@click.option(
    "--from-s3", "from_store", is_flag=True, help="With --rebuild: index what is in the object store as well."
)
@json_option
@with_settings
def fsck(
    settings: Settings, dry_run: bool, accept_loss: bool, from_volumes: bool, from_store: bool, as_json: bool
) -> None:
    """Compare the index with the files, and bring them together.

    Beside a running server this server does the work; --rebuild needs it stopped (recorders may go on).
    """
    if from_store and not (from_volumes and settings.offload.bucket):
        raise Invalid("--from-s3 goes with --rebuild, and needs offload.bucket")
    if from_volumes:
        if dry_run or accept_loss:
            raise Invalid("--rebuild only adds: leave out --dry-run and --accept-loss")
        report = run(_rebuild(settings, from_store))
    else:
        report = _fsck(settings, dry_run, accept_loss)
    if as_json:
        show(report)
    else:
        _tell(report, dry_run)
    if trouble := [*report.get("stopped", []), *report.get("skipped", []), *report.get("failed", [])]:
        more = (
            [f"and {len(trouble) - TROUBLES_SHOWN:,} more (--json lists them)"] if len(trouble) > TROUBLES_SHOWN else []
        )
        raise Conflict("; ".join(trouble[:TROUBLES_SHOWN] + more))


def _tell(report: dict[str, Any], dry_run: bool) -> None:
    always = "segments" if "segments" in report else "checked"
    for name, words in WORDS.items():
        if report.get(name) or name == always:
            click.echo(f"{report[name]:10,}  {words}")
    if report.get("nameless"):
        ids = ", ".join(map(str, report["nameless"]))
        click.echo(f"nobody describes the cameras {ids}: they are disabled stand-ins; give them name and URL")
    if report.get("cameras"):
        click.echo("logins of cameras are nowhere but in the catalog and its backups: set them again")
    if dry_run:
        click.echo("dry run: nothing was changed")


def _fsck(settings: Settings, dry_run: bool, accept_loss: bool) -> dict[str, Any]:
    with catalog_for_reading(settings):
        pass  # it is there
    lock = CatalogLock(settings.storage.database)
    try:
        lock.acquire()
    except Conflict:
        return ask_server(settings, FSCK, {"dry_run": dry_run, "accept_loss": accept_loss}, "checking")
    try:
        return run(_here(settings, dry_run, accept_loss))
    finally:
        lock.release()


async def _here(settings: Settings, dry_run: bool, accept_loss: bool) -> dict[str, Any]:
    async with storage_of(settings) as (catalog, volumes):
        ingest = Ingest(catalog, volumes, lag_of=Lags().of)
        await ingest.load_usual()
        with _bar("checking") as bar:
            reconciler = Reconciler(catalog, volumes, ingest)
            report = await reconciler.everything(dry_run=dry_run, accept_loss=accept_loss, progress=bar)
        return report.as_dict()


async def _rebuild_remote(settings: Settings, catalog: Catalog, volumes: Volumes, report: Rebuilt) -> None:
    objects = Objects(settings.offload, partial(keys_of, settings.offload))
    node = settings.server.node
    try:
        with Console(stderr=True).status("reading the object store") as told:
            await rebuild_remote(
                catalog,
                objects,
                below(settings.offload.prefix, node),
                node,
                volumes.all()[0].id,
                report,
                progress=lambda done: told.update(f"reading the object store: {done:,} objects"),
            )
    finally:
        objects.close()


async def _rebuild(settings: Settings, from_store: bool) -> dict[str, Any]:
    lock = CatalogLock(settings.storage.database)
    lock.acquire()
    try:
        async with storage_of(settings) as (catalog, volumes):
            with _bar("reading footage") as bar:
                report = await rebuild(catalog, volumes, settings.server.node, progress=bar)
            if from_store:
                await _rebuild_remote(settings, catalog, volumes, report)
            return report.as_dict()
    finally:
        lock.release()


@asynccontextmanager
async def storage_of(settings: Settings) -> AsyncIterator[tuple[Catalog, Volumes]]:
    """For a command that works without a server: the caller has the catalog's lock."""
    catalog = Catalog(settings.storage.database)
    await catalog.open()
    volumes = Volumes(catalog, settings.storage.volumes)
    try:
        await volumes.open()
        yield catalog, volumes
    finally:
        volumes.close()
        await catalog.close()


class _Bar:
    """Called with (done, total)."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=None)

    def __call__(self, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=total)


@contextmanager
def _bar(title: str) -> Iterator[_Bar]:
    """On standard error, for a person; nothing where it is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TaskProgressColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as progress:
        yield _Bar(progress, title)


@click.command()
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="A copy there, and only there; of copies there 14 are kept.",
)
@click.option("--list", "listing", is_flag=True, help="Show the backups on the volumes.")
@click.option(
    "--restore",
    "restored",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Put this backup in the catalog's place; needs the server stopped. The present catalog is kept beside it.",
)
@json_option
@with_settings
def backup(settings: Settings, folder: Path | None, listing: bool, restored: Path | None, as_json: bool) -> None:
    """Copy the catalog onto every volume now; the server does so every day.

    A backup holds cameras, their logins (sealed: the key is not in it) and the index, not the footage.
    """
    if sum((folder is not None, listing, restored is not None)) > 1:
        raise Invalid("--to, --list and --restore exclude each other")
    database = settings.storage.database
    if restored is not None:
        aside = backups.restore(restored, database, wall_us(), settings.storage.volumes)
        click.echo(f"restored {restored}")
        if aside is not None:
            click.echo(f"the catalog it replaces is kept as {aside}")
        with catalog_for_reading(settings) as db:
            kept = logins.standing(db)
        if kept.unreadable:
            click.echo(f"{kept.unreadable} of {kept.logins} camera logins in it cannot be read: {kept.trouble}")
        click.echo("run `nvr fsck --rebuild` to index what was recorded since")
        return
    folders = [path / backups.FOLDER for path in settings.storage.volumes]
    found = [path for where in folders for path in backups.listing(where)] if listing else _copies(settings, folder)
    if as_json:
        show([{"path": str(path), "size_bytes": path.stat().st_size} for path in found])
    else:
        for path in found:
            click.echo(f"{path.stat().st_size:14,}  {path}")


def _copies(settings: Settings, to: Path | None) -> list[Path]:
    """One in `to`, else one on every volume. Raises the first failure, after trying all."""
    with catalog_for_reading(settings) as db:
        known = {volume.path: volume for volume in volume_rows.listing(db)}
    made: list[Path] = []
    failed: list[NvrError] = []
    for root in [None] if to is not None else settings.storage.volumes:
        try:
            folder = to if root is None else _on_volume(known.get(str(root)), root)
            assert folder is not None
            made.append(backups.backup_to(settings.storage.database, folder, wall_us()))
        except NvrError as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return made


def _on_volume(volume: Volume | None, root: Path) -> Path:
    """Raises Unavailable unless the volume shows its uuid: a mount that is missing must not fill the disk below it."""
    if volume is None:
        raise Unavailable(f"{root} is not in use yet: start `nvr serve` first", field="storage.volumes")
    checked = check(volume)
    if checked.state != "ok":
        raise Unavailable(f"no backup there: {checked.detail}", field="storage.volumes")
    return root / backups.FOLDER
