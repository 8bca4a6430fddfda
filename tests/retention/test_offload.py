"""Offload against a real S3 server, over lines that break: what fails is done again, and footage plays at every moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from config.errors import Unavailable
from nvr.bench.line import Line
from nvr.bench.seaweed import Seaweed
from storage.catalog import holds, object_garbage, offloads, segments
from storage.clock import wall_us
from storage.files import Files
from storage.model import CameraId, Segment, Tier
from storage.objects_keys import Keys
from storage.remote import Remote
from storage.terms import DAY_US, Hold, Terms
from tests.lavfi import recorded
from tests.nvr.served import until
from tests.storage.node import Node, node_at
from tests.stores import Offload, keys_of, settings_of

AGO_US = 600_000_000


@dataclass
class Site:
    node: Node
    offload: Offload
    camera: CameraId
    segments: list[Segment]

    async def tiers(self) -> list[Tier]:
        return [segment.tier for segment in await self.node.rows(self.camera)]

    async def played(self) -> list[bytes]:
        """Each segment, as a player gets it now."""
        files = Files(
            self.node.volumes, self.node.footage.look_up, remote=Remote(self.node.catalog, self.offload.objects)
        )
        found = []
        for segment in await self.node.rows(self.camera):
            async with files.open(segment) as file:
                found.append(await file.read(0, segment.size_bytes))
        files.close_all()
        return found

    def unlink(self) -> None:
        for segment in self.segments:
            self.node.path(segment).unlink()


@asynccontextmanager
async def site_at(folder: Path, endpoint: str, keys: Callable[[], Keys], **offload: Any) -> AsyncIterator[Site]:
    """A camera with three segments of ten minutes ago; its terms: to the store at once."""
    async with node_at(folder) as node:
        camera = await node.camera()
        run = await node.run(camera, wall_us() - AGO_US)
        node.put(camera, run, recorded())
        await node.sweep()
        read_s = offload.pop("read_s", 5.0)
        made = Offload(node.catalog, node.volumes, settings_of(endpoint, **offload), keys, read_s=read_s)
        await made.promise(camera)
        try:
            yield Site(node, made, camera, await node.rows(camera))
        finally:
            made.close()


@pytest.fixture
async def site(tmp_path: Path, seaweed: Seaweed) -> AsyncIterator[Site]:
    async with site_at(tmp_path, seaweed.endpoint, keys_of(seaweed)) as made:
        yield made


@pytest.fixture
def line(seaweed: Seaweed) -> Iterator[Line]:
    with Line(seaweed.port) as made:
        yield made


@pytest.fixture
async def over_line(tmp_path: Path, line: Line, seaweed: Seaweed) -> AsyncIterator[Site]:
    async with site_at(tmp_path, line.endpoint, keys_of(seaweed), read_s=0.5) as made:
        yield made


async def all_up(site: Site) -> bool:
    return await site.tiers() == [Tier.BOTH] * 3


async def until_all_up(site: Site) -> None:
    """Tried again and again, as the server does; no waits between."""
    for _ in range(5):
        await site.offload.retry_now()
        await site.offload.upload_due()
        if await all_up(site):
            break
    assert await site.tiers() == [Tier.BOTH] * 3
    left = await site.offload.backlog()
    assert (left.queued.segments, left.uploading.segments, left.failing) == (0, 0, 0)


# -- the usual way ---------------------------------------------------------------------------------------------------


async def test_what_is_old_enough_goes_up_and_is_told_so(site: Site) -> None:
    assert await site.offload.upload_due() == 3
    assert await site.tiers() == [Tier.BOTH] * 3
    for segment in site.segments:
        place = await site.offload.place(segment)
        stored = await site.offload.objects.head(place.key)
        assert stored.sha256 == segment.sha256
        assert stored.metadata["camera"] == "KNP-1"
        assert stored.metadata["start-us"] == str(segment.start_us)
        assert place.key.startswith(f"{site.offload.settings.offload.prefix}/n1/{site.camera}/")
    assert await site.offload.upload_due() == 0, "nothing is sent twice"
    backlog = await site.offload.backlog()
    assert backlog.tiers[Tier.BOTH].segments == 3
    assert backlog.tiers[Tier.BOTH].bytes == sum(segment.size_bytes for segment in site.segments)


async def test_younger_footage_waits_for_its_day(site: Site) -> None:
    await site.offload.promise(site.camera, Terms(30, 30, offload_after_days=1))
    assert await site.offload.upload_due() == 0
    await site.offload.promise(site.camera, Terms(30, 30, offload_after_days=None))
    assert await site.offload.upload_due() == 0
    assert await site.tiers() == [Tier.LOCAL] * 3


async def test_footage_plays_from_the_store_when_its_file_is_gone(site: Site) -> None:
    before = await site.played()
    await site.offload.upload_due()
    site.unlink()
    assert await site.played() == before
    await site.offload.make_remote(site.segments)
    assert await site.played() == before


async def test_the_storage_class_of_the_terms_is_asked_for(site: Site) -> None:
    await site.offload.promise(site.camera, Terms(30, 30, offload_after_days=0, storage_class="STANDARD_IA"))
    await site.offload.upload_due()
    place = await site.offload.place(site.segments[0])
    assert place.storage_class == "STANDARD_IA"
    assert (await site.offload.objects.head(place.key)).storage_class == "STANDARD_IA"


async def test_a_server_of_its_own_uploads_by_itself_and_ends_at_once(site: Site) -> None:
    await site.offload.offloader.start()
    await until(partial(all_up, site), 30)
    await site.offload.offloader.close()
    assert site.offload.offloader.standing().uploaded_segments == 3


# -- what breaks -----------------------------------------------------------------------------------------------------


async def test_a_store_that_is_busy_gets_everything_later(over_line: Site, line: Line) -> None:
    await over_line.offload.offloader.uploader.know_the_store()
    line.busy, line.busy_methods = 2, (b"PUT",)
    await over_line.offload.upload_due()
    assert (await over_line.tiers()).count(Tier.LOCAL) == 2
    assert (await over_line.offload.backlog()).failing == 2
    assert await over_line.played(), "from its volume meanwhile"
    await until_all_up(over_line)


async def test_an_answer_that_is_lost_makes_no_second_object(over_line: Site, line: Line) -> None:
    await over_line.offload.offloader.uploader.know_the_store()
    line.cut_after = 0  # the bytes arrive, the answer does not
    await over_line.offload.upload_due()
    assert await over_line.tiers() == [Tier.LOCAL] * 3
    line.cut_after = None
    puts = sum(request.startswith(b"PUT") for request in line.requests)
    await until_all_up(over_line)
    assert sum(request.startswith(b"PUT") for request in line.requests) == puts, "they were found there"


async def test_a_silent_store_is_given_up_and_asked_again(over_line: Site, line: Line) -> None:
    await over_line.offload.offloader.uploader.know_the_store()
    line.silent = True
    async with asyncio.timeout(20):
        await over_line.offload.upload_due()
    assert await over_line.tiers() == [Tier.LOCAL] * 3
    line.silent = False
    await until_all_up(over_line)


async def test_truncated_answers_are_no_footage(over_line: Site, line: Line) -> None:
    before = await over_line.played()
    await until_all_up(over_line)
    over_line.unlink()
    line.cut_after = 2000
    with pytest.raises(Unavailable):
        await over_line.played()
    assert line.cuts > 1, "it was asked more than once"
    line.cut_after = None
    assert await over_line.played() == before


async def test_where_checksums_are_not_told_everything_is_read_back(over_line: Site, line: Line) -> None:
    line.hidden = "x-amz-checksum-sha256"
    assert await over_line.offload.upload_due() == 3
    gets = [request for request in line.requests if request.startswith(b"GET") and b".mp4" in request]
    assert len(gets) == 3


async def test_wrong_keys_lose_nothing_and_right_ones_mend_it(tmp_path: Path, seaweed: Seaweed) -> None:
    found = [Keys("nobody", "nothing")]
    async with site_at(tmp_path, seaweed.endpoint, lambda: found[0]) as site:
        await site.offload.upload_due()
        assert await site.tiers() == [Tier.LOCAL] * 3
        assert "access key" in site.offload.offloader.standing().last_error
        found[0] = keys_of(seaweed)()
        await until_all_up(site)


async def test_a_bucket_that_is_gone_is_waited_for(tmp_path: Path, seaweed: Seaweed) -> None:
    async with site_at(tmp_path, seaweed.endpoint, keys_of(seaweed), bucket="not-there") as site:
        await site.offload.upload_due()
        assert await site.tiers() == [Tier.LOCAL] * 3
        assert "no such bucket" in site.offload.offloader.standing().last_error
        client = await site.offload.objects._client()
        await asyncio.to_thread(client.create_bucket, Bucket="not-there")
        await until_all_up(site)


async def test_a_store_that_is_killed_in_the_middle_has_what_was_verified(tmp_path: Path) -> None:
    with Seaweed(tmp_path / "weed") as store:
        async with site_at(tmp_path, store.endpoint, keys_of(store)) as site:
            before = await site.played()
            await site.offload.offloader.queue_due()
            (work,) = await site.offload.offloader.claim(1)
            made = await site.offload.offloader.take(work)
            assert made is not None
            await site.offload.offloader.finish([made])
            store.kill()
            await site.offload.upload_due()
            assert (await site.tiers()).count(Tier.LOCAL) == 2
            assert await site.played() == before
            store.start()
            await until_all_up(site)
            site.unlink()
            assert await site.played() == before


async def test_a_file_that_has_rotted_is_never_taken_for_safe(site: Site) -> None:
    path = site.node.path(site.segments[1])
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    await site.offload.upload_due()
    assert await site.tiers() == [Tier.BOTH, Tier.LOCAL, Tier.BOTH]
    assert path.read_bytes() == data, "it is kept"


# -- the far end -----------------------------------------------------------------------------------------------------


async def delete(site: Site, found: list[Segment]) -> None:
    """As the sweeper does, in one transaction."""

    def work(db: Any) -> None:
        segments.remove(db, found, reason="max_days", at_us=wall_us())
        offloads.removed(db, [(one.run_id, one.n) for one in found], reason="max_days", at_us=wall_us())

    await site.node.catalog.write(work)


async def keys_there(site: Site) -> list[str]:
    prefix = f"{site.offload.settings.offload.prefix}/"
    return [key for key, _ in await site.offload.objects.page(prefix, "")]


async def test_objects_of_deleted_footage_go_and_no_others(site: Site) -> None:
    await site.offload.upload_due()
    kept = await site.offload.place(site.segments[2])
    await delete(site, site.segments[:2])
    assert await site.offload.offloader.far.drain() == 2
    assert await keys_there(site) == [kept.key]
    assert (await site.offload.backlog()).garbage == 0


async def test_a_hold_that_came_after_the_row_went_keeps_the_object(site: Site) -> None:
    await site.offload.upload_due()
    await delete(site, site.segments)
    first = site.segments[0]
    hold = Hold(0, "12/2026", site.camera, first.start_us, first.start_us + DAY_US, "theft", "SI", wall_us())
    placed = await site.node.catalog.write(partial(holds.place, hold=hold))
    assert await site.offload.offloader.far.drain() == 0
    assert len(await keys_there(site)) == 3
    await site.node.catalog.write(partial(holds.release, hold_id=placed.id, by="SI", reason="closed", at_us=wall_us()))
    await site.node.catalog.write(partial(object_garbage.retry, now_us=wall_us()))
    assert await site.offload.offloader.far.drain() == 3
    assert await keys_there(site) == []


async def test_what_is_deleted_while_it_goes_up_leaves_no_object(site: Site) -> None:
    await site.offload.offloader.queue_due()
    works = await site.offload.offloader.claim(3)
    await delete(site, site.segments)
    for work in works[:2]:
        made = await site.offload.offloader.take(work)
        assert made is not None
        await site.offload.offloader.finish([made])
    await site.node.catalog.write(partial(offloads.recover, at_us=wall_us()))  # of the third its server died
    await site.offload.offloader.far.drain()
    assert await keys_there(site) == []
    left = await site.offload.backlog()
    assert (left.queued.segments, left.uploading.segments, left.garbage) == (0, 0, 0)


async def test_unfinished_uploads_of_this_node_alone_are_aborted(site: Site) -> None:
    prefix = site.offload.settings.offload.prefix
    client = await site.offload.objects._client()
    for key in (f"{prefix}/n1/1/part.mp4", f"{prefix}/n10/1/part.mp4"):
        await asyncio.to_thread(client.create_multipart_upload, Bucket="footage", Key=key)
    await site.offload.offloader.far_step()
    left = await asyncio.to_thread(client.list_multipart_uploads, Bucket="footage", Prefix=prefix)
    assert [upload["Key"] for upload in left.get("Uploads", [])] == [f"{prefix}/n10/1/part.mp4"]
    assert await site.offload.objects.abort_uploads(f"{prefix}/n10/") == 1


async def test_a_real_object_lock_holds_what_is_held_and_lets_go(tmp_path: Path, seaweed: Seaweed) -> None:
    async with site_at(tmp_path, seaweed.endpoint, keys_of(seaweed), bucket="locked") as site:
        client = await site.offload.objects._client()
        await asyncio.to_thread(client.create_bucket, Bucket="locked", ObjectLockEnabledForBucket=True)
        first, second = site.segments[0], site.segments[1]
        early = Hold(0, "1/26", site.camera, first.start_us, first.end_us, "theft", "SI", wall_us())
        placed = await site.node.catalog.write(partial(holds.place, hold=early))
        assert await site.offload.upload_due() == 3, "the first with a legal hold at once"
        late = Hold(0, "2/26", site.camera, second.start_us, second.end_us, "theft", "SI", wall_us())
        await site.node.catalog.write(partial(holds.place, hold=late))
        far = site.offload.offloader.far
        assert await far.keep_legal_holds() >= 1
        for segment in (first, second):
            place = await site.offload.place(segment)
            assert place.version_id
            with pytest.raises(Unavailable, match="may not"):
                await site.offload.objects.delete(place.key, place.version_id)
        release = partial(holds.release, hold_id=placed.id, by="SI", reason="closed", at_us=wall_us())
        await site.node.catalog.write(release)
        assert await far.keep_legal_holds() == 1
        await delete(site, [first])
        assert await far.drain() == 1
        with pytest.raises(Exception, match="nothing"):
            await site.offload.objects.head((await keys_there(site))[0] + "x")


async def test_an_upload_done_twice_leaves_one_version(tmp_path: Path, line: Line, seaweed: Seaweed) -> None:
    async with site_at(tmp_path, line.endpoint, keys_of(seaweed), bucket="versions") as site:
        client = await site.offload.objects._client()
        await asyncio.to_thread(client.create_bucket, Bucket="versions", ObjectLockEnabledForBucket=True)
        await site.offload.offloader.uploader.know_the_store()
        await site.offload.offloader.queue_due()
        (work,) = await site.offload.offloader.claim(1)
        for _ in range(2):
            await site.offload.offloader.uploader._send(work)
        line.cut_after = 0
        assert await site.offload.offloader.take(work) is None
        line.cut_after = None
        await until_all_up(site)
        found = await asyncio.to_thread(client.list_object_versions, Bucket="versions", Prefix=work.key)
        assert len(found["Versions"]) == 1
        place = await site.offload.place(site.segments[0])
        assert found["Versions"][0]["VersionId"] == place.version_id
