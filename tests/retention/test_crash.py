"""`kill -9` between any two steps of ingest, of a sweep, of dropping a local copy: the next start mends it, nothing is lost."""

from __future__ import annotations

import asyncio
import shutil
import sys
from functools import partial
from pathlib import Path

import pytest

from retention.invariant import check
from storage.catalog import days, proofs, runs
from storage.model import CameraId, Tier
from tests.lavfi import recorded
from tests.retention.aged import aged, condemned, offloaded, sweeper, wrong
from tests.retention.dying import DIED
from tests.storage.node import Node, node_at

CAMERA = CameraId(1)


async def dies(folder: Path, action: str, step: str, nth: int = 1) -> None:
    command = (sys.executable, "-m", "tests.retention.dying", str(folder), action, step, str(nth))
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, errors = await process.communicate()
    assert process.returncode == DIED, (said + errors).decode()


async def starts_again(node: Node) -> None:
    """What a server does at its start and in the minutes after."""
    await sweeper(node).drain_garbage()
    await node.sweep()
    node.now_us = node.clock() + 600_000_000
    report = await node.reconciler.everything()
    assert (report.missing, report.wrong_size, report.strangers) == (0, 0, 0)
    assert await node.catalog.read(partial(wrong, node=node)) == []
    assert (await check(node.catalog, node.volumes, clock=node.clock, rest_s=0)).wrong == 0
    assert await condemned(node) == []


@pytest.mark.parametrize(("step", "nth"), [(name, nth) for name in ("examined", "placed", "indexed") for nth in (1, 3)])
async def test_ingest(tmp_path: Path, step: str, nth: int) -> None:
    async with node_at(tmp_path) as node:
        camera = await node.camera()
        run = await node.run(camera, node.clock() - 600_000_000)
        node.put(camera, run, recorded())
    await dies(tmp_path, "ingest", step, nth)
    async with node_at(tmp_path) as node:
        await starts_again(node)
        rows = await node.rows(camera)
        assert [row.n for row in rows] == [0, 1, 2]
        assert [row.size_bytes for row in rows] == [path.stat().st_size for path in recorded()]
        assert node.spooled() == node.quarantined() == []
        assert await node.catalog.read(partial(runs.get, run_id=run)) is not None


STEPS = [
    ("taken", 1),
    ("closed", 1),
    ("one unlinked", 1),
    ("one unlinked", 2),
    ("unlinked", 1),
    ("synced", 1),
    ("dropped", 1),
]


@pytest.fixture(scope="module")
async def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of nine old segments."""
    folder = tmp_path_factory.mktemp("old")
    async with node_at(folder) as node:
        await aged(node, runs=3)
    return folder


def copied(old: Path, folder: Path) -> Path:
    return Path(shutil.copytree(old, folder / "copy"))


@pytest.mark.parametrize(("step", "nth"), STEPS)
async def test_sweep(old: Path, tmp_path: Path, step: str, nth: int) -> None:
    folder = copied(old, tmp_path)
    async with node_at(folder) as node:
        before = await node.rows(CAMERA)
    await dies(folder, "sweep", step, nth)
    async with node_at(folder) as node:
        await starts_again(node)
        assert await node.rows(CAMERA) == before[-1:]
        day_us = days.day_of(before[0].start_us)
        assert await node.catalog.read(partial(proofs.check, camera_id=CAMERA, day_us=day_us)) == ""


@pytest.mark.parametrize(("step", "nth"), [("closed", 1), ("one unlinked", 1), ("synced", 1)])
async def test_mending_itself(old: Path, tmp_path: Path, step: str, nth: int) -> None:
    """Killed while it drains what the first kill left."""
    folder = copied(old, tmp_path)
    async with node_at(folder) as node:
        before = await node.rows(CAMERA)
    await dies(folder, "sweep", "taken")
    if step != "closed":
        await dies(folder, "drain", step, nth)
    async with node_at(folder) as node:
        await starts_again(node)
        assert await node.rows(CAMERA) == before[-1:]


@pytest.mark.parametrize(("step", "nth"), [("local taken", 1), *STEPS[1:-1]])
async def test_dropping_local_copies(old: Path, tmp_path: Path, step: str, nth: int) -> None:
    folder = copied(old, tmp_path)
    async with node_at(folder) as node:
        before = await offloaded(node, await node.rows(CAMERA))
    await dies(folder, "drop_local", step, nth)
    async with node_at(folder) as node:
        await starts_again(node)
        rows = await node.rows(CAMERA)
        assert [row.n for row in rows] == [row.n for row in before]  # every segment is somewhere
        assert {row.tier for row in rows} == {Tier.REMOTE}
        assert node.archived() == []
