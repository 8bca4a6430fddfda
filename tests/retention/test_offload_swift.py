"""The same with another maker's store (OpenStack Swift), which checks SHA-256 but does not keep it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from storage.catalog import offloads, segments
from storage.clock import wall_us
from storage.files import Files
from storage.model import Tier
from storage.remote import Remote
from tests.lavfi import recorded
from tests.storage.node import node_at
from tests.stores import Offload, settings_of
from tests.swift import KEYS, swift


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with swift(tmp_path_factory.mktemp("swift")) as found:
        yield found


async def test_footage_goes_up_plays_and_goes(tmp_path: Path, endpoint: str) -> None:
    async with node_at(tmp_path) as node:
        camera = await node.camera()
        run = await node.run(camera, wall_us() - 600_000_000)
        node.put(camera, run, recorded())
        await node.sweep()
        made = Offload(node.catalog, node.volumes, settings_of(endpoint, bucket="cctv"), lambda: KEYS)
        client = await made.objects._client()
        await asyncio.to_thread(client.create_bucket, Bucket="cctv")
        rows = await made.all_up(camera, await node.rows(camera))
        await made.offloader.far_step()
        assert made.offloader.standing().object_lock is False
        place = await made.place(rows[0])
        stored = await made.objects.head(place.key)
        assert (stored.sha256, stored.metadata["sha256"]) == (None, rows[0].sha256.hex())
        for row in rows:
            node.path(row).unlink()
        files = Files(node.volumes, node.footage.look_up, remote=Remote(node.catalog, made.objects))
        for row, path in zip(rows, recorded(), strict=True):
            async with files.open(row) as file:
                assert await file.read(100, 5000) == path.read_bytes()[100:5100]
        rotten = await node.run(camera, wall_us() - 300_000_000)
        node.put(camera, rotten, recorded()[:1])
        await node.sweep()
        last = (await node.rows(camera))[-1]
        data = node.path(last).read_bytes()
        node.path(last).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        await made.upload_due()
        assert (await made.row(last)).tier is Tier.LOCAL, "the store refused it"

        def delete(db: Any) -> None:
            segments.remove(db, rows, reason="max_days", at_us=wall_us())
            offloads.removed(db, [(one.run_id, one.n) for one in rows], reason="max_days", at_us=wall_us())

        await node.catalog.write(delete)
        assert await made.offloader.far.drain() == 3
        assert await made.objects.page(f"{made.settings.offload.prefix}/", "") == []
        await node.catalog.write(partial(offloads.recover, at_us=wall_us()))
        made.close()
