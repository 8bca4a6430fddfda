"""`nvr check`: is everything there that recording needs? One line each; exit status 1 on trouble."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import click

from config.errors import NvrError
from config.settings import Settings
from nvr.cli_base import json_option, show, with_settings
from storage import binary
from storage.catalog import cameras
from storage.catalog import volumes as rows
from storage.catalog.db import connect, damage
from storage.catalog.sqlite import sqlite3
from storage.volumes import check as check_volume
from storage.volumes import refuse_network, space

OLD_SQLITE = (3, 51, 3)
EARLIEST = 1_767_225_600  # 2026-01-01: a clock before it was never set


def _ffmpeg(settings: Settings) -> str:
    path = binary.find(settings.recording.ffmpeg)
    return f"{path} is version {binary.version(path)}"


def _catalog(settings: Settings) -> str:
    path = settings.storage.database
    refuse_network(path, "storage.database")
    if not path.exists():
        return f"{path} is made by the first `nvr serve`"
    with closing(connect(path, readonly=True)) as db:
        found = damage(db)
        if found:
            raise NvrError(f"{path} is damaged ({found}): `nvr backup --list` shows the copies")
        registered = len(cameras.all_of(db, settings.server.node))
    return f"{path} is sound, {registered} cameras"


def _sqlite(settings: Settings) -> str:
    if sqlite3.sqlite_version_info < OLD_SQLITE:
        raise NvrError(f"SQLite {sqlite3.sqlite_version} can corrupt a catalog (mended in 3.51.3): install pysqlite3")
    return f"SQLite {sqlite3.sqlite_version}"


def _volume(settings: Settings, path: Path) -> str:
    refuse_network(path, "storage.volumes")
    if settings.storage.database.exists():
        with closing(connect(settings.storage.database, readonly=True)) as db:
            known = next((volume for volume in rows.listing(db) if volume.path == str(path)), None)
        if known is not None:
            found = check_volume(known)
            if found.state != "ok":
                raise NvrError(found.detail)
            return f"{path} has {space(path).free_bytes // 1_000_000_000} GB free"
    return f"{path} is made a volume by the first `nvr serve`"


def _store(settings: Settings) -> str:
    return "no object store is configured" if not settings.offload.bucket else f"bucket {settings.offload.bucket}"


def _clock(settings: Settings) -> str:
    if time.time() < EARLIEST:
        raise NvrError("the system's clock was never set: set it, and let NTP keep it")
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


@click.command()
@json_option
@with_settings
def check(settings: Settings, as_json: bool) -> None:
    """Look at ffmpeg, SQLite, the catalog, the volumes, the object store and the clock; exit 1 on trouble."""
    parts: list[tuple[str, Callable[[], str]]] = [
        ("ffmpeg", lambda: _ffmpeg(settings)),
        ("sqlite", lambda: _sqlite(settings)),
        ("catalog", lambda: _catalog(settings)),
        *((("volume"), lambda path=path: _volume(settings, path)) for path in settings.storage.volumes),
        ("store", lambda: _store(settings)),
        ("clock", lambda: _clock(settings)),
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
