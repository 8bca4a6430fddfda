"""The keeper over a real node: what is due goes, a volume that fills is relieved, a lost one loses its cameras."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from config.settings import RetentionSettings
from retention.keeper import Keeper
from retention.sweep import Sweeper
from retention.troubles import RetentionLooks
from storage.catalog import policies
from storage.clock import wall_us
from storage.model import CameraId, VolumeId
from storage.terms import DAY_US, Terms
from tests.retention.aged import aged, promise
from tests.storage.node import Node, node_at
from tests.storage.test_full_disk import fill, mount, unmount


@dataclass
class Recorders:
    """Notes what it is told."""

    left: list[tuple[VolumeId, str, bool]] = field(default_factory=list)
    held_back: list[set[CameraId]] = field(default_factory=list)
    wanted: Collection[CameraId] = ()

    def leave(self, volume_id: VolumeId, cause: str, detail: str, *, at_once: bool) -> None:
        self.left.append((volume_id, cause, at_once))

    def hold_back(self, cameras: Collection[CameraId], why: str) -> None:
        self.held_back.append(set(cameras))

    def wanted_cameras(self) -> Collection[CameraId]:
        return self.wanted


@dataclass
class Kept:
    node: Node
    recorders: Recorders
    keeper: Keeper
    doubted: str = ""

    def __post_init__(self) -> None:
        self.turns = {name: turn for name, _, turn in self.keeper.open()}

    async def turn(self, name: str) -> None:
        await self.turns[name]()

    async def settled(self, what: str) -> None:
        """The tasks of that name have ended."""
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name().startswith(what)))


def kept_at(node: Node) -> Kept:
    recorders = Recorders()

    async def doubt() -> str:
        return made.doubted

    sweeper = Sweeper(node.catalog, node.volumes, clock=node.clock)
    keeper = Keeper(node.catalog, node.volumes, sweeper, recorders, RetentionSettings(), doubt=doubt, clock=node.clock)
    made = Kept(node, recorders, keeper)
    return made


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    async with node_at(tmp_path) as node:
        made = kept_at(node)
        yield made
        await made.keeper.close()


async def test_footage_beyond_its_maximum_goes_and_is_told(kept: Kept) -> None:
    old = await aged(kept.node, "OLD", days=40)
    young = await aged(kept.node, "YOUNG", days=20)
    await kept.turn("retention")
    assert await kept.node.rows(old[0].camera_id) == []
    assert await kept.node.rows(young[0].camera_id) == young
    assert list(kept.keeper.facts.oldest_us) == [young[0].camera_id]
    assert kept.keeper.facts.garbage == {}


async def test_a_doubtful_clock_deletes_nothing(kept: Kept) -> None:
    old = await aged(kept.node, days=40)
    kept.doubted = "the clock is a day ahead"
    await kept.turn("retention")
    assert await kept.node.rows(old[0].camera_id) == old
    kept.doubted = ""
    kept.keeper.ask()
    await kept.turn("retention")
    assert await kept.node.rows(old[0].camera_id) == []


async def test_a_camera_without_a_promise_gets_one_before_anything_goes(kept: Kept) -> None:
    camera = await kept.node.camera("NEW")
    await kept.turn("retention")
    found = await kept.node.catalog.read(policies.in_force)
    assert (found[camera].terms.min_days, found[camera].policy_name) == (30, "default")


async def test_nothing_is_done_again_until_asked_or_due(kept: Kept) -> None:
    await kept.turn("retention")
    old = await aged(kept.node, days=40)
    await kept.turn("retention")
    assert await kept.node.rows(old[0].camera_id) == old
    kept.keeper.ask()
    await kept.turn("retention")
    assert await kept.node.rows(old[0].camera_id) == []


async def test_a_volume_that_is_away_loses_its_cameras_and_says_nothing_of_its_room(kept: Kept) -> None:
    await kept.turn("volume 1")
    assert [standing.volume_id for standing in kept.keeper.standings()] == [1]
    (kept.node.root / ".nvr-volume").unlink()
    await kept.turn("volume 1")
    assert kept.recorders.left == [(1, "volume_lost", True)]
    assert kept.keeper.standings() == []
    await kept.turn("room")
    assert kept.recorders.held_back == []


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Kept]:
    """On a volume of 64 MB, the catalog elsewhere."""
    disk = tmp_path / "footage"
    disk.mkdir()
    mount(disk)
    try:
        async with node_at(tmp_path) as node:
            made = kept_at(node)
            yield made
            await made.keeper.close()
    finally:
        unmount(disk)


@pytest.mark.needs("root")
async def test_a_volume_that_fills_sheds_what_is_beyond_its_minimum_first(small: Kept) -> None:
    above = await aged(small.node, "ABOVE", days=20, terms=Terms(10, 30))
    below = await aged(small.node, "BELOW", days=20, terms=Terms(30, 30))
    size = sum(row.size_bytes for row in above)
    fill(small.node.root, leave_bytes=4 * 1024 * 1024 + 300_000 - size // 2)
    await small.turn("volume 1")
    assert small.keeper.standings()[0].need_bytes == 0, "it has enough free"
    fill(small.node.root, leave_bytes=4 * 1024 * 1024 - 10_000)
    await small.turn("volume 1")
    await small.settled("pressure")
    rows = await small.node.rows(above[0].camera_id)
    assert len(rows) < 3
    shed = await RetentionLooks(small.keeper, small.node.volumes).shedding()
    assert [one.subject for one in shed] == ([] if rows else [str(small.node.root)])
    if rows:
        assert await small.node.rows(below[0].camera_id) == below


@pytest.mark.needs("root")
async def test_where_nothing_may_go_cameras_are_held_back_by_class(small: Kept) -> None:
    cameras = [await small.node.camera(code) for code in ("LOW", "HIGH")]
    for camera, priority in zip(cameras, (10, 90), strict=True):
        await promise(small.node, camera, Terms(30, 30, priority=priority))
    small.recorders.wanted = cameras
    filler = fill(small.node.root, leave_bytes=4 * 1024 * 1024 - 10_000)
    await small.turn("volume 1")
    await small.settled("pressure")
    await small.turn("room")
    assert small.recorders.held_back == [{cameras[0]}]
    [trouble] = await RetentionLooks(small.keeper, small.node.volumes).held_full()
    assert (trouble.subject, "1 camera has stopped" in trouble.detail) == (str(small.node.root), True)
    assert small.keeper.held_back() == {cameras[0]}
    assert small.recorders.left == [], "there is no other volume"
    fill(small.node.root)
    await small.turn("volume 1")
    await small.turn("room")
    assert small.recorders.held_back[-1] == set(cameras)
    filler.unlink()
    await small.turn("volume 1")
    assert small.keeper.standings()[0].short_bytes == 0


async def test_the_report_is_of_now_and_the_weights_follow_what_a_volume_can_take(kept: Kept) -> None:
    rows = await aged(kept.node, days=20)
    await kept.turn("volume 1")
    await kept.turn("retention")
    report = await kept.keeper.report()
    assert wall_us() - report.at_us < DAY_US
    assert report.footage_bytes == {1: sum(row.size_bytes for row in rows)}
    assert kept.node.volumes.choose(rows[0].camera_id).id == 1
