"""Sites and kinds of owners over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from storage.model import CameraId
from tests.web.served import Served, serve


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as made:
        yield made


async def make(served: Served, **fields: object) -> Any:
    status, body, headers = await served.ask("POST", "/api/v1/sites", json=fields)
    assert status == 201, body
    assert headers["Location"] == f"/api/v1/sites/{body['id']}"
    return body


async def names(served: Served, query: str = "") -> list[str]:
    return [site["name"] for site in (await served.get(f"/api/v1/sites{query}"))["items"]]


async def test_the_seventeen_kinds_of_owners_have_names_in_both_languages(served: Served) -> None:
    kinds = (await served.get("/api/v1/owner-kinds"))["items"]
    assert len(kinds) == 17
    assert {"key": "bus_stand", "name": "UPSRTC bus stand", "name_hi": "यूपीएसआरटीसी बस स्टेण्ड"} in kinds


async def test_an_unknown_kind_of_owner_is_refused_with_the_nearest(served: Served) -> None:
    camera = {"code": "A", "url": "rtsp://10.0.0.5/x"}
    await served.add("B")
    for method, path, more in (
        ("POST", "/api/v1/cameras", camera),
        ("PATCH", "/api/v1/cameras/1", {}),
        ("POST", "/api/v1/sites", {"name": "x"}),
    ):
        status, body, _ = await served.ask(method, path, json={**more, "owner_kind": "bus_stop"})
        assert (status, body["field"]) == (422, "owner_kind")
        assert "did you mean bus_stand?" in body["detail"]


async def test_a_camera_that_names_a_new_site_makes_it_from_what_it_says_of_itself(served: Served) -> None:
    place = {
        "station": "Harbans Mohal",
        "ward": "12",
        "zone": "East",
        "address": "Jhakarkati",
        "lat": 26.45,
        "lon": 80.35,
    }
    await served.add("A", site="Bus stand", owner_kind="bus_stand", owner="UPSRTC", contact="+91", **place)
    await served.add("B", site="Bus stand", station="elsewhere")
    (site,) = (await served.get("/api/v1/sites"))["items"]
    assert {name: site[name] for name in place} == place
    assert (site["owner_kind"], site["owner"], site["contact"], site["cameras"]) == ("bus_stand", "UPSRTC", "+91", 2)
    assert await served.get(f"/api/v1/sites/{site['id']}") == site


async def test_a_site_without_a_place_lies_in_the_middle_of_its_cameras(served: Served) -> None:
    site = await make(served, name="Mall")
    assert (site["lat"], site["lon"], site["cameras"]) == (None, None, 0)
    await served.add("A", site="Mall", lat=26.0, lon=80.0)
    await served.add("B", site="Mall", lat=26.5, lon=80.5)
    await served.add("C", site="Mall")
    path = f"/api/v1/sites/{site['id']}"
    assert [(await served.get(path))[name] for name in ("lat", "lon", "cameras")] == [26.25, 80.25, 3]
    _, own, _ = await served.ask("PATCH", path, json={"lat": 26.1, "lon": 80.1})
    assert (own["lat"], own["lon"]) == (26.1, 80.1)
    _, again, _ = await served.ask("PATCH", path, json={"lat": None, "lon": None, "owner": "x"})
    assert (again["lat"], again["owner"]) == (26.25, "x")


async def test_a_renamed_site_renames_its_cameras_and_their_history_says_so(served: Served) -> None:
    camera = await served.add("A", site="Bus stand")
    await served.add("B", site="Other")
    served.fleet.changed.clear()
    status, site, _ = await served.ask("PATCH", "/api/v1/sites/1", json={"name": "ISBT", "name_hi": "बस अड्डा"})
    assert (status, site["name"], site["cameras"]) == (200, "ISBT", 1)
    assert (await served.get(f"/api/v1/cameras/{camera['id']}"))["site"] == "ISBT"
    assert served.fleet.changed == [CameraId(camera["id"])]
    assert await names(served) == ["ISBT", "Other"]
    status, problem, _ = await served.ask("PATCH", "/api/v1/sites/1", json={"name": "Other"})
    assert (status, problem["field"]) == (409, "name")


async def test_cameras_are_found_by_the_hindi_name_and_address_of_their_site(served: Served) -> None:
    await make(served, name="Bus stand", name_hi="झकरकटी बस अड्डा", address="GT Road")
    await served.add("A", site="Bus stand", make="CP Plus", model="UNC-TB41", ward="7", tags=["mela"])
    await served.add("B", ward="8")
    for query in ("text=झकरकटी अड्डा", "text=gt road", "text=cp tb41", "site=Bus stand", "ward=7", "tag=mela"):
        assert [item["code"] for item in (await served.get(f"/api/v1/cameras?{query}"))["items"]] == ["A"], query


async def test_a_letter_with_two_spellings_is_found_by_either(served: Served) -> None:
    composed, decomposed = "\u0917\u095c", "\u0917\u0921\u093c"  # गड़
    await make(served, name="One", name_hi=composed)
    await make(served, name="Two", name_hi=decomposed)
    assert await names(served, f"?text={composed}") == await names(served, f"?text={decomposed}") == ["One", "Two"]


async def test_lists_by_page_and_by_words(served: Served) -> None:
    for number in range(5):
        await make(served, name=f"Site {number}", station="Kakadeo" if number % 2 else "Nawabganj")
    page = await served.get("/api/v1/sites?limit=3")
    assert [site["name"] for site in page["items"]] == ["Site 0", "Site 1", "Site 2"]
    rest = await served.get(f"/api/v1/sites?limit=3&cursor={page['next']}")
    assert ([site["name"] for site in rest["items"]], rest["next"]) == (["Site 3", "Site 4"], None)
    assert await names(served, "?text=kakadeo site") == ["Site 1", "Site 3"]


async def test_a_site_goes_only_when_no_camera_stands_there(served: Served) -> None:
    camera = await served.add("A", site="Bus stand")
    status, problem, _ = await served.ask("DELETE", "/api/v1/sites/1")
    assert (status, problem["code"]) == (409, "conflict") and "1 camera stands" in problem["detail"]
    assert (await served.ask("DELETE", f"/api/v1/cameras/{camera['id']}"))[0] == 204
    assert (await served.ask("DELETE", "/api/v1/sites/1"))[0] == 204
    assert (await served.ask("GET", "/api/v1/sites/1"))[0] == 404
    await served.ask("PATCH", f"/api/v1/cameras/{camera['id']}", json={"archived": False})
    assert await names(served) == ["Bus stand"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "name"),
        ({"name": "  "}, 422, "name"),
        ({"name": "taken"}, 409, "name"),
        ({"name": "x", "lat": 26.4}, 422, "lon"),
        ({"name": "x", "lat": 96.4, "lon": 80.3}, 422, "lat"),
        ({"name": "a\u202eb"}, 422, "name"),
        ({"name": "x", "owner_kind": "Shop"}, 422, "owner_kind"),
        ({"name": "x", "cameras": 3}, 422, "cameras"),
    ],
)
async def test_refuses_what_is_no_site(served: Served, body: dict[str, object], status: int, field: str) -> None:
    await make(served, name="taken")
    found, problem, _ = await served.ask("POST", "/api/v1/sites", json=body)
    assert (found, problem["field"]) == (status, field)
    assert await names(served) == ["taken"]
