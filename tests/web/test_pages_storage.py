"""The page of the storage in a real browser on the real application: disks, promises, policies, holds."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from storage.catalog import alerts
from storage.clock import wall_us
from storage.terms import DAY_US
from storage.trouble import Alert, AlertStep
from tests.web.browser import WAIT_MS, Tab, tab
from tests.web.served import RECORDING, Served, serve
from tests.web.stored import city, look
from web.keys import KEEPER

pytestmark = pytest.mark.needs("chromium")
expect.set_options(timeout=WAIT_MS)

CITY = (
    ("KNP-0001", "bank_atm", 4),
    ("KNP-0002", "bank_atm", 8),
    ("KNP-0003", "shop", 2),
    ("KNP-0004", "police_post", 1),
)


@pytest_asyncio.fixture(loop_scope="session")
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as running:
        running.fleet.usual = RECORDING
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def stored(served: Served) -> Served:
    await city(served, CITY)
    return served


async def hold(served: Served, *, camera: int = 1, case: str = "FIR 412/2026", days: float = 1) -> None:
    now_us = wall_us()
    body = {"case": case, "cameras": [camera], "from": now_us - round(days * DAY_US), "to": now_us, "reason": "theft"}
    status, answer, _ = await served.ask("POST", "/api/v1/holds", json=body | {"by": "SI Verma"})
    assert status == 201, answer


# -- disks and promises ------------------------------------------------------------------------------------------------


async def test_disk_says_how_full_it_is_and_when_a_promise_breaks(stored: Served, browser: Browser) -> None:
    await hold(stored)
    await look(stored.app[KEEPER])
    async with tab(browser, stored.url) as seen:
        await seen.page.goto("/storage")
        await expect(seen.page.locator(".rail a[aria-current=page]")).to_contain_text("Storage")
        disk = seen.page.locator("article.disk")
        await expect(disk.locator("h2")).to_contain_text("footage")
        await expect(disk.locator(".usage-words")).to_contain_text(
            re.compile(r"footage 14 GB.*of it held 9[0-9]+ MB.*free")
        )
        await expect(disk.locator(".forecast")).to_contain_text(re.compile("promise|Full in|Too small"))


async def test_promises_are_told_by_policy_and_by_camera_the_worst_first(stored: Served, browser: Browser) -> None:
    async with tab(browser, stored.url) as seen:
        await seen.page.goto("/storage")
        await expect(seen.page.locator(".group")).to_have_count(3)
        await expect(seen.page.locator(".group").first).to_contain_text("Bank or ATM")
        rows = seen.page.locator(".promise-table tbody tr")
        await expect(rows).to_have_count(4)
        await expect(rows.first).to_contain_text("KNP-0004")  # a day of 365
        await seen.page.get_by_role("button", name=re.compile("Bank or ATM")).click()
        await expect(rows).to_have_count(2)
        await expect(seen.page).to_have_url(f"{stored.url}/storage?policy=bank_atm")
        await seen.page.reload()
        await expect(rows).to_have_count(2)
        await seen.page.get_by_role("button", name="Clear").click()
        await seen.page.get_by_label("Owner category").select_option("shop")
        await expect(rows).to_have_count(1)
        await seen.page.get_by_label("Owner category").select_option("")
        await seen.page.get_by_role("searchbox").fill("0002")
        await expect(rows).to_contain_text(["KNP-0002"])


async def test_administrator_learns_what_ninety_days_cost_in_two_clicks(stored: Served, browser: Browser) -> None:
    """Which cameras, what does it need in disk, is anything already deleted?"""
    async with tab(browser, stored.url) as seen:
        await seen.page.goto("/")
        await seen.page.get_by_role("link", name="Storage").click()
        await seen.page.get_by_role("link", name="Policies").click()
        bank = seen.page.locator("tr", has_text="Bank or ATM")
        await expect(bank).to_contain_text("90 days")
        await expect(bank.locator("[data-label=Cameras]")).to_have_text("2")
        await expect(bank.locator("[data-label='Promise needs']")).to_have_text("691 GB")  # 2 x 3.84 GB a day x 90
        await expect(bank.locator("[data-label='Deleted too early']")).to_have_text("nothing")
        await bank.get_by_role("button", name="2").click()
        await expect(seen.page.locator(".promise-table tbody tr")).to_have_count(2)


async def test_what_else_is_wrong_is_told_above_and_in_the_header(stored: Served, browser: Browser) -> None:
    step = AlertStep(opened=(Alert(0, "clock", "n1", "it was set back by a day", wall_us()),))
    await stored.catalog.write(partial(alerts.take, step=step, at_us=wall_us(), messages=[]))
    async with tab(browser, stored.url) as seen:
        await seen.page.goto("/storage")
        await expect(seen.page.locator(".alerts")).to_contain_text("The clock is not trusted")
        await seen.page.locator(".header .pill").click()
        await expect(seen.page.get_by_role("dialog")).to_contain_text("it was set back by a day")


# -- policies ----------------------------------------------------------------------------------------------------------


async def edit(page: Page, days: str) -> None:
    await page.locator("tr", has_text="Bank or ATM").get_by_role("button", name="Change the policy for").click()
    await page.get_by_label("Keep at least").fill(days)
    await page.get_by_label("Keep at most").fill(days)
    await page.get_by_role("button", name="See what it does").click()


async def test_policy_is_previewed_confirmed_saved_and_taken_back(stored: Served, browser: Browser) -> None:
    async with tab(browser, stored.url) as seen:
        page = seen.page
        await page.goto("/storage?view=policies")
        await edit(page, "3")
        preview = page.get_by_role("status", name="What this does")
        await expect(preview).to_contain_text("2 cameras change. 2 of them keep less than now.")
        await expect(preview).to_contain_text("IST")
        await expect(preview).to_contain_text("Oldest day lost")
        save = page.get_by_role("button", name="Save this change")
        await expect(save).to_be_disabled()  # more than a fifth of the volume
        await page.get_by_label("To confirm, type bank_atm").fill("bank_atm")
        await save.click()
        waiting = page.locator(".waiting-changes")
        await expect(waiting).to_contain_text("90 days → 3 days")
        status, answer, _ = await stored.ask("GET", "/api/v1/retention/cameras?text=KNP-0001")
        assert status == 200 and answer["items"][0]["in_force"]["max_days"] == 90, "shorter only a day later"
        await waiting.get_by_role("button", name="Cancel the change").click()
        await page.get_by_role("dialog").get_by_role("button", name="Cancel the change").click()
        await expect(waiting).to_have_count(0)
        await expect(page.locator("tr", has_text="Bank or ATM")).to_contain_text("90 days")


async def test_longer_policy_needs_no_confirmation_and_says_what_it_will_need(stored: Served, browser: Browser) -> None:
    async with tab(browser, stored.url) as seen:
        await seen.page.goto("/storage?view=policies")
        await edit(seen.page, "180")
        preview = seen.page.get_by_role("status", name="What this does")
        await expect(preview).to_contain_text("about 691 GB more on disk")
        await seen.page.get_by_label("Keep at most").fill("200")
        await expect(preview).to_have_count(0)  # what was looked at is not what would be saved
        await seen.page.get_by_role("button", name="See what it does").click()
        await seen.page.get_by_role("button", name="Save this change").click()
        await expect(seen.page.locator("tr", has_text="Bank or ATM")).to_contain_text("180 to 200 days")


async def test_what_is_wrong_is_told_at_the_field_and_what_was_typed_stays(stored: Served, browser: Browser) -> None:
    async with tab(browser, stored.url) as seen:
        page = seen.page
        await page.goto("/storage?view=policies")
        await page.get_by_role("button", name="New policy").click()
        await expect(page.locator("#policy-target-note")).to_contain_text("There is a policy for them already")
        await page.get_by_label("For whom").select_option("station")
        await page.get_by_label("Keep at least").fill("ninety")
        await page.get_by_role("button", name="See what it does").click()
        await expect(page.locator("#policy-min-note")).to_have_text("A whole number from 1 to 3,650.")
        await expect(page.locator("#policy-target-note")).to_have_text("Say for whom.")
        await expect(page.get_by_label("Keep at least")).to_have_value("ninety")
        await page.locator("#policy-target").fill("Kotwali")
        await page.get_by_label("Keep at least").fill("60")
        await page.get_by_role("button", name="See what it does").click()
        await expect(page.get_by_role("status", name="What this does")).to_contain_text("4 cameras change")
        # a name that the server refuses
        await page.get_by_label("Name", exact=True).fill("no blanks")
        await page.get_by_role("button", name="See what it does").click()
        await expect(page.locator("#policy-name-note")).to_have_attribute("role", "alert")
        seen.wrong.clear()  # the browser itself reports the 422


async def test_a_camera_is_asked_which_policy_it_has(stored: Served, browser: Browser) -> None:
    async with tab(browser, stored.url) as seen:
        await seen.page.goto("/storage?view=policies")
        await seen.page.get_by_role("combobox").fill("0004")
        await expect(seen.page.get_by_role("option")).to_have_count(1)
        await seen.page.keyboard.press("Enter")
        told = seen.page.locator(".stack .pairs")
        await expect(told).to_contain_text("365 to 548 days")
        await expect(told).to_contain_text("Owner category: Police post")


# -- holds -------------------------------------------------------------------------------------------------------------


async def test_hold_is_placed_and_released_for_a_reason(stored: Served, browser: Browser) -> None:
    async with tab(browser, stored.url) as seen:
        page = seen.page
        await page.goto("/storage?view=holds")
        await expect(page.get_by_text("Nothing is held")).to_be_visible()
        await page.locator(".bar").get_by_role("button", name="New hold").click()
        await page.get_by_role("combobox").fill("0002")
        await page.get_by_role("option", name="KNP-0002").click()
        await page.get_by_role("button", name="Place the hold").click()
        await expect(page.locator("#hold-case-note")).to_have_text("Name the case.")
        await page.get_by_label("Case (FIR number)").fill("FIR 412/2026")
        await page.get_by_label("Reason", exact=True).fill("Robbery")
        await page.get_by_label("Your name and rank").fill("SI Verma")
        await page.get_by_role("button", name="Place the hold").click()
        row = page.locator(".holds-table tbody tr")
        await expect(row).to_contain_text("FIR 412/2026")
        await expect(row).to_contain_text("KNP-0002")
        await row.get_by_role("button", name="Release").click()
        await page.get_by_role("button", name="Release the hold").click()
        await expect(page.locator("#release-reason-note")).to_have_text("Say why.")
        await page.get_by_label("Reason for releasing it").fill("Charge sheet filed")
        await page.get_by_role("button", name="Release the hold").click()
        await expect(page.get_by_text("Nothing is held")).to_be_visible()
        await page.get_by_role("button", name="Released too").click()
        await expect(row).to_contain_text("Charge sheet filed")


async def test_reviews_that_are_due_are_marked(stored: Served, browser: Browser) -> None:
    await hold(stored)
    past = {"at": wall_us() - DAY_US}
    await stored.catalog.write(lambda db: db.execute("UPDATE hold SET review_us = :at", past))
    async with tab(browser, stored.url) as seen:
        await seen.page.goto("/storage?view=holds")
        await expect(seen.page.locator(".banner")).to_contain_text("1 review is overdue")
        await expect(seen.page.locator(".holds-table .pill")).to_contain_text("overdue since")


async def test_range_of_the_timeline_is_held_in_two_clicks(stored: Served, browser: Browser) -> None:
    async with tab(browser, stored.url) as seen:
        page = seen.page
        await page.goto("/cameras/2")
        await expect(page.locator("h1")).to_contain_text("KNP-0002")
        await page.evaluate("localStorage.setItem('nvr.hold.case', 'FIR 7/2026')")
        await page.evaluate("localStorage.setItem('nvr.hold.reason', 'Theft')")
        await page.evaluate("localStorage.setItem('nvr.hold.by', 'SI Verma')")
        await page.keyboard.press("h")
        await expect(page.get_by_text("First choose a range")).to_be_visible()
        box = await page.locator(".timeline canvas").bounding_box()
        assert box is not None
        y = box["y"] + 70
        await page.keyboard.down("Shift")
        await page.mouse.move(box["x"] + 100, y)
        await page.mouse.down()
        await page.mouse.move(box["x"] + 300, y, steps=4)
        await page.mouse.up()
        await page.keyboard.up("Shift")
        await page.locator(".range").get_by_role("button", name="Hold").click()
        await page.get_by_role("button", name="Place the hold").click()
        await expect(page.get_by_text("Held for FIR 7/2026")).to_be_visible()
        await expect(page.locator(".timeline table")).to_contain_text("Held: FIR 7/2026")
        await page.locator(".timeline canvas").hover(position={"x": 200, "y": 70})
        await expect(page.locator(".hover .held")).to_contain_text("FIR 7/2026")
        seen.wrong.clear()  # rows without files behind them: the player says so


# -- states ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["disks", "policies", "holds"])
async def test_without_cameras_every_view_says_what_it_is(served: Served, browser: Browser, view: str) -> None:
    said = {"disks": "No camera has a promise yet", "policies": "No policies yet", "holds": "Nothing is held"}
    async with tab(browser, served.url) as seen:
        await seen.page.goto(f"/storage?view={view}")
        await expect(seen.page.get_by_text(said[view])).to_be_visible()


@pytest.mark.parametrize("view, path", [("policies", "retention/policies"), ("holds", "holds"), ("disks", "volumes")])
async def test_every_view_says_when_the_server_is_gone_and_recovers(
    stored: Served, browser: Browser, view: str, path: str
) -> None:
    async def refuse(route: Route) -> None:
        await route.abort()

    async with tab(browser, stored.url) as seen:
        await seen.page.route(f"**/api/v1/{path}*", refuse)
        await seen.page.goto(f"/storage?view={view}")
        await expect(seen.page.get_by_role("alert").first).to_contain_text("The server does not answer.")
        await seen.page.unroute(f"**/api/v1/{path}*")
        await seen.page.get_by_role("button", name="Try again").first.click()
        shown = {"policies": "Bank or ATM", "holds": "Nothing is held", "disks": "free"}
        await expect(seen.page.locator(".storage")).to_contain_text(shown[view])
        seen.wrong.clear()  # the browser itself reports the refused connection


@pytest.mark.parametrize("view", ["disks", "policies", "holds"])
@pytest.mark.parametrize("width, height", [(1366, 768), (1920, 1080), (390, 844)])
async def test_nothing_scrolls_sideways(served: Served, browser: Browser, view: str, width: int, height: int) -> None:
    await city(served, [("KNP-" + "9" * 40, "bank_atm", 0.5), ("KNP-0001", "shop", 0.5)])
    await hold(served, case="A case with a name that is so long that it would push everything else off the screen " * 2)
    for language in ("English", "हिन्दी"):
        async with tab(browser, served.url, width=width, height=height) as seen:
            await seen.page.goto(f"/storage?view={view}")
            await seen.page.locator(f".languages button:has-text('{language}')").dispatch_event("click")
            await expect(seen.page.locator(".rows tbody tr").first).to_be_visible()
            await sideways(seen)


async def sideways(seen: Tab) -> None:
    wide = "(e) => e.scrollWidth - e.clientWidth"
    assert await seen.page.locator("html").evaluate(wide) == 0
    assert await seen.page.locator("#content").evaluate(wide) == 0
    for table in await seen.page.locator(".rows").all():
        assert await table.evaluate(wide) == 0
