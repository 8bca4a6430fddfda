"""A camera's history and its places over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from storage.clock import rfc3339, wall_us
from tests.web.served import Served, serve

MINUTE_US = 60_000_000
PATH = "/api/v1/cameras/1"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as made:
        await made.add("BUS-1", name="Bus", lat=26.40, lon=80.30, by="inspector Singh")
        yield made


async def changes(served: Served) -> list[dict[str, Any]]:
    return [item["changes"] for item in (await served.get(f"{PATH}/history"))["items"]]


async def patch(served: Served, status: int = 200, **fields: object) -> Any:
    found, body, _ = await served.ask("PATCH", PATH, json=fields)
    assert found == status, body
    return body


async def feed(served: Served, *items: tuple[object, float | None, float | None], status: int = 200) -> Any:
    body = {"items": [{"since": since, "lat": lat, "lon": lon} for since, lat, lon in items], "by": "gps"}
    found, answer, _ = await served.ask("POST", f"{PATH}/places", json=body)
    assert found == status, answer
    return answer


async def places(served: Served) -> list[tuple[str | None, float | None]]:
    return [(place["since"], place["lat"]) for place in (await served.get(f"{PATH}/places"))["items"]]


async def test_tells_who_changed_what_from_the_registration_on(served: Served) -> None:
    await patch(served, station="Nawabganj", tags=["mela"], by="constable Yadav")
    await patch(served, station="Nawabganj")  # nothing new
    await patch(served, station="Kakadeo")
    await served.ask("DELETE", PATH)
    archived, second, first, registered = (await served.get(f"{PATH}/history"))["items"]
    assert registered["by"] == "inspector Singh"
    assert registered["changes"]["code"] == {"before": None, "after": "BUS-1"}
    assert first["by"] == "constable Yadav"
    assert first["changes"] == {
        "station": {"before": "", "after": "Nawabganj"},
        "tags": {"before": [], "after": ["mela"]},
    }
    assert second == {
        "at": second["at"],
        "by": "web",
        "changes": {"station": {"before": "Nawabganj", "after": "Kakadeo"}},
    }
    assert archived["changes"]["enabled"] == {"before": True, "after": False}
    assert archived["at"] >= second["at"] >= first["at"] >= registered["at"]


async def test_pages_through_the_history(served: Served) -> None:
    for number in range(5):
        await patch(served, zone=f"z{number}")
    page = await served.get(f"{PATH}/history?limit=4")
    rest = await served.get(f"{PATH}/history?limit=4&cursor={page['next']}")
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (4, 2, None)
    assert "code" in rest["items"][-1]["changes"]


async def test_no_login_is_in_the_history(served: Served) -> None:
    await patch(served, credentials={"username": "admin", "password": "Zwiebelkuchen"})
    await patch(served, url="rtsp://admin:Zwiebelkuchen@10.0.0.6/x")
    assert "Zwiebel" not in str(await served.get(f"{PATH}/history"))


async def test_a_camera_moved_since_a_time_was_elsewhere_before(served: Served) -> None:
    await served.catalog.write(lambda db: db.execute("UPDATE camera SET created_us = 1"))
    hour_ago = rfc3339(wall_us() - 60 * MINUTE_US)
    moved = await patch(served, lat=26.45, lon=80.35, place_since=hour_ago)
    assert moved["lat"] == 26.45
    assert await places(served) == [(hour_ago, 26.45), (None, 26.40)]
    assert (await changes(served))[0]["place_since"] == {"before": None, "after": hour_ago}


async def test_a_move_that_was_noted_late_is_dated_back_without_moving_it_again(served: Served) -> None:
    await served.catalog.write(lambda db: db.execute("UPDATE camera SET created_us = 1"))
    await patch(served, lat=26.45, lon=80.35)
    earlier = rfc3339(wall_us() - 120 * MINUTE_US)
    await patch(served, lat=26.45, lon=80.35, place_since=earlier)
    assert await places(served) == [(earlier, 26.45), (None, 26.40)]


async def test_a_place_since_before_its_registration_was_always_there(served: Served) -> None:
    await patch(served, lat=26.45, lon=80.35, place_since="2020-01-01T00:00:00Z")
    assert await places(served) == [(None, 26.45)]


async def test_a_place_needs_coordinates_and_no_future(served: Served) -> None:
    for fields in ({"place_since": 1}, {"place_since": wall_us() + 60 * MINUTE_US, "lat": 26.0, "lon": 80.0}):
        assert (await patch(served, 422, **fields))["field"] == "place_since"
    assert await places(served) == [(None, 26.40)]


async def test_a_feed_in_any_order_leaves_the_camera_at_its_newest_place(served: Served) -> None:
    start = wall_us() - 60 * MINUTE_US
    answer = await feed(served, (start + 2 * MINUTE_US, 26.43, 80.33), (rfc3339(start), 26.41, 80.31))
    assert answer == {"added": 2, "corrected": 0, "same": 0, "lat": 26.43, "lon": 80.33, "bearing": None}
    late = await feed(served, (start + MINUTE_US, 26.42, 80.32))
    assert (late["added"], late["lat"]) == (1, 26.43)
    assert [lat for _, lat in await places(served)] == [26.43, 26.42, 26.41, 26.40]
    assert (await served.get(PATH))["lat"] == 26.43


async def test_a_feed_sent_again_changes_nothing_and_one_row_tells_of_an_hour(served: Served) -> None:
    start = wall_us() - 60 * MINUTE_US
    batch = [(start + n * MINUTE_US, round(26.40 + n / 100, 2), 80.30) for n in range(5)]
    assert (await feed(served, *batch))["added"] == 5
    assert (await feed(served, *batch)) == {
        "added": 0, "corrected": 0, "same": 5, "lat": 26.44, "lon": 80.30, "bearing": None
    }  # fmt: skip
    await feed(served, (start + 9 * MINUTE_US, 26.49, 80.30))
    await feed(served, (start, 26.39, 80.30))
    told, registered = await changes(served)
    assert told == {
        "lat": {"before": 26.40, "after": 26.49},
        "places": {"before": 1, "after": 7},
        "corrected_places": {"before": None, "after": 1},
    }
    await patch(served, zone="Z")
    await feed(served, (start + 10 * MINUTE_US, 26.50, 80.30))
    assert (await changes(served))[0]["places"] == {"before": 7, "after": 8}
    assert "code" in registered


async def test_a_feed_corrects_the_place_that_always_held_and_may_lose_sight(served: Served) -> None:
    start = wall_us() - 60 * MINUTE_US
    answer = await feed(served, (None, 26.0, 80.0), (start, None, None))
    assert (answer["corrected"], answer["added"], answer["lat"]) == (1, 1, None)
    assert await places(served) == [(rfc3339(start), None), (None, 26.0)]


async def test_a_place_patched_between_feeds_is_the_newest(served: Served) -> None:
    await feed(served, (wall_us() - MINUTE_US, 26.43, 80.33))
    await patch(served, lat=26.5, lon=80.5)
    assert [lat for _, lat in await places(served)] == [26.5, 26.43, 26.40]
    await feed(served, (wall_us() - 2 * MINUTE_US, 26.2, 80.2))
    assert (await served.get(PATH))["lat"] == 26.5


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([], "items"),
        ([{"since": 1, "lat": 26.0}], "items.0.lon"),
        ([{"since": 1, "lat": 26.0, "lon": 80.0}, {"since": 2, "lat": 26.0, "lon": None}], "items.1.lon"),
        ([{"since": "yesterday", "lat": 26.0, "lon": 80.0}], "items.0.since"),
        ([{"since": 4_000_000_000_000_000, "lat": 26.0, "lon": 80.0}], "items.0.since"),
        ([{"since": 1, "lat": 126.0, "lon": 80.0}], "items.0.lat"),
        ([{"since": 1, "lat": 26.0, "lon": 80.0}] * 1001, "items"),
    ],
)
async def test_keeps_nothing_of_a_feed_with_a_fault(served: Served, items: list[object], field: str) -> None:
    status, problem, _ = await served.ask("POST", f"{PATH}/places", json={"items": items})
    assert (status, problem["field"]) == (422, field)
    assert await places(served) == [(None, 26.40)]
    assert len(await changes(served)) == 1


async def test_a_thousand_places_fit_into_one_request_and_ten_thousand_are_paged(served: Served) -> None:
    start = wall_us() - 10_001 * MINUTE_US
    for batch in range(10):
        rows = [(rfc3339(start + (batch * 1000 + n) * MINUTE_US), 26.4 + n / 10_000, 80.3) for n in range(1000)]
        assert (await feed(served, *rows))["added"] == 1000
    seen, cursor = 0, ""
    while cursor is not None:
        page = await served.get(f"{PATH}/places?limit=1000{cursor and '&cursor=' + cursor}")
        seen, cursor = seen + len(page["items"]), page["next"]
    assert seen == 10_001
    assert (await served.get(PATH))["lat"] == pytest.approx(26.4999)
    assert len(await changes(served)) == 2


async def test_an_unknown_camera_is_told(served: Served) -> None:
    for method, path, body in (
        ("GET", "history", None),
        ("GET", "places", None),
        ("POST", "places", {"items": [{"since": 1, "lat": 26.0, "lon": 80.0}]}),
    ):
        assert (await served.ask(method, f"/api/v1/cameras/77/{path}", json=body))[0] == 404
    for path in ("history", "places"):
        assert (await served.ask("GET", f"{PATH}/{path}?cursor=WyJ4Il0"))[1]["field"] == "cursor"
