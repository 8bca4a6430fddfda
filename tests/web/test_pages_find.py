"""Find: who was at the bus stand between nine and ten. Real footage, real server, real browser."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from storage.model import CameraId
from tests.lavfi import recorded
from tests.web.browser import WAIT_MS, Tab, tab
from tests.web.bus_stand import GATES, LAT, LON, SITE, Recording, build
from tests.web.served import RECORDING, Served, serve

pytestmark = pytest.mark.needs("chromium")
expect.set_options(timeout=WAIT_MS)
CAMERAS = 30
NINE_S = 21 * 3600
FRAME_S = 0.11
"""A little more than the 0.1 s that a frame lasts."""
CODES = [f"KNP-{number:04}" for number in range(1, CAMERAS + 1)]


@dataclass(frozen=True)
class City:
    """Camera 1 and 2: the minute after nine. 3: its first 12 s and, after a gap, from 30 s on. 4: a minute before nine and one
    after ten. 5 is switched off; no other has footage."""

    served: Served
    nine: datetime

    def link(self, *, near: bool = True, hours: float = 1, **more: object) -> str:
        start, end = (
            moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            for moment in (self.nine, self.nine + timedelta(hours=hours))
        )
        place = f"near={LAT},{LON}&place=here&radius=100&" if near else ""
        return f"/find?{place}from={start}&to={end}" + "".join(f"&{name}={value}" for name, value in more.items())

    def moment(self, seconds: float) -> str:
        return (self.nine + timedelta(seconds=seconds)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def city(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[City]:
    minute, short = recorded(seconds=60, segment_seconds=20), recorded()
    async with serve(tmp_path_factory.mktemp("find")) as served:
        served.fleet.usual = RECORDING
        recordings = [
            Recording(1, 0, minute),
            Recording(2, 0, minute),
            Recording(3, 0, short),
            Recording(3, 30, short),
            Recording(4, -120, minute),
            Recording(4, 3720, minute),
        ]
        yield City(served, await build(served, recordings, count=CAMERAS))


@pytest_asyncio.fixture(loop_scope="session")
async def seen(city: City, browser: Browser) -> AsyncIterator[Tab]:
    async with tab(browser, city.served.url) as made:
        yield made


def row(page: Page, number: int) -> Any:
    return page.locator(f".result[data-camera='{number}']")


async def until(holds: Callable[[], Any]) -> None:
    """Waits until the awaited answer is true. The page's policy forbids Playwright's own waiting, which evaluates text."""
    async with asyncio.timeout(WAIT_MS / 1000):
        while not await holds():  # noqa: ASYNC110 - the page sets no event
            await asyncio.sleep(0.02)


async def shown(page: Page) -> list[float | None]:
    """Seconds after midnight of the frame on each tile, once there are tiles; None where one shows none."""
    await expect(page.locator(".tile").first).to_be_visible()
    texts = await page.locator(".tile .shown-at").all_inner_texts()
    found = [re.fullmatch(r"\s*(\d\d):(\d\d):(\d\d\.\d{3})\s*", text) for text in texts]
    return [int(one[1]) * 3600 + int(one[2]) * 60 + float(one[3]) if one else None for one in found]


async def every(page: Page, holds: Callable[[float], bool]) -> None:
    """Waits until every tile shows a frame of which that is true, in seconds after midnight."""

    async def now() -> bool:
        return all(at is not None and holds(at) for at in await shown(page))

    await until(now)


async def at_rest(page: Page) -> None:
    await expect(page.get_by_role("button", name="Play", exact=False).first).to_be_visible()

    async def still() -> bool:
        return bool(await page.locator(".tile video").evaluate_all("(all) => all.every((v) => v.paused && !v.seeking)"))

    await until(still)


async def test_from_a_place_and_a_time_to_footage_that_is_kept(city: City, seen: Tab) -> None:
    page = seen.page
    await page.goto("/find")
    place = page.get_by_role("combobox", name="Place")
    await place.fill("bus stand")
    await expect(page.get_by_role("option").first).to_contain_text(SITE)
    await place.press("Enter")
    await expect(place).to_have_value(SITE)
    await page.get_by_label("Day").fill(city.nine.strftime("%d/%m/%Y"))
    await page.get_by_label("From").fill("21")
    await page.get_by_label("To", exact=True).fill("22:00")
    await page.keyboard.press("Enter")

    await expect(page.locator(".counts")).to_contain_text(f"within 300 m of {SITE}, 3 with footage")
    texts = await page.locator(".result .about").all_inner_texts()
    metres = [int(text.split(" m ")[0]) for text in texts]
    assert metres == sorted(metres)
    await expect(row(page, 2)).to_contain_text("UPSRTC bus stand")
    await expect(row(page, 3)).to_contain_text("missing")
    await expect(row(page, 4)).to_contain_text("No footage")
    await expect(row(page, 4).get_by_role("link", name="Last before: 20:59")).to_be_visible()
    await expect(row(page, 4).get_by_role("link", name="Next after: 22:02")).to_be_visible()

    await page.get_by_role("button", name="Only with footage").click()
    await expect(page.locator(".result")).to_have_count(3)
    await page.get_by_role("button", name="Only with footage").click()

    await row(page, 1).get_by_role("checkbox").focus()
    for key in ("Space", "ArrowDown", "Space", "ArrowDown", "Space"):
        await page.keyboard.press(key)
    await expect(page.locator(".chosen")).to_contain_text("3 of 4 chosen")
    await page.keyboard.press("p")

    await expect(page.locator(".tile")).to_have_count(3)

    await every(page, lambda at: at > NINE_S + 1)
    await page.keyboard.press("k")
    await at_rest(page)

    async def together() -> bool:
        at = [one for one in await shown(page) if one is not None]
        return len(at) == 3 and max(at) - min(at) < FRAME_S

    await until(together)

    await page.get_by_role("button", name="Preserve").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.locator(".chip")).to_have_count(3)
    await dialog.get_by_label("Case").fill("FIR 118/2026")
    await dialog.get_by_label("Reason").fill("bag snatched")
    await dialog.get_by_label("Your name").fill("SI Singh")
    await dialog.get_by_role("button", name="Place the hold").click()
    await expect(page.locator(".toast").first).to_contain_text("Held for FIR 118/2026")
    holds = (await city.served.get("/api/v1/holds"))["items"]
    assert {hold["camera_id"] for hold in holds} == {1, 2, 3}
    nine, ten = city.moment(0), city.moment(3600)
    assert {(hold["from"][:19] + "Z", hold["to"][:19] + "Z") for hold in holds} == {(nine, ten)}

    # Once the case is known it is two clicks.
    await page.get_by_role("button", name="Back to the list").click()
    await row(page, 4).get_by_role("button", name="Preserve KNP-0004").click()
    await page.get_by_role("dialog").get_by_role("button", name="Place the hold").click()
    await expect(page.get_by_role("dialog")).to_be_hidden()
    assert len((await city.served.get("/api/v1/holds"))["items"]) == 4


async def test_a_gap_is_told_in_its_tile_while_the_others_go_on(city: City, seen: Tab) -> None:
    page = seen.page
    await page.goto(city.link(play="1,3", at=city.moment(14)))
    gap = page.locator(".tile").nth(1).locator(".panel")
    await expect(gap).to_contain_text("Recording gap")
    await expect(gap).to_contain_text("21:00:12 to 21:00:30 (18 s)")
    before = (await shown(page))[0]

    async def moved() -> bool:
        first = (await shown(page))[0]
        return first is not None and first > (before or 0) + 0.5

    await until(moved)
    await gap.get_by_role("button", name="All to 21:00:30").click()
    await expect(gap).to_be_hidden()

    await every(page, lambda at: at > NINE_S + 31)


async def test_pictures_are_enlarged_stepped_and_jumped_by_keys(city: City, seen: Tab) -> None:
    page = seen.page
    await page.goto(city.link(play="1,2", at=city.moment(20)))

    await every(page, lambda at: True)
    await page.keyboard.press("k")
    await at_rest(page)
    await page.keyboard.press("2")
    await expect(page.locator(".tile").nth(1)).to_have_class("tile big")
    await page.keyboard.press("0")
    await expect(page.locator(".tile.big")).to_have_count(0)
    await page.keyboard.press("l")
    await expect(page.get_by_label("Speed")).to_have_value("2")
    await page.keyboard.press("g")
    field = page.get_by_label("Date and time (")
    await field.fill(f"{city.nine:%d/%m/%Y} 21:00:40")
    await field.press("Enter")

    await every(page, lambda at: abs(at - NINE_S - 40) < FRAME_S)
    await page.keyboard.press("ArrowLeft")

    await every(page, lambda at: abs(at - NINE_S - 35) < FRAME_S)
    for _ in range(3):
        await page.keyboard.press(".")

    await every(page, lambda at: NINE_S + 35.05 < at < NINE_S + 36)
    await expect(page).to_have_url(re.compile(r"play=1,2&at="))


async def test_what_cannot_be_read_is_said_at_its_field_and_stays(seen: Tab) -> None:
    page = seen.page
    await page.goto("/find")
    await page.get_by_role("combobox", name="Place").fill("Atlantis")
    await page.get_by_label("Day").fill("31/02/2026")
    await page.get_by_label("From").fill("25:00")
    await page.get_by_label("From").press("Enter")
    await expect(page.locator("#find-day-wrong")).to_contain_text("Write the day like")
    await expect(page.locator("#find-from-wrong")).to_contain_text("Write it like 21:00")
    await expect(page.locator("#find-place-note")).to_contain_text("No place of this name is known")
    await expect(page.get_by_role("combobox", name="Place")).to_have_value("Atlantis")
    await expect(page.get_by_label("Day")).to_have_value("31/02/2026")
    await expect(page.get_by_label("From")).to_have_value("25:00")


async def test_coordinates_are_a_place(city: City, seen: Tab) -> None:
    page = seen.page
    await page.goto("/find")
    await page.get_by_role("combobox", name="Place").fill(f"{LAT}, {LON}")
    await page.get_by_label("Within").select_option("200")
    await page.get_by_label("Day").fill(city.nine.strftime("%d/%m/%Y"))
    await page.get_by_label("From").fill("21:00")
    await page.get_by_label("To", exact=True).fill("22:00")
    await page.get_by_role("button", name="Find", exact=True).click()
    await expect(page.locator(".result").first).to_contain_text("KNP-0001")
    await expect(page).to_have_url(re.compile(rf"near={LAT},{LON}&"))


async def test_a_link_holds_the_whole_search(city: City, seen: Tab) -> None:
    page = seen.page
    await page.goto(city.link(kind="bus_stand", covers="exit"))
    await expect(page.locator(".result .name b")).to_have_text(["KNP-0001", "KNP-0005"])
    await expect(page.get_by_label("Owner category")).to_have_value("bus_stand")
    await expect(page.get_by_label("Covers")).to_have_value("exit")
    await expect(page.get_by_label("From")).to_have_value("21:00")
    await expect(row(page, 5)).to_contain_text("No footage")


async def test_without_a_place_all_cameras_are_listed_page_by_page(city: City, seen: Tab) -> None:
    page = seen.page
    await page.goto(city.link(near=False))
    await expect(page.locator(".counts")).to_contain_text(f"{CAMERAS} cameras in the whole city")
    await expect(page.locator(".result .name b")).to_have_text(CODES)


async def test_where_nobody_looks_the_nearest_camera_is_named(city: City, seen: Tab) -> None:
    page = seen.page
    link = city.link().replace(f"near={LAT},{LON}", f"near={LAT + 0.0036},{LON}")  # 400 m north
    await page.goto(link)
    await expect(page.locator(".state")).to_contain_text("No camera within 100 m")
    await expect(page.locator(".state")).to_contain_text("The nearest is KNP-")
    await page.get_by_role("button", name="Widen to").click()
    await expect(page.locator(".result").first).to_be_visible()


async def test_plan_and_list_point_at_each_other(city: City, seen: Tab) -> None:
    page = seen.page
    await page.goto(city.link().replace("radius=100", "radius=5000"))
    await expect(page.locator(".counts")).to_contain_text("within 5 km")
    await expect(page.locator(".plan .dot")).to_have_count(await page.locator(".result").count())
    await row(page, 2).hover()
    await expect(page.locator(".plan .label")).to_contain_text("KNP-0002")
    farthest = page.locator(".result").last
    code = await farthest.locator(".name b").text_content() or ""
    await farthest.scroll_into_view_if_needed()
    await farthest.hover()
    number = await farthest.get_attribute("data-camera")
    await page.locator(f".plan .dot[data-camera='{number}'] .reach").click()
    await expect(page.locator(".result .name b")).to_have_text([code])
    await page.get_by_role("button", name="Show all").click()
    await expect(page.locator(".result").first).to_contain_text("KNP-0001")


async def test_at_most_four_are_chosen(city: City, seen: Tab) -> None:
    page = seen.page
    await page.goto(city.link())
    for number in range(1, 5):
        await row(page, number).get_by_role("checkbox").check()
    await row(page, 5).get_by_role("checkbox").click()
    await expect(page.locator(".toast")).to_contain_text("At most 4 cameras")
    await expect(row(page, 5).get_by_role("checkbox")).not_to_be_checked()


async def test_review_leads_to_what_is_nearby(city: City, seen: Tab) -> None:
    page = seen.page
    await page.goto("/cameras/2")
    await page.get_by_role("link", name="Find nearby").click()
    await expect(page.locator(".result").first).to_contain_text("KNP-0002")


async def test_all_of_it_is_in_hindi_too(city: City, browser: Browser) -> None:
    async with tab(browser, city.served.url, width=390, height=844, dark=False) as seen:
        await seen.page.goto(city.link())
        await seen.page.get_by_role("button", name="हि").click()
        await expect(seen.page.locator(".counts")).to_contain_text(f"{GATES} कैमरे")
        await expect(row(seen.page, 4)).to_contain_text("फुटेज नहीं")
        await expect(row(seen.page, 1)).to_contain_text("द्वार 1")
        wide = await seen.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1]


NASTY = "<img src=x onerror=document.title='owned'>\"'><b>"


async def test_names_are_text_and_never_markup(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> None:
    async with serve(tmp_path_factory.mktemp("nasty")) as served:
        served.fleet.healths[CameraId(1)] = RECORDING
        place = {"lat": LAT, "lon": LON, "bearing": 10}
        await served.add("KNP-0001", name=NASTY, name_hi=NASTY, site=NASTY, station=NASTY, **place)
        async with tab(browser, served.url) as seen:
            now = datetime.now(UTC)
            window = (
                f"from={now - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}&to={now + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
            )
            await seen.page.goto(f"/find?near={LAT},{LON}&place={NASTY.replace('<', '%3C')}&radius=100&{window}")
            await expect(row(seen.page, 1)).to_contain_text(NASTY)
            await row(seen.page, 1).hover()
            await expect(seen.page.locator(".plan .label")).to_contain_text("<img src=x")
            await row(seen.page, 1).get_by_role("checkbox").check()
            await seen.page.get_by_role("combobox", name="Place").fill("onerror")
            await expect(seen.page.get_by_role("option").first).to_contain_text("<img src=x")
            await seen.page.get_by_role("button", name="Play together").click()
            await expect(seen.page.locator(".tile .name")).to_contain_text(NASTY)
            assert await seen.page.locator("img[src=x]").count() == 0
            assert "owned" not in await seen.page.title()
