"""The camera rows, on a real catalog."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config.errors import Conflict, NotFound
from storage.catalog import cameras
from storage.catalog.cameras import Filter
from storage.catalog.db import connect, prepare
from storage.catalog.sqlite import Connection
from storage.model import Camera, CameraId, Credentials, Probe


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    prepare(tmp_path / "nvr.sqlite3")
    connection = connect(tmp_path / "nvr.sqlite3")
    yield connection
    connection.close()


def camera(code: str, **fields: object) -> Camera:
    made = Camera(CameraId(0), code, fields.pop("name", code), "rtsp://10.0.0.5/x", "n1", created_us=1)  # type: ignore[arg-type]
    return replace(made, **fields)  # type: ignore[arg-type]


def codes(db: Connection, wanted: Filter, *, after: str = "", limit: int = 100) -> list[str]:
    return [item.camera.code for item in cameras.page(db, wanted, after=after, limit=limit)]


def test_returns_what_was_added(db: Connection) -> None:
    full = camera(
        "KNP-1", name="Gate", name_hi="द्वार", owner_kind="school", covers=("entrance", "exit"), lat=26.4, lon=80.3,
        bearing=90.0, tags=("vip", "मेला"),
    )  # fmt: skip
    made = cameras.add(db, full, Credentials("admin", "s3cret"))
    assert made == replace(full, id=made.id)
    assert cameras.get(db, made.id) == made
    assert cameras.by_code(db, "KNP-1") == made
    login = cameras.credentials(db, made.id)
    assert login is not None
    assert (login.username, login.password) == ("admin", "s3cret")
    assert "s3cret" not in repr(login)


def test_refuses_a_second_camera_of_the_same_code_and_says_which_has_it(db: Connection) -> None:
    first = cameras.add(db, camera("A"))
    other = cameras.add(db, camera("B"))
    with pytest.raises(Conflict) as taken:
        cameras.add(db, camera("A"))
    with pytest.raises(Conflict) as renamed:
        cameras.update(db, other.id, code="A")
    for error in (taken.value, renamed.value):
        assert error.field == "code"
        assert error.extra["camera_id"] == first.id
    cameras.archive(db, first.id, 5)
    with pytest.raises(Conflict, match="archived"):
        cameras.add(db, camera("A"))


def test_pages_through_all_in_the_order_of_their_codes(db: Connection) -> None:
    for number in range(25):
        cameras.add(db, camera(f"C-{number:02d}"))
    seen: list[str] = []
    while page := codes(db, Filter(), after=seen[-1] if seen else "", limit=10):
        seen += page
    assert seen == [f"C-{number:02d}" for number in range(25)]


def test_finds_every_word_in_any_field_whatever_the_case(db: Connection) -> None:
    cameras.add(db, camera("K-1", name="Main Gate", station="Kakadeo", name_hi="मुख्य द्वार"))
    cameras.add(db, camera("K-2", name="Back gate", station="Kalyanpur", tags=("100%",)))
    assert codes(db, Filter(text="GATE kaka")) == ["K-1"]
    assert codes(db, Filter(text="द्वार")) == ["K-1"]
    assert codes(db, Filter(text="gate")) == ["K-1", "K-2"]
    assert codes(db, Filter(text="100%")) == ["K-2"]
    assert codes(db, Filter(text="_-")) == []
    assert codes(db, Filter(text="gate station")) == []


def test_filters_by_what_a_camera_is(db: Connection) -> None:
    cameras.add(db, camera("A", owner_kind="school", zone="z1", enabled=False))
    cameras.add(db, camera("B", owner_kind="bank_atm", station="s1", node="n2"))
    assert codes(db, Filter(kind="school")) == ["A"]
    assert codes(db, Filter(station="s1")) == ["B"]
    assert codes(db, Filter(zone="z1")) == ["A"]
    assert codes(db, Filter(enabled=True)) == ["B"]
    assert codes(db, Filter(node="n2")) == ["B"]
    assert [item.code for item in cameras.all_of(db, "n1")] == ["A"]
    assert [(item.code, item.enabled) for item in cameras.briefs(db)] == [("A", False), ("B", True)]


def test_an_archived_camera_leaves_the_listings_but_stays(db: Connection) -> None:
    made = cameras.add(db, camera("A"))
    archived = cameras.archive(db, made.id, 99)
    assert (archived.archived_us, archived.enabled) == (99, False)
    assert cameras.archive(db, made.id, 100) == archived
    assert codes(db, Filter()) == []
    assert codes(db, Filter(archived=True)) == ["A"]
    assert cameras.listed(db, made.id).camera == archived
    assert cameras.all_of(db, "n1") == []
    back = cameras.update(db, made.id, archived_us=None, enabled=True)
    assert back == made


def test_keeps_the_login_apart_and_forgets_it(db: Connection) -> None:
    made = cameras.add(db, camera("A"))
    assert cameras.credentials(db, made.id) is None
    assert not cameras.listed(db, made.id).has_credentials
    cameras.set_credentials(db, made.id, Credentials("a", "b"))
    cameras.set_credentials(db, made.id, Credentials("c", "d"))
    assert cameras.listed(db, made.id).has_credentials
    login = cameras.credentials(db, made.id)
    assert login is not None
    assert (login.username, login.password) == ("c", "d")
    cameras.set_credentials(db, made.id, None)
    assert cameras.credentials(db, made.id) is None


def test_shows_what_the_probe_found_until_there_is_footage(db: Connection) -> None:
    made = cameras.add(db, camera("A"))
    assert cameras.listed(db, made.id).media is None
    probe = Probe(made.id, 5, "hevc", 1920, 1080, 25.0, "pcm_mulaw", True)
    cameras.put_probe(db, replace(probe, video_codec="h264"))
    cameras.put_probe(db, probe)
    assert cameras.get_probe(db, made.id) == probe
    media = cameras.listed(db, made.id).media
    assert media is not None
    assert (media.video_codec, media.audio_codec, media.codecs, media.width) == ("hevc", "pcm_mulaw", "", 1920)
    cameras.forget_probe(db, made.id)
    assert cameras.get_probe(db, made.id) is None


def test_an_unknown_camera_is_told(db: Connection) -> None:
    for ask in (cameras.get, cameras.listed, lambda db, _: cameras.by_code(db, "nobody")):
        with pytest.raises(NotFound):
            ask(db, CameraId(7))
    with pytest.raises(NotFound):
        cameras.update(db, CameraId(7), name="x")


def test_a_page_never_walks_all_footage(db: Connection) -> None:
    for statement in (cameras.PAGE, cameras.ONE):
        values = cameras._page_values(Filter(text="x"), "", 10)
        plan = [row["detail"] for row in db.execute("EXPLAIN QUERY PLAN " + statement, values)]
        assert not [step for step in plan if "SCAN segment" in step or "TEMP B-TREE" in step], plan
