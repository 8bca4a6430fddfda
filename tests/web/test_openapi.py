"""The OpenAPI document says what the application does, no more and no less."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.web.served import Served, serve
from web.openapi import kind

PAGES = {"/", "/review", "/storage", "/find", "/register", "/cameras/{id}", "/static/{path}", "/api/docs"}
"""For people: HTML and what it is made of."""


@pytest_asyncio.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with serve(tmp_path_factory.mktemp("openapi")) as running:
        yield running


async def test_lists_exactly_the_routes_of_the_application(served: Served) -> None:
    document = await served.get("/api/v1/openapi.json")
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    routes = {
        (route.method, route.resource.canonical)
        for route in served.app.router.routes()
        if route.resource is not None and route.method != "HEAD" and route.resource.canonical not in PAGES
    }
    assert described == routes


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        found = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return found.union(*(references(inner) for inner in value.values()))
    if isinstance(value, list):
        return set().union(*(references(inner) for inner in value))
    return set()


async def test_every_reference_leads_somewhere_and_every_operation_has_its_own_name(served: Served) -> None:
    document = await served.get("/api/v1/openapi.json")
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= known
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))
            assert "421" in operation["responses"]


async def test_a_change_has_no_defaults_and_needs_nothing(served: Served) -> None:
    schemas = (await served.get("/api/v1/openapi.json"))["components"]["schemas"]
    assert "required" not in schemas["CameraChange"]
    assert "default" not in json.dumps(schemas["CameraChange"])
    assert schemas["CameraIn"]["required"] == ["code", "url"]
    assert schemas["CameraIn"]["additionalProperties"] is False
    assert "from" in schemas["SpanOut"]["properties"]


async def test_the_page_shows_every_url_without_a_script_of_its_own_or_another_host(served: Served) -> None:
    status, text, headers = await served.ask("GET", "/api/docs")
    assert status == 200
    assert headers["Content-Type"].startswith("text/html")
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    document = await served.get("/api/v1/openapi.json")
    for path in document["paths"]:
        assert path in text
    for name in document["components"]["schemas"]:
        assert f'id="schema-{name}"' in text
    assert 'id="not_found"' in text
    assert not re.search(r"<script(?! src=\"/static/)", text)
    assert not re.search(r"https?://", text)
    assert " style=" not in text


def test_tells_a_schema_in_a_few_words() -> None:
    assert kind({"type": "integer", "minimum": 1, "maximum": 5}) == "whole number 1 to 5"
    assert kind({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}) == "time or null"
    assert kind({"type": "array", "items": {"$ref": "#/components/schemas/X"}}) == "list of X"
    assert kind({"enum": ["a", "b"]}) == "a | b"
