"""Backups of the catalog: a checked copy every day on every volume, beside the footage it describes.

    <volume>/backup/catalog-20261123T183000Z.sqlite3

A copy is written under a temporary name, checked, made durable, and only then given its name; older ones go only after
that, so the last good one is never deleted. It holds the cameras' logins sealed, and not their key: files 0600, folder 0700.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import structlog

from config.errors import Conflict, Corrupt, Invalid, NvrError, Unavailable
from storage.catalog import copies
from storage.catalog.db import Catalog, CatalogLock, connect, prepare, transaction
from storage.catalog.sqlite import Connection, sqlite3
from storage.clock import Clock, wall_us
from storage.floor import highest_camera_id
from storage.volumes import FULL_BYTES, Volumes, fsync_folder, space

log = structlog.get_logger()

FOLDER = "backup"
KEPT = 14
EVERY_US = 24 * 3_600_000_000
_NAME = re.compile(r"catalog-([0-9]{8}T[0-9]{6}Z)\.sqlite3")
_STAMP = "%Y%m%dT%H%M%SZ"

Interruptible = Callable[[Connection], None]


def name_of(at_us: int) -> str:
    return f"catalog-{datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime(_STAMP)}.sqlite3"


def time_of(name: str) -> int | None:
    """Microseconds since 1970 of a backup's name; None for another file's."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        return int(datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC).timestamp()) * 1_000_000
    except ValueError:
        return None


def listing(folder: Path) -> list[Path]:
    """Finished backups, oldest first. Blocking."""
    try:
        return sorted(folder / name for name in os.listdir(folder) if time_of(name) is not None)
    except FileNotFoundError:
        return []


def backup_to(database: Path, folder: Path, at_us: int, *, using: Interruptible = lambda db: None) -> Path:
    """One checked copy in `folder`, and at most KEPT of them. Blocking; the server goes on writing meanwhile.

    `using` is given the connection that copies, so that another thread may interrupt it. Raises Unavailable when there is
    no room or the copy fails its check; nothing is removed then but the failed copy.
    """
    target = folder / name_of(at_us)
    unfinished = folder / f".{target.name}.unfinished"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep_unfinished(folder)
        need = database.stat().st_size + FULL_BYTES
        if (free := space(folder).free_bytes) < need:
            raise Unavailable(
                f"no room for a backup in {folder}: {free // 1_000_000} MB free, {need // 1_000_000} needed"
            )
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(connect(database, readonly=True)) as db:
            using(db)
            copies.copy_into(db, unfinished)
        check(unfinished, using=using)
        _make_durable(unfinished)
        unfinished.rename(target)
        fsync_folder(folder)
    except (OSError, Corrupt, sqlite3.DatabaseError) as error:
        unfinished.unlink(missing_ok=True)
        raise Unavailable(f"no backup in {folder}: {error}") from error
    for old in listing(folder)[:-KEPT]:
        old.unlink(missing_ok=True)
    return target


def _sweep_unfinished(folder: Path) -> None:
    """What a copy that was cut short has left; only one process backs up at a time (server, or command without one)."""
    for left in folder.glob(".catalog-*.unfinished*"):
        left.unlink(missing_ok=True)


def _make_durable(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def check(path: Path, *, using: Interruptible = lambda db: None) -> None:
    """Raises Corrupt unless `path` is a whole catalog."""
    try:
        with closing(connect(path, readonly=True)) as db:
            using(db)
            problem = copies.problem(db)
    except (Unavailable, sqlite3.DatabaseError) as error:
        problem = str(error)
    if problem:
        raise Corrupt(f"{path} is not a whole catalog: {problem}")


async def backup_now(catalog: Catalog, folder: Path, at_us: int) -> Path:
    """`backup_to` in a thread; cancelling it interrupts the copy. Raises Unavailable."""
    used: list[Connection] = []
    try:
        return await asyncio.to_thread(backup_to, catalog.path, folder, at_us, using=used.append)
    except asyncio.CancelledError:
        if used:
            with suppress(sqlite3.ProgrammingError):  # closed a moment ago
                used[-1].interrupt()
        raise


async def backup_due(catalog: Catalog, volumes: Volumes, *, clock: Clock = wall_us) -> list[Path]:
    """A copy on every volume that may be written and whose newest is a day old. A failure is logged; the others go on."""
    made = []
    for volume in volumes.ok():
        folder = Path(volume.path) / FOLDER
        now_us = clock()
        try:
            newest = max((time_of(path.name) or 0 for path in await asyncio.to_thread(listing, folder)), default=0)
            if newest <= now_us < newest + EVERY_US:
                continue
            made.append(await backup_now(catalog, folder, now_us))
            log.info("catalog backed up", path=str(made[-1]))
        except (OSError, NvrError) as error:
            log.error("backup failed", volume=volume.id, error=str(error))
    return made


def restore(backup: Path, database: Path, at_us: int, volumes: Iterable[Path] = ()) -> Path | None:
    """Put a backup in the catalog's place; where the replaced one now lies (None: there was none). Blocking.

    Cameras that were added since have folders on the `volumes`: new ones will not get their ids.

    Raises Conflict while a server uses the catalog, Invalid or Corrupt for a file that is no whole catalog, OSError. What
    was recorded since the backup is in the archive: `nvr fsck --rebuild` indexes it.
    """
    if not backup.is_file():
        raise Invalid(f"{backup} is no file: name a backup, such as <volume>/{FOLDER}/{name_of(at_us)}")
    if database.exists() and backup.samefile(database):
        raise Invalid(f"{backup} is the catalog itself: name a backup")
    check(backup)
    lock = CatalogLock(database)
    lock.acquire()
    try:
        incoming = database.with_name(f"{database.name}.incoming")
        incoming.unlink(missing_ok=True)
        with closing(connect(backup, readonly=True)) as db:
            copies.copy_into(db, incoming)
        incoming.chmod(0o600)
        _make_durable(incoming)
        aside = _set_aside(database, at_us)
        incoming.rename(database)
        fsync_folder(database.parent)
        prepare(database)
        with closing(connect(database)) as db, transaction(db):
            copies.raise_camera_id(db, max(map(highest_camera_id, volumes), default=0))
        return aside
    finally:
        lock.release()


def _set_aside(database: Path, at_us: int) -> Path | None:
    """The catalog with its journal, under names that say when. A journal belongs to its database: they go together."""
    stamp = datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime(_STAMP)
    aside = database.with_name(f"{database.name}.before-restore-{stamp}")
    if aside.exists():
        raise Conflict(f"{aside} exists: move it away, or try again a second later")
    moved = None
    for suffix in ("-shm", "-wal", ""):
        source = database.with_name(database.name + suffix)
        if source.exists():
            source.rename(aside.with_name(aside.name + suffix))
            moved = aside
    return moved
