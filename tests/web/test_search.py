"""Footage by place and time over HTTP: who is found, in which order, and what is said of each."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from storage.catalog import cameras, segments, states
from storage.clock import rfc3339, wall_us
from storage.model import CameraId, CameraState
from tests.lavfi import recorded
from tests.rows import T0_US, segment
from tests.web.archived import grow
from tests.web.served import RECORDING, Served, serve

MINUTE_US = 60_000_000
STAND = (26.4499, 80.3319)
"""The bus stand. A hundredth of a degree of latitude is 1,112 m."""


async def add(served: Served, code: str, lat: float | None, lon: float | None, **fields: object) -> CameraId:
    """Registered long before the footage."""
    place = {} if lat is None else {"lat": lat, "lon": lon}
    camera_id = CameraId((await served.add(code, **place, **fields))["id"])
    await served.catalog.write(lambda db: db.execute("UPDATE camera SET created_us = 1 WHERE id = ?", (camera_id,)))
    return camera_id


@pytest_asyncio.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """1 to 3 ever farther north of the bus stand, 4 without a place, 5 a bus; footage of the first ten minutes of 1 and 5."""
    async with serve(tmp_path_factory.mktemp("city")) as running:
        running.fleet.usual = RECORDING
        await add(running, "STAND-1", *STAND, name_hi="बस स्टैंड गेट", owner_kind="bus_stand", covers=["entrance"])
        await add(running, "SHOP-2", 26.4509, STAND[1], owner="कानपुर ज्वेलर्स", station="Kotwali", site="Naveen Market")
        await add(running, "BANK-3", 26.4599, STAND[1], owner_kind="bank_atm", zone="North")
        await add(running, "NOWHERE-4", None, None)
        bus = await add(running, "BUS-5", 26.3, 80.2)
        await running.catalog.write(
            lambda db: cameras.update(db, bus, place_since_us=T0_US + 5 * MINUTE_US, lat=STAND[0], lon=STAND[1] + 0.001)
        )
        await running.catalog.write(
            lambda db: cameras.update(db, bus, place_since_us=T0_US + 7 * MINUTE_US, lat=26.5, lon=80.4)
        )
        rows = [segment(n, start_s=60 * n) for n in range(10)]
        await running.catalog.write(lambda db: [segments.insert(db, row) for row in rows])
        await running.catalog.write(
            lambda db: states.put(db, CameraState(CameraId(2), T0_US - MINUTE_US, "failed", "refused", "10.0.0.5:554"))
        )
        await running.catalog.write(
            lambda db: states.put(db, CameraState(CameraId(1), T0_US + 10 * MINUTE_US, "failed", "timeout", "silent"))
        )
        yield running


def window(from_s: float = 0, to_s: float = 600) -> str:
    return f"from={T0_US + int(from_s * 1e6)}&to={T0_US + int(to_s * 1e6)}"


async def found(served: Served, query: str, **seconds: float) -> Any:
    return await served.get(f"/api/v1/footage/search?{window(**seconds)}&{query}")


def codes(answer: Any) -> list[str]:
    return [item["camera"]["code"] for item in answer["items"]]


async def test_the_nearest_come_first(served: Served) -> None:
    answer = await found(served, "near=26.4499,80.3319&radius_m=1200")
    assert codes(answer) == ["STAND-1", "BUS-5", "SHOP-2", "BANK-3"]
    assert [round(item["distance_m"]) for item in answer["items"]] == [0, 100, 111, 1112]
    assert codes(await found(served, "near=26.4499,80.3319&radius_m=105")) == ["STAND-1", "BUS-5"]


async def test_a_camera_with_footage_says_where_it_is(served: Served) -> None:
    answer = await found(served, "near=26.4499,80.3319&radius_m=50", to_s=1200)
    (item,) = answer["items"]
    assert item["coverage"] == pytest.approx(0.5)
    assert item["spans"] == [{"from": rfc3339(T0_US), "to": rfc3339(T0_US + 10 * MINUTE_US)}]
    assert [(gap["from"], gap["cause"], gap["detail"]) for gap in item["gaps"]] == [
        (rfc3339(T0_US + 10 * MINUTE_US), "timeout", "silent")
    ]
    assert (item["cause"], item["why"], item["before"], item["after"]) == ("timeout", None, None, None)
    assert item["still"] == f"/play/1/frame.jpg?at={T0_US + 5 * MINUTE_US}&width=320"
    assert item["camera"]["state"] == "recording"
    assert (answer["total"], answer["with_footage"], answer["next"]) == (1, 1, None)
    assert answer["sync"].startswith("/play/sync?cameras=1&from=2026-")


async def test_no_footage_has_its_reason_in_a_sentence(served: Served) -> None:
    (item,) = (await found(served, "station=Kotwali"))["items"]
    assert (item["spans"], item["still"], item["coverage"], item["cause"]) == ([], None, 0, "refused")
    assert item["why"] == (
        "no footage because the camera refused the connection since 18/11/2026 16:36:00: 10.0.0.5:554"
    )


async def test_footage_before_and_after_is_told(served: Served) -> None:
    query = "near=26.4499,80.3319&radius_m=50"
    later = (await found(served, query, from_s=1200, to_s=1800))["items"][0]
    assert (later["before"], later["after"]) == (rfc3339(T0_US + 10 * MINUTE_US), None)
    earlier = (await found(served, query, from_s=-7200, to_s=-3600))["items"][0]
    assert (earlier["before"], earlier["after"]) == (None, rfc3339(T0_US))


async def test_a_bus_is_found_where_it_was_and_asked_for_that_time_alone(served: Served) -> None:
    (item,) = (await found(served, "near=26.4499,80.3329&radius_m=50"))["items"]
    assert (item["camera"]["code"], item["moved"]) == ("BUS-5", True)
    assert item["within"] == [{"from": rfc3339(T0_US + 5 * MINUTE_US), "to": rfc3339(T0_US + 7 * MINUTE_US)}]
    assert [(gap["from"], gap["to"]) for gap in item["gaps"]] == [(item["within"][0]["from"], item["within"][0]["to"])]
    assert codes(await found(served, "near=26.4499,80.3329&radius_m=50", to_s=200)) == []
    assert codes(await found(served, "near=26.3,80.2&radius_m=50", from_s=-3600, to_s=0)) == ["BUS-5"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("bbox=26.44,80.33,26.455,80.34", {"STAND-1", "BUS-5", "SHOP-2"}),
        ("polygon=26.445,80.33;26.455,80.33;26.455,80.34;26.445,80.34", {"STAND-1", "BUS-5", "SHOP-2"}),
        ("polygon=26.445,80.33;26.455,80.33;26.455,80.3325;26.445,80.3325;26.445,80.33", {"STAND-1", "SHOP-2"}),
        ("route=26.4499,80.3319;26.4599,80.3319&width_m=20", {"STAND-1", "SHOP-2", "BANK-3"}),
        ("route=26.4499,80.3319;26.4599,80.3319&width_m=250", {"STAND-1", "SHOP-2", "BANK-3", "BUS-5"}),
        ("kind=bank_atm", ["BANK-3"]),
        ("zone=North", ["BANK-3"]),
        ("site=Naveen+Market", ["SHOP-2"]),
        ("covers=entrance", ["STAND-1"]),
        ("text=nowhere", ["NOWHERE-4"]),
        (f"text={quote('स्टैंड')}", ["STAND-1"]),
        (f"text={quote('कानपुर kotwali')}", ["SHOP-2"]),
        (f"text={quote('कानपुर')}&near=26.4499,80.3319&radius_m=1200", ["SHOP-2"]),
        ("text=nothing+of+that+kind", []),
        ("near=26.0,80.0", []),
    ],
)
async def test_what_is_asked_for_is_found(served: Served, query: str, expected: list[str] | set[str]) -> None:
    got = codes(await found(served, query))
    assert (set(got) if isinstance(expected, set) else got) == expected


async def test_without_a_place_everything_is_found_by_code(served: Served) -> None:
    answer = await found(served, "")
    assert codes(answer) == ["BANK-3", "BUS-5", "NOWHERE-4", "SHOP-2", "STAND-1"]
    assert {item["distance_m"] for item in answer["items"]} == {None}
    assert answer["items"][2]["camera"]["lat"] is None


async def test_pages_follow_one_another(served: Served) -> None:
    seen, query = [], "near=26.4499,80.3319&radius_m=1200&limit=2"
    answer = await found(served, query)
    while True:
        assert (answer["total"], answer["with_footage"]) == (4, 1)
        seen += codes(answer)
        if answer["next"] is None:
            break
        answer = await found(served, f"{query}&cursor={answer['next']}")
    assert seen == ["STAND-1", "BUS-5", "SHOP-2", "BANK-3"]


async def test_a_window_that_has_not_begun_says_so(served: Served) -> None:
    answer = await served.get("/api/v1/footage/search?from=2099-01-01T00:00:00Z&to=2099-01-01T01:00:00Z&text=stand")
    (item,) = answer["items"]
    assert item["why"] == "no footage because the window has not begun yet"
    assert (item["gaps"], answer["sync"], item["before"]) == ([], None, rfc3339(T0_US + 10 * MINUTE_US))


async def test_an_archived_camera_is_found_for_the_time_before(served: Served) -> None:
    camera_id = await add(served, "GONE-6", 26.40, 80.30)
    await served.catalog.write(lambda db: cameras.archive(db, camera_id, T0_US + 5 * MINUTE_US))
    assert codes(await found(served, "near=26.4,80.3&radius_m=9")) == ["GONE-6"]
    assert codes(await found(served, "near=26.4,80.3&radius_m=9", from_s=300)) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("near=80.3319,26.4499", "near"),  # swapped: it lies in the city the other way round
        ("near=126.4,80.3", "near"),
        ("near=26.4", "near"),
        ("near=26.4,x", "near"),
        ("near=1e1,80.3", "near"),
        ("near=nan,80.3", "near"),
        ("near=", "near"),
        ("near=26.4,80.3&radius_m=0.5", "radius_m"),
        ("near=26.4,80.3&radius_m=50001", "radius_m"),
        ("near=26.4,80.3&radius_m=-5", "radius_m"),
        ("radius_m=5", "radius_m"),
        ("near=26.4,80.3&width_m=5", "width_m"),
        ("near=26.4,80.3&bbox=26,80,27,81", "bbox"),
        ("bbox=27,80,26,81", "bbox"),
        ("bbox=26,80,27", "bbox"),
        ("bbox=80,26,81,27", "bbox"),
        ("polygon=26,80;26,81", "polygon"),
        ("polygon=26,80;26,80.1;26,80", "polygon"),
        ("polygon=26,80;26,80.1;26,80.2", "polygon"),
        ("polygon=26,80;26.1,80.1;26.1,80;26,80.1", "polygon"),  # crosses itself
        ("polygon=;;", "polygon"),
        ("polygon=0,0;0,90;45,90", "polygon"),
        ("polygon=" + ";".join(["26,80"] * 201), "polygon"),
        ("route=26,80", "route"),
        ("route=26,80;26,80", "route"),
        ("route=26,80;26.1,80&width_m=1", "width_m"),
        ("covers=ceiling", "covers"),
        ("text=%00", "text"),
        ("limit=201", "limit"),
        ("cursor=WzFd", "cursor"),
        ("nearby=26,80", "nearby"),
    ],
)
async def test_what_cannot_be_is_refused_naming_the_parameter(served: Served, query: str, field: str) -> None:
    status, problem, _ = await served.ask("GET", f"/api/v1/footage/search?{window()}&{query}")
    assert (status, problem["field"]) == (422, field), problem


async def test_swapped_coordinates_are_told_as_such(served: Served) -> None:
    _, problem, _ = await served.ask("GET", f"/api/v1/footage/search?{window()}&near=80.3319,26.4499")
    assert "26.4499,80.3319 inside: latitude comes first" in problem["detail"]


async def test_a_window_above_31_days_is_refused(served: Served) -> None:
    status, problem, _ = await served.ask("GET", f"/api/v1/footage/search?{window(to_s=31 * 86400 + 1)}")
    assert (status, problem["field"]) == (422, "to")


async def test_the_minute_being_written_counts(tmp_path_factory: pytest.TempPathFactory) -> None:
    start_us = wall_us() - 12_000_000
    files = recorded(audio=True)
    async with serve(tmp_path_factory.mktemp("growing")) as running:
        await add(running, "A", *STAND)
        query = f"/api/v1/footage/search?from={start_us - MINUTE_US}&to={start_us + 5 * MINUTE_US}"
        assert (await running.get(query))["with_footage"] == 0
        await grow(running, files[0], run_id=start_us // 1000, n=0, start_us=start_us)
        answer = await running.get(query)
        (item,) = answer["items"]
        (span,) = item["spans"]
        assert span["from"] < rfc3339(start_us + 1_000_000)
        assert span["to"] > rfc3339(start_us + 1_000_000)
        assert (answer["with_footage"], item["why"]) == (1, None)
        assert answer["sync"] is not None
        earlier = (await running.get(f"/api/v1/footage/search?from={start_us - MINUTE_US}&to={start_us - 30_000_000}"))[
            "items"
        ][0]
        assert (earlier["spans"], earlier["after"]) == ([], span["from"])


async def test_geometry_is_imported_when_it_is_asked_for() -> None:
    """numpy and shapely take a quarter of a second and 30 MB."""
    said = "import sys, nvr.server; print(sorted({'numpy', 'shapely'} & set(sys.modules)))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", said, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert (process.returncode, out) == (0, b"[]\n")
