"""Backups of the catalog: made while it is in use, checked, kept, restored."""

from __future__ import annotations

import asyncio
import os
import stat
from functools import partial
from pathlib import Path

import pytest

from config.errors import Conflict, Corrupt, Invalid, Unavailable
from storage import backup
from storage.catalog import cameras, copies
from storage.catalog.db import CatalogLock, connect
from storage.model import HOUR_US, CameraId, Credentials
from tests.storage.node import node_at

NOW_US = 1_795_000_020_000_000
DAY_US = 24 * HOUR_US


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_backup_is_a_whole_catalog_for_its_owner_alone(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        camera = await node.camera()
        await node.catalog.write(lambda db: cameras.set_credentials(db, camera, Credentials("admin", "s3cret")))
        made = await backup.backup_now(node.catalog, tmp_path / "kept", NOW_US)
    assert made.name == "catalog-20261118T110700Z.sqlite3"
    assert os.listdir(made.parent) == [made.name]
    assert (mode(made), mode(made.parent)) == (0o600, 0o700)
    backup.check(made)
    assert b"s3cret" not in made.read_bytes()
    made.with_name(made.name + ".key").write_bytes((tmp_path / "nvr.sqlite3.key").read_bytes())
    db = connect(made, readonly=True)
    assert cameras.credentials(db, camera) == Credentials("admin", "s3cret")
    db.close()


async def test_writing_goes_on_while_a_backup_is_made(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        for number in range(50):
            await node.camera(f"KNP-{number}")
        copying = asyncio.create_task(backup.backup_now(node.catalog, tmp_path / "kept", NOW_US))
        added = await asyncio.gather(*(node.camera(f"new-{number}") for number in range(50)))
        assert len(added) == 50
        backup.check(await copying)


async def test_every_volume_gets_one_a_day(tmp_path: Path) -> None:
    async with node_at(tmp_path, volumes=("a", "b")) as node:
        due = partial(backup.backup_due, node.catalog, node.volumes)
        assert len(await due(clock=lambda: NOW_US)) == 2
        assert await due(clock=lambda: NOW_US + DAY_US - 1_000_000) == []
        made = await due(clock=lambda: NOW_US + DAY_US)
        assert [path.parent for path in made] == [tmp_path / "a" / "backup", tmp_path / "b" / "backup"]


async def test_a_clock_that_ran_ahead_stops_no_backup(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        due = partial(backup.backup_due, node.catalog, node.volumes)
        await due(clock=lambda: NOW_US + 365 * DAY_US)
        assert len(await due(clock=lambda: NOW_US)) == 1


async def test_fourteen_are_kept(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        for day in range(16):
            await backup.backup_due(node.catalog, node.volumes, clock=lambda day=day: NOW_US + day * DAY_US)  # type: ignore[misc]
        kept = backup.listing(node.root / "backup")
        assert len(kept) == 14
        assert backup.time_of(kept[0].name) == NOW_US + 2 * DAY_US


async def test_a_backup_that_fails_leaves_the_older_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with node_at(tmp_path) as node:
        made = await backup.backup_now(node.catalog, tmp_path / "kept", NOW_US)

        def torn(db: object, target: Path) -> None:
            target.write_bytes(made.read_bytes()[:30_000])

        with monkeypatch.context() as patched:
            patched.setattr(copies, "copy_into", torn)
            with pytest.raises(Unavailable, match="not a whole catalog"):
                await backup.backup_now(node.catalog, tmp_path / "kept", NOW_US + DAY_US)
        assert os.listdir(tmp_path / "kept") == [made.name]


async def test_what_a_killed_backup_left_is_swept(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        (tmp_path / "kept").mkdir()
        (tmp_path / "kept" / ".catalog-20261117T110700Z.sqlite3.unfinished").write_bytes(b"x")
        (tmp_path / "kept" / "notes.txt").write_text("mine")
        made = await backup.backup_now(node.catalog, tmp_path / "kept", NOW_US)
        assert sorted(os.listdir(tmp_path / "kept")) == [made.name, "notes.txt"]


async def test_a_volume_that_is_not_mounted_gets_none(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        (node.root / ".nvr-volume").unlink()
        node.volumes.recheck(node.volume.id)
        assert await backup.backup_due(node.catalog, node.volumes, clock=lambda: NOW_US) == []
        assert not (node.root / "backup").exists()


@pytest.mark.parametrize("name", ["", "catalog.sqlite3", "catalog-20261318T110700Z.sqlite3", "catalog-2026.sqlite3"])
def test_other_files_are_no_backups(name: str) -> None:
    assert backup.time_of(name) is None


async def test_restore_puts_it_in_place_and_keeps_what_was_there(tmp_path: Path) -> None:
    database = tmp_path / "nvr.sqlite3"
    async with node_at(tmp_path) as node:
        await node.camera("old")
        made = await backup.backup_now(node.catalog, tmp_path / "kept", NOW_US)
        await node.camera("new")
    (tmp_path / "footage" / "archive" / "2").mkdir()  # as if the new camera had been recorded
    aside = backup.restore(made, database, NOW_US + HOUR_US, [tmp_path / "footage", tmp_path / "away"])
    assert aside == tmp_path / "nvr.sqlite3.before-restore-20261118T120700Z"
    assert mode(database) == 0o600
    async with node_at(tmp_path) as node:
        assert (await node.catalog.read(partial(cameras.by_code, code="old"))).id == 1
        assert await node.catalog.read(cameras.ids) == {1}
        assert await node.camera("next") == 3
    kept = connect(aside, readonly=True)
    assert cameras.ids(kept) == {1, 2}
    kept.close()
    backup.check(made)


async def test_restore_works_where_the_catalog_is_gone(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        await node.camera("old")
        made = await backup.backup_now(node.catalog, tmp_path / "kept", NOW_US)
    assert backup.restore(made, tmp_path / "new" / "nvr.sqlite3", NOW_US) is None
    async with node_at(tmp_path / "new") as node:
        assert await node.catalog.read(cameras.ids) == {CameraId(1)}


async def test_restore_keeps_off_while_a_server_runs(tmp_path: Path) -> None:
    database = tmp_path / "nvr.sqlite3"
    async with node_at(tmp_path) as node:
        made = await backup.backup_now(node.catalog, tmp_path / "kept", NOW_US)
    lock = CatalogLock(database)
    lock.acquire()
    before = database.read_bytes()
    with pytest.raises(Conflict, match="another nvr serve"):
        backup.restore(made, database, NOW_US)
    lock.release()
    assert database.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + b"\0" * 4096])
async def test_restore_refuses_what_is_no_catalog(tmp_path: Path, content: bytes) -> None:
    database = tmp_path / "nvr.sqlite3"
    async with node_at(tmp_path):
        pass
    before = database.read_bytes()
    (tmp_path / "x.sqlite3").write_bytes(content)
    with pytest.raises(Corrupt):
        backup.restore(tmp_path / "x.sqlite3", database, NOW_US)
    with pytest.raises(Invalid):
        backup.restore(tmp_path / "none.sqlite3", database, NOW_US)
    with pytest.raises(Invalid, match="the catalog itself"):
        backup.restore(database, database, NOW_US)
    assert database.read_bytes() == before


async def test_restore_refuses_a_damaged_backup(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        for number in range(200):
            await node.camera(f"KNP-{number}")
        made = await backup.backup_now(node.catalog, tmp_path / "kept", NOW_US)
    damaged = bytearray(made.read_bytes())
    for at in range(4096 * 2, len(damaged), 4096):
        damaged[at : at + 64] = os.urandom(64)
    made.write_bytes(damaged)
    with pytest.raises(Corrupt):
        backup.restore(made, tmp_path / "nvr.sqlite3", NOW_US)
