"""Cameras over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from storage.catalog import cameras
from storage.model import CameraId, Probe
from tests.web.served import RECORDING, Served, serve, silent


@pytest_asyncio.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def empty(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """Without cameras; for requests that change nothing."""
    async with serve(tmp_path_factory.mktemp("empty")) as running:
        yield running


async def test_registers_a_camera_and_tells_the_fleet(served: Served) -> None:
    status, camera, headers = await served.ask(
        "POST",
        "/api/v1/cameras",
        json={"code": "KNP-1", "url": "rtsp://admin:s3cret@10.0.0.5/x", "name_hi": "द्वार", "lat": 26, "lon": 80.3},
    )
    assert status == 201
    assert headers["Location"] == f"/api/v1/cameras/{camera['id']}"
    assert camera["url"] == "rtsp://10.0.0.5/x"
    assert camera["has_credentials"] is True
    assert (camera["name"], camera["name_hi"], camera["lat"]) == ("KNP-1", "द्वार", 26.0)
    assert (camera["state"], camera["enabled"], camera["node"]) == ("unknown", True, "n1")
    assert camera["created_at"].endswith("Z")
    assert served.fleet.changed == [camera["id"]]
    login = await served.catalog.read(lambda db: cameras.credentials(db, CameraId(camera["id"])))
    assert login is not None
    assert (login.username, login.password) == ("admin", "s3cret")


async def test_never_returns_a_login(served: Served) -> None:
    camera = await served.add("A", credentials={"username": "admin", "password": "s3cret"})
    await served.add("B", url="rtsp://10.0.0.6/user=root_password=s3cret_channel=1")
    for path in ("/api/v1/cameras", f"/api/v1/cameras/{camera['id']}", "/api/v1/cameras/by-code/B", "/api/v1/status"):
        assert "s3cret" not in str(await served.get(path))


async def test_shows_how_a_camera_fares(served: Served) -> None:
    camera = await served.add("A")
    camera_id = CameraId(camera["id"])
    served.fleet.healths[camera_id] = RECORDING
    probe = Probe(camera_id, 1, "hevc", 1920, 1080, 25.0, "aac", True)
    await served.catalog.write(lambda db: cameras.put_probe(db, probe))
    shown = await served.get(f"/api/v1/cameras/{camera_id}")
    assert (shown["state"], shown["clock_offset_ms"], shown["newest_footage"]) == (
        "recording",
        -76.0,
        "2026-11-18T11:07:40.000000Z",
    )
    assert (shown["video_codec"], shown["width"], shown["audio_codec"], shown["codecs"]) == ("hevc", 1920, "aac", "")
    served.fleet.healths[camera_id] = silent("refused")
    shown = await served.get(f"/api/v1/cameras/{camera_id}")
    assert (shown["state"], shown["cause"], shown["missed_segments"]) == ("failed", "refused", 5)
    _, shown, _ = await served.ask("PATCH", f"/api/v1/cameras/{camera_id}", json={"enabled": False})
    assert (shown["state"], shown["cause"], shown["missed_segments"]) == ("disabled", None, 0)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 9])
async def test_those_in_use_come_first_whatever_the_pages(served: Served, limit: int) -> None:
    for code in ("A", "B", "C", "D", "E"):
        body = {"code": code, "url": "rtsp://10.0.0.5/x", "enabled": code in "BE"}
        assert (await served.ask("POST", "/api/v1/cameras", json=body))[0] == 201
    seen, cursor = [], ""
    while cursor is not None:
        page = await served.get(f"/api/v1/cameras?order=use&limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        seen += [item["code"] for item in page["items"]]
        cursor = page["next"]
    assert seen == ["B", "E", "A", "C", "D"]
    shown = await served.get("/api/v1/cameras?order=use&enabled=false&limit=2")
    assert [item["code"] for item in shown["items"]] == ["A", "C"]


async def test_pages_through_many_cameras(served: Served) -> None:
    for number in range(7):
        await served.add(f"C{number}")
    seen: list[str] = []
    path = "/api/v1/cameras?limit=3"
    while True:
        page = await served.get(path)
        seen += [camera["code"] for camera in page["items"]]
        if page["next"] is None:
            break
        path = f"/api/v1/cameras?limit=3&cursor={page['next']}"
    assert seen == [f"C{number}" for number in range(7)]


async def test_finds_by_text_state_and_kind(served: Served) -> None:
    first = await served.add("A", name="Main gate", owner_kind="school")
    await served.add("B", name="Back gate", enabled=False)
    served.fleet.healths[CameraId(first["id"])] = silent("timeout")

    async def codes(query: str) -> list[str]:
        return [camera["code"] for camera in (await served.get(f"/api/v1/cameras?{query}"))["items"]]

    assert await codes("text=main") == ["A"]
    assert await codes("text=gate") == ["A", "B"]
    assert await codes("state=failed") == ["A"]
    assert await codes("state=failed&limit=1") == ["A"]
    assert await codes("state=disabled") == ["B"]
    assert await codes("state=recording") == []
    assert await codes("kind=school") == ["A"]
    assert await codes("enabled=false") == ["B"]
    assert await codes("archived=true") == []


async def test_changes_only_what_is_given(served: Served) -> None:
    camera = await served.add("A", name="Gate", tags=["x"], lat=1, lon=2)
    path = f"/api/v1/cameras/{camera['id']}"
    status, changed, _ = await served.ask("PATCH", path, json={"tags": ["y"], "audio": "off"})
    assert status == 200
    assert changed == {**camera, "tags": ["y"], "audio": "off"}
    _, changed, _ = await served.ask("PATCH", path, json={"lat": None, "lon": None})
    assert (changed["lat"], changed["lon"], changed["name"]) == (None, None, "Gate")
    status, problem, _ = await served.ask("PATCH", path, json={"lat": 5})
    assert (status, problem["field"]) == (422, "lon")


async def test_a_stored_login_does_not_follow_the_url_to_another_host(served: Served) -> None:
    camera = await served.add("A", credentials={"username": "admin", "password": "s3cret"})
    path = f"/api/v1/cameras/{camera['id']}"
    status, problem, _ = await served.ask("PATCH", path, json={"url": "rtsp://10.9.9.9/x"})
    assert (status, problem["field"]) == (422, "credentials")
    status, changed, _ = await served.ask("PATCH", path, json={"url": "rtsp://10.0.0.5/other"})
    assert (status, changed["has_credentials"]) == (200, True)
    status, changed, _ = await served.ask("PATCH", path, json={"url": "rtsp://10.9.9.9/x", "credentials": None})
    assert (status, changed["has_credentials"], changed["url"]) == (200, False, "rtsp://10.9.9.9/x")
    status, changed, _ = await served.ask("PATCH", path, json={"url": "rtsp://u:p@10.9.9.8/x"})
    assert (status, changed["has_credentials"], changed["url"]) == (200, True, "rtsp://10.9.9.8/x")


async def test_a_changed_url_forgets_what_the_old_one_sent(served: Served) -> None:
    camera = await served.add("A")
    camera_id = CameraId(camera["id"])
    probe = Probe(camera_id, 1, "hevc", 1920, 1080, 25.0, "aac", True)
    await served.catalog.write(lambda db: cameras.put_probe(db, probe))
    await served.ask("PATCH", f"/api/v1/cameras/{camera_id}", json={"url": "rtsp://10.0.0.5/x"})
    assert await served.catalog.read(lambda db: cameras.get_probe(db, camera_id)) is not None
    await served.ask("PATCH", f"/api/v1/cameras/{camera_id}", json={"url": "rtsp://10.0.0.5/y"})
    assert await served.catalog.read(lambda db: cameras.get_probe(db, camera_id)) is None


async def test_archives_and_brings_back(served: Served) -> None:
    camera = await served.add("A")
    path = f"/api/v1/cameras/{camera['id']}"
    status, body, _ = await served.ask("DELETE", path)
    assert (status, body) == (204, "")
    assert served.fleet.changed[-1] == camera["id"]
    assert (await served.get("/api/v1/cameras"))["items"] == []
    assert (await served.get(path))["archived_at"] is not None
    assert [item["code"] for item in (await served.get("/api/v1/cameras?archived=true"))["items"]] == ["A"]
    status, problem, _ = await served.ask("PATCH", path, json={"enabled": True})
    assert (status, problem["field"]) == (409, "archived")
    status, again, _ = await served.ask("PATCH", path, json={"archived": False, "enabled": True})
    assert (status, again) == (200, camera)


async def test_refuses_a_code_that_is_taken(served: Served) -> None:
    camera = await served.add("A")
    status, problem, headers = await served.ask(
        "POST", "/api/v1/cameras", json={"code": "A", "url": "rtsp://10.0.0.6/x"}
    )
    assert (status, problem["code"], problem["field"], problem["camera_id"]) == (409, "conflict", "code", camera["id"])
    assert headers["Content-Type"].startswith("application/problem+json")


async def test_looks_at_a_camera_without_keeping_it(served: Served) -> None:
    status, report, _ = await served.ask(
        "POST", "/api/v1/cameras/probe", json={"url": "rtsp://u:p@10.0.0.5/x", "audio": "off"}
    )
    assert (status, report["ok"], report["video_codec"], report["width"]) == (200, True, "h264", 1920)
    url, credentials, audio = served.fleet.probed[0]
    assert (url, credentials and credentials.password, audio) == ("rtsp://10.0.0.5/x", "p", "off")
    assert (await served.get("/api/v1/cameras"))["items"] == []


async def test_a_loopback_camera_is_taken_while_the_server_itself_listens_on_loopback(served: Served) -> None:
    camera = await served.add("A", url="rtsp://127.0.0.1:8554/1")
    assert camera["url"] == "rtsp://127.0.0.1:8554/1"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "rtsp://10.0.0.5/x"}, "code"),
        ({"code": "A"}, "url"),
        ({"code": "a b", "url": "rtsp://10.0.0.5/x"}, "code"),
        ({"code": "A", "url": "http://10.0.0.5/x"}, "url"),
        ({"code": "A", "url": "rtsp://169.254.169.254/x"}, "url"),
        ({"code": "A", "url": "rtsp://10.0.0.5/x\nfile /etc/passwd"}, "url"),
        ({"code": "A", "url": 5}, "url"),
        ({"code": "A", "url": "rtsp://10.0.0.5/x", "lat": 91, "lon": 0}, "lat"),
        ({"code": "A", "url": "rtsp://10.0.0.5/x", "lat": "26", "lon": 0}, "lat"),
        ({"code": "A", "url": "rtsp://10.0.0.5/x", "lat": 26}, "lon"),
        ({"code": "A", "url": "rtsp://10.0.0.5/x", "enabled": "yes"}, "enabled"),
        ({"code": "A", "url": "rtsp://10.0.0.5/x", "name": None}, "name"),
        ({"code": "A", "url": "rtsp://10.0.0.5/x", "name": "a\u0000b"}, "name"),
        ({"code": "A", "url": "rtsp://10.0.0.5/x", "name": "x" * 201}, "name"),
        ({"code": "A", "url": "rtsp://10.0.0.5/x", "covers": ["roof"]}, "covers.0"),
        ({"code": "A", "url": "rtsp://10.0.0.5/x", "tags": [["x"]]}, "tags.0"),
        ({"code": "A", "url": "rtsp://10.0.0.5/x", "id": 7}, "id"),
        ({"code": "A", "url": "rtsp://10.0.0.5/x", "created_us": 7}, "created_us"),
        ({"code": "A", "url": "rtsp://u:p@10.0.0.5/x", "credentials": {"username": "v"}}, "credentials"),
        ({"code": "A", "url": "rtsp://10.0.0.5/x", "credentials": {"password": "v"}}, "credentials.username"),
        ([], "body"),
        ("x", "body"),
    ],
)
async def test_refuses_a_wrong_body_and_names_the_field(empty: Served, body: Any, field: str) -> None:
    status, problem, _ = await empty.ask("POST", "/api/v1/cameras", json=body)
    assert (status, problem["code"], problem["field"]) == (422, "invalid", field)
    assert problem["title"]
    assert field in problem["detail"] or field == "url"
    assert (await empty.get("/api/v1/cameras"))["items"] == []


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b"{", "no JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b'{"code": "A", "code": "B"}', "twice"),
        (b'{"lat": NaN}', "NaN"),
        (b'{"lat": -Infinity}', "Infinity"),
        (b'{"lat": ' + b"9" * 5000 + b"}", "digits"),
        (b"[" * 30_000, "no JSON|too deep"),
        (b"[" * 20 + b"]" * 20, "too deep"),
    ],
)
async def test_refuses_what_is_no_json(empty: Served, raw: bytes, words: str) -> None:
    status, problem, _ = await empty.ask(
        "POST", "/api/v1/cameras", data=raw, headers={"Content-Type": "application/json"}
    )
    assert (status, problem["code"]) == (400, "malformed")
    assert any(word in problem["detail"] for word in words.split("|")), problem


async def test_refuses_a_number_beyond_all_numbers_and_half_a_character(empty: Served) -> None:
    for raw, field in (
        (b'{"code": "A", "url": "rtsp://10.0.0.5/x", "lat": 1e999, "lon": 1}', "lat"),
        (b'{"code": "A", "url": "rtsp://10.0.0.5/x", "name": "\\ud800"}', "name"),
        (b'{"\\ud800": 1}', "body"),
    ):
        status, problem, _ = await empty.ask(
            "POST", "/api/v1/cameras", data=raw, headers={"Content-Type": "application/json"}
        )
        assert (status, problem.get("field")) == (422, field), problem


async def test_refuses_a_body_that_is_too_large(empty: Served) -> None:
    status, problem, _ = await empty.ask("POST", "/api/v1/cameras", json={"code": "x" * 70_000})
    assert (status, problem["code"]) == (413, "content_too_large")


@pytest.mark.parametrize("camera_id", ["0", "7", "-1", "x", "99999999999999999999", "1.0", "%00", "٣"])
async def test_an_unknown_camera_is_not_found(empty: Served, camera_id: str) -> None:
    for method in ("GET", "DELETE"):
        status, problem, _ = await empty.ask(method, f"/api/v1/cameras/{camera_id}")
        assert (status, problem["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("limit=1&limit=2", "limit"),
        ("enabled=1", "enabled"),
        ("state=asleep", "state"),
        ("cursor=x", "cursor"),
        ("cursor=W10", "cursor"),
        ("cursor=WyJcdWQ4MDAiXQ", "cursor"),
        ("text=a%00b", "text"),
        ("text=" + "x" * 201, "text"),
        ("stat=recording", "stat"),
    ],
)
async def test_refuses_wrong_parameters_and_names_them(empty: Served, query: str, field: str) -> None:
    status, problem, _ = await empty.ask("GET", f"/api/v1/cameras?{query}")
    assert (status, problem.get("field")) == (422, field), problem
    if field == "stat":
        assert "state" in problem["detail"]
