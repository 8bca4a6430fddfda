"""Stores that do less than they should (moto): cold storage classes, checksums that nobody looks at, locks that are none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from moto.moto_api import state_manager
from moto.server import ThreadedMotoServer

from storage.catalog import holds
from storage.clock import wall_us
from storage.model import CameraId, Tier
from storage.objects import Objects
from storage.objects_keys import Keys
from storage.paths import segment_path
from storage.terms import Hold, Terms
from tests.lavfi import recorded
from tests.nvr.served import until
from tests.stores import Offload, settings_of
from tests.web.archived import put_run
from tests.web.served import Served, serve

T0_US = 1_795_000_020_000_000
RUN = 1_795_000_020_000


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def keys() -> Keys:
    return Keys("a", "b")


@pytest_asyncio.fixture(loop_scope="session")
async def archive(tmp_path: Path, moto: str) -> AsyncIterator[tuple[Served, Offload]]:
    settings = settings_of(moto, bucket="archive")
    objects = Objects(settings.offload, keys)
    async with serve(tmp_path, objects=objects) as served:
        await served.add("A")
        made = Offload(served.catalog, served.volumes, settings, keys)
        client = await made.objects._client()
        await asyncio.to_thread(client.create_bucket, Bucket="archive")
        yield served, made
        made.close()
    objects.close()


async def test_footage_in_a_cold_class_is_asked_for_and_plays_when_it_is_back(archive: tuple[Served, Offload]) -> None:
    served, made = archive
    segments = await put_run(served, recorded(), run_id=RUN, start_us=T0_US)
    both = await made.all_up(1, segments)
    for segment in both:
        segment_path(served.volumes.path(segment.volume_id), segment).unlink()
    await made.make_remote(both)
    place = await made.place(segments[0])
    client = await made.objects._client()
    copy = partial(
        client.copy_object,
        Bucket="archive",
        Key=place.key,
        CopySource={"Bucket": "archive", "Key": place.key},
        StorageClass="GLACIER",
    )
    await asyncio.to_thread(copy)  # as a rule of the bucket does
    state_manager.set_transition("s3::keyrestore", {"progression": "manual", "times": 3})  # each look is a step
    url = f"/media/1/{RUN}/0.mp4"
    status, body, _ = await served.ask("GET", f"/play/1/clip.mp4?from={T0_US}&to={T0_US + 3_000_000}")
    assert (status, body["code"], body["expected_hours"], body["storage_class"]) == (409, "cold", 5, "GLACIER")
    assert "was just asked for" in body["detail"]
    status, body, _ = await served.ask("GET", url)
    assert (status, body["code"]) == (409, "cold")
    assert "asked for before" in body["detail"]
    await until(partial(plays, served, url), 20)
    assert (await fetch(served, url))[1] == recorded()[0].read_bytes()
    state_manager.unset_transition("s3::keyrestore")


async def plays(served: Served, url: str) -> bool:
    return (await fetch(served, url))[0] == 200


async def fetch(served: Served, path: str) -> tuple[int, bytes]:
    async with served.session.get(served.url + path) as answer:
        return answer.status, await answer.read()


async def test_a_store_that_looks_at_no_checksum_is_read_back_each_time(archive: tuple[Served, Offload]) -> None:
    served, made = archive
    assert not await made.objects.checks_sums("probe")
    segments = await put_run(served, recorded(), run_id=RUN, start_us=T0_US)
    await made.all_up(1, segments)
    path = segment_path(served.volumes.path(segments[0].volume_id), segments[0])
    (rotten,) = await put_run(served, recorded()[:1], run_id=RUN + 60_000, start_us=T0_US + 60_000_000)
    path = segment_path(served.volumes.path(rotten.volume_id), rotten)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    await made.upload_due()
    assert (await made.row(rotten)).tier is Tier.LOCAL, "the store took it; what comes back is not the footage"


async def test_where_sums_are_not_kept_a_cold_class_is_refused(archive: tuple[Served, Offload]) -> None:
    served, made = archive
    segments = await put_run(served, recorded(), run_id=RUN, start_us=T0_US)
    await made.promise(1, Terms(30, 30, offload_after_days=0, storage_class="DEEP_ARCHIVE"))
    assert await made.upload_due() == 0
    assert (await made.row(segments[0])).tier is Tier.LOCAL
    assert "cannot be checked" in made.offloader.standing().last_error


async def test_a_lock_that_is_none_is_not_trusted(archive: tuple[Served, Offload]) -> None:
    served, made = archive
    segments = await put_run(served, recorded(), run_id=RUN, start_us=T0_US)
    hold = Hold(0, "1/26", CameraId(1), segments[0].start_us, segments[0].end_us, "theft", "SI", wall_us())
    await served.catalog.write(partial(holds.place, hold=hold))
    await made.all_up(1, segments)
    assert made.offloader.standing().object_lock is False
    await made.offloader.far_step()
