"""Importing a sheet of cameras in a real browser: the dry run, its report, what is written, progress after a reload."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FilePayload, Locator, Page, Route, expect

from storage.catalog import probes
from storage.model import CameraId, Probe
from tests.web.browser import WAIT_MS, tab
from tests.web.served import RECORDING, Served, serve

pytestmark = pytest.mark.needs("chromium")
expect.set_options(timeout=WAIT_MS)

HEADS = ("Code", "Name", "URL", "Owner kind", "Latitude", "Longitude")
GOOD = (
    ("KNP-0001", "Gate 1", "rtsp://10.0.0.1/x", "bank_atm", "26.4499", "80.3319"),
    ("KNP-0002", "Gate 2", "rtsp://10.0.0.2/x", "shop", "26.4501", "80.3321"),
)
EVIL = "=HYPERLINK(<img src=x onerror=window.evil=1>)"


@pytest_asyncio.fixture(loop_scope="session")
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as running:
        running.fleet.usual = RECORDING
        yield running


def sheet(rows: Sequence[Sequence[str]], name: str = "cameras.csv", heads: Sequence[str] = HEADS) -> FilePayload:
    text = io.StringIO()
    csv.writer(text).writerows([heads, *rows])
    return {"name": name, "mimeType": "text/csv", "buffer": text.getvalue().encode("utf-8-sig")}


async def open_import(page: Page) -> Locator:
    await page.goto("/")
    await page.get_by_role("button", name="Import", exact=True).first.click()
    return page.get_by_role("dialog")


async def test_sheet_is_looked_at_first_and_written_on_the_second_click(served: Served, browser: Browser) -> None:
    async with tab(browser, served.url) as seen:
        dialog = await open_import(seen.page)
        await dialog.locator("input[type=file]").set_input_files(sheet(GOOD))
        await expect(dialog.get_by_text("All 2 rows are right. Nothing has been written yet.")).to_be_visible()
        await expect(dialog.get_by_role("button", name="new 2")).to_be_visible()
        assert (await served.get("/api/v1/cameras"))["items"] == []
        await dialog.get_by_role("button", name="Import 2 cameras").click()
        await expect(dialog.get_by_text("Imported: 2 new, 0 changed, 0 unchanged.")).to_be_visible()
        await dialog.get_by_role("button", name="Done").click()
        await expect(seen.page.locator("a.card")).to_have_count(2)
        # The same sheet again: there is nothing to do, and nothing can be clicked.
        dialog = await open_import(seen.page)
        await dialog.locator("input[type=file]").set_input_files(sheet(GOOD))
        await expect(dialog.get_by_text("All 2 rows are registered just so")).to_be_visible()
        await expect(dialog.get_by_role("button", name="Import 0 cameras")).to_be_disabled()
    history = await served.get("/api/v1/cameras/1/history")
    assert history["items"][0]["by"] == "cameras.csv"


async def test_wrong_rows_are_told_and_nothing_is_imported(served: Served, browser: Browser, tmp_path: Path) -> None:
    wrong = (
        ("KNP 3", EVIL, "rtsp://10.0.0.3/x", "shop", "26.45", "80.33"),
        ("KNP-0004", "Gate 4", "http://10.0.0.4/x", "shop", "80.3319", "26.4499"),
    )
    async with tab(browser, served.url) as seen:
        dialog = await open_import(seen.page)
        await dialog.locator("input[type=file]").set_input_files(sheet([*GOOD, *wrong]))
        await expect(dialog.get_by_text("2 of 4 rows are wrong")).to_be_visible()
        await expect(dialog.get_by_role("button", name="Import 2 cameras")).to_be_disabled()
        rows = dialog.locator("tbody tr")
        await expect(rows.first).to_contain_text("KNP 3")
        await expect(dialog.locator("tbody")).to_contain_text("URL")
        await expect(dialog.locator("tbody")).not_to_contain_text("KNP-0001")
        await dialog.get_by_role("button", name="new 2").click()
        await expect(rows.first).to_contain_text("KNP-0001")
        await dialog.get_by_role("button", name="new 2").click()
        await dialog.get_by_role("searchbox").fill("knp-0004")
        await expect(dialog.locator("tbody")).not_to_contain_text("KNP 3")
        async with seen.page.expect_download() as begun:
            await dialog.get_by_role("button", name="Save the report").click()
        report = tmp_path / "report.csv"
        await (await begun.value).save_as(report)
        assert await seen.page.evaluate("window.evil") is None
    with report.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0][:3] == ["Row", "Code", "Result"]
    assert {line[1] for line in lines if line[2] == "wrong"} == {"KNP 3", "KNP-0004"}
    assert (await served.get("/api/v1/cameras"))["items"] == []


async def test_report_has_no_cell_that_a_spreadsheet_would_run(served: Served, browser: Browser) -> None:
    cells = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "plain", 'a "b", c', "a;b", None, 12]
    async with tab(browser, served.url) as seen:
        await seen.page.goto("/")
        made = await seen.page.evaluate(
            "async (cells) => { const { cell } = await import('/static/js/import_data.js'); return cells.map(cell); }",
            cells,
        )
    assert made == ["'=1+1", "'+1", "'-1", "'@x", "'\t=1", " =1", "plain", '"a ""b"", c"', '"a;b"', "", "12"]


async def test_registered_cameras_are_changed_only_where_that_is_ticked(served: Served, browser: Browser) -> None:
    await served.add("KNP-0001", name="Old name")
    rows = [("KNP-0001", "New name", "rtsp://10.0.0.5/x")]
    async with tab(browser, served.url) as seen:
        dialog = await open_import(seen.page)
        await dialog.locator("input[type=file]").set_input_files(sheet(rows, heads=HEADS[:3]))
        await expect(dialog.get_by_role("button", name="changed 1")).to_be_visible()
        await dialog.get_by_label("Also change cameras").uncheck()
        await expect(dialog.get_by_text("1 of 1 rows is wrong")).to_be_visible()
        await dialog.get_by_label("Also change cameras").check()
        await dialog.get_by_role("button", name="Import 1 camera").click()
        await expect(dialog.get_by_text("Imported: 0 new, 1 changed, 0 unchanged.")).to_be_visible()
    assert (await served.get("/api/v1/cameras/1"))["name"] == "New name"


async def test_file_that_is_no_sheet_is_refused_in_words(served: Served, browser: Browser) -> None:
    async with tab(browser, served.url) as seen:
        dialog = await open_import(seen.page)
        picture: FilePayload = {"name": "photo.xlsx", "mimeType": "image/png", "buffer": b"\x89PNG\r\n" + b"\0" * 99}
        await dialog.locator("input[type=file]").set_input_files(picture)
        await expect(dialog.get_by_role("alert")).to_contain_text("photo.xlsx cannot be imported.")
        # The dialog is ready for the next one.
        await dialog.locator("input[type=file]").set_input_files(sheet(GOOD))
        await expect(dialog.get_by_text("All 2 rows are right")).to_be_visible()
        seen.wrong[:] = [line for line in seen.wrong if "status of 4" not in line]


async def test_templates_and_exports_are_files(served: Served, browser: Browser) -> None:
    await served.add("KNP-0001", name="Gate")
    async with tab(browser, served.url) as seen:
        dialog = await open_import(seen.page)
        async with seen.page.expect_download() as begun:
            await dialog.get_by_role("link", name="CSV").click()
        assert (await begun.value).suggested_filename.endswith(".csv")
        await seen.page.keyboard.press("Escape")
        await seen.page.get_by_text("Export", exact=True).click()
        async with seen.page.expect_download() as begun:
            await seen.page.get_by_role("link", name="Text table (CSV)").click()
        path = await (await begun.value).path()
        assert b"KNP-0001" in await asyncio.to_thread(path.read_bytes)


async def test_import_that_runs_is_seen_after_a_reload(served: Served, browser: Browser) -> None:
    """What the API tells of an import that somebody began: how far it is, and that it is over."""
    answers = [{"phase": "writing", "done": 1200, "of": 1720}]

    async def tell(route: Route) -> None:
        await route.fulfill(json=answers[0])

    async with tab(browser, served.url) as seen:
        await seen.page.route("**/api/v1/cameras/import", tell)
        await seen.page.goto("/")
        await expect(seen.page.locator(".banner .progress")).to_contain_text("Writing the register 1,200 of 1,720")
        answers[0] = {"phase": None, "done": 0, "of": 0}
        await expect(seen.page.locator(".banner .progress")).to_have_count(0)


async def test_cameras_with_findings_carry_a_sign_and_are_found(served: Served, browser: Browser) -> None:
    await served.add("KNP-0001", name="Gate")
    await served.add("KNP-0002", name="Crossing")
    looked = Probe(CameraId(2), 1, "h264", 1280, 720, 25.0, "", False, findings=("long_gop", "audio_present"))
    await served.catalog.write(lambda db: probes.put_look(db, looked))
    async with tab(browser, served.url) as seen:
        await seen.page.goto("/")
        await expect(seen.page.locator("a.card .sign")).to_have_count(1)
        await expect(seen.page.locator("a.card .sign")).to_contain_text("1 finding that needs a hand")
        await seen.page.get_by_role("button", name="With troubles").click()
        await expect(seen.page.locator("a.card")).to_have_count(1)
        await expect(seen.page.locator("a.card")).to_contain_text("KNP-0002")


async def test_what_is_wrong_is_said_in_hindi_with_the_way_out(served: Served, browser: Browser) -> None:
    heads = ("कोड", "नाम", "यूआरएल", "स्वामी का प्रकार", "अक्षांश", "देशांतर", "क्या दिखता है")
    rows = [
        ("KNP-1", "द्वार", "rtsp://10.0.0.1/x", "shop", "80.3319", "26.4499", ""),
        ("KNP-1", "द्वार", "http://10.0.0.2/x", "shopp", "26.4499", "80.3319", "moon"),
    ]
    async with tab(browser, served.url, language="hi-IN") as seen:
        await seen.page.goto("/")
        await seen.page.get_by_role("button", name="हिन्दी").click()
        await seen.page.get_by_role("button", name="आयात", exact=True).first.click()
        dialog = seen.page.get_by_role("dialog")
        await dialog.locator("input[type=file]").set_input_files(sheet(rows, heads=heads))
        await expect(dialog.get_by_text("2 में से 2 पंक्तियाँ ग़लत हैं")).to_be_visible()
        table = dialog.locator("tbody")
        for words in ("उलटे हैं (80.3319, 26.4499)", "अक्षांश 26.4499, देशांतर 80.3319 लिखें", "पंक्ति 2 में भी यही कोड है"):
            await expect(table).to_contain_text(words)
        for words in ("rtsp:// या rtsps:// से शुरू नहीं होता", "स्वामी का प्रकार नहीं है", "मान्य नहीं"):
            await expect(table).to_contain_text(words)
