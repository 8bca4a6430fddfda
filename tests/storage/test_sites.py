"""Rows of sites: made by cameras, changed with them, found by words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from config.errors import Conflict, Invalid, NotFound
from storage.catalog import camera_history, cameras, site_changes, sites
from storage.catalog.db import connect, prepare
from storage.catalog.sites import Site
from storage.catalog.sqlite import Connection
from storage.model import Camera, CameraId


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    prepare(tmp_path / "nvr.sqlite3")
    with closing(connect(tmp_path / "nvr.sqlite3")) as connection:
        yield connection


def camera(code: str, site: str, lat: float | None = None, lon: float | None = None) -> Camera:
    return Camera(CameraId(0), code, code, "rtsp://x/", "n1", site=site, lat=lat, lon=lon, station="S", created_us=1)


def test_the_first_camera_makes_its_site_and_the_next_leaves_it_as_it_is(db: Connection) -> None:
    cameras.add(db, camera("A", "Mall", 26.0, 80.0))
    cameras.add(db, camera("B", " Mall ", 27.0, 81.0))
    cameras.add(db, camera("C", ""))
    (site,) = sites.all_sites(db)
    assert (site.name, site.station, site.lat, site.own_place, site.cameras) == ("Mall", "S", 26.0, True, 2)


def test_a_camera_that_moves_to_a_new_site_makes_it_too(db: Connection) -> None:
    made = cameras.add(db, camera("A", "Mall"))
    cameras.update(db, made.id, site="Bus stand")
    assert [(site.name, site.cameras) for site in sites.all_sites(db)] == [("Bus stand", 1), ("Mall", 0)]


def test_a_new_name_goes_to_every_camera_archived_ones_too(db: Connection) -> None:
    one, gone, other = (cameras.add(db, camera(code, site)).id for code, site in (("A", "M"), ("B", "M"), ("C", "X")))
    cameras.archive(db, gone, 5)
    after, renamed = site_changes.change(db, 1, by="me", name="Mall", name_hi="मॉल")
    assert (after.name, after.name_hi, renamed) == ("Mall", "मॉल", [one, gone])
    assert [cameras.get(db, key).site for key in (one, gone, other)] == ["Mall", "Mall", "X"]
    [(_, change), *_] = camera_history.changes(db, one, limit=1)
    assert (change.by, change.changes) == ("me", {"site": ("M", "Mall")})


def test_a_name_that_is_taken_renames_nobody(db: Connection) -> None:
    one = cameras.add(db, camera("A", "M")).id
    site_changes.add(db, Site(id=0, name="N"))
    with pytest.raises(Conflict):
        site_changes.change(db, 1, name="N")
    with pytest.raises(Conflict):
        site_changes.add(db, Site(id=0, name="M"))
    with pytest.raises(Invalid):
        site_changes.change(db, 1, name=" ")
    assert cameras.get(db, one).site == "M"


def test_half_a_place_is_refused_and_none_gives_it_back_to_the_cameras(db: Connection) -> None:
    cameras.add(db, camera("A", "M", 26.0, 80.0))
    cameras.add(db, camera("B", "M", 27.0, 81.0))
    with pytest.raises(Invalid):
        site_changes.change(db, 1, lat=None)
    site, _ = site_changes.change(db, 1, lat=None, lon=None)
    assert (site.lat, site.lon, site.own_place) == (26.5, 80.5, False)
    with pytest.raises(Invalid):
        site_changes.change(db, 1, lon=80.0)
    assert site_changes.change(db, 1, owner="x")[0].lat == 26.5
    assert not sites.get(db, 1).own_place


def test_an_unknown_site_is_told(db: Connection) -> None:
    for ask in (sites.get, sites.delete):
        with pytest.raises(NotFound):
            ask(db, 7)
    with pytest.raises(NotFound):
        site_changes.change(db, 7, name="x")


def test_a_page_asks_an_index_for_the_cameras_of_each_site(db: Connection) -> None:
    values = sites._page_values((), "", 10)
    plan = [row["detail"] for row in db.execute("EXPLAIN QUERY PLAN " + sites.PAGE, values)]
    assert not [step for step in plan if "SCAN camera" in step or "TEMP B-TREE" in step], plan
