"""Footage that is in the object store plays through the same URLs: the same bytes, the same ETags, from whichever tier."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest_asyncio

from nvr.bench.seaweed import Seaweed
from storage.model import Segment
from storage.objects import Objects
from storage.paths import segment_path
from tests.lavfi import recorded
from tests.stores import Offload, keys_of, settings_of
from tests.web.archived import put_run
from tests.web.served import Served, serve
from web.keys import FOOTAGE

T0_US = 1_795_000_020_000_000
RUN = 1_795_000_020_000
S = 1_000_000


@pytest_asyncio.fixture(loop_scope="session")
async def offload(tmp_path: Path, seaweed: Seaweed) -> AsyncIterator[tuple[Served, Offload]]:
    settings = settings_of(seaweed.endpoint)
    objects = Objects(settings.offload, keys_of(seaweed))
    async with serve(tmp_path, objects=objects) as served:
        await served.add("A")
        made = Offload(served.catalog, served.volumes, settings, keys_of(seaweed))
        yield served, made
        made.close()
    objects.close()


async def fetch(served: Served, path: str, **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
    async with served.session.get(served.url + path, headers=headers) as got:
        return got.status, await got.read(), got.headers


async def everything(served: Served, segments: list[Segment]) -> dict[str, tuple[int, str, str | None]]:
    """URL -> status, hash of the body, ETag."""
    window = f"from={T0_US + 1_500_000}&to={T0_US + 10_500_000}"
    urls = [f"/media/1/{s.run_id}/{s.n}.mp4" for s in segments]
    urls += [f"/play/1/{name}?{window}" for name in ("clip.mp4", "index.m3u8")]
    urls += [f"/play/1/frame.jpg?at={T0_US + 5_300_000}{exact}" for exact in ("", "&exact=1")]
    found = {}
    for url in urls:
        status, body, headers = await fetch(served, url)
        found[url] = (status, hashlib.sha256(body).hexdigest(), headers.get("ETag"))
    return found


async def test_play_clip_and_stills_are_the_same_from_local_both_and_remote(offload: tuple[Served, Offload]) -> None:
    served, made = offload
    segments = await put_run(served, recorded(b_frames=2, audio=True), run_id=RUN, start_us=T0_US)
    local = await everything(served, segments)
    assert {status for status, _, _ in local.values()} == {200}
    assert local[f"/media/1/{RUN}/0.mp4"][1] == segments[0].sha256.hex()
    both = await made.all_up(1, segments)
    assert await everything(served, segments) == local
    root = served.volumes.path(segments[0].volume_id)
    for segment in both:
        segment_path(root, segment).unlink()
    served.app[FOOTAGE]._asked.clear()
    from web.keys import FILES

    served.app[FILES].close_all()
    assert await everything(served, segments) == local, "tier BOTH, the file is gone"
    await made.make_remote(both)
    assert await everything(served, segments) == local
    status, body, headers = await fetch(served, f"/media/1/{RUN}/1.mp4", Range="bytes=100-299")
    assert (status, len(body), headers["Content-Range"]) == (206, 200, f"bytes 100-299/{segments[1].size_bytes}")
