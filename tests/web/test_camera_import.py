"""Sheets of cameras over HTTP: imported as a whole or not at all, told row by row, exported as they can be imported again."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from blockbuster import BlockBuster

from storage.catalog import camera_history, cameras
from storage.catalog.sqlite import Connection
from storage.model import CameraId, Credentials
from tests.web.served import Served, serve

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET = """Code,Name,नाम (हिन्दी),Owner category,थाना,Latitude,Longitude,Covers,RTSP URL,User,Password
C-1,Gate 1,द्वार 1,Shops,Kotwali,26.4716,80.3512,entrance,rtsp://10.0.0.1/a,admin,s3cret
C-2,Gate 2,द्वार 2,अस्पताल,Kotwali,"26°28'17.8""N","80°21'04.3""E",निकास द्वार; road side,rtsp://root:pw@10.0.0.2/a,,
C-3,,,,,,,,rtsp://10.0.0.3/a,,
"""


@pytest_asyncio.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as running:
        yield running


async def send(served: Served, sheet: str | bytes, query: str = "", kind: str = "text/csv") -> tuple[int, Any]:
    data = sheet.encode() if isinstance(sheet, str) else sheet
    url = f"{served.url}/api/v1/cameras/import?{query}"
    async with served.session.post(url, data=io.BytesIO(data), headers={"Content-Type": kind}) as answer:
        return answer.status, await answer.json(content_type=None)


async def login_of(served: Served, camera_id: int) -> Credentials | None:
    return await served.catalog.read(lambda db: cameras.credentials(db, CameraId(camera_id)))


async def test_registers_every_row_and_tells_the_fleet(served: Served, guarded_loop: BlockBuster) -> None:
    status, report = await send(served, SHEET, "name=cameras.csv")
    assert status == 200, report
    assert (report["imported"], report["rows"], report["added"], report["wrong"]) == (True, 3, 3, 0)
    assert [(item["row"], item["code"], item["result"]) for item in report["items"]] == [
        (2, "C-1", "add"),
        (3, "C-2", "add"),
        (4, "C-3", "add"),
    ]
    page = await served.get("/api/v1/cameras")
    one, two, three = page["items"]
    assert (one["name_hi"], one["owner_kind"], one["station"], one["lat"]) == ("द्वार 1", "shop", "Kotwali", 26.4716)
    assert (two["owner_kind"], two["covers"], two["url"]) == ("hospital", ["exit", "road_side"], "rtsp://10.0.0.2/a")
    assert (two["lat"], two["lon"]) == (pytest.approx(26.471611), pytest.approx(80.351194))
    assert (three["name"], three["has_credentials"]) == ("C-3", False)
    assert await login_of(served, one["id"]) == Credentials("admin", "s3cret")
    assert await login_of(served, two["id"]) == Credentials("root", "pw")
    assert served.fleet.changed == [1, 2, 3]
    history = await served.catalog.read(lambda db: camera_history.changes(db, CameraId(1), limit=9))
    assert [change.by for _, change in history] == ["cameras.csv"]


async def test_the_same_sheet_again_changes_nothing(served: Served) -> None:
    await send(served, SHEET)
    served.fleet.changed.clear()
    for query in ("", "update=true"):
        status, report = await send(served, SHEET, query)
        assert status == 200
        assert (report["same"], report["added"], report["changed"]) == (3, 0, 0)
    assert served.fleet.changed == []
    history = await served.catalog.read(lambda db: camera_history.changes(db, CameraId(1), limit=9))
    assert len(history) == 1


async def test_one_wrong_row_and_nothing_is_imported(served: Served) -> None:
    sheet = SHEET + "C 4,,,,,,,,rtsp://10.0.0.4/a,,\n"
    status, problem = await send(served, sheet)
    assert (status, problem["code"], problem["field"]) == (422, "invalid", "body")
    assert problem["detail"] == "1 of 4 rows is wrong: nothing was imported"
    report = problem["report"]
    assert (report["imported"], report["wrong"], report["added"]) == (False, 1, 3)
    (fault,) = report["items"][3]["problems"]
    assert (fault["column"], fault["field"]) == ("Code", "code")
    assert "A-Z a-z 0-9" in fault["mend"]
    assert (await served.get("/api/v1/cameras"))["items"] == []
    assert served.fleet.changed == []


async def test_a_dry_run_tells_all_and_writes_nothing(served: Served) -> None:
    status, report = await send(served, SHEET + "C-1,,,,,,,,rtsp://10.0.0.9/a,,\n", "dry_run=true")
    assert status == 200
    assert (report["dry_run"], report["imported"], report["wrong"]) == (True, False, 1)
    assert "row 2 has the same code" in report["items"][3]["problems"][0]["what"]
    status, report = await send(served, SHEET, "dry_run=true")
    assert (report["added"], report["wrong"]) == (3, 0)
    assert (await served.get("/api/v1/cameras"))["items"] == []


async def test_changes_registered_cameras_only_where_that_is_allowed(served: Served) -> None:
    await send(served, SHEET)
    other = SHEET.replace("Gate 1", "Main gate")
    status, problem = await send(served, other)
    assert status == 422
    assert "registered already, with another Name" in problem["report"]["items"][0]["problems"][0]["what"]
    status, report = await send(served, other, "update=true")
    assert (status, report["changed"], report["same"]) == (200, 1, 2)
    assert report["items"][0]["notes"] == ["Name: Gate 1 -> Main gate"]
    assert (await served.get("/api/v1/cameras/1"))["name"] == "Main gate"
    assert served.fleet.changed == [1, 2, 3, 1]


async def test_another_login_is_a_change(served: Served) -> None:
    await send(served, SHEET)
    other = SHEET.replace("s3cret", "changed")
    status, problem = await send(served, other)
    assert (status, problem["report"]["items"][0]["problems"][0]["field"]) == (422, "password")
    status, report = await send(served, other, "update=true")
    assert (status, report["changed"]) == (200, 1)
    assert "changed" not in str(report["items"][0]["notes"])
    assert await login_of(served, 1) == Credentials("admin", "changed")


async def test_a_stored_login_is_not_sent_to_another_host(served: Served) -> None:
    await send(served, SHEET)
    status, problem = await send(served, "Code,URL\nC-1,rtsp://10.0.0.77/a\n", "update=true")
    assert status == 422
    assert "another host" in problem["report"]["items"][0]["problems"][0]["what"]


async def test_names_the_camera_that_has_the_url_already(served: Served) -> None:
    await served.add("OLD", url="rtsp://10.0.0.2:554/a")
    status, problem = await send(served, SHEET)
    assert status == 422
    (fault,) = problem["report"]["items"][1]["problems"]
    assert (fault["column"], fault["what"]) == ("RTSP URL", "camera OLD has the same URL")


async def test_says_when_latitude_and_longitude_are_swapped(served: Served) -> None:
    status, report = await send(
        served, "Code,URL,Lat,Long\nA,rtsp://10.0.0.1/a,80.35,26.47\nB,rtsp://10.0.0.2/a,12.9,77.6\n", "dry_run=true"
    )
    assert status == 200
    swapped, far = (item["problems"][0] for item in report["items"])
    assert "swapped" in swapped["what"] and swapped["mend"] == "write latitude 26.47, longitude 80.35"
    assert "outside of the city" in far["what"]


async def test_refuses_what_is_no_sheet(served: Served) -> None:
    for data, kind, words in (
        (b"", "text/csv", "empty"),
        (b"\x00\x01\x02", "text/csv", ""),
        (b"hello", XLSX, "no XLSX file"),
        (b"PK\x03\x04broken", XLSX, "broken"),
        ("कोड,नाम\nA,द्वार\n".encode("utf-16"), "text/csv", "URL"),
        ("Code,Name\nA,Caf\xe9\n".encode("latin-1"), "text/csv", "0xE9"),
    ):
        status, problem = await send(served, data, kind=kind)
        assert (status, problem["code"]) == (422, "invalid"), (data, problem)
        assert words in str(problem), problem
    for kind in ("text/plain", "application/json", "multipart/form-data"):
        status, problem = await send(served, "Code,URL\n", kind=kind)
        assert (status, problem["code"]) == (415, "unsupported_media_type")
    status, _, _ = await served.ask("POST", "/api/v1/cameras", data=b"Code,URL\n", headers={"Content-Type": "text/csv"})
    assert status == 415


async def test_refuses_a_hundred_thousand_rows(served: Served) -> None:
    rows = "\n".join(f"C-{n},rtsp://10.{n >> 16}.{n >> 8 & 255}.{n & 255}/a" for n in range(100_000))
    status, problem = await send(served, f"Code,URL\n{rows}\n")
    assert (status, problem["field"]) == (422, "body")
    assert "more than 20000 rows" in problem["detail"]
    assert (await served.get("/api/v1/cameras"))["items"] == []


async def test_one_import_at_a_time_and_how_far_it_is(served: Served) -> None:
    assert await served.get("/api/v1/cameras/import") == {"phase": None, "done": 0, "of": 0}
    told, more = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"Code,URL\n"
        told.set()
        await more.wait()
        yield b"A,rtsp://10.0.0.1/a\n"

    async def first() -> int:
        async with served.session.post(
            f"{served.url}/api/v1/cameras/import", data=slowly(), headers={"Content-Type": "text/csv"}
        ) as answer:
            return answer.status

    task = asyncio.create_task(first())
    await told.wait()
    while (await served.get("/api/v1/cameras/import"))["phase"] != "reading":
        pass
    status, problem = await send(served, SHEET)
    assert (status, problem["code"]) == (409, "conflict")
    more.set()
    assert await task == 200
    assert (await served.get("/api/v1/cameras/import"))["phase"] is None


async def test_a_client_that_goes_away_does_not_leave_it_half_done(served: Served) -> None:
    held, free = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def busy(_: Connection) -> None:
        loop.call_soon_threadsafe(held.set)
        free.wait()

    holder = asyncio.create_task(served.catalog.write(busy))
    await held.wait()
    client = asyncio.create_task(send(served, SHEET))
    while (await served.get("/api/v1/cameras/import"))["phase"] != "writing":
        pass
    client.cancel()
    await asyncio.wait([client])
    free.set()
    await holder
    while (await served.get("/api/v1/cameras/import"))["phase"] is not None:
        pass
    assert served.fleet.changed == [1, 2, 3]
    assert len((await served.get("/api/v1/cameras"))["items"]) == 3


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["en", "hi"])
async def test_what_is_exported_comes_back_the_same(served: Served, form: str, language: str) -> None:
    await send(served, SHEET)
    await served.add("ODD", url="rtsp://10.0.0.9/a", name="=HYPERLINK(1)", contact="+91 98", tags=["a,b", "c;d", "-1"])
    await served.add("0412", url="rtsp://10.0.0.8/a", enabled=False, bearing=10.5, fov=90, lat=26.4700000001, lon=80.3)
    kind = {"csv": "text/csv", "xlsx": XLSX}[form]
    async with served.session.get(f"{served.url}/api/v1/cameras/export?format={form}&language={language}") as answer:
        assert answer.status == 200 and answer.content_type == kind
        assert f'.{form}"' in answer.headers["Content-Disposition"]
        data = await answer.read()
    assert b"s3cret" not in data
    status, report = await send(served, data, "update=true", kind)
    assert status == 200, report
    assert (report["same"], report["rows"]) == (5, 5), report


async def test_an_export_holds_no_formula(served: Served) -> None:
    await served.add("A", name="=cmd|' /C calc'!A0", name_hi="@x", owner="+1", station="-x", lat=-10, lon=80)
    _, text, _ = await served.ask("GET", "/api/v1/cameras/export")
    row = text.splitlines()[1]
    assert row.startswith("A,'=cmd|' /C calc'!A0,'@x,")
    assert ",'+1," in row and ",'-x," in row and ",-10,80," in row


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["en", "hi"])
async def test_the_template_can_be_read_and_imports_nothing(served: Served, form: str, language: str) -> None:
    async with served.session.get(f"{served.url}/api/v1/cameras/template?format={form}&language={language}") as answer:
        assert answer.status == 200
        data = await answer.read()
    status, report = await send(served, data, kind={"csv": "text/csv", "xlsx": XLSX}[form])
    assert (status, report["rows"], report["added"], report["notes"]) == (200, 0, 0, [])
