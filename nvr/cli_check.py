"""`nvr check`: is everything there that recording needs? One line each; exit status 1 on trouble."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import click
from sqlite_utils import Database

from config.errors import NvrError
from config.settings import Settings
from nvr.cli_base import json_option, show, with_settings
from storage import binary, secrets
from storage.catalog import cameras, logins
from storage.catalog import volumes as rows
from storage.catalog.db import connect, damage
from storage.catalog.schema import refuse_newer
from storage.catalog.sqlite import sqlite3
from storage.kernel_clock import kernel_clock
from storage.model import Volume
from storage.objects import Objects
from storage.objects_keys import keys_of
from storage.storekeys import probe_key
from storage.volumes import check as check_volume
from storage.volumes import refuse_network, space, uuid_of

OLD_SQLITE = (3, 51, 3)
EARLIEST = 1_767_225_600  # 2026-01-01: a clock before it was never set


def _ffmpeg(settings: Settings) -> str:
    path = binary.find(settings.recording.ffmpeg)
    return f"{path} is version {binary.version(path)}"


def _catalog(settings: Settings) -> str:
    path = settings.storage.database
    refuse_network(path, "storage.database")
    if not path.exists():
        _refuse_unmakeable(path)
        return f"{path} is made by the first `nvr serve`"
    with closing(connect(path, readonly=True)) as db:
        refuse_newer(Database(db))
        found = damage(db)
        if found:
            raise NvrError(f"{path} is damaged ({found}): `nvr backup --list` shows the copies")
        registered = len(cameras.all_of(db, settings.server.node))
    return f"{path} is sound, {registered} camera{'' if registered == 1 else 's'}"


def _sqlite(settings: Settings) -> str:
    if sqlite3.sqlite_version_info < OLD_SQLITE:
        raise NvrError(f"SQLite {sqlite3.sqlite_version} can corrupt a catalog (mended in 3.51.3): install pysqlite3")
    return f"SQLite {sqlite3.sqlite_version}"


def _volume(settings: Settings, path: Path) -> str:
    refuse_network(path, "storage.volumes")
    known = _known_volumes(settings)
    volume = next((volume for volume in known if volume.path == str(path)), None)
    if volume is None:
        return _new_volume(path, known)
    found = check_volume(volume)
    if found.state != "ok":
        raise NvrError(found.detail)
    return f"{path} has {space(path).free_bytes // 1_000_000_000} GB free"


def _known_volumes(settings: Settings) -> list[Volume]:
    if not settings.storage.database.exists():
        return []
    try:
        with closing(connect(settings.storage.database, readonly=True)) as db:
            return rows.listing(db)
    except (NvrError, sqlite3.DatabaseError) as error:
        raise NvrError("not looked at: the catalog, which knows the volumes, cannot be read") from error


def _new_volume(path: Path, known: list[Volume]) -> str:
    """What `nvr serve` will do with it. Raises NvrError where it will refuse."""
    if not path.exists():
        _refuse_unmakeable(path)
        return f"{path} is made a volume by the first `nvr serve`"
    found = uuid_of(path)
    if not os.access(path, os.W_OK | os.X_OK, effective_ids=True):
        raise NvrError(f"{path} cannot be written: give it to the user that nvr runs as")
    if found is None:
        return f"{path} is made a volume by the first `nvr serve`"
    before = next((volume for volume in known if volume.uuid == found), None)
    if before is not None:
        return f"{path} holds the volume that was {before.path}: `nvr serve` goes on with it"
    return f"{path} holds a volume that this catalog does not know: `nvr fsck --rebuild` indexes its footage"


def _refuse_unmakeable(path: Path) -> None:
    """Raises NvrError when this user may not make `path`."""
    nearest = next(parent for parent in path.parents if parent.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK, effective_ids=True):
        raise NvrError(f"{path} cannot be made: {nearest} cannot be written by the user that nvr runs as")


def _store(settings: Settings) -> str:
    if not settings.offload.bucket:
        return "no object store is configured"
    objects = Objects(settings.offload, partial(keys_of, settings.offload))

    async def ask() -> tuple[bool, bool]:
        await objects.look()
        return await objects.checks_sums(
            probe_key(settings.offload.prefix, settings.server.node)
        ), await objects.has_lock()

    try:
        checks, lock = asyncio.run(ask())
    finally:
        objects.close()
    return (
        f"{objects.where} can be written; it {'checks' if checks else 'does not check'} SHA-256 itself"
        f"{'' if checks else ', so everything is read back'}; {'its object lock is on' if lock else 'no object lock'}"
    )


def _logins(settings: Settings) -> str:
    """Whether the key opens every camera's login, and is the owner's alone."""
    database = settings.storage.database
    if not database.exists():
        return "no login is kept yet"
    try:
        with closing(connect(database, readonly=True)) as db:
            refuse_newer(Database(db))
            if logins.are_plain(db):
                return "they are sealed by the next `nvr serve`"
            found = logins.standing(db)
    except (NvrError, sqlite3.DatabaseError) as error:
        raise NvrError("not looked at: the catalog, which holds them, cannot be read") from error
    if found.unreadable or found.trouble:
        raise NvrError(f"{found.unreadable} of {found.logins} logins cannot be read: {found.trouble}")
    if not found.logins:
        return "no login is kept yet"
    path = secrets.key_file(database)
    if path is not None and secrets.KEY_FILE not in os.environ and path.stat().st_mode & 0o077:
        raise NvrError(f"{path} opens the cameras' logins and may be read by others: chmod 600 {path}")
    return f"{found.logins} login{' is' if found.logins == 1 else 's are'} sealed, and opened by {found.where}"


def _clock() -> str:
    if time.time() < EARLIEST:
        raise NvrError("the system's clock was never set: set it, and let NTP keep it")
    now, kept = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), kernel_clock()
    if kept is None:
        return f"{now}; whether it is synchronised cannot be asked here: look on the machine that runs the container"
    if not kept.synchronised:
        raise NvrError(f"{now}, but nobody keeps it right: switch on NTP (timedatectl set-ntp true, or chrony)")
    return f"{now}, synchronised, at most {kept.max_error_us / 1000:.0f} ms wrong"


@click.command()
@json_option
@with_settings
def check(settings: Settings, as_json: bool) -> None:
    """Look at ffmpeg, SQLite, the catalog, logins, the volumes, the object store and the clock; exit 1 on trouble."""
    parts: list[tuple[str, Callable[[], str]]] = [
        ("ffmpeg", lambda: _ffmpeg(settings)),
        ("sqlite", lambda: _sqlite(settings)),
        ("catalog", lambda: _catalog(settings)),
        ("logins", lambda: _logins(settings)),
        *((("volume"), lambda path=path: _volume(settings, path)) for path in settings.storage.volumes),
        ("store", lambda: _store(settings)),
        ("clock", _clock),
    ]
    answers = []
    for name, look in parts:
        try:
            answers.append({"part": name, "ok": True, "detail": look()})
        except (NvrError, OSError, sqlite3.DatabaseError) as error:
            answers.append({"part": name, "ok": False, "detail": getattr(error, "message", str(error))})
    if as_json:
        show(answers)
    else:
        for answer in answers:
            click.echo(f"{'ok     ' if answer['ok'] else 'TROUBLE'}  {answer['part']:8} {answer['detail']}")
    if not all(answer["ok"] for answer in answers):
        sys.exit(1)
