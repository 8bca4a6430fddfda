"""The sample city: the counts of the real one, cameras that the registry takes as they are."""

from __future__ import annotations

from collections import Counter

import pytest

from config.owner_kinds import BUILT_IN, all_kinds
from storage.camera_rules import checked
from storage.registry import check_rows, sheet_read, sheet_write
from storage.registry.check_row import within
from storage.registry.import_plan import Rules
from storage.registry.sample import CITY, LINKED, sample_city
from storage.registry.sample_places import LOCALITIES

KANPUR = (25.9, 79.5, 27.0, 80.9)


def test_has_the_city_s_counts() -> None:
    city = sample_city()
    assert CITY == len(city) == 1720
    assert Counter(camera.owner_kind for camera in city) == LINKED
    assert set(LINKED) <= {kind.key for kind in BUILT_IN}


@pytest.mark.parametrize("cameras", [1, 100, 1720, 6720])
def test_has_as_many_cameras_as_asked_for_each_its_own(cameras: int) -> None:
    city = sample_city(cameras)
    assert len(city) == len({camera.code for camera in city}) == len({camera.url for camera in city}) == cameras
    assert all(camera.name_hi and camera.site and camera.station and camera.zone for camera in city)


def test_is_always_the_same_and_a_larger_one_holds_it() -> None:
    city = sample_city()
    assert city == sample_city()
    assert set(city) <= set(sample_city(6720))


def test_stands_in_kanpur_at_some_sixty_places() -> None:
    assert len(LOCALITIES) >= 60 and len({place.name for place in LOCALITIES}) == len(LOCALITIES)
    for camera in sample_city():
        assert camera.lat is not None and camera.lon is not None
        assert within(camera.lat, camera.lon, KANPUR)
        assert checked(camera) == camera and not camera.enabled
    assert sum(camera.site == "Jhakarkati bus stand" for camera in sample_city()) >= 4


@pytest.mark.parametrize("language", ["en", "hi"])
def test_its_sheet_can_be_imported(language: str) -> None:
    kinds = all_kinds(())
    sheet = sheet_read.read(sheet_write.csv_bytes(sample_city(), kinds, language), sheet_read.CSV)
    made = check_rows.plan(sheet, [], Rules(kinds, KANPUR, allow_loopback=False, update=False))
    assert Counter(item.result for item in made.items) == {"add": CITY}
    assert not any(item.notes for item in made.items)
