"""Sites on the page of the cameras, and what narrows its list, in a real browser on the real application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.web.browser import WAIT_MS, tab
from tests.web.served import RECORDING, Served, serve

pytestmark = pytest.mark.needs("chromium")
expect.set_options(timeout=WAIT_MS)

PLACE = {"lat": 26.4499, "lon": 80.3319}


@pytest_asyncio.fixture(loop_scope="session")
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as running:
        running.fleet.usual = RECORDING
        yield running


async def test_site_is_renamed_with_its_cameras_and_leads_to_find(served: Served, browser: Browser) -> None:
    await served.add("KNP-0001", site="Jhakarkati", station="Babupurwa", **PLACE)
    async with tab(browser, served.url) as seen:
        await seen.page.goto("/")
        await seen.page.get_by_role("button", name="Sites").click()
        sites = seen.page.get_by_role("dialog")
        await expect(sites.get_by_role("row").nth(1)).to_contain_text("Jhakarkati")
        link = sites.get_by_role("link", name="Find footage around Jhakarkati")
        assert await link.get_attribute("href") == "/find?near=26.4499,80.3319"
        await sites.get_by_role("button", name="Change Jhakarkati").click()
        await expect(sites.get_by_text("1 camera takes a new name")).to_be_visible()
        await sites.get_by_label("Name", exact=True).fill("Jhakarkati bus stand")
        await sites.get_by_label("Name in Hindi").fill("झकरकटी बस अड्डा")
        await sites.get_by_role("button", name="Save").click()
        await expect(sites.get_by_role("row").nth(1)).to_contain_text("झकरकटी बस अड्डा")
        await sites.get_by_role("button", name="Show the cameras of Jhakarkati bus stand").click()
        await expect(seen.page.locator("a.card")).to_have_count(1)
        await expect(seen.page.locator(".chip")).to_contain_text("At Jhakarkati bus stand")
    assert (await served.get("/api/v1/cameras/1"))["site"] == "Jhakarkati bus stand"


async def test_site_is_made_and_removed(served: Served, browser: Browser) -> None:
    async with tab(browser, served.url) as seen:
        await seen.page.goto("/")
        await seen.page.get_by_role("button", name="Sites").click()
        sites = seen.page.get_by_role("dialog")
        await sites.get_by_role("button", name="Add site").click()
        await sites.get_by_role("button", name="Save").click()
        await expect(sites.get_by_text("Enter a name.")).to_be_visible()
        await sites.get_by_label("Name", exact=True).fill("Naveen Market")
        await sites.get_by_label("Latitude (north)").fill("26.47, 80.34")
        await sites.get_by_role("button", name="Save").click()
        await expect(sites.get_by_role("row").nth(1)).to_contain_text("Naveen Market")
        await sites.get_by_role("button", name="Change Naveen Market").click()
        await sites.get_by_role("button", name="Remove …").click()
        await sites.get_by_role("button", name="Remove this site").click()
        await expect(sites.get_by_text("No sites yet")).to_be_visible()


async def test_filters_by_kind_and_site_survive_a_reload(served: Served, browser: Browser) -> None:
    await served.add("KNP-0001", owner_kind="shop", site="A")
    await served.add("KNP-0002", owner_kind="bank_atm", site="B")
    async with tab(browser, served.url) as seen:
        await seen.page.goto("/")
        await seen.page.get_by_label("Owner category").select_option(label="Banks and ATMs")
        await expect(seen.page.locator("a.card")).to_have_count(1)
        await seen.page.reload()
        await expect(seen.page.locator("a.card")).to_contain_text("KNP-0002")
        await seen.page.goto("/?site=A")
        await expect(seen.page.locator("a.card")).to_contain_text("KNP-0001")
        await seen.page.get_by_role("button", name="Every site").click()
        await expect(seen.page.locator("a.card")).to_have_count(2)


async def test_station_is_suggested_and_narrows_the_list(served: Served, browser: Browser) -> None:
    await served.add("KNP-0001", station="Kotwali", **PLACE)
    await served.add("KNP-0002", station="Babupurwa")
    async with tab(browser, served.url) as seen:
        await seen.page.goto("/")
        station = seen.page.get_by_role("combobox", name="Police station")
        await station.fill("kotw")
        await expect(seen.page.locator("#stations option")).to_have_attribute("value", "Kotwali")
        await station.fill("Kotwali")
        await expect(seen.page.locator("a.card")).to_have_count(1)
        await expect(seen.page).to_have_url(f"{served.url}/?station=Kotwali")
        await station.fill("")
        await expect(seen.page.locator("a.card")).to_have_count(2)
        await station.fill("Babupurwa")  # no camera of it has a place: it is not suggested, and taken as typed
        await station.press("Enter")
        await expect(seen.page.locator("a.card")).to_have_count(1)  # first: a text is asked of one card alone
        await expect(seen.page.locator("a.card")).to_contain_text("KNP-0002")


async def test_camera_that_was_never_linked_is_no_alarm(served: Served, browser: Browser) -> None:
    await served.add("KNP-0001", enabled=False)
    served.fleet.usual = replace(RECORDING, state="disabled", newest_footage_us=None)
    async with tab(browser, served.url) as seen:
        await seen.page.goto("/")
        await expect(seen.page.locator("a.card .pill")).to_have_text("Not linked yet")
        await expect(seen.page.locator(".alarmed, .banner")).to_have_count(0)
