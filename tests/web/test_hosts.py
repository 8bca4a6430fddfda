"""Who may ask, while nobody signs in."""

from pathlib import Path

import pytest

from tests.web.served import Served, serve

BODY = {"code": "A", "url": "rtsp://10.0.0.5/x"}


def port_of(served: Served) -> str:
    return served.url.rpartition(":")[2]


async def test_answers_to_its_own_names_only(tmp_path: Path) -> None:
    async with serve(tmp_path, names=("cctv.example.org",)) as served:
        for host in (
            "127.0.0.1",
            "localhost",
            "LOCALHOST:99",
            "[::1]:8080",
            "cctv.example.org",
            "CCTV.example.org.:443",
        ):
            status, _, _ = await served.ask("GET", "/healthz", headers={"Host": host})
            assert status == 200, host
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "", "[::1"):
            status, problem, _ = await served.ask("GET", "/healthz", headers={"Host": host})
            assert (status, problem["code"], problem["field"]) == (421, "misdirected_request", "Host"), host


async def test_takes_writes_from_its_own_pages_only(tmp_path: Path) -> None:
    async with serve(tmp_path) as served:
        own = f"127.0.0.1:{port_of(served)}"
        for origin in (
            "https://evil.example",
            "null",
            f"http://localhost:{port_of(served)}",
            "http://127.0.0.1",
            "file://",
        ):
            status, problem, _ = await served.ask("POST", "/api/v1/cameras", json=BODY, headers={"Origin": origin})
            assert (status, problem["field"]) == (403, "Origin"), origin
        status, _, _ = await served.ask("POST", "/api/v1/cameras", json=BODY, headers={"Sec-Fetch-Site": "cross-site"})
        assert status == 403
        status, _, _ = await served.ask("DELETE", "/api/v1/cameras/1", headers={"Origin": "https://evil.example"})
        assert status == 403
        status, _, _ = await served.ask("POST", "/api/v1/cameras", json=BODY, headers={"Origin": f"http://{own}"})
        assert status == 201
        status, _, _ = await served.ask("GET", "/api/v1/cameras", headers={"Origin": "https://evil.example"})
        assert status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_takes_bodies_as_json_only(tmp_path: Path, kind: str) -> None:
    async with serve(tmp_path) as served:
        status, problem, _ = await served.ask(
            "POST", "/api/v1/cameras", data=b'{"code": "A"}', headers={"Content-Type": kind}
        )
        assert (status, problem["code"]) == (415, "unsupported_media_type")


async def test_lets_the_named_sites_read(tmp_path: Path) -> None:
    friend = "https://iccc.example.org"
    async with serve(tmp_path, cors_origins=(friend,)) as served:
        _, _, headers = await served.ask("GET", "/api/v1/cameras", headers={"Origin": friend})
        assert headers["Access-Control-Allow-Origin"] == friend
        status, _, headers = await served.ask(
            "OPTIONS", "/play/1/index.m3u8", headers={"Origin": friend, "Access-Control-Request-Method": "GET"}
        )
        assert (status, headers["Access-Control-Allow-Methods"]) == (204, "GET, HEAD")
        status, _, _ = await served.ask("POST", "/api/v1/cameras", json=BODY, headers={"Origin": friend})
        assert status == 403
        _, _, headers = await served.ask("GET", "/api/v1/cameras", headers={"Origin": "https://evil.example"})
        assert "Access-Control-Allow-Origin" not in headers


async def test_every_answer_says_that_it_is_what_it_says(tmp_path: Path) -> None:
    async with serve(tmp_path) as served:
        for path in ("/healthz", "/api/v1/cameras", "/api/docs", "/nothing", "/api/v1/cameras/7"):
            _, _, headers = await served.ask("GET", path)
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "same-origin"
