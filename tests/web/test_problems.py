"""Errors as they leave: RFC 9457, never a traceback."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientPayloadError, ServerDisconnectedError, web

from config.errors import Conflict, Corrupt, NvrError, Unavailable
from tests.web.served import Served, serve
from web.openapi import problem_statuses
from web.operations import Operation, Reply
from web.problems import MEANINGS, Malformed, answer_errors, from_error, from_http, note_prepared


@pytest_asyncio.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as running:
        yield running


async def test_what_is_not_there_and_what_is_not_answered(served: Served) -> None:
    status, problem, headers = await served.ask("GET", "/api/v1/nothing")
    assert (status, problem["code"], problem["status"]) == (404, "not_found", 404)
    assert headers["Content-Type"].startswith("application/problem+json")
    status, problem, headers = await served.ask("PUT", "/api/v1/cameras", json={})
    assert (status, problem["code"]) == (405, "method_not_allowed")
    assert set(headers["Allow"].split(",")) == {"GET", "HEAD", "POST"}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Conflict("x", code="mixed_streams", windows=[{"from": "a", "to": "b"}]), 409, "mixed_streams"),
        (Unavailable("x"), 503, "unavailable"),
        (Malformed("x"), 400, "malformed"),
        (Corrupt("x"), 500, "corrupt"),
        (NvrError("x"), 500, "internal"),
    ],
)
def test_every_kind_has_its_status(error: NvrError, status: int, code: str) -> None:
    answer = from_error(error)
    assert answer.status == status
    assert f'"code": "{code}"'.encode() in (answer.body or b"")  # type: ignore[operator]
    assert (answer.headers.get("Retry-After") is not None) == (status == 503)
    if code == "mixed_streams":
        assert b'"windows": [{"from": "a", "to": "b"}]' in (answer.body or b"")  # type: ignore[operator]


def test_every_code_is_explained() -> None:
    async def nobody(_: web.Request) -> web.StreamResponse:
        raise web.HTTPNotFound

    refusals: list[Any] = [web.HTTPNotFound(), web.HTTPMethodNotAllowed("GET", ["POST"]), web.HTTPBadRequest()]
    refusals += [web.HTTPRequestEntityTooLarge(max_size=1, actual_size=2), web.HTTPRequestRangeNotSatisfiable()]
    for refusal in refusals:
        answer = from_http(refusal)
        assert isinstance(answer.body, bytes)
        assert any(f'"code": "{code}"'.encode() in answer.body for code in MEANINGS), answer.body
    operation = Operation("GET", "/x", nobody, "t", "s", {200: Reply("r")})
    assert problem_statuses(operation) == {421, 422, 503}


async def broken(_: web.Request) -> web.StreamResponse:
    raise RuntimeError("the secret reason")


async def breaks_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"half")
    raise Unavailable("the disk has gone")


async def test_a_defect_is_told_without_its_reason_and_half_an_answer_is_cut(aiohttp_client: Any) -> None:
    app = web.Application(middlewares=[answer_errors])
    app.on_response_prepare.append(note_prepared)
    app.router.add_get("/broken", broken)
    app.router.add_get("/half", breaks_off)
    client = await aiohttp_client(app)
    answer = await client.get("/broken")
    text = await answer.text()
    assert answer.status == 500
    assert "incident" in text
    assert "secret" not in text
    assert "Traceback" not in text
    with pytest.raises((ClientPayloadError, ServerDisconnectedError)):
        async with client.get("/half") as half:
            await half.read()
