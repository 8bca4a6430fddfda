"""A lost catalog, made again from what the objects in a real store say of themselves."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nvr.bench.seaweed import Seaweed
from storage.clock import wall_us
from storage.files import Files
from storage.model import Tier
from storage.rebuild import rebuild
from storage.rebuild_remote import rebuild_remote
from storage.remote import Remote
from storage.storekeys import below
from tests.lavfi import recorded
from tests.storage.node import node_at
from tests.stores import Offload, keys_of, settings_of


def lose(folder: Path, *, disk: bool) -> None:
    """The catalog, and the disk with the footage."""
    for path in folder.glob("nvr.sqlite3*"):
        path.unlink()
    if disk:
        shutil.rmtree(folder / "footage")


@pytest.mark.parametrize("disk_lost", [False, True])
async def test_everything_that_was_there_is_listed_and_plays_again(
    tmp_path: Path, seaweed: Seaweed, disk_lost: bool
) -> None:
    settings = settings_of(seaweed.endpoint)
    async with node_at(tmp_path) as node:
        camera = await node.camera("KNP-0412")
        run = await node.run(camera, wall_us() - 600_000_000)
        node.put(camera, run, recorded(b_frames=2))
        await node.sweep()
        made = Offload(node.catalog, node.volumes, settings, keys_of(seaweed))
        before = await made.all_up(camera, await node.rows(camera))
        made.close()
    lose(tmp_path, disk=disk_lost)
    async with node_at(tmp_path) as node:
        made = Offload(node.catalog, node.volumes, settings, keys_of(seaweed))
        report = await rebuild(node.catalog, node.volumes, "n1")
        where = below(settings.offload.prefix, "n1")
        await rebuild_remote(node.catalog, made.objects, where, "n1", node.volume.id, report)
        assert report.failed == []
        after = await node.rows(camera)
        shown = [(row.start_us, row.dur_us, row.run_id, row.n, row.sha256, row.frags, row.frag0) for row in after]
        if disk_lost:
            assert [row.tier for row in after] == [Tier.REMOTE] * 3
            assert shown == [(r.start_us, r.dur_us, r.run_id, r.n, r.sha256, r.frags, r.frag0) for r in before]
            assert (await node.footage.camera(camera)).code == "KNP-0412"
        else:
            assert [row.tier for row in after] == [Tier.BOTH] * 3
        files = Files(node.volumes, node.footage.look_up, remote=Remote(node.catalog, made.objects))
        for row, path in zip(after, recorded(b_frames=2), strict=True):
            async with files.open(row) as file:
                assert await file.read(0, row.size_bytes) == path.read_bytes()
        files.close_all()
        again = await rebuild(node.catalog, node.volumes, "n1")
        await rebuild_remote(node.catalog, made.objects, where, "n1", node.volume.id, again)
        assert (again.segments, again.failed) == (0, []), "it only adds"
        assert await made.upload_due() == 0
        made.close()
