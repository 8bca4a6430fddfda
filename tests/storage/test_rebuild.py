"""A catalog that is lost, and one restored from yesterday: made whole again from the volumes."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from storage import backup
from storage.camera_json import CameraJson
from storage.catalog import cameras, hours, runs
from storage.model import HOUR_US, CameraId, Credentials, Segment
from storage.rebuild import Rebuilt, rebuild
from tests.lavfi import recorded
from tests.storage.node import Node, node_at

T0_US = 1_795_000_020_000_000
DAY_US = 24 * HOUR_US


async def record(node: Node, code: str, start_us: int = T0_US) -> tuple[CameraId, list[Segment]]:
    """A described camera with two runs of three segments, the second with a picture of another size."""
    camera = await node.camera(code)
    described = CameraJson(node.catalog, node.volumes)
    node.ingest.on_segment = described.indexed
    first = await node.run(camera, start_us)
    node.put(camera, first, recorded())
    await node.sweep()
    second = await node.run(camera, start_us + 60_000_000)
    node.put(camera, second, recorded(size="320x240"))
    await node.sweep()
    await described.settled()
    return camera, await node.rows(camera)


def lose_catalog(folder: Path) -> None:
    for path in folder.glob("nvr.sqlite3*"):
        path.unlink()


def assert_same(before: list[Segment], after: list[Segment]) -> None:
    """But for what the lost catalog alone knew, and a millisecond."""
    assert len(before) == len(after)
    for one, other in zip(before, after, strict=True):
        assert abs(one.start_us - other.start_us) < 1_000
        assert abs(one.dur_us - other.dur_us) <= 1_000
        forgotten = {
            name: getattr(one, name)
            for name in ("start_us", "dur_us", "init_id", "volume_id", "err_us", "clock_offset_us", "frags")
        }
        assert replace(other, **forgotten) == one
        assert [byte for i, byte in enumerate(one.frags) if i % 6 != 5] == [
            byte for i, byte in enumerate(other.frags) if i % 6 != 5
        ]


async def test_a_lost_catalog_is_made_again_from_the_volumes(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        unused = await node.camera("never-recorded")
        one, of_one = await record(node, "KNP-1")
        other, of_other = await record(node, "KNP-2", T0_US + 7_000_000)
        told = await node.catalog.read(partial(cameras.get, camera_id=one))
        uuid = node.volume.uuid
    assert unused == 1
    lose_catalog(tmp_path)

    async with node_at(tmp_path) as node:
        seen: list[tuple[int, int]] = []
        report = await rebuild(
            node.catalog, node.volumes, "n1", progress=lambda done, total: seen.append((done, total))
        )
        assert report == Rebuilt(cameras=2, segments=12)
        assert (seen[0], seen[-1]) == ((0, 12), (12, 12))
        assert node.volume.uuid == uuid
        assert await node.catalog.read(partial(cameras.get, camera_id=one)) == told
        assert_same(of_one, await node.rows(one))
        assert_same(of_other, await node.rows(other))
        new = await node.camera("KNP-9")
        assert new > max(one, other)


async def test_segments_of_a_run_are_consecutive_again(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        camera, _ = await record(node, "KNP-1")
    lose_catalog(tmp_path)
    async with node_at(tmp_path) as node:
        await rebuild(node.catalog, node.volumes, "n1")
        rows = await node.rows(camera)
        for one, other in pairwise(rows):
            assert (one.end_us == other.start_us) == (one.run_id == other.run_id)
        window = (rows[0].start_us, rows[2].end_us)
        assert len(await node.footage.slices(camera, *window)) == 3
        timeline = await node.footage.timeline(camera, *window, None)
        assert (len(timeline.spans), timeline.gaps, timeline.coverage) == (1, (), 1.0)


async def test_runs_count_on_as_before(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        camera, rows = await record(node, "KNP-1")
        ids = sorted({row.run_id for row in rows})
        before = [await node.footage.run(run_id) for run_id in ids]
    lose_catalog(tmp_path)
    async with node_at(tmp_path) as node:
        await rebuild(node.catalog, node.volumes, "n1")
        after = [await node.footage.run(run_id) for run_id in ids]
        assert [(run.seq0, run.discontinuities) for run in after] == [(r.seq0, r.discontinuities) for r in before]
        assert [(run.camera_id, run.end_reason) for run in after] == [(camera, "unknown")] * 2
        assert await node.catalog.read(partial(runs.next_id, now_us=0)) > ids[-1]


async def test_a_run_that_still_writes_is_left_open(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        camera = await node.camera()
        run = await node.run(camera, T0_US)
        node.live = {run}
        node.put(camera, run, recorded())
        await node.sweep()
    lose_catalog(tmp_path)
    async with node_at(tmp_path) as node:
        assert (await rebuild(node.catalog, node.volumes, "n1")).segments == 2
        assert (await node.footage.run(run)).ended_us is None
        await node.sweep()
        assert [row.n for row in await node.rows(camera)] == [0, 1, 2]


async def test_hours_are_the_same_again(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        camera, _ = await record(node, "KNP-1")
        between = partial(hours.between, camera_id=camera, from_us=0, to_us=1 << 60)
        before = await node.catalog.read(between)
    lose_catalog(tmp_path)
    async with node_at(tmp_path) as node:
        await rebuild(node.catalog, node.volumes, "n1")
        after = await node.catalog.read(between)
        assert [(hour.hour_us, hour.segments, hour.bytes) for hour in after] == [
            (hour.hour_us, hour.segments, hour.bytes) for hour in before
        ]
        assert [len(hour.spans) for hour in after] == [len(hour.spans) for hour in before]


async def test_yesterdays_catalog_is_completed_and_nothing_in_it_changed(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        old, yesterday = await record(node, "KNP-1")
        saved = await backup.backup_now(node.catalog, tmp_path / "kept", T0_US + HOUR_US)
        run = await node.run(old, T0_US + DAY_US)
        node.put(old, run, recorded())
        await node.sweep()
        since = (await node.rows(old))[len(yesterday) :]
        new, of_new = await record(node, "KNP-2", T0_US + DAY_US + 7_000_000)
        files = {path: path.read_bytes() for path in node.archived()}

    aside = backup.restore(saved, tmp_path / "nvr.sqlite3", T0_US + 2 * DAY_US)
    assert aside is not None
    assert aside.exists()
    async with node_at(tmp_path) as node:
        assert await node.rows(old) == yesterday
        report = await rebuild(node.catalog, node.volumes, "n1")
        assert (report.cameras, report.segments, report.known) == (1, 9, 6)
        rows = await node.rows(old)
        assert rows[: len(yesterday)] == yesterday
        assert_same(since, rows[len(yesterday) :])
        assert_same(of_new, await node.rows(new))
        assert {path: path.read_bytes() for path in node.archived()} == files
        again = await rebuild(node.catalog, node.volumes, "n1")
        assert (again.cameras, again.segments, again.known) == (0, 0, 15)


async def test_a_code_that_was_given_away_meanwhile_is_told_apart(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        await record(node, "KNP-1")
        camera, _ = await record(node, "KNP-2", T0_US + 7_000_000)
    lose_catalog(tmp_path)
    async with node_at(tmp_path) as node:
        assert await node.camera("KNP-2") == 3  # not 1 or 2, whose folders are there
        await rebuild(node.catalog, node.volumes, "n1")
        back = await node.catalog.read(partial(cameras.get, camera_id=camera))
        assert back.code == f"KNP-2-{camera}"


async def test_footage_of_a_camera_nobody_describes_can_still_be_played(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        camera, rows = await record(node, "KNP-1")
        (node.root / "archive" / str(camera) / "camera.json").write_text('{"code": ')
    lose_catalog(tmp_path)
    async with node_at(tmp_path) as node:
        report = await rebuild(node.catalog, node.volumes, "n1")
        assert report.nameless == [camera]
        stand_in = await node.catalog.read(partial(cameras.get, camera_id=camera))
        assert not stand_in.enabled
        assert_same(rows, await node.rows(camera))


async def test_broken_files_go_to_quarantine_and_the_rest_is_indexed(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        camera, rows = await record(node, "KNP-1")
        node.path(rows[1]).write_bytes(b"lost")
        node.path(rows[2]).write_bytes(b"")
    lose_catalog(tmp_path)
    async with node_at(tmp_path) as node:
        report = await rebuild(node.catalog, node.volumes, "n1")
        assert (report.segments, report.quarantined, report.empty) == (4, 1, 1)
        assert [row.n for row in await node.rows(camera)] == [0, 0, 1, 2]
        assert len(node.quarantined()) == 1


async def test_two_volumes_are_one_archive(tmp_path: Path) -> None:
    async with node_at(tmp_path, volumes=("a", "b")) as node:
        camera = await node.camera()
        for number, volume in enumerate(node.volumes.all()):
            run = await node.run(camera, T0_US + number * 60_000_000, volume)
            node.put(camera, run, recorded(), volume=volume)
        await node.sweep()
        rows = await node.rows(camera)
        assert len({row.volume_id for row in rows}) == 2
    lose_catalog(tmp_path)
    async with node_at(tmp_path, volumes=("b", "a")) as node:
        await rebuild(node.catalog, node.volumes, "n1")
        assert_same(rows, await node.rows(camera))
        second = await node.footage.run(rows[-1].run_id)
        assert (second.seq0, second.discontinuities) == (12, 1)


async def test_a_volume_that_is_away_is_named(tmp_path: Path) -> None:
    async with node_at(tmp_path, volumes=("a", "b")) as node:
        await record(node, "KNP-1")
        (Path(node.volumes.all()[1].path) / ".nvr-volume").unlink()
        node.volumes.recheck(node.volumes.all()[1].id)
        report = await rebuild(node.catalog, node.volumes, "n1")
        assert "mount it" in report.failed[0]


async def test_camera_json_follows_the_camera_and_holds_no_login(tmp_path: Path) -> None:
    async with node_at(tmp_path) as node:
        camera, _ = await record(node, "KNP-1")
        path = node.root / "archive" / str(camera) / "camera.json"
        assert json.loads(path.read_text())["code"] == "KNP-1"
        described = CameraJson(node.catalog, node.volumes)
        await node.catalog.write(partial(cameras.update, camera_id=camera, name="द्वार", lat=26.4, lon=80.3))
        await node.catalog.write(lambda db: cameras.set_credentials(db, camera, Credentials("admin", "s3cret")))
        described.changed(camera)
        await described.settled()
        text = path.read_text("utf-8")
        assert json.loads(text)["name"] == "द्वार"
        assert "s3cret" not in text
        assert "admin" not in text
        before = path.stat().st_mtime_ns
        described.changed(camera)
        described.changed(CameraId(99))
        await described.settled()
        assert path.stat().st_mtime_ns == before
        assert not (node.root / "archive" / "99").exists()


ELSEWHERE = {"id": 5, "created_us": 1, "code": "a", "name": "a", "url": "file:///x", "node": "n1", "written_us": 1}


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "null", "{}", "[" * 100_000),
        *('{"id": "1"}', '{"id": 5, "created_us": 1, "code": 5}', json.dumps(ELSEWHERE)),
    ],
)
async def test_a_camera_json_that_makes_no_sense_is_a_stand_in(tmp_path: Path, text: str) -> None:
    async with node_at(tmp_path) as node:
        (node.root / "archive" / "5").mkdir()
        (node.root / "archive" / "5" / "camera.json").write_text(text)
        report = await rebuild(node.catalog, node.volumes, "n1")
        assert report.nameless == [5]
        assert await node.camera("next") == 6
