"""Backups in the bucket: the newest is there, fourteen are kept, and each is what it was here."""

from __future__ import annotations

from pathlib import Path

from nvr.bench.seaweed import Seaweed
from storage.backup import KEPT, name_of
from storage.backup_remote import keep_remote
from storage.objects import Objects
from tests.stores import keys_of, settings_of

DAY_US = 86_400_000_000
T0_US = 1_795_000_020_000_000


async def test_the_newest_backup_is_kept_there_and_old_ones_go(tmp_path: Path, seaweed: Seaweed) -> None:
    settings = settings_of(seaweed.endpoint)
    objects = Objects(settings.offload, keys_of(seaweed))
    below = f"{settings.offload.prefix}/n1/"
    assert await keep_remote(objects, below, [tmp_path]) is None, "there is none yet"
    for day in range(KEPT + 2):
        path = tmp_path / name_of(T0_US + day * DAY_US)
        path.write_bytes(b"catalog of day %d" % day)
        key = await keep_remote(objects, below, [tmp_path])
        assert key == f"{below}backup/{path.name}"
        assert await objects.read(key, "", 0, path.stat().st_size) == path.read_bytes()
    assert await keep_remote(objects, below, [tmp_path]) is None, "it is there"
    there = [key for key, _ in await objects.page(f"{below}backup/", "")]
    assert len(there) == KEPT
    assert there[-1].endswith(name_of(T0_US + (KEPT + 1) * DAY_US))
    objects.close()
