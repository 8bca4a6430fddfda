"""Promised against achieved, over a real catalog."""

from __future__ import annotations

from pathlib import Path

import pytest

from retention.report import BROKEN, FILLING, KEPT, NONE, CameraPromise, Report, VolumeRoom, read
from storage.catalog import cameras, holds, policies, segments
from storage.catalog.db import transaction
from storage.catalog.sqlite import Connection
from storage.model import CameraId, Tier, VolumeId
from storage.terms import DAY_US, Hold, InForce, Terms
from tests.retention.stocked import NOW, SEGMENT_BYTES, camera, catalog, footage

ROOM = [VolumeRoom(VolumeId(1), 1000 * SEGMENT_BYTES)]
FAR = Terms(3650, 3650)


def promised(db: Connection, camera_id: CameraId, terms: Terms, *, since_us: int = 0) -> None:
    row = InForce(camera_id, 1, "default", "default", terms, since_us)
    with transaction(db):
        policies.put_in_force(db, [row])


def one(report: Report, camera_id: CameraId) -> CameraPromise:
    return next(found for found in report.cameras if found.camera_id == camera_id)


def delete(db: Connection, camera_id: CameraId, from_days: float, to_days: float, *, at_us: int = NOW) -> None:
    """What is that old, as the sweeper takes it out."""
    window = (NOW - round(from_days * DAY_US), NOW - round(to_days * DAY_US))
    rows = segments.page(db, camera_id, *window, after=(-1, 0), limit=10_000)
    with transaction(db):
        segments.remove(db, [row for row in rows if row.start_us >= window[0]], reason="below_min", at_us=at_us)


def test_a_camera_with_all_its_days_is_kept_and_a_young_one_fills(tmp_path: Path) -> None:
    with catalog(tmp_path) as db:
        old, young, empty = (camera(db, code) for code in ("OLD", "YOUNG", "EMPTY"))
        footage(db, old, 31)
        footage(db, young, 3)
        for camera_id in (old, young, empty):
            promised(db, camera_id, Terms(30, 30))
        report = read(db, NOW, ROOM)
        assert [one(report, camera_id).state for camera_id in (old, young, empty)] == [KEPT, FILLING, NONE]
        found = one(report, old)
        assert (found.min_days, found.max_days, found.policy) == (30, 30, "default")
        assert found.achieved_days == pytest.approx(31)
        assert found.bytes == 31 * 24 * SEGMENT_BYTES
        assert one(report, young).achieved_days == pytest.approx(3)
        assert one(report, empty).achieved_days == 0


def test_gaps_do_not_count_as_recorded(tmp_path: Path) -> None:
    with catalog(tmp_path) as db:
        camera_id = camera(db, "A")
        footage(db, camera_id, 2, until_us=NOW - 28 * DAY_US)
        footage(db, camera_id, 2)
        promised(db, camera_id, Terms(30, 30))
        found = one(read(db, NOW, ROOM), camera_id)
        assert found.state == KEPT
        assert found.achieved_days == pytest.approx(30)
        assert found.recorded_days == pytest.approx(4 * 24 * 8 / 86400)  # eight seconds an hour


def test_footage_that_went_before_its_time_breaks_the_promise(tmp_path: Path) -> None:
    with catalog(tmp_path) as db:
        camera_id = camera(db, "A")
        footage(db, camera_id, 31)
        promised(db, camera_id, Terms(30, 30))
        delete(db, camera_id, 31, 12)
        found = one(read(db, NOW, ROOM), camera_id)
        assert found.state == BROKEN
        assert found.achieved_days == pytest.approx(12, abs=0.05)
        assert found.gone_us is not None
        # it was deleted when less was promised, and rightly
        promised(db, camera_id, Terms(30, 30), since_us=NOW + 1)
        assert one(read(db, NOW, ROOM), camera_id).state == FILLING
        promised(db, camera_id, Terms(10, 10))
        assert one(read(db, NOW, ROOM), camera_id).state == KEPT


def test_forecast_counts_what_each_volume_gets(tmp_path: Path) -> None:
    with catalog(tmp_path) as db:
        camera_id = camera(db, "A")
        footage(db, camera_id, 20, volume=1)
        promised(db, camera_id, Terms(30, 30))
        first, second = read(db, NOW, [*ROOM, VolumeRoom(VolumeId(2), 5)]).volumes
        daily = SEGMENT_BYTES / 8 * 86_400
        assert first.rate == pytest.approx(daily, rel=0.01)
        assert first.capacity_bytes == (1000 + 20 * 24) * SEGMENT_BYTES
        assert first.breaks_in_days == pytest.approx(1000 * SEGMENT_BYTES / daily, rel=0.05)
        assert first.breaks_first == (camera_id,)
        assert (second.rate, second.breaks_in_days, second.capacity_bytes) == (0, None, 5)


def test_held_and_remote_footage_is_told_apart(tmp_path: Path) -> None:
    with catalog(tmp_path) as db:
        camera_id = camera(db, "A")
        footage(db, camera_id, 4, until_us=NOW - 6 * DAY_US, tier=Tier.REMOTE)
        footage(db, camera_id, 2)
        promised(db, camera_id, FAR)
        hold = Hold(0, "FIR 1", camera_id, NOW - DAY_US // 2, NOW + DAY_US, "r", "me", 1)
        with transaction(db):
            holds.place(db, hold)
        report = read(db, NOW, ROOM)
        found = one(report, camera_id)
        assert (found.bytes, found.remote_bytes) == (6 * 24 * SEGMENT_BYTES, 4 * 24 * SEGMENT_BYTES)
        assert report.held_bytes == {VolumeId(1): 12 * SEGMENT_BYTES}
        assert report.footage_bytes == {VolumeId(1): 2 * 24 * SEGMENT_BYTES}
        assert found.held_bytes == pytest.approx(12 * SEGMENT_BYTES, rel=0.05)
        assert found.achieved_days == pytest.approx(10)


def test_archived_cameras_keep_their_promise_too(tmp_path: Path) -> None:
    with catalog(tmp_path) as db:
        camera_id = camera(db, "A")
        footage(db, camera_id, 31)
        promised(db, camera_id, Terms(30, 30))
        with transaction(db):
            cameras.archive(db, camera_id, NOW)
        assert one(read(db, NOW, ROOM), camera_id).state == KEPT
