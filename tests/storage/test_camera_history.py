"""Rows of a camera's changes and places."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.errors import Invalid
from storage.catalog import camera_history, cameras, place_feed
from storage.catalog.camera_history import Place
from storage.catalog.db import connect, prepare, transaction
from storage.catalog.sqlite import Connection
from storage.clock import wall_us
from storage.model import Camera, CameraId

HOUR_US = 3_600_000_000


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    prepare(tmp_path / "nvr.sqlite3")
    with closing(connect(tmp_path / "nvr.sqlite3")) as connection:
        yield connection


def add(db: Connection, code: str = "A", **fields: Any) -> CameraId:
    return cameras.add(db, Camera(CameraId(0), code, code, "rtsp://x/", "n1", created_us=10, **fields), by="me").id


def stood(db: Connection, camera: CameraId) -> list[tuple[int, float | None]]:
    return [(place.since_us, place.lat) for place in camera_history.places(db, camera)]


def told(db: Connection, camera: CameraId) -> list[dict[str, Any]]:
    return [change.changes for _, change in camera_history.changes(db, camera, limit=100)]


def test_a_registration_tells_what_is_not_empty(db: Connection) -> None:
    camera = add(db, tags=("a",), station="S")
    [(_, first)] = camera_history.changes(db, camera, limit=5)
    assert (first.at_us, first.by) == (10, "me")
    assert first.changes["tags"] == (None, ["a"]) and "zone" not in first.changes


def test_nothing_new_leaves_no_row(db: Connection) -> None:
    camera = add(db, station="S", lat=26.0, lon=80.0)
    cameras.update(db, camera, station=" S ", lat=26.0)
    assert len(told(db, camera)) == 1
    assert stood(db, camera) == [(0, 26.0)]


def test_the_first_place_holds_for_all_footage_however_late_it_is_given(db: Connection) -> None:
    camera = add(db)
    assert stood(db, camera) == []
    cameras.update(db, camera, lat=26.0, lon=80.0, place_since_us=5 * HOUR_US)
    assert stood(db, camera) == [(0, 26.0)]


def test_a_place_since_a_time_replaces_what_was_known_of_later_ones(db: Connection) -> None:
    camera = add(db, lat=26.0, lon=80.0)
    cameras.update(db, camera, lat=26.1, place_since_us=3 * HOUR_US)
    cameras.update(db, camera, lat=26.2, place_since_us=5 * HOUR_US)
    assert stood(db, camera) == [(0, 26.0), (3 * HOUR_US, 26.1), (5 * HOUR_US, 26.2)]
    cameras.update(db, camera, lat=26.3, place_since_us=2 * HOUR_US)
    assert stood(db, camera) == [(0, 26.0), (2 * HOUR_US, 26.3)]
    assert told(db, camera)[0]["places"] == (3, 2)


def test_a_place_taken_away_is_not_known_from_then_on(db: Connection) -> None:
    camera = add(db, lat=26.0, lon=80.0)
    cameras.update(db, camera, lat=None, lon=None, place_since_us=3 * HOUR_US)
    assert stood(db, camera) == [(0, 26.0), (3 * HOUR_US, None)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(-9, 9)), max_size=12, unique_by=lambda pair: pair[0]),
    st.randoms(use_true_random=False),
)
def test_a_feed_ends_the_same_in_any_order_and_cut(
    db: Connection, pairs: list[tuple[int, int]], source: random.Random
) -> None:
    ends = []
    for shuffled in (False, True):
        camera = add(db, f"C{db.execute('SELECT count(*) FROM camera').fetchone()[0]}", lat=26.0, lon=80.0)
        given_places = [Place(camera, since * HOUR_US, 26.0 + step / 10, 80.0) for since, step in pairs]
        if shuffled:
            source.shuffle(given_places)
        cut = source.randint(0, len(given_places)) if shuffled else 0
        for part in (given_places[:cut], given_places[cut:], given_places):
            place_feed.take(db, camera, part)
        row = cameras.get(db, camera)
        assert (row.lat, row.lon, row.bearing) == _newest(db, camera)
        ends.append(stood(db, camera))
    assert ends[0] == ends[1]


def _newest(db: Connection, camera: CameraId) -> tuple[float | None, float | None, float | None]:
    last = camera_history.places(db, camera)[-1]
    return last.lat, last.lon, last.bearing


def test_a_fault_in_a_feed_keeps_nothing_of_it(db: Connection) -> None:
    camera = add(db, lat=26.0, lon=80.0)
    future = Place(camera, wall_us() + 24 * HOUR_US, 26.2, 80.0)
    for bad in (Place(camera, 2 * HOUR_US, 96.0, 80.0), future):
        with pytest.raises(Invalid) as error, transaction(db):
            place_feed.take(db, camera, [Place(camera, HOUR_US, 26.1, 80.0), bad])
        assert str(error.value.field).startswith("items.1.")
    assert stood(db, camera) == [(0, 26.0)]


def test_a_row_of_the_history_ends_with_its_source_its_hour_and_any_other_change(db: Connection) -> None:
    camera = add(db, lat=26.0, lon=80.0)
    for number, (by, at_us) in enumerate([("gps", 1), ("gps", HOUR_US), ("gps", HOUR_US + 1), ("hand", HOUR_US + 2)]):
        camera_history.fed(db, camera, {"places": [number + 1, number + 2]}, by=by, at_us=at_us)
    assert [change.get("places") for change in told(db, camera)] == [(4, 5), (3, 4), (1, 3), None]
    camera_history.fed(db, camera, {"corrected_places": [None, 2]}, by="hand", at_us=HOUR_US + 3)
    camera_history.fed(db, camera, {"corrected_places": [None, 3]}, by="hand", at_us=HOUR_US + 4)
    assert told(db, camera)[0] == {"places": (4, 5), "corrected_places": (None, 5)}


def test_places_are_found_along_their_key(db: Connection) -> None:
    camera = add(db)
    with transaction(db):
        for number in range(10_000):
            camera_history.put_place(db, Place(camera, number * 1_000_000, 26.0, 80.0 + number / 1e6))
    page = camera_history.place_page(db, camera, before_us=5_000_000_000, limit=3)
    assert [place.since_us for place in page] == [4_999_000_000, 4_998_000_000, 4_997_000_000]
    assert camera_history.count_places(db, camera) == 10_000
