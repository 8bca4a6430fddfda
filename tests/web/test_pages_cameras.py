"""The page of all cameras, in a real browser on the real application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from storage.clock import wall_us
from storage.model import CameraId
from tests.lavfi import recorded
from tests.web.browser import WAIT_MS, tab
from tests.web.served import RECORDING, Served, serve, silent

pytestmark = pytest.mark.needs("chromium")
expect.set_options(timeout=WAIT_MS)

T0_US = 1_795_000_020_000_000


@pytest_asyncio.fixture(loop_scope="session")
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as running:
        yield running


async def test_without_cameras_it_says_how_to_add_the_first(served: Served, browser: Browser) -> None:
    async with tab(browser, served.url) as seen:
        await seen.page.goto("/")
        await expect(seen.page.get_by_text("No cameras yet")).to_be_visible()
        await expect(seen.page.locator("code")).to_contain_text("nvr camera add")


async def test_camera_has_state_still_and_the_age_of_its_newest_footage(served: Served, browser: Browser) -> None:
    await served.add("KNP-0001", name="Bus stand")
    files = recorded()
    start_us = wall_us() - 60_000_000
    await served.record(1, files, at_us=start_us, segment_s=4)
    served.fleet.usual = replace(RECORDING, newest_footage_us=start_us + 12_000_000)
    async with tab(browser, served.url) as seen:
        await seen.page.goto("/")
        card = seen.page.locator("a.card")
        await expect(card).to_contain_text("KNP-0001 Bus stand")
        await expect(card.locator(".pill")).to_have_text("Recording")
        await expect(card.locator(".age")).to_contain_text("s ago")
        await expect(card.locator("img.shown")).to_be_visible()
        await expect(seen.page.locator(".header .pill")).to_have_text("All well")


async def test_camera_that_missed_two_segments_is_red_with_its_cause(served: Served, browser: Browser) -> None:
    await served.add("KNP-0001", name="Bus stand")
    await served.add("KNP-0002", name="Crossing")
    served.fleet.usual = RECORDING
    served.fleet.healths[CameraId(2)] = silent("refused", missed=2)
    async with tab(browser, served.url) as seen:
        await seen.page.goto("/")
        await expect(seen.page.locator(".banner.alarm")).to_contain_text("1 camera sends nothing")
        await expect(seen.page.locator(".card.alarmed")).to_have_count(1)
        await expect(seen.page.locator(".card.alarmed")).to_contain_text("2 segments missed")
        await expect(seen.page.locator(".card.alarmed .pill")).to_have_text("Connection refused")
        await seen.page.get_by_role("button", name="1 camera silent").click()
        trouble = seen.page.get_by_role("dialog").get_by_role("link")
        await expect(trouble).to_contain_text("Connection refused · it says so")
        await trouble.click()
        await expect(seen.page).to_have_url(f"{served.url}/cameras/2")


async def test_state_of_a_camera_changes_on_the_open_page(served: Served, browser: Browser) -> None:
    await served.add("KNP-0001")
    served.fleet.usual = RECORDING
    async with tab(browser, served.url) as seen:
        async with seen.page.expect_response("**/api/v1/events"):
            await seen.page.goto("/")
        await expect(seen.page.locator("a.card .pill")).to_have_text("Recording")
        served.fleet.usual = silent("unauthorized")
        served.events.publish("camera", {"camera_id": 1, "state": "failed", "cause": "unauthorized"})
        await expect(seen.page.locator("a.card .pill")).to_have_text("Wrong user name or password", timeout=8_000)


async def test_search_and_filter_narrow_the_list_and_survive_a_reload(served: Served, browser: Browser) -> None:
    for number in range(1, 6):
        await served.add(f"KNP-{number:04}", name=f"Gate {number}")
    served.fleet.usual = RECORDING
    served.fleet.healths[CameraId(3)] = silent("timeout")
    async with tab(browser, served.url) as seen:
        await seen.page.goto("/")
        await expect(seen.page.locator("a.card")).to_have_count(5)
        await seen.page.get_by_role("button", name="Faulty").click()
        await expect(seen.page.locator("a.card")).to_have_count(1)
        await seen.page.reload()
        await expect(seen.page.locator("a.card")).to_contain_text("KNP-0003")
        await seen.page.get_by_role("searchbox").fill("gate 4")
        await expect(seen.page.get_by_text("No camera matches")).to_be_visible()
        await seen.page.get_by_role("button", name="Show all cameras").click()
        await expect(seen.page.locator("a.card")).to_have_count(5)
        await expect(seen.page).to_have_url(f"{served.url}/")


async def test_pages_turn_and_back_returns_to_the_same_page(served: Served, browser: Browser) -> None:
    for number in range(1, 66):
        await served.add(f"KNP-{number:04}")
    served.fleet.usual = RECORDING
    async with tab(browser, served.url) as seen:
        await seen.page.goto("/")
        await expect(seen.page.locator(".pager")).to_contain_text("1 to 60 of 65")
        await seen.page.get_by_role("button", name="Next page").click()
        await expect(seen.page.locator(".pager")).to_contain_text("61 to 65 of 65")
        await expect(seen.page.get_by_role("button", name="Next page")).to_be_disabled()
        await seen.page.locator("a.card").first.click()
        await expect(seen.page.locator(".review h1")).to_contain_text("KNP-0061")
        await seen.page.go_back()
        await expect(seen.page.locator(".pager")).to_contain_text("61 to 65 of 65")
        await seen.page.get_by_role("button", name="Previous page").click()
        await expect(seen.page.locator("a.card").first).to_contain_text("KNP-0001")


async def test_hindi_is_kept_and_names_follow(served: Served, browser: Browser) -> None:
    await served.add("KNP-0001", name="Bus stand", name_hi="बस अड्डा", owner_kind="bus_stand")
    async with tab(browser, served.url) as seen:
        await seen.page.goto("/")
        await seen.page.get_by_role("button", name="हिन्दी").click()
        await expect(seen.page.get_by_role("heading", name="कैमरे")).to_be_visible()
        await expect(seen.page.locator("a.card")).to_contain_text("बस अड्डा")
        await seen.page.reload()
        assert await seen.page.locator("html").get_attribute("lang") == "hi"
        await seen.page.get_by_role("button", name="सूची").click()
        await expect(seen.page.get_by_role("row")).to_have_count(2)
        await expect(seen.page.get_by_role("cell", name="यूपीएसआरटीसी बस स्टेण्ड")).to_be_visible()
        assert await seen.page.evaluate("document.fonts.check('16px \"Noto Sans Devanagari\"', 'बस')")


async def test_language_of_the_place_is_the_first_choice(tmp_path: Path, browser: Browser) -> None:
    async with serve(tmp_path, language="hi") as running, tab(browser, running.url) as seen:
        await seen.page.goto("/")
        await expect(seen.page.get_by_text("अभी कोई कैमरा नहीं")).to_be_visible()


async def test_page_says_when_the_server_is_gone_and_recovers(served: Served, browser: Browser) -> None:
    async with tab(browser, served.url) as seen:
        await seen.page.route("**/api/v1/cameras?*", lambda route: route.abort())
        await seen.page.goto("/")
        await expect(seen.page.get_by_role("alert")).to_contain_text("The server does not answer.")
        await seen.page.unroute("**/api/v1/cameras?*")
        await seen.page.get_by_role("button", name="Try again").click()
        await expect(seen.page.get_by_text("No cameras yet")).to_be_visible()
        seen.wrong.clear()  # the browser itself reports the refused connection


@pytest.mark.parametrize("path", ["/", "/cameras/1", "/review"])
@pytest.mark.parametrize("width, height", [(1366, 768), (390, 844)])
async def test_nothing_scrolls_sideways(served: Served, browser: Browser, path: str, width: int, height: int) -> None:
    await served.add("KNP-0001", name="A name that is so long that it would push everything else off the screen " * 2)
    served.fleet.usual = silent("unsupported_codec")
    for language in ("English", "हिन्दी"):
        async with tab(browser, served.url, width=width, height=height) as seen:
            await seen.page.goto(path)
            await seen.page.locator(f".languages button:has-text('{language}')").dispatch_event("click")
            await expect(seen.page.get_by_text("KNP-0001").locator("visible=true").first).to_be_visible()
            wide = "(e) => e.scrollWidth - e.clientWidth"
            assert await seen.page.locator("html").evaluate(wide) == 0
            assert await seen.page.locator("#content").evaluate(wide) == 0
