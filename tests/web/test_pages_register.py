"""The daily register in a real browser on the real application: read, noted, signed, taken away as a file."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from storage.catalog import register as rows
from storage.catalog import targets
from storage.catalog.sqlite import Connection
from storage.clock import wall_us
from storage.model import HOUR_US
from storage.registry import register_days
from storage.registry.register import Note, Target
from storage.terms import DAY_US
from tests.retention.stocked import camera
from tests.web.browser import WAIT_MS, tab
from tests.web.served import RECORDING, Served, serve
from tests.web.stored import footage
from web.keys import ZONE

pytestmark = pytest.mark.needs("chromium")
expect.set_options(timeout=WAIT_MS)


@pytest_asyncio.fixture(loop_scope="session")
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as running:
        running.fleet.usual = RECORDING
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def stored(served: Served) -> Served:
    """Two shops of one station with footage, one that fell silent among them, and a bank that was never linked."""
    now_us = wall_us()
    yesterday = register_days.day_of(now_us - DAY_US, served.app[ZONE])

    def write(db: Connection) -> None:
        for number, (kind, back) in enumerate((("shop", 0), ("shop", 3), ("bank_atm", None)), 1):
            made = camera(
                db, f"KNP-000{number}", name=f"Gate {number}", owner_kind=kind, station="Kotwali", created_us=1
            )
            if back is not None:
                footage(db, made, 4 - back, until_us=now_us // HOUR_US * HOUR_US - back * DAY_US + HOUR_US)
        targets.put(db, [Target("shop", wanted=500), Target("*", wanted=5000), Target("bank_atm", is_all=True)])
        rows.put_note(db, Note(yesterday, "shop", "", "Wrote to the market's union", "", "SI Verma", now_us))

    await served.catalog.write(write)
    return served


async def opened(page: Page, path: str = "/register") -> None:
    await page.goto(path)
    await expect(page.locator(".tile").first).to_be_visible()
    await expect(page.locator(".tile.skeleton")).to_have_count(0)


async def test_officer_sees_what_is_linked_and_what_is_faulty_since_when(stored: Served, browser: Browser) -> None:
    async with tab(browser, stored.url) as seen:
        page = seen.page
        await opened(page)
        await expect(page.locator(".rail a[aria-current=page]")).to_contain_text("Register")
        await expect(page.locator(".tile", has_text="Installed").locator("b")).to_have_text("3")
        await expect(page.locator(".tile", has_text="Linked").first).to_contain_text("of the target")
        shops = page.locator(".lines tbody tr", has_text="Shops")
        await expect(shops.locator("[data-label=Linked]")).to_contain_text("0.4 %")
        banks = page.locator(".lines tbody tr", has_text="Banks")
        await expect(banks.locator("[data-label=Linked]")).to_have_text("0")  # of all, which nobody has counted
        await shops.locator("button.opener").press("Enter")
        await expect(page.locator(".lines tr.station", has_text="Kotwali")).to_have_count(1)
        await shops.first.locator("button.faulty").click()
        faulty = page.locator(".faulty-rows tbody tr")
        await expect(faulty).to_have_count(2)
        await expect(faulty.filter(has_text="KNP-0002")).to_contain_text("Kotwali")
        await expect(page.locator("#faulty-title")).to_be_focused()
        await page.get_by_role("button", name="Show 15 categories without cameras").click()
        await expect(page.locator(".lines tbody tr", has_text="Medical stores")).to_be_visible()


async def test_target_and_note_are_written_in_their_place(stored: Served, browser: Browser) -> None:
    async with tab(browser, stored.url) as seen:
        page = seen.page
        await opened(page)
        await page.get_by_role("button", name="Target for Banks and ATMs").click()
        field = page.get_by_role("textbox", name="Target for Banks and ATMs")
        await expect(field).to_be_focused()
        await field.fill("every one")
        await field.press("Enter")
        await expect(page.locator(".inline .wrong")).to_contain_text("A number (500), all, or all 212")
        await field.fill("all 212")
        await field.press("Enter")
        await expect(page.get_by_role("button", name="Target for Banks and ATMs")).to_have_text("all (212)")
        shops = page.locator(".lines tbody tr", has_text="Shops")
        await expect(shops.locator(".proposed")).to_contain_text("Wrote to the market's union")
        await page.get_by_role("button", name="Action and remarks for Shops").click()
        action = page.get_by_label("Action taken")
        await expect(action).to_be_focused()
        await expect(action).to_have_value("Wrote to the market's union")
        await action.fill("The union answered")
        await page.get_by_label("Remarks", exact=True).fill("बैठक सोमवार को")
        await page.get_by_role("button", name="Save").click()
        await expect(shops.locator(".said")).to_contain_text("The union answered")
        await expect(shops.locator(".said")).to_contain_text("बैठक सोमवार को")
        await page.reload()
        await expect(shops.locator(".said")).to_contain_text("The union answered")


async def test_day_is_signed_and_stays(stored: Served, browser: Browser) -> None:
    async with tab(browser, stored.url) as seen:
        page = seen.page
        await opened(page)
        await expect(page.locator(".bar .pill")).to_have_text("As of now, not signed")
        await page.get_by_role("button", name="Sign off").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("A signed day never changes")
        await dialog.get_by_role("button", name="Sign off").click()
        await expect(page.locator("#sign-by-note")).to_have_text("Give your name.")
        await dialog.get_by_label("Nodal officer").fill("ACP Sharma")
        await dialog.get_by_label("Remarks of the day").fill("Visited the market")
        # meanwhile another officer writes something
        await stored.catalog.write(lambda db: targets.put(db, [Target("hotel", wanted=235)]))
        await dialog.get_by_role("button", name="Sign off").click()
        await expect(dialog.get_by_role("alert")).to_contain_text("has changed since you looked")
        await dialog.get_by_role("button", name="Sign off").click()
        await expect(dialog).to_have_count(0)
        await expect(page.locator(".bar .pill")).to_contain_text("Signed by ACP Sharma")
        await expect(page.locator(".day-remarks")).to_contain_text("Visited the market")
        await expect(page.get_by_role("button", name="Sign off")).to_have_count(0)
        await expect(page.get_by_role("button", name="Action and remarks for")).to_have_count(0)
        await expect(page.get_by_role("button", name="Target for")).to_have_count(0)
        seen.wrong.clear()  # the browser itself reports the 409


async def test_days_progress_and_files(stored: Served, browser: Browser) -> None:
    now_us, zone = wall_us(), stored.app[ZONE]
    await register_days.take_due(stored.catalog, zone=zone, kinds=["shop"], now_us=now_us)
    before = register_days.day_of(now_us - 2 * DAY_US, zone)
    year, month, day = before.split("-")
    async with tab(browser, stored.url) as seen:
        page = seen.page
        await opened(page)
        await expect(page.locator(".chart")).to_have_count(2)
        await page.get_by_text("As a table").click()
        await expect(page.locator(".progress-rows tbody tr", has_text=f"{day}/{month}/{year}")).to_contain_text("no")
        await expect(page.get_by_role("button", name="The day after")).to_be_disabled()
        field = page.get_by_role("textbox", name="Day")
        await field.fill("31/02/2026")
        await field.press("Enter")
        await expect(page.locator(".day .wrong")).to_be_visible()
        await field.fill(f"{day}/{month}/{year}")
        await field.press("Enter")
        await expect(page).to_have_url(f"{stored.url}/register?day={before}")
        await expect(page.locator(".bar .pill")).to_have_text("Kept after the day, not signed")
        await page.get_by_label("Language of the headings").select_option("both")
        async with page.expect_download() as taken:
            await page.get_by_role("link", name="PDF").click()
        file = await (await taken.value).path()
        assert (await taken.value).suggested_filename == f"register-{before}.pdf"
        assert file.read_bytes().startswith(b"%PDF-")
        await page.go_back()
        await expect(page.locator(".bar .pill")).to_have_text("As of now, not signed")


async def test_page_says_what_it_is_before_there_is_a_camera(served: Served, browser: Browser) -> None:
    async with tab(browser, served.url) as seen:
        await seen.page.goto("/register")
        await expect(seen.page.get_by_text("No camera is registered on this day")).to_be_visible()
        await expect(seen.page.get_by_role("link", name="To the cameras")).to_be_visible()


async def test_failure_says_so_and_is_asked_again(stored: Served, browser: Browser) -> None:
    async with tab(browser, stored.url) as seen:
        broken = re.compile(r"/api/v1/register(\?|$)")

        async def refuse(route: Route) -> None:
            await route.fulfill(status=503, json={"detail": "the catalog did not answer", "code": "unavailable"})

        await seen.page.route(broken, refuse)
        await seen.page.goto("/register")
        await expect(seen.page.get_by_role("alert")).to_contain_text("the catalog did not answer")
        await seen.page.unroute(broken)
        await seen.page.get_by_role("button", name="Try again").click()
        await expect(seen.page.locator(".tile", has_text="Installed")).to_be_visible()
        seen.wrong.clear()


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (390, 844)])
async def test_no_size_and_no_language_scrolls_sideways(
    stored: Served, browser: Browser, width: int, height: int
) -> None:
    async with tab(browser, stored.url, width=width, height=height) as seen:
        await opened(seen.page)
        for language, word in (("hi", "दैनिक रजिस्टर"), ("en", "Daily register")):
            await seen.page.locator(f".languages button[lang={language}]").click()
            await expect(seen.page.locator("h1")).to_have_text(word)
            for element in ("document.documentElement", "document.getElementById('content')"):
                assert await seen.page.evaluate(f"{element}.scrollWidth <= {element}.clientWidth"), (language, element)
