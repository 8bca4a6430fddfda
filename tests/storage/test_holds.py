"""Rows of holds, and what they keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config.errors import Conflict, Invalid, NotFound
from retention.holds import over_quota, to_review
from storage.catalog import cameras, holds, segments
from storage.catalog.db import connect, prepare
from storage.catalog.sqlite import Connection
from storage.model import HOUR_US, Camera, CameraId, Tier, VolumeId
from storage.terms import Hold
from tests.rows import T0_US, segment

CAMERA = CameraId(1)
MINUTE_US = 60_000_000
HOLD = Hold(0, "FIR 118/2026", CAMERA, T0_US, T0_US + HOUR_US, "asked for by the court", "singh", T0_US)
FULL_US = T0_US // HOUR_US * HOUR_US + HOUR_US


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    prepare(tmp_path / "nvr.sqlite3")
    connection = connect(tmp_path / "nvr.sqlite3")
    for code in ("a", "b"):
        cameras.add(connection, Camera(CameraId(0), code, code, "rtsp://10.0.0.5/", "n1", created_us=1))
    yield connection
    connection.close()


def footage(db: Connection, count: int, *, from_us: int = FULL_US, volume: int = 1, tier: Tier = Tier.LOCAL) -> int:
    """A segment each minute; bytes of one."""
    for n in range(count):
        made = segment(n, run=from_us // 1000 + volume)
        segments.insert(
            db, replace(made, start_us=from_us + n * MINUTE_US, volume_id=VolumeId(volume), tier=tier, size_bytes=1000)
        )
    return 1000


def test_placed_listed_released(db: Connection) -> None:
    first = holds.place(db, replace(HOLD, case_ref=" FIR 118/2026 "))
    second = holds.place(db, replace(HOLD, camera_id=CameraId(2), case_ref="FIR 9"))
    assert (first.id, first.case_ref) == (1, "FIR 118/2026")
    assert holds.active(db) == [first, second] and holds.active(db, CAMERA) == [first]
    assert holds.listing(db, case_ref="FIR 9") == [second] == holds.listing(db, camera_id=CameraId(2))
    assert holds.listing(db, limit=1) == [second] and holds.listing(db, before_id=2) == [first]
    released = holds.release(db, 1, "SP", "over", 9)
    assert released == replace(first, released_us=9, released_by="SP", release_reason="over") == holds.get(db, 1)
    assert holds.active(db, CAMERA) == [] and holds.listing(db) == [second]
    assert holds.listing(db, released=True) == [second, released]


@pytest.mark.parametrize(
    ("change", "error", "field"),
    [
        ({"case_ref": " "}, Invalid, "case"),
        ({"reason": ""}, Invalid, "reason"),
        ({"reason": "x" * 1001}, Invalid, "reason"),
        ({"created_by": "\x00"}, Invalid, "created_by"),
        ({"end_us": T0_US}, Invalid, "to"),
        ({"camera_id": CameraId(9)}, NotFound, "cameras"),
    ],
)
def test_what_cannot_be_held(db: Connection, change: dict[str, object], error: type[Invalid], field: str) -> None:
    with pytest.raises(error) as caught:
        holds.place(db, replace(HOLD, **change))  # type: ignore[arg-type]
    assert caught.value.field == field


def test_a_release_needs_a_reason_and_happens_once(db: Connection) -> None:
    holds.place(db, HOLD)
    with pytest.raises(Invalid):
        holds.release(db, 1, "SP", "  ", 9)
    holds.release(db, 1, "SP", "over", 9)
    with pytest.raises(Conflict):
        holds.release(db, 1, "SP", "over", 10)
    with pytest.raises(NotFound):
        holds.release(db, 2, "SP", "over", 9)


@pytest.mark.parametrize(
    ("intervals", "minutes"),
    [
        ([(0, 60)], 60),
        ([(0, 30)], 30),
        ([(-100, 100)], 60),
        ([(0, 30), (20, 40)], 40),
        ([(10, 20), (30, 40)], 20),
        ([(60, 90)], 0),
        ([], 0),
    ],
)
def test_what_holds_keep(db: Connection, intervals: list[tuple[int, int]], minutes: int) -> None:
    size = footage(db, 60)
    spans = [(CAMERA, FULL_US + first * MINUTE_US, FULL_US + last * MINUTE_US) for first, last in intervals]
    assert holds.held_bytes(db, spans) == ({VolumeId(1): minutes * size} if minutes else {})


def test_only_what_was_recorded_of_an_hour_counts(db: Connection) -> None:
    size = footage(db, 10)
    whole = [(CAMERA, FULL_US, FULL_US + 10 * MINUTE_US)]
    assert holds.held_bytes(db, whole) == {VolumeId(1): 10 * size}


def test_each_volume_and_the_object_store(db: Connection) -> None:
    size = footage(db, 5)
    footage(db, 7, from_us=FULL_US + HOUR_US, volume=2)
    footage(db, 9, from_us=FULL_US + 2 * HOUR_US, tier=Tier.REMOTE)
    kept = holds.held_bytes(db, [(CAMERA, FULL_US, FULL_US + 3 * HOUR_US)])
    assert kept == {VolumeId(1): 5 * size, VolumeId(2): 7 * size, None: 9 * size}


def test_more_than_a_tenth_of_a_volume_is_told() -> None:
    held = {VolumeId(1): 10, VolumeId(2): 11, VolumeId(3): 99}
    (one,) = over_quota(held, {VolumeId(1): 100, VolumeId(2): 100})
    assert (one.volume_id, one.held_bytes, one.total_bytes) == (2, 11, 100)


def test_reviews_that_are_due() -> None:
    some = [
        replace(HOLD, id=1, review_us=5),
        replace(HOLD, id=2, review_us=3),
        replace(HOLD, id=3, review_us=9),
        replace(HOLD, id=4, review_us=1, released_us=2),
        replace(HOLD, id=5),
    ]
    assert [hold.id for hold in to_review(some, 5)] == [2, 1]
