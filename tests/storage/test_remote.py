"""Reading from the store block by block: each is fetched once, ahead of who reads on, and memory stays bounded."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from config.errors import NotFound
from nvr.bench.seaweed import Seaweed
from storage.catalog import offloads
from storage.model import Segment, Tier
from storage.objects import SINGLE_BYTES, Objects, Upload
from storage.remote import BLOCK_BYTES, KEEP_BYTES, Remote, RemoteFile
from tests.rows import segment
from tests.storage.node import Node, node_at
from tests.stores import keys_of, settings_of

SIZE = 3 * BLOCK_BYTES + 1000


class Counting(Objects):
    """The real client, and a note of what was asked of it."""

    reads: list[int]

    async def read(self, key: str, version_id: str, start: int, count: int) -> bytes:
        self.reads.append(start // BLOCK_BYTES)
        return await super().read(key, version_id, start, count)


@dataclass
class Far:
    node: Node
    objects: Counting
    data: bytes
    row: Segment
    made: list[Remote] = field(default_factory=list)

    async def file(self, *, keep_bytes: int = KEEP_BYTES) -> RemoteFile:
        """With nothing in memory."""
        remote = Remote(self.node.catalog, self.objects, keep_bytes=keep_bytes)
        self.made.append(remote)
        self.objects.reads = []
        return await remote.open(self.row)


@pytest.fixture
async def far(tmp_path: Path, seaweed: Seaweed) -> AsyncIterator[Far]:
    settings = settings_of(seaweed.endpoint)
    objects = Counting(settings.offload, keys_of(seaweed))
    objects.reads = []
    data = os.urandom(SIZE)
    digest = hashlib.sha256(data).digest()
    path = tmp_path / "file"
    path.write_bytes(data)
    async with node_at(tmp_path) as node:
        row = replace(segment(), size_bytes=SIZE, sha256=digest, tier=Tier.REMOTE)
        key = f"{settings.offload.prefix}/one.mp4"
        with path.open("rb") as file:
            await objects.put(Upload(key, file.fileno(), SIZE, digest, {}))
        remember = partial(offloads.remember, segment=row, key=key, version_id="", checksum="", storage_class="")
        await node.catalog.write(remember)
        made = Far(node, objects, data, row)
        yield made
        for remote in made.made:
            await remote.close()
    objects.close()


async def test_any_range_is_what_the_file_holds(far: Far) -> None:
    file = await far.file()
    for offset, count in ((0, 1), (BLOCK_BYTES - 5, 10), (0, SIZE + 7), (SIZE - 3, 100), (SIZE, 5), (77, BLOCK_BYTES)):
        assert await file.read(offset, count) == far.data[offset : offset + count]
    assert await asyncio.to_thread(file.pread, 10, 5) == far.data[5:15]


async def test_a_block_is_fetched_once_however_many_read(far: Far) -> None:
    file = await far.file()
    found = await asyncio.gather(*(file.read(100 * number, 50) for number in range(30)))
    assert found == [far.data[100 * number : 100 * number + 50] for number in range(30)]
    assert far.objects.reads.count(0) == 1


async def test_who_reads_on_finds_the_next_block_on_its_way(far: Far) -> None:
    file = await far.file()
    await file.read(0, 1000)
    assert far.objects.reads == [0], "one look is no reading on"
    await file.read(1000, 1000)
    await asyncio.sleep(0)
    assert far.objects.reads == [0, 1]


async def test_memory_stays_bounded(far: Far) -> None:
    file = await far.file(keep_bytes=2 * BLOCK_BYTES)
    for _ in range(2):
        assert await file.read(0, SIZE) == far.data
    assert far.made[-1]._kept_bytes <= 2 * BLOCK_BYTES
    assert len(far.objects.reads) > 4, "what was dropped is fetched again"


async def test_a_reader_that_leaves_takes_nothing_from_the_others(far: Far) -> None:
    file = await far.file()
    leaving = asyncio.create_task(file.read(0, 10))
    staying = asyncio.create_task(file.read(5, 10))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == far.data[5:15]


async def test_what_the_store_never_had_is_not_found(far: Far) -> None:
    with pytest.raises(NotFound):
        await Remote(far.node.catalog, far.objects).open(segment(9, start_s=540))


@pytest.mark.slow
async def test_a_large_file_goes_up_in_parts(tmp_path: Path, seaweed: Seaweed) -> None:
    settings = settings_of(seaweed.endpoint)
    objects = Objects(settings.offload, keys_of(seaweed))
    path = tmp_path / "large"
    block = os.urandom(1 << 20)
    digest = hashlib.sha256()
    with path.open("wb") as made:
        for _ in range((SINGLE_BYTES >> 20) + 3):
            made.write(block)
            digest.update(block)
    size = path.stat().st_size
    key = f"{settings.offload.prefix}/large"
    with path.open("rb") as file:
        await objects.put(Upload(key, file.fileno(), size, digest.digest(), {"camera": "A"}))
    stored = await objects.head(key)
    assert (stored.size_bytes, stored.metadata["camera"]) == (size, "A")
    assert stored.sha256 in (None, digest.digest())
    assert await objects.sha256(key, "", size) == digest.digest()
    await objects.delete(key, "")
    objects.close()
