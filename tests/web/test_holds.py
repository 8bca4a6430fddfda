"""Holds and the plan over HTTP, on a served archive."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from storage.catalog import policies
from storage.clock import rfc3339, wall_us
from storage.model import CameraId
from storage.terms import DAY_US, InForce, Terms
from tests.lavfi import recorded
from tests.web.served import Served, serve

DAY_AGO_US = wall_us() - DAY_US


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as made:
        await made.add("KNP-1", name="Gate", name_hi="द्वार")
        await made.add("KNP-2")
        yield made


def body(**more: object) -> dict[str, object]:
    return {
        "case": "FIR 118/2026",
        "cameras": [1, 2],
        "from": rfc3339(DAY_AGO_US),
        "to": rfc3339(DAY_AGO_US + 2 * DAY_US),
        "reason": "asked for by the court",
        **more,
    }


async def place(served: Served, **more: object) -> list[dict[str, Any]]:
    status, answer, _ = await served.ask("POST", "/api/v1/holds", json=body(**more))
    assert status == 201, answer
    made: list[dict[str, Any]] = answer["items"]
    return made


async def test_one_hold_for_each_camera(served: Served) -> None:
    run = await served.record(1, recorded(), at_us=DAY_AGO_US, segment_s=4)
    first, second = await place(served, by="inspector Singh", review=rfc3339(wall_us() + DAY_US))
    size = sum(path.stat().st_size for path in recorded())
    assert (first["code"], first["name"], first["name_hi"], first["camera_id"]) == ("KNP-1", "Gate", "द्वार", 1)
    assert (first["case"], first["reason"], first["created_by"]) == (
        "FIR 118/2026",
        "asked for by the court",
        "inspector Singh",
    )
    assert (first["from"], first["released_at"]) == (rfc3339(DAY_AGO_US), None)
    assert 0 < first["bytes"] <= size and second["bytes"] == 0
    assert run
    assert (await served.get("/api/v1/holds"))["items"] == [second, first]
    assert (await served.get("/api/v1/holds?camera=1"))["items"] == [first]
    assert (await served.get("/api/v1/holds?case=FIR%20119/2026"))["items"] == []


async def test_times_may_be_microseconds_and_lie_in_the_future(served: Served) -> None:
    (hold,) = await place(served, cameras=[2, 2], **{"from": wall_us() + DAY_US, "to": wall_us() + 9 * DAY_US})
    assert hold["created_by"] == "web" and hold["review_at"] is None


@pytest.mark.parametrize(
    ("more", "status", "field"),
    [
        ({"case": "  "}, 422, "case"),
        ({"reason": " "}, 422, "reason"),
        ({"reason": None}, 422, "reason"),
        ({"cameras": []}, 422, "cameras"),
        ({"cameras": [1, 99]}, 404, "cameras"),
        ({"to": rfc3339(DAY_AGO_US)}, 422, "to"),
        ({"from": "yesterday"}, 422, "from"),
        ({"review": rfc3339(DAY_AGO_US)}, 422, "review"),
        ({"by": "\x07"}, 422, "by"),
        ({"until": "x"}, 422, "until"),
    ],
)
async def test_what_makes_no_sense_places_nothing(
    served: Served, more: dict[str, object], status: int, field: str
) -> None:
    answered, problem, _ = await served.ask("POST", "/api/v1/holds", json=body(**more))
    assert (answered, problem["field"]) == (status, field)
    assert (await served.get("/api/v1/holds?released=true"))["items"] == []


async def test_release_needs_a_reason_and_happens_once(served: Served) -> None:
    first, second = await place(served)
    url = f"/api/v1/holds/{first['id']}/release"
    for wrong in ({}, {"reason": ""}, {"reason": " "}):
        assert (await served.ask("POST", url, json=wrong))[0] == 422
    status, released, _ = await served.ask("POST", url, json={"reason": "the case is closed", "by": "SP"})
    assert (status, released["released_by"], released["release_reason"]) == (200, "SP", "the case is closed")
    assert released["bytes"] is None and released["released_at"] is not None
    assert (await served.ask("POST", url, json={"reason": "again"}))[0] == 409
    assert (await served.ask("POST", "/api/v1/holds/999/release", json={"reason": "x"}))[0] == 404
    assert (await served.get("/api/v1/holds"))["items"] == [second]
    assert (await served.get("/api/v1/holds?released=true"))["items"] == [second, released]


async def test_pages(served: Served) -> None:
    for _ in range(3):
        await place(served)
    found: list[int] = []
    cursor = ""
    while True:
        page = await served.get(f"/api/v1/holds?limit=4{cursor}")
        found += [hold["id"] for hold in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert found == [6, 5, 4, 3, 2, 1]


async def promise(served: Served, days: int) -> None:
    row = InForce(CameraId(1), None, "default", "default", Terms(days, days), 0)
    await served.catalog.write(partial(policies.put_in_force, rows=[row]))


async def test_the_plan_says_what_will_go(served: Served) -> None:
    await served.record(1, recorded(), at_us=wall_us() - 40 * DAY_US, segment_s=4)
    await promise(served, 60)
    empty: dict[str, Any] = {
        "items": [],
        "next": None,
        "cameras": 0,
        "segments": 0,
        "bytes": 0,
        "doubt": "",
        "waits": [],
    }
    assert await served.get("/api/v1/retention/plan") == empty
    await promise(served, 30)
    plan = await served.get("/api/v1/retention/plan")
    size = sum(path.stat().st_size for path in recorded())
    assert (plan["cameras"], plan["segments"], plan["bytes"], plan["waits"]) == (1, 3, size, [])
    (cut,) = plan["items"]
    assert (cut["code"], cut["kind"], cut["reason"], cut["bytes"]) == ("KNP-1", "delete", "max_days", size)
    await place(served, cameras=[1], **{"from": 0})
    assert await served.get("/api/v1/retention/plan") == empty


async def test_what_waits_for_an_answer_is_in_the_plan(served: Served) -> None:
    for run in range(8):
        await served.record(1, recorded(), at_us=wall_us() - 40 * DAY_US + run * 60_000_000, segment_s=4)
    await promise(served, 30)
    (stop,) = (await served.get("/api/v1/retention/plan"))["waits"]
    assert stop["bytes"] == stop["of_bytes"] and stop["confirmed_at"] is None
