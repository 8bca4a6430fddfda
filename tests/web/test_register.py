"""Targets and the daily register over HTTP, and its files."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from storage.catalog.sqlite import Connection
from storage.clock import wall_us
from storage.model import HOUR_US
from storage.registry import register_days
from storage.terms import DAY_US
from tests.retention.stocked import camera
from tests.web.served import Served, serve
from tests.web.stored import footage
from web.keys import ZONE
from web.register_schemas import MAX_TARGETS


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as made:
        yield made


async def stock(served: Served) -> None:
    """A camera that records a quarter of each hour, one that fell silent three days ago, one that never recorded."""
    now_us = wall_us()

    def write(db: Connection) -> None:
        for number, (code, kind) in enumerate((("GOOD", "shop"), ("=SILENT", "shop"), ("NEVER", "bank_atm")), 1):
            made = camera(db, f"KNP-{number}", name=code, owner_kind=kind, station="Kotwali", created_us=1)
            if code == "GOOD":
                footage(db, made, 4, until_us=now_us // HOUR_US * HOUR_US + HOUR_US)
            if code == "=SILENT":
                footage(db, made, 1, until_us=now_us // HOUR_US * HOUR_US - 3 * DAY_US)

    await served.catalog.write(write)


def today(served: Served, back: int = 0) -> str:
    return register_days.day_of(wall_us() - back * DAY_US, served.app[ZONE])


def of(found: Any, kind: str) -> Any:
    return next(item for item in found["items"] if item["owner_kind"] == kind)


async def put(served: Served, path: str, **body: object) -> Any:
    status, answer, _ = await served.ask("PUT", f"/api/v1/{path}", json=body)
    assert status == 200, answer
    return answer


async def test_register_of_a_day_by_kind_and_station(served: Served) -> None:
    await stock(served)
    found = await served.get("/api/v1/register")
    assert (found["day"], found["kept"], found["signed"]) == (today(served), False, None)
    shops = of(found, "shop")
    assert (shops["installed"], shops["linked"], shops["faulty"], shops["target"]) == (2, 2, 2, None)
    assert shops["name_hi"] == "दुकान / व्यापारिक प्रतिष्ठान"
    assert [one["station"] for one in shops["stations"]] == ["Kotwali"]
    assert found["total"]["installed"] == 3 and found["total"]["linked"] == 2
    assert {(one["code"], one["cause"], one["recording"]) for one in found["faulty"]} >= {("KNP-2", "unknown", False)}
    assert found["faulty"][0]["days"] >= 3
    assert await served.get(f"/api/v1/register?day={today(served, 1)}")


async def test_targets_are_set_one_by_one_and_taken_away(served: Served) -> None:
    await stock(served)
    items = [
        {"owner_kind": "shop", "wanted": 500},
        {"owner_kind": "bank_atm", "all": True},
        {"owner_kind": "*", "wanted": 5000},
        {"owner_kind": "shop", "station": "Kotwali", "all": True, "all_known": 8},
    ]
    answer = await put(served, "targets", items=items, by="ACP Sharma")
    assert len(answer["items"]) == 4 and answer == await served.get("/api/v1/targets")
    found = await served.get("/api/v1/register")
    assert of(found, "shop")["share"] == 2 / 500 and of(found, "shop")["target"]["by"] == "ACP Sharma"
    assert of(found, "shop")["stations"][0]["share"] == 0.25
    assert of(found, "bank_atm")["target"]["number"] is None and of(found, "bank_atm")["share"] is None
    assert found["total"]["share"] == 2 / 5000
    await put(served, "targets", items=[{"owner_kind": "bank_atm", "all": True, "all_known": 2}])
    assert of(await served.get("/api/v1/register"), "bank_atm")["share"] == 0
    await put(served, "targets", items=[{"owner_kind": "shop"}])
    assert of(await served.get("/api/v1/register"), "shop")["target"] is None
    assert len((await served.get("/api/v1/targets"))["items"]) == 3


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"owner_kind": "shops", "wanted": 1}, "owner_kind"),
        ({"owner_kind": "", "wanted": 1}, "items.0.owner_kind"),
        ({"owner_kind": "shop", "wanted": -1}, "items.0.wanted"),
        ({"owner_kind": "shop", "wanted": 1, "all": True}, "items.0.wanted"),
        ({"owner_kind": "shop", "wanted": 1, "all_known": 3}, "items.0.all_known"),
        ({"owner_kind": "*", "station": "Kotwali", "wanted": 1}, "items.0.station"),
        ({"owner_kind": "shop", "percent": 3}, "items.0.percent"),
    ],
)
async def test_refuses_what_is_no_target(served: Served, item: dict[str, object], field: str) -> None:
    status, problem, _ = await served.ask(
        "PUT", "/api/v1/targets", json={"items": [{"owner_kind": "lab", "wanted": 1}, item]}
    )
    assert (status, problem["field"].replace("items.1", "items.0")) == (422, field)
    assert (await served.get("/api/v1/targets"))["items"] == [], "all or none"
    many = [{"owner_kind": "lab"}] * (MAX_TARGETS + 1)
    assert (await served.ask("PUT", "/api/v1/targets", json={"items": many}))[0] == 422


async def test_officer_notes_signs_and_is_told_of_what_changed(served: Served) -> None:
    await stock(served)
    day = today(served)
    note = {
        "day": day,
        "owner_kind": "shop",
        "station": "Kotwali",
        "action": "Called the owner",
        "remarks": "स्विच ख़राब",
    }
    await put(served, "register/notes", **note, by="SI Verma")
    found = await served.get("/api/v1/register")
    assert of(found, "shop")["stations"][0]["note"]["action"] == "Called the owner"
    body = {"day": day, "by": "ACP Sharma", "remarks": "", "seen": found["digest"]}
    await put(served, "targets", items=[{"owner_kind": "shop", "wanted": 5}])
    status, problem, _ = await served.ask("POST", "/api/v1/register/sign", json=body)
    assert (status, problem["field"]) == (409, "seen")
    seen = (await served.get("/api/v1/register"))["digest"]
    assert problem["digest"] == seen
    status, signed, _ = await served.ask("POST", "/api/v1/register/sign", json=body | {"seen": seen})
    assert (status, signed["signed_by"], signed["kept"]) == (200, "ACP Sharma", True)
    await served.add("NEW", owner_kind="shop")
    assert await served.get("/api/v1/register") == signed
    assert (await served.ask("POST", "/api/v1/register/sign", json=body))[0] == 409
    assert (await served.ask("PUT", "/api/v1/register/notes", json=note))[0] == 409


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("register?day=2026-13-01", "day"),
        ("register?day=2099-01-01", "day"),
        ("register/export?format=doc", "format"),
        ("register/export?language=fr", "language"),
        ("register/progress?from=yesterday", "from"),
        ("register/progress?from=2026-11-02&to=2026-11-01", "to"),
        ("register/progress?from=2024-11-02&to=2026-11-01", "from"),
        ("register/progress?kind=shops", "owner_kind"),
    ],
)
async def test_refuses_what_cannot_be_asked(served: Served, path: str, field: str) -> None:
    status, problem, _ = await served.ask("GET", f"/api/v1/{path}")
    assert (status, problem["field"]) == (422, field)


async def test_progress_tells_the_days_that_were_kept_and_today(served: Served) -> None:
    await stock(served)
    await put(served, "targets", items=[{"owner_kind": "shop", "wanted": 4}])
    now_us, zone = wall_us(), served.app[ZONE]
    await register_days.take_due(served.catalog, zone=zone, kinds=["shop"], now_us=now_us)
    found = await served.get(f"/api/v1/register/progress?from={today(served, 5)}&kind=shop")
    assert found["owner_kind"] == "shop" and found["items"][-1]["day"] == today(served)
    assert [one["day"] for one in found["items"]] == sorted(one["day"] for one in found["items"])
    assert {one["target"] for one in found["items"]} == {4} and found["items"][-1]["linked"] == 2
    assert (await served.get(f"/api/v1/register/progress?to={today(served, 1)}"))["items"][-1]["day"] != today(served)


async def test_sheet_has_what_the_page_has_and_no_formula(served: Served) -> None:
    await stock(served)
    await put(served, "register/notes", day=today(served), owner_kind="shop", action="=HYPERLINK(1)", remarks="+91 98")
    status, text, headers = await served.ask("GET", "/api/v1/register/export?format=csv&language=hi")
    assert status == 200 and headers["Content-Type"] == "text/csv; charset=utf-8"
    assert headers["Content-Disposition"] == f'attachment; filename="register-{today(served)}.csv"'
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows[0][1:4] == ["स्वामी का प्रकार", "थाना", "लक्ष्य"]
    shops = next(row for row in rows if row[1:2] == ["दुकान / व्यापारिक प्रतिष्ठान"])
    assert shops[4:6] == ["2", "2"] and shops[-2:] == ["'=HYPERLINK(1)", "'+91 98"]
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "@")]
    assert any(row[1:3] == ["KNP-2", "'=SILENT"] for row in rows)


async def raw(served: Served, query: str) -> bytes:
    async with served.session.get(f"{served.url}/api/v1/register/export?{query}") as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


async def test_workbook_is_set_up_for_paper_and_computes_nothing(served: Served) -> None:
    await stock(served)
    await put(served, "register/notes", day=today(served), owner_kind="shop", action="=1+1")
    book = load_workbook(io.BytesIO(await raw(served, "format=xlsx&language=both")))
    lines, faulty = book.worksheets
    assert (lines.page_setup.orientation, str(lines.page_setup.paperSize)) == ("landscape", "9")
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert "=1+1" in {cell.value for cell in cells}
    assert {cell.data_type for cell in cells if isinstance(cell.value, str)} == {"s"}
    total = list(lines.values)[-3]
    assert total[0] == "Total / योग" and total[3:5] == (3, 2)
    assert {row[0] for row in faulty.values if str(row[0]).startswith("KNP")} == {"KNP-1", "KNP-2"}


@pytest.mark.parametrize("language", ["en", "hi", "both"])
async def test_paper_is_a_pdf_in_either_language(served: Served, language: str) -> None:
    await stock(served)
    found = await raw(served, f"format=pdf&language={language}")
    assert found.startswith(b"%PDF-") and found.rstrip().endswith(b"%%EOF")
    assert b"NotoSansDevanagari" in found


async def test_long_words_go_on_on_the_next_page(served: Served) -> None:
    await stock(served)
    long = ("क्षेत्राधिकारी कार्यालय " * 80)[:1900].strip()
    await put(served, "register/notes", day=today(served), owner_kind="shop", action=long, remarks="x" * 1900)
    found = await raw(served, "format=pdf&language=hi")
    assert found.count(b"/Type /Page\n") >= 3
