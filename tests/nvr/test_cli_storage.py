"""`nvr fsck` and `nvr backup` as a person types them: on a real catalog and real footage, beside a server and without."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

from nvr.jobs import Jobs
from storage.catalog import jobs
from storage.catalog.db import CatalogLock
from storage.clock import wall_us
from storage.model import CameraId
from tests.lavfi import recorded
from tests.nvr.typed import nvr
from tests.storage.node import Node, node_at


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "nvr.toml").write_text('[storage]\ndatabase = "nvr.sqlite3"\nvolumes = ["footage"]\n')
    return tmp_path


async def record(node: Node) -> None:
    """Three segments, ten minutes old by name, just written by ctime."""
    camera = await node.camera()
    run = await node.run(camera, wall_us() - 600_000_000)
    node.put(camera, run, recorded())
    await node.sweep()


async def served(node: Node, until: Awaitable[tuple[int, str, str]]) -> tuple[int, str, str]:
    """Do the jobs of this catalog, as a server does, until the command has ended."""
    worker = Jobs(node.catalog, node.reconciler, clock=node.clock)
    command = asyncio.ensure_future(until)
    try:
        while not command.done():
            worker.look()
            await asyncio.wait([command], timeout=0.05)
        return command.result()
    finally:
        await worker.close()


def lose_catalog(folder: Path) -> None:
    for path in folder.glob("nvr.sqlite3*"):
        path.unlink()


def report_of(answer: tuple[int, str, str]) -> Any:
    return json.loads(answer[1])


async def test_fsck_finds_nothing_wrong(here: Path) -> None:
    async with node_at(here) as node:
        await record(node)
    status, out, err = await nvr(here, "fsck")
    assert (status, err) == (0, "")
    assert "3  files looked at" in out


async def test_fsck_takes_out_what_is_missing_and_a_dry_run_does_not(here: Path) -> None:
    async with node_at(here) as node:
        await record(node)
        node.archived()[1].unlink()
    for _ in range(2):
        assert report_of(await nvr(here, "fsck", "--dry-run", "--json"))["missing"] == 1
    assert report_of(await nvr(here, "fsck", "--json"))["missing"] == 1
    assert report_of(await nvr(here, "fsck", "--json"))["missing"] == 0


async def test_fsck_without_its_volume_says_so(here: Path) -> None:
    async with node_at(here) as node:
        await record(node)
    (here / "footage").rename(here / "elsewhere")
    (here / "footage").mkdir()
    status, out, err = await nvr(here, "fsck", "--json")
    assert status == 1
    assert json.loads(out)["missing"] == 0
    assert err.splitlines()[-1].startswith("nvr: ")
    assert "mount it" in err
    assert os.listdir(here / "footage") == []


async def test_beside_a_server_the_server_does_the_work(here: Path) -> None:
    async with node_at(here) as node:
        await record(node)
        node.archived()[1].unlink()
        lock = CatalogLock(here / "nvr.sqlite3")
        lock.acquire()
        assert report_of(await served(node, nvr(here, "fsck", "--json")))["missing"] == 1
        done = await node.catalog.read(lambda db: jobs.get(db, 1))
        assert done is not None
        assert done.result["missing"] == 1
        status, _, err = await nvr(here, "fsck", "--rebuild")
        assert status == 1
        assert "another nvr serve" in err
        lock.release()


async def test_a_job_nobody_knows_is_answered_and_not_met_again(here: Path) -> None:
    async with node_at(here) as node:
        await node.catalog.write(lambda db: jobs.add(db, "dance", {}, 1))
        worker = Jobs(node.catalog, node.reconciler)
        async with asyncio.timeout(10):
            while (job := await node.catalog.read(lambda db: jobs.get(db, 1))) is None or job.done_us is None:
                worker.look()
                await asyncio.sleep(0.01)
        await worker.close()
        assert job.error is not None
        assert "dance" in job.error


async def test_a_job_that_was_cut_short_is_done_by_the_next_server(here: Path) -> None:
    async with node_at(here) as node:
        await node.catalog.write(lambda db: jobs.add(db, "fsck", {"dry_run": True}, 1))
        await node.catalog.write(lambda db: jobs.start(db, 1, 2))
    async with node_at(here) as node:
        open_job = await node.catalog.read(jobs.next_open)
        assert open_job is not None
        assert open_job.id == 1


async def test_a_lost_catalog_comes_back(here: Path) -> None:
    async with node_at(here) as node:
        await record(node)
        before = await node.rows(CameraId(1))
    lose_catalog(here)
    status, out, err = await nvr(here, "fsck", "--rebuild")
    assert (status, err) == (0, "")
    assert "3  segments indexed" in out
    assert "cameras 1 are" not in out
    async with node_at(here) as node:
        assert [row.sha256 for row in await node.rows(before[0].camera_id)] == [row.sha256 for row in before]


async def test_backup_list_and_restore(here: Path) -> None:
    async with node_at(here) as node:
        await node.camera("old")
    status, out, _ = await nvr(here, "backup")
    assert status == 0
    (made,) = (here / "footage" / "backup").iterdir()
    assert str(made) in out
    assert str(made) in (await nvr(here, "backup", "--list"))[1]
    assert (await nvr(here, "backup", "--to", str(here / "usb")))[0] == 0
    assert len(list((here / "usb").iterdir())) == 1
    async with node_at(here) as node:
        await node.camera("new")
    status, out, _ = await nvr(here, "backup", "--restore", str(made))
    assert status == 0
    assert "before-restore" in out
    assert "fsck --rebuild" in out
    async with node_at(here) as node:
        assert await node.catalog.read(lambda db: [row[0] for row in db.execute("SELECT code FROM camera")]) == ["old"]


async def test_a_backup_goes_to_no_disk_that_is_not_mounted(here: Path) -> None:
    async with node_at(here) as node:
        await node.camera()
    (here / "footage").rename(here / "elsewhere")
    (here / "footage").mkdir()
    status, _, err = await nvr(here, "backup")
    assert status == 1
    assert "mount it" in err
    assert os.listdir(here / "footage") == []


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("fsck",), "there is no catalog"),
        (("fsck", "--rebuild", "--dry-run"), "--rebuild only adds"),
        (("backup",), "there is no catalog"),
        (("backup", "--restore", "none.sqlite3"), "is no file"),
        (("backup", "--list", "--to", "x"), "exclude each other"),
    ],
)
async def test_trouble_is_one_line(here: Path, arguments: tuple[str, ...], words: str) -> None:
    status, out, err = await nvr(here, *arguments)
    assert (status, out) == (1, "")
    assert words in err
    assert err.count("\n") == 1
