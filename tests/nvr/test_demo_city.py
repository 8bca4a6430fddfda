"""The demo's city in the catalog: simulated cameras at the bus stand, the others registered and quiet around them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nvr.demo import DemoOptions, register_cameras, settings_for
from nvr.demo_city import PLACES, TARGETS
from storage.camera_rules import checked
from storage.catalog import camera_history, cameras, sites, states, targets
from storage.catalog.db import connect, prepare, transaction
from storage.catalog.sqlite import Connection
from storage.clock import wall_us
from storage.model import Camera
from storage.registry.sample import LINKED
from storage.registry.sample_places import PLACES as SITES


@pytest.fixture
def options(tmp_path: Path) -> DemoOptions:
    return DemoOptions(4, 7200, tmp_path, 8080, False)


@pytest.fixture
def db(options: DemoOptions) -> Iterator[Connection]:
    database = settings_for(options, 8080).storage.database
    prepare(database)
    opened = connect(database)
    yield opened
    opened.close()


def registered(db: Connection, options: DemoOptions) -> list[Camera]:
    with transaction(db):
        return register_cameras(db, settings_for(options, 8080), options, 5554)


def test_the_city_has_its_counts_and_only_the_simulated_cameras_are_linked(
    db: Connection, options: DemoOptions
) -> None:
    simulated = registered(db, options)
    everyone = cameras.all_of(db, "n1")
    assert Counter(camera.owner_kind for camera in everyone) == LINKED
    assert [camera.code for camera in everyone if camera.enabled] == [f"KNP-{n:04d}" for n in range(1, 5)]
    assert [camera.site for camera in simulated].count("Jhakarkati bus stand") == 3
    quiet = next(camera for camera in everyone if not camera.enabled)
    state = states.current(db, quiet.id)
    assert state is not None
    assert (state.state, state.cause, state.since_us) == ("disabled", "disabled", quiet.created_us)
    assert quiet.created_us < wall_us() - 7_200_000_000
    named = {site.name: site for site in sites.all_sites(db)}
    stand = named["Jhakarkati bus stand"]
    assert (stand.name_hi, stand.lat, stand.lon) == ("झकरकटी बस अड्डा", 26.442, 80.345)
    assert stand.cameras == 14
    assert all(named[place.name].name_hi == place.name_hi for place in SITES)
    assert {target.owner_kind: target.wanted for target in targets.listing(db)} == TARGETS


def test_a_second_demo_changes_nothing_but_the_port(db: Connection, options: DemoOptions) -> None:
    first = registered(db, options)
    again = registered(db, options)
    assert [camera.id for camera in first] == [camera.id for camera in again]
    assert len(cameras.all_of(db, "n1")) == sum(LINKED.values())
    quiet = next(camera for camera in cameras.all_of(db, "n1") if not camera.enabled)
    assert len(camera_history.changes(db, quiet.id, limit=9)) == 1


def test_the_city_can_be_left_out(db: Connection, options: DemoOptions) -> None:
    registered(db, replace(options, city=False))
    assert len(cameras.all_of(db, "n1")) == 4
    assert targets.listing(db) == []


def test_any_number_of_simulated_cameras_has_a_place(db: Connection, options: DemoOptions) -> None:
    many = registered(db, replace(options, cameras=60))
    assert len({camera.name for camera in many}) == 60
    assert all(checked(camera) == camera for camera in many)
    assert len(PLACES) == 8
