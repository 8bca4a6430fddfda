"""kill -9 between any two steps of an offload: afterwards footage plays, the queue and the garbage drain to zero."""

from __future__ import annotations

import asyncio
import sys
import uuid
from functools import partial
from pathlib import Path

import pytest

from config.settings import OffloadSettings, Settings
from nvr.bench.seaweed import Seaweed
from storage.catalog import object_garbage, offloads, policies
from storage.clock import wall_us
from storage.files import Files
from storage.model import Tier
from storage.remote import Remote
from storage.terms import InForce
from tests.lavfi import recorded
from tests.storage.node import node_at
from tests.stores import OFFLOAD_AT_ONCE, Offload, keys_of


async def prepare(folder: Path, prefix: str, store: Seaweed) -> None:
    """Three segments to go up, one object to be deleted."""
    settings = Settings(offload=OffloadSettings(endpoint=store.endpoint, bucket="footage", prefix=prefix))
    async with node_at(folder) as node:
        camera = await node.camera()
        run = await node.run(camera, wall_us() - 600_000_000)
        node.put(camera, run, recorded())
        await node.sweep()
        row = InForce(camera, None, "test", "all", OFFLOAD_AT_ONCE, 1)
        await node.catalog.write(partial(policies.put_in_force, rows=[row]))
        made = Offload(node.catalog, node.volumes, settings, keys_of(store))
        client = await made.objects._client()
        key = f"{prefix}/n1/7/2026/01/01/00/1767225600000-1767225600000-000000.mp4"
        await asyncio.to_thread(client.put_object, Bucket="footage", Key=key, Body=b"old")
        await node.catalog.write(partial(object_garbage.add, key=key, version_id="", reason="max_days", at_us=1))
        made.close()


async def check(folder: Path, prefix: str, store: Seaweed) -> None:
    """As the next server finds it, and leaves it."""
    settings = Settings(offload=OffloadSettings(endpoint=store.endpoint, bucket="footage", prefix=prefix))
    async with node_at(folder) as node:
        made = Offload(node.catalog, node.volumes, settings, keys_of(store))
        camera = next(iter(await node.catalog.read(policies.in_force)))
        files = Files(node.volumes, node.footage.look_up, remote=Remote(node.catalog, made.objects))
        wanted = [path.read_bytes() for path in recorded()]

        async def played() -> list[bytes]:
            found = []
            for segment in await node.rows(camera):
                async with files.open(segment) as file:
                    found.append(await file.read(0, segment.size_bytes))
            files.close_all()
            return found

        assert await played() == wanted
        await node.catalog.write(partial(offloads.recover, at_us=wall_us()))
        await node.catalog.write(partial(object_garbage.retry, now_us=wall_us()))
        for _ in range(3):
            await made.retry_now()
            await made.upload_due()
            await made.offloader.far.drain()
        left = await made.backlog()
        assert (left.queued.segments, left.uploading.segments, left.garbage, left.failing) == (0, 0, 0, 0)
        rows = await node.rows(camera)
        assert [row.tier for row in rows] == [Tier.BOTH] * 3
        for row in rows:
            node.path(row).unlink()
        assert await played() == wanted, "from the store alone"
        keys = [key for key, _ in await made.objects.page(f"{prefix}/", "")]
        assert sorted(keys) == sorted([(await made.place(row)).key for row in rows]), "and nothing else is there"
        made.close()


async def killed_at(folder: Path, store: Seaweed, die_at: int) -> str:
    """The name of the step at which it died."""
    prefix = f"killed/{uuid.uuid4().hex[:12]}"
    await prepare(folder, prefix, store)
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.retention.offload_victim", str(folder), store.endpoint, prefix, str(die_at)),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    said, _ = await child.communicate()
    await check(folder, prefix, store)
    return said.decode().split()[-1] if said.split() else ""


@pytest.mark.slow
async def test_killed_between_any_two_steps_nothing_is_lost_and_nothing_is_left(
    tmp_path: Path, seaweed: Seaweed
) -> None:
    """One segment's steps, the next one's first, and those of the garbage."""
    died: list[str] = []
    for some in ((0, 1), (2, 3), (4, 5), (15, 16)):
        died += await asyncio.gather(*(killed_at(tmp_path / str(at), seaweed, at) for at in some))
    assert died == ["claimed", "sent", "checked", "uploaded", "verified", "claimed", "read", "deleted"]
