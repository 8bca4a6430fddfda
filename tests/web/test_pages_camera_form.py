"""Registering and changing cameras, their history and their sites, in a real browser on the real application."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from nvr.onvif import Onveef
from storage.catalog import cameras, probes
from storage.clock import wall_us
from storage.model import Camera, CameraId, Probe
from storage.terms import DAY_US
from tests.nvr.onvif_device import OnvifDevice, serving
from tests.web.browser import WAIT_MS, Tab, tab
from tests.web.served import RECORDING, Served, serve

pytestmark = pytest.mark.needs("chromium")
expect.set_options(timeout=WAIT_MS)

EVIL = "<img src=x onerror=window.evil=1>\"'><script>window.evil=1</script>"
PLACE = {"lat": 26.4499, "lon": 80.3319}


@pytest_asyncio.fixture(loop_scope="session")
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as running:
        running.fleet.usual = RECORDING
        yield running


def refusals_heard(seen: Tab, status: int) -> None:
    """The browser itself reports every refusal of the server: those that the test asked for are no trouble."""
    seen.wrong[:] = [line for line in seen.wrong if f"status of {status}" not in line]


async def open_new(page: Page) -> Locator:
    await page.goto("/")
    await page.get_by_role("button", name="Add camera").first.click()
    return page.get_by_role("dialog")


async def open_edit(page: Page, camera_id: int) -> Locator:
    await page.goto(f"/?edit={camera_id}")
    return page.get_by_role("dialog")


async def test_camera_is_registered_with_all_that_is_known_of_it(served: Served, browser: Browser) -> None:
    async with tab(browser, served.url) as seen:
        form = await open_new(seen.page)
        await form.get_by_label("Code", exact=True).fill("KNP-0412")
        await form.get_by_label("Name", exact=True).fill("Bus stand gate 1")
        await form.get_by_label("Name in Hindi").fill("बस अड्डा द्वार 1")
        await form.get_by_label("entrance").check()
        await form.get_by_label("Tags").fill("women, metro")
        await form.get_by_label("Stream address").fill("rtsp://10.0.0.64:554/ch1")
        await form.get_by_label("User name").fill("recorder")
        await form.get_by_label("Password").fill("s3cret")
        await form.get_by_label("Site", exact=True).fill("Jhakarkati bus stand")
        await form.get_by_label("Police station").fill("Babupurwa")
        await form.get_by_label("Latitude (north)").fill("26.4499, 80.3319")
        await expect(form.get_by_label("Longitude (east)")).to_have_value("80.3319")
        await form.get_by_label("Looks to (degrees)").fill("90")
        await form.get_by_label("Owner category").select_option(label="UPSRTC bus stand")
        await form.get_by_label("MAC address").fill("00-1A-2B-3C-4D-5E")
        await form.get_by_label("Your name and rank").fill("SI Verma")
        await form.get_by_role("button", name="Add camera").click()
        await expect(form).to_have_count(0)
        await expect(seen.page.locator("a.card")).to_contain_text("KNP-0412 Bus stand gate 1")
    camera = await served.get("/api/v1/cameras/1")
    assert {name: camera[name] for name in ("name_hi", "covers", "tags", "url", "site", "owner_kind", "mac")} == {
        "name_hi": "बस अड्डा द्वार 1",
        "covers": ["entrance"],
        "tags": ["women", "metro"],
        "url": "rtsp://10.0.0.64:554/ch1",
        "site": "Jhakarkati bus stand",
        "owner_kind": "bus_stand",
        "mac": "00:1a:2b:3c:4d:5e",
    }
    assert (camera["lat"], camera["lon"], camera["bearing"], camera["has_credentials"]) == (26.4499, 80.3319, 90, True)
    history = await served.get("/api/v1/cameras/1/history")
    assert history["items"][0]["by"] == "SI Verma"


async def test_what_is_wrong_is_said_at_the_field_and_nothing_typed_is_lost(served: Served, browser: Browser) -> None:
    await served.add("KNP-0001")
    async with tab(browser, served.url, language="hi-IN") as seen:
        await seen.page.goto("/")
        await seen.page.get_by_role("button", name="हिन्दी").click()
        await seen.page.get_by_role("button", name="कैमरा जोड़ें").click()
        form = seen.page.get_by_role("dialog")
        await form.get_by_label("कोड", exact=True).fill("KNP 1")
        await form.get_by_label("स्ट्रीम का पता").fill("http://10.0.0.5/x")
        await form.get_by_label("अक्षांश (उत्तर)").fill("126")
        await form.get_by_role("button", name="कैमरा जोड़ें").click()
        await expect(form.get_by_text("केवल 1 से 64 अक्षर", exact=False)).to_be_visible()
        await expect(form.get_by_label("कोड", exact=True)).to_be_focused()
        await expect(form.locator("#camera-url-note")).to_contain_text("rtsp://")
        await expect(form.locator("#camera-lat-note")).to_contain_text("-90")
        # What only the server knows is said in the viewer's language as well.
        await form.get_by_label("कोड", exact=True).fill("KNP-0001")
        await form.get_by_label("स्ट्रीम का पता").fill("rtsp://10.0.0.6/x")
        await form.get_by_label("अक्षांश (उत्तर)").fill("")
        await form.get_by_role("button", name="कैमरा जोड़ें").click()
        await expect(form.locator("#camera-code-note")).to_contain_text("यह कोड किसी और कैमरे का है")
        await expect(form.get_by_label("स्ट्रीम का पता")).to_have_value("rtsp://10.0.0.6/x")
        # Nor is it lost by a slip of the hand.
        await seen.page.keyboard.press("Escape")
        await expect(form.get_by_role("alertdialog")).to_contain_text("सहेजा नहीं गया")
        await form.get_by_role("button", name="लिखते रहें").click()
        await expect(form.get_by_label("कोड", exact=True)).to_have_value("KNP-0001")
        refusals_heard(seen, 409)


async def test_known_site_fills_what_is_empty_and_only_that(served: Served, browser: Browser) -> None:
    await served.add("KNP-0001", site="Naveen Market", station="Colonelganj", address="Parade", ward="7", **PLACE)
    async with tab(browser, served.url) as seen:
        form = await open_new(seen.page)
        await form.get_by_label("Address", exact=True).fill("Gate 2")
        await form.get_by_label("Site", exact=True).fill("Naveen Market")
        await expect(form.get_by_label("Police station")).to_have_value("Colonelganj")
        await expect(form.get_by_label("Ward")).to_have_value("7")
        await expect(form.get_by_label("Latitude (north)")).to_have_value("26.4499")
        await expect(form.get_by_label("Address", exact=True)).to_have_value("Gate 2")
        await expect(form.locator("#camera-site-note")).to_contain_text("known site with 1 camera")


async def test_exchanged_coordinates_are_told_and_put_right(served: Served, browser: Browser) -> None:
    async with tab(browser, served.url) as seen:
        form = await open_new(seen.page)
        await form.get_by_label("Latitude (north)").fill("80.3319 26.4499")
        await expect(form.get_by_text("seem to be exchanged")).to_be_visible()
        await form.get_by_role("button", name="Exchange them").click()
        await expect(form.get_by_label("Latitude (north)")).to_have_value("26.4499")
        await expect(form.get_by_text("seem to be exchanged")).to_have_count(0)


@pytest.mark.parametrize(
    "choice, places",
    [
        ("It moved now", 2),
        ("It was always here: the old place was a mistake", 1),
    ],
)
async def test_new_place_says_since_when(served: Served, browser: Browser, choice: str, places: int) -> None:
    await served.add("BUS-1", **PLACE)
    async with tab(browser, served.url) as seen:
        form = await open_edit(seen.page, 1)
        await expect(form.get_by_text("stood elsewhere")).to_have_count(0)
        await form.get_by_label("Latitude (north)").fill("26.4600")
        await expect(form.get_by_text("BUS-1 stood elsewhere")).to_be_visible()
        await form.get_by_label(choice).check()
        await form.get_by_role("button", name="Save").click()
        await expect(form).to_have_count(0)
    found = (await served.get("/api/v1/cameras/1/places"))["items"]
    assert (len(found), found[0]["lat"]) == (places, 26.46)


async def test_camera_moved_at_a_known_time(served: Served, browser: Browser) -> None:
    now_us = wall_us()
    bus = Camera(CameraId(0), "BUS-1", "Bus", "rtsp://10.0.0.5/x", "local", lat=26.4499, lon=80.3319)
    await served.catalog.write(partial(cameras.add, camera=replace(bus, created_us=now_us - 9 * DAY_US)))
    moved = datetime.fromtimestamp((now_us - DAY_US) / 1e6, ZoneInfo("Asia/Kolkata"))
    async with tab(browser, served.url) as seen:
        form = await open_edit(seen.page, 1)
        await form.get_by_label("Latitude (north)").fill("26.4600")
        await form.get_by_label("It moved at a known time").check()
        await form.get_by_role("button", name="Save").click()
        await expect(form.get_by_text("Write it like 22/11/2026")).to_be_visible()
        await form.get_by_label("Moved at", exact=True).fill("22/11/2046 21:00")
        await form.get_by_role("button", name="Save").click()
        await expect(form.locator("#camera-moved_at-note")).to_have_class("wrong")
        await form.get_by_label("Moved at", exact=True).fill(f"{moved:%d/%m/%Y %H:%M}")
        await form.get_by_role("button", name="Save").click()
        await expect(form).to_have_count(0)
        # The history tells it.
        await seen.page.goto("/?history=1")
        history = seen.page.get_by_role("dialog")
        await expect(history.get_by_role("region", name="Where it stood")).to_contain_text(f"{moved:%d/%m/%Y %H:%M:00}")
        await expect(history.locator(".history li").first).to_contain_text("Latitude (north)")
        await expect(history.locator(".history li").first).to_contain_text("26.4499 → 26.46")
        refusals_heard(seen, 422)


@pytest.mark.parametrize("choice, login", [("keep the stored one", True), ("forget it", False)])
async def test_login_is_never_shown_and_kept_or_forgotten(
    served: Served, browser: Browser, choice: str, login: bool
) -> None:
    await served.add("KNP-0001", credentials={"username": "recorder", "password": "s3cret"})
    async with tab(browser, served.url) as seen:
        form = await open_edit(seen.page, 1)
        await form.get_by_label("Login").select_option(label=choice)
        await form.get_by_label("Name", exact=True).fill("Gate")
        assert "s3cret" not in await seen.page.content()
        await form.get_by_role("button", name="Save").click()
        await expect(form).to_have_count(0)
    camera = await served.get("/api/v1/cameras/1")
    assert (camera["name"], camera["has_credentials"]) == ("Gate", login)


async def test_login_does_not_go_to_another_device(served: Served, browser: Browser) -> None:
    await served.add("KNP-0001", credentials={"username": "recorder", "password": "s3cret"})
    async with tab(browser, served.url) as seen:
        form = await open_edit(seen.page, 1)
        await form.get_by_label("Stream address").fill("rtsp://10.9.9.9/x")
        await expect(form.get_by_text("enter its login, or save first")).to_be_visible()
        await form.get_by_role("button", name="Save").click()
        await expect(form.get_by_text("leads to another device")).to_be_visible()
        await form.get_by_label("Login").select_option(label="enter another")
        await form.get_by_label("User name").fill("other")
        await form.get_by_label("Password").fill("x")
        await form.get_by_role("button", name="Save").click()
        await expect(form).to_have_count(0)
    assert (await served.get("/api/v1/cameras/1"))["url"] == "rtsp://10.9.9.9/x"


async def test_camera_is_tried_before_it_is_registered(served: Served, browser: Browser) -> None:
    async with tab(browser, served.url) as seen:
        form = await open_new(seen.page)
        await form.get_by_label("Stream address").fill("rtsp://10.0.0.64/x")
        await form.get_by_label("User name").fill("recorder")
        await form.get_by_role("button", name="Try this camera").click()
        await expect(form.locator(".probe")).to_contain_text("It sends video")
        await expect(form.locator(".probe")).to_contain_text("H264, 1920 × 1080, 25 fps")
    (probed,) = served.fleet.probed
    assert probed[0] == "rtsp://10.0.0.64/x" and probed[1] is not None and probed[1].username == "recorder"


async def test_camera_tells_by_onvif_what_it_is_and_fills_the_form(tmp_path: Path, browser: Browser) -> None:
    device = OnvifDevice()
    async with serving(device), serve(tmp_path, onvif=Onveef()) as served, tab(browser, served.url) as seen:
        form = await open_new(seen.page)
        await form.get_by_label("User name").fill("admin")
        await form.get_by_label("Password").fill("wrong")
        await form.get_by_role("button", name="Find by ONVIF").click()
        await form.get_by_label("Address of the camera").fill(device.address)
        await form.get_by_role("button", name="Ask for its streams").click()
        await expect(form.get_by_role("alert")).to_contain_text("refuses this user or password")
        await form.get_by_label("Password").fill(device.password)
        await form.get_by_role("button", name="Ask for its streams").click()
        streams = form.get_by_role("list", name="Its streams")
        await expect(streams.get_by_role("listitem").first).to_contain_text("mainStream H264, 2560 × 1440, 25 fps")
        await streams.get_by_role("button", name="Use this one").first.click()
        await expect(form.get_by_label("Stream address")).to_have_value(device.stream)
        await expect(form.get_by_label("Make")).to_have_value("Gangotri Optics")
        await expect(form.get_by_label("MAC address")).to_have_value("02:00:5e:10:00:41")
        await expect(form.get_by_label("Firmware")).to_have_value("5.7.12 build 240311")
        refusals_heard(seen, 422)


async def test_archiving_says_what_happens_and_can_be_undone(served: Served, browser: Browser) -> None:
    await served.add("KNP-0001", name="Gate")
    async with tab(browser, served.url) as seen:
        await seen.page.goto("/")
        await seen.page.get_by_role("button", name="List", exact=True).click()
        await seen.page.get_by_role("button", name="Change KNP-0001").click()
        form = seen.page.get_by_role("dialog")
        await form.get_by_role("button", name="Archive …").click()
        await expect(form.get_by_role("alertdialog")).to_contain_text("Its footage stays")
        await form.get_by_role("button", name="Archive this camera").click()
        await expect(seen.page.get_by_text("No cameras yet")).to_be_visible()
        await seen.page.get_by_role("button", name="Archived").click()
        await expect(seen.page.get_by_role("row")).to_have_count(2)
        await seen.page.get_by_role("button", name="Bring KNP-0001 back").click()
        await expect(seen.page.get_by_text("No camera matches")).to_be_visible()
        await seen.page.get_by_role("button", name="Archived").click()
        await expect(seen.page.get_by_role("row")).to_have_count(2)
    assert (await served.get("/api/v1/cameras/1"))["archived_at"] is None


TEXTS = ("name", "name_hi", "owner", "contact", "site", "station", "ward", "zone", "address", "make", "model", "serial")


async def test_markup_in_any_field_is_only_text(served: Served, browser: Browser) -> None:
    fields: dict[str, Any] = dict.fromkeys((*TEXTS, "firmware", "legal_basis"), EVIL)
    await served.add("KNP-0001", tags=[EVIL[:60]], by=EVIL, **fields, **PLACE)
    async with tab(browser, served.url) as seen:
        for path in ("/", "/?edit=1", "/?history=1"):
            await seen.page.goto(path)
            await expect(seen.page.get_by_text(re.compile("<img src=x")).first).to_be_visible()
        await seen.page.goto("/")
        await seen.page.get_by_role("button", name="Sites").click()
        await expect(seen.page.get_by_role("dialog").get_by_role("row").nth(1)).to_contain_text("<img src=x")
        await seen.page.goto("/cameras/1")
        await expect(seen.page.locator(".facts")).to_contain_text("<img src=x")
        assert await seen.page.evaluate("window.evil") is None
        assert await seen.page.locator("img[src=x], script:not([src]):not([type=importmap])").count() == 0


@pytest.mark.parametrize("width, height", [(1366, 768), (390, 844)])
async def test_no_dialog_scrolls_sideways(served: Served, browser: Browser, width: int, height: int) -> None:
    long = "A name that is so long that it would push everything else off the screen " * 2
    await served.add(
        "KNP-0001", name=long, name_hi=long, site=long, address=long, credentials={"username": "x"}, **PLACE
    )
    async with tab(browser, served.url, width=width, height=height) as seen:
        for language in ("English", "हिन्दी"):
            for path in ("/?edit=1", "/?history=1"):
                await seen.page.goto(path)
                await seen.page.locator(f".languages button:has-text('{language}')").dispatch_event("click")
                await expect(seen.page.locator("dialog .camera-form, dialog .history li").first).to_be_visible()
                assert await seen.page.locator("dialog").evaluate("(e) => e.scrollWidth - e.clientWidth") == 0
            await seen.page.goto("/")
            for word in ("Sites", "Import") if language == "English" else ("स्थल", "आयात"):
                await seen.page.get_by_role("button", name=word, exact=True).click()
                await expect(seen.page.locator("dialog .actions, dialog .rows").first).to_be_visible()
                assert await seen.page.locator("dialog").evaluate("(e) => e.scrollWidth - e.clientWidth") == 0
                await seen.page.keyboard.press("Escape")
                await expect(seen.page.locator("dialog")).to_have_count(0)


async def test_registering_needs_no_mouse(served: Served, browser: Browser) -> None:
    async with tab(browser, served.url) as seen:
        await seen.page.goto("/")
        await seen.page.get_by_role("button", name="Add camera").first.focus()
        await seen.page.keyboard.press("Enter")
        form = seen.page.get_by_role("dialog")
        await expect(form.get_by_label("Code", exact=True)).to_be_focused()
        await seen.page.keyboard.type("KNP-0007")
        await seen.page.keyboard.press("Enter")
        await expect(form.get_by_label("Stream address")).to_be_focused()  # what is wrong has the focus
        await seen.page.keyboard.type("rtsp://10.0.0.7/x")
        await seen.page.keyboard.press("Enter")
        await expect(form).to_have_count(0)
        await expect(seen.page.locator("a.card")).to_contain_text("KNP-0007")


async def test_review_tells_what_the_last_look_found(served: Served, browser: Browser) -> None:
    await served.add("KNP-0001", make="CP Plus", model="CP-UNC", contact="Ramesh, 0512 000000")
    looked = Probe(CameraId(1), wall_us(), "h264", 1280, 720, 25.0, "", False, findings=("audio_present", "long_gop"))
    await served.catalog.write(partial(probes.put_look, probe=looked))
    async with tab(browser, served.url) as seen:
        await seen.page.goto("/cameras/1")
        facts = seen.page.get_by_role("region", name="About this camera")
        await expect(facts).to_contain_text("CP Plus CP-UNC")
        findings = facts.get_by_role("region", name="Findings")
        await expect(findings.get_by_role("listitem").first).to_contain_text("More than four seconds")
        await expect(findings.locator(".fix").first).to_be_visible()
        await facts.get_by_role("link", name="Change this camera").click()
        await expect(seen.page.get_by_role("dialog", name="Change KNP-0001")).to_be_visible()
