"""Retention over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from blockbuster import blockbuster_ctx

from retention.settle import settle
from storage.catalog import policies, trust
from storage.catalog.sqlite import Connection
from storage.catalog.trust import Trust
from storage.clock import wall_us
from storage.model import HOUR_US, CameraId
from storage.terms import DAY_US
from tests.retention.stocked import SEGMENT_BYTES, footage
from tests.web.served import Served, serve

POLICIES = "/api/v1/retention/policies"
BANKS = {"scope": "kind", "target": "bank_atm", "min_days": 90, "max_days": 90, "priority": 70}


def judge(db: Connection, doubt: str = "") -> None:
    """As the server notes what it thinks of its clock."""
    trust.put(db, Trust("", 0, 0, doubt))


@pytest_asyncio.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as running:
        await running.catalog.write(partial(policies.seed, default_days=30, at_us=wall_us()))
        await running.catalog.write(judge)
        yield running


async def record(served: Served, camera: Any, days: float) -> None:
    until_us = wall_us() // HOUR_US * HOUR_US
    await served.catalog.write(lambda db: footage(db, CameraId(camera["id"]), days, until_us=until_us))


async def put(served: Served, name: str, **fields: object) -> tuple[int, Any]:
    status, body, _ = await served.ask("PUT", f"{POLICIES}/{name}", json=fields)
    return status, body


async def terms(served: Served, query: str = "") -> dict[str, Any]:
    return {item["code"]: item for item in (await served.get(f"/api/v1/retention/cameras?{query}"))["items"]}


async def test_lists_policies_with_the_cameras_they_decide_for(served: Served) -> None:
    bank = await served.add("BANK", owner_kind="bank_atm")
    await served.add("SHOP")
    await put(served, "gate", scope="camera", target="SHOP", min_days=1, max_days=2)
    items = (await served.get(POLICIES))["items"]
    assert [(item["name"], item["scope"], item["target"], item["cameras"]) for item in items] == [
        ("gate", "camera", "2", 1),
        ("bank_atm", "kind", "bank_atm", 1),
        ("police_post", "kind", "police_post", 0),
        ("default", "default", "", 0),
    ]
    assert items[0]["camera_code"] == "SHOP"
    assert (items[2]["min_days"], items[2]["max_days"], items[2]["priority"]) == (365, 548, 90)
    assert bank["id"] == 1


async def test_a_camera_has_its_terms_as_soon_as_it_is_registered(served: Served) -> None:
    await served.add("BANK", owner_kind="bank_atm", name="SBI Kotwali")
    found = (await terms(served))["BANK"]
    assert (found["policy"], found["why"], found["pending"]) == ("bank_atm", "kind bank_atm", None)
    assert (found["in_force"]["max_days"], found["in_force"]["policy"]) == (90, "bank_atm")
    assert found["name"] == "SBI Kotwali"


async def test_an_edit_of_a_camera_that_shortens_waits_a_day(served: Served) -> None:
    camera = await served.add("A", owner_kind="bank_atm")
    await record(served, camera, 80)
    await served.ask("PATCH", f"/api/v1/cameras/{camera['id']}", json={"owner_kind": "shop"})
    found = (await terms(served, "pending=true"))["A"]
    assert (found["policy"], found["why"]) == ("default", "default")
    assert (found["in_force"]["max_days"], found["in_force"]["why"]) == (90, "kind bank_atm")
    waiting = found["pending"]
    assert (waiting["max_days"], waiting["policy"]) == (30, "default")
    assert waiting["due_at"] is not None
    # Of 80 days, what is older than 30 a day from now; the hour that has begun counts too.
    assert waiting["loses"]["segments"] in (51 * 24, 51 * 24 + 1)
    await served.ask("PATCH", f"/api/v1/cameras/{camera['id']}", json={"owner_kind": "bank_atm"})
    assert await terms(served, "pending=true") == {}
    assert (await terms(served, "pending=false"))["A"]["in_force"]["max_days"] == 90


async def test_an_edit_of_a_camera_that_lengthens_holds_at_once(served: Served) -> None:
    camera = await served.add("A")
    await served.ask("PATCH", f"/api/v1/cameras/{camera['id']}", json={"owner_kind": "police_post"})
    found = (await terms(served))["A"]
    assert (found["in_force"]["max_days"], found["pending"]) == (548, None)


async def test_without_a_trusted_clock_nothing_is_dated(served: Served) -> None:
    await served.add("A")
    await served.catalog.write(partial(judge, doubt="it stepped"))
    _, body = await put(served, "default", scope="default", min_days=7, max_days=7)
    assert (body["change"]["status"], body["change"]["due_at"]) == ("pending", None)
    assert (await terms(served))["A"]["pending"]["due_at"] is None
    await settle(served.catalog, wall_us(), trusted=True)
    assert (await terms(served))["A"]["pending"]["due_at"] is not None
    assert (await served.get("/api/v1/retention/changes"))["items"][0]["due_at"] is not None


async def test_previews_without_changing_anything(served: Served) -> None:
    bank, shop = await served.add("BANK", owner_kind="bank_atm"), await served.add("SHOP")
    await record(served, bank, 80)
    await record(served, shop, 20)
    before = (await served.get(POLICIES))["items"]
    edits = [
        {"name": "bank_atm", "policy": None},
        {"name": "shops", "policy": {"scope": "kind", "target": "shop", "min_days": 1, "max_days": 3}},
    ]
    status, seen, _ = await served.ask("POST", "/api/v1/retention/preview", json={"edits": edits})
    assert status == 200
    assert (seen["cameras"], seen["shortened"], seen["needs_confirm"]) == (1, 1, True)
    (effect,) = seen["effects"]
    assert (effect["code"], effect["before"]["max_days"], effect["after"]["max_days"]) == ("BANK", 90, 30)
    assert effect["loses"]["bytes"] == seen["bytes"] == seen["segments"] * SEGMENT_BYTES
    assert seen["volumes"][0]["of_bytes"] == 100 * 24 * SEGMENT_BYTES
    assert seen["oldest"] == effect["loses"]["oldest"]
    assert (await served.get(POLICIES))["items"] == before


async def test_a_change_waits_is_listed_and_can_be_cancelled(served: Served) -> None:
    await served.add("A", owner_kind="bank_atm")
    status, body = await put(served, "bank_atm", **{**BANKS, "min_days": 30, "max_days": 60})
    assert status == 200
    change = body["change"]
    assert (change["status"], change["before"]["max_days"], change["after"]["max_days"]) == ("pending", 90, 60)
    assert body["preview"]["shortened"] == 1
    listed = (await served.get("/api/v1/retention/changes"))["items"]
    assert listed == [change]
    status, cancelled, _ = await served.ask("POST", f"/api/v1/retention/changes/{change['id']}/cancel")
    assert (status, cancelled["status"], cancelled["cancelled_by"]) == (200, "cancelled", "web")
    found = (await terms(served))["A"]
    assert (found["in_force"]["max_days"], found["pending"]) == (90, None)
    status, problem, _ = await served.ask("POST", f"/api/v1/retention/changes/{change['id']}/cancel")
    assert (status, problem["code"]) == (409, "conflict")


async def test_what_is_in_force_cannot_be_cancelled(served: Served) -> None:
    await served.add("A", owner_kind="bank_atm")
    _, body = await put(served, "bank_atm", **{**BANKS, "max_days": 60, "min_days": 60})
    await settle(served.catalog, wall_us() + DAY_US, trusted=True)
    assert (await terms(served))["A"]["in_force"]["max_days"] == 60
    status, problem, _ = await served.ask("POST", f"/api/v1/retention/changes/{body['change']['id']}/cancel")
    assert status == 409
    assert "is in force" in problem["detail"]


async def test_a_large_deletion_needs_a_confirmation(served: Served) -> None:
    camera = await served.add("A")
    await record(served, camera, 20)
    short = {"scope": "default", "min_days": 7, "max_days": 7}
    status, problem = await put(served, "default", **short)
    assert (status, problem["code"], problem["field"]) == (409, "needs_confirm", "confirm")
    assert problem["preview"]["volumes"][0]["share"] > 0.5
    assert (await served.get(POLICIES))["items"][-1]["max_days"] == 30
    status, body = await put(served, "default", **short, confirm=True)
    assert (status, body["change"]["preview"]) == (200, problem["preview"])


async def test_deleting_a_policy_needs_the_same(served: Served) -> None:
    camera = await served.add("A", owner_kind="bank_atm")
    await record(served, camera, 80)
    status, problem, _ = await served.ask("DELETE", f"{POLICIES}/bank_atm")
    assert (status, problem["code"]) == (409, "needs_confirm")
    status, body, _ = await served.ask("DELETE", f"{POLICIES}/bank_atm?confirm=true")
    assert (status, body["change"]["after"]) == (200, None)
    found = (await terms(served))["A"]
    assert (found["in_force"]["policy_id"], found["in_force"]["max_days"]) == (None, 90)
    assert found["policy"] == "default"


async def test_the_same_again_is_no_change(served: Served) -> None:
    status, body = await put(served, "bank_atm", **BANKS)
    assert (status, body["change"]) == (200, None)


@pytest.mark.parametrize(
    ("name", "fields", "status", "field"),
    [
        ("x", {"scope": "zone", "target": "W", "min_days": 9, "max_days": 8}, 422, "min_days"),
        ("x", {"scope": "zone", "target": "W", "min_days": 0, "max_days": 8}, 422, "min_days"),
        ("x", {"scope": "zone", "target": "W", "min_days": 1, "max_days": 3651}, 422, "max_days"),
        ("x", {"scope": "zone", "target": "W", "min_days": "1", "max_days": 8}, 422, "min_days"),
        ("x", {"scope": "zone", "min_days": 1, "max_days": 8}, 422, "target"),
        ("x", {"scope": "ward", "target": "W", "min_days": 1, "max_days": 8}, 422, "scope"),
        ("x", {"scope": "zone", "target": "W", "min_days": 1, "max_days": 8, "days": 1}, 422, "days"),
        ("x", {"scope": "camera", "target": "NOBODY", "min_days": 1, "max_days": 8}, 422, "target"),
        ("x", {"scope": "kind", "target": "bank_atm", "min_days": 1, "max_days": 8}, 409, "target"),
        ("x%20y", {"scope": "zone", "target": "W", "min_days": 1, "max_days": 8}, 422, "name"),
        ("default", {"scope": "zone", "target": "W", "min_days": 1, "max_days": 8}, 409, "scope"),
    ],
)
async def test_refuses_what_is_wrong_and_names_it(
    served: Served, name: str, fields: dict[str, object], status: int, field: str
) -> None:
    answered, problem = await put(served, name, **fields)
    assert (answered, problem["field"]) == (status, field)


async def test_refuses_to_delete_the_default_and_what_is_not_there(served: Served) -> None:
    assert (await served.ask("DELETE", f"{POLICIES}/default"))[0] == 409
    assert (await served.ask("DELETE", f"{POLICIES}/nobody"))[0] == 404
    assert (await served.ask("POST", "/api/v1/retention/changes/7/cancel"))[0] == 404
    assert (await served.ask("POST", "/api/v1/retention/changes/99999999999999999999/cancel"))[0] == 404


async def test_pages_and_finds_cameras(served: Served) -> None:
    for number in range(5):
        await served.add(f"C{number}", owner_kind="bank_atm" if number % 2 else "shop", station="Kotwali")
    first = await served.get("/api/v1/retention/cameras?limit=3")
    assert [item["code"] for item in first["items"]] == ["C0", "C1", "C2"]
    second = await served.get(f"/api/v1/retention/cameras?limit=3&cursor={first['next']}")
    assert ([item["code"] for item in second["items"]], second["next"]) == (["C3", "C4"], None)
    assert list(await terms(served, "policy=bank_atm")) == ["C1", "C3"]
    assert list(await terms(served, "text=kotwali")) == ["C0", "C1", "C2", "C3", "C4"]
    assert await terms(served, "text=nowhere") == {}
    await served.ask("DELETE", "/api/v1/cameras/1")
    assert list(await terms(served, "archived=true")) == ["C0"]
    assert "C0" not in await terms(served)


async def test_pages_through_changes(served: Served) -> None:
    for number in range(5):
        await put(served, f"p{number}", scope="tag", target=f"t{number}", min_days=1, max_days=9)
    page = await served.get("/api/v1/retention/changes?limit=3")
    assert [change["policy"] for change in page["items"]] == ["p4", "p3", "p2"]
    page = await served.get(f"/api/v1/retention/changes?limit=3&cursor={page['next']}")
    assert ([change["policy"] for change in page["items"]], page["next"]) == (["p1", "p0"], None)
    assert (await served.ask("GET", "/api/v1/retention/changes?cursor=WyJhIl0"))[0] == 422


async def test_without_policies_nothing_is_promised_and_nothing_breaks(tmp_path: Path) -> None:
    async with serve(tmp_path) as served:
        await served.add("A")
        found = (await terms(served))["A"]
        assert (found["policy"], found["in_force"], found["pending"]) == (None, None, None)
        assert (await served.get(POLICIES))["items"] == []


async def test_nothing_of_it_blocks_the_loop(served: Served) -> None:
    camera = await served.add("A", owner_kind="bank_atm")
    edits = {"edits": [{"name": "bank_atm", "policy": None}]}
    with blockbuster_ctx(scanned_modules=["config", "storage", "retention", "web"], excluded_modules=["config.logs"]):
        for method, path, sent in (
            ("PATCH", f"/api/v1/cameras/{camera['id']}", {"owner_kind": "shop"}),
            ("PUT", f"{POLICIES}/default", {"scope": "default", "min_days": 7, "max_days": 7}),
            ("GET", POLICIES, None),
            ("GET", "/api/v1/retention/cameras?pending=true", None),
            ("GET", "/api/v1/retention/changes", None),
            ("POST", "/api/v1/retention/preview", edits),
            ("POST", "/api/v1/retention/changes/1/cancel", None),
            ("DELETE", f"{POLICIES}/bank_atm", None),
        ):
            assert (await served.ask(method, path, json=sent))[0] == 200, path
