"""The page of one camera in a real browser: any moment, over gaps, by keyboard, as a file. Real footage, real server."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from storage.catalog import cameras
from storage.clock import wall_us
from storage.model import Camera, CameraId
from tests.lavfi import recorded
from tests.web.archived import LAG_US
from tests.web.browser import WAIT_MS, Tab, tab
from tests.web.served import RECORDING, Served, serve

pytestmark = pytest.mark.needs("chromium")
expect.set_options(timeout=WAIT_MS)

T0_US = 1_795_000_020_000_000
S = 1_000_000
HOME = ZoneInfo("Asia/Kolkata")
FRAME_S = 0.1
BEGIN_US = T0_US + LAG_US + 100_000
"""A frame after T0: no expected second lies on the edge between two."""


def at(seconds: float) -> datetime:
    """The moment so many seconds after the footage begins."""
    return datetime.fromtimestamp((T0_US + seconds * S) / 1e6, UTC)


def link(camera_id: int, seconds: float) -> str:
    return f"/cameras/{camera_id}?at={at(seconds).isoformat().replace('+00:00', 'Z')}"


async def place(seen: Tab) -> float:
    """Seconds after the footage's begin that the page says it shows; -1 while it says none."""
    text = await seen.shown_at()
    if not text:
        return -1
    shown = datetime.combine(at(0).astimezone(HOME).date(), time.fromisoformat(text), HOME)
    return (shown - at(0)).total_seconds()


async def reaches(page: Page, seconds: float) -> None:
    """Waits until the page shows that second of the footage, from its picture's own clock."""
    wanted = at(seconds).astimezone(HOME).strftime("%H:%M:%S")
    await expect(page.locator(".shown .when")).to_contain_text(wanted)


async def holds(page: Page, video_is: str) -> None:
    """Waits until that is true of the `video`. The page's policy forbids Playwright's own waiting, which evaluates text."""
    async with asyncio.timeout(WAIT_MS / 1000):
        while not await page.locator("video").evaluate(f"(video) => {video_is}"):  # noqa: ASYNC110 - the page sets no event
            await asyncio.sleep(0.02)


async def decoded(page: Page) -> None:
    """Waits until a frame is on the screen."""
    await holds(page, "video.readyState >= 2 && !video.seeking")


def registered(number: int) -> Camera:
    """A camera that is older than its footage: the API registers them as of now."""
    return Camera(
        id=CameraId(0),
        code=f"KNP-{number:04}",
        name="Bus stand, gate 1",
        url=f"rtsp://10.0.0.{number}/x",
        node="n1",
        created_us=T0_US - 3600 * S,
    )


@dataclass(frozen=True)
class Footage:
    """Camera 1: 12 s, a gap of 28 s (its recorder was ended), 12 s. 2: H.265. 3: 12 s without, then 12 s with audio."""

    served: Served


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def footage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Footage]:
    async with serve(tmp_path_factory.mktemp("review")) as served:
        for n in range(1, 5):
            await served.catalog.write(partial(cameras.add, camera=registered(n)))
        served.fleet.usual = RECORDING
        await served.record(1, recorded(), at_us=BEGIN_US, segment_s=4)
        await served.record(1, recorded(), at_us=BEGIN_US + 40 * S, segment_s=4)
        await served.record(2, recorded(codec="hevc"), at_us=BEGIN_US + 2000, segment_s=4)
        await served.record(3, recorded(), at_us=BEGIN_US + 3000, segment_s=4)
        await served.record(3, recorded(audio=True), at_us=BEGIN_US + 12 * S + 3000, segment_s=4)
        yield Footage(served)


@pytest_asyncio.fixture(loop_scope="session")
async def seen(footage: Footage, browser: Browser) -> AsyncIterator[Tab]:
    async with tab(browser, footage.served.url) as made:
        yield made


async def test_link_opens_at_its_moment_and_plays_on(seen: Tab) -> None:
    await seen.page.goto(link(1, 5))
    await decoded(seen.page)
    assert await place(seen) == pytest.approx(5, abs=FRAME_S + 0.05)
    await seen.page.keyboard.press("k")
    await reaches(seen.page, 7)


async def test_over_a_gap_it_says_why_and_goes_on(seen: Tab) -> None:
    await seen.page.goto(link(1, 9))
    await decoded(seen.page)
    await seen.page.keyboard.press("Space")
    panel = seen.page.locator(".panel")
    await expect(panel).to_contain_text("Recording gap")
    await expect(panel).to_contain_text("(28 s)")
    await expect(panel).to_contain_text("Recorder was ended")
    await expect(panel.get_by_role("button", name="Goes on in")).to_be_visible()
    await expect(panel).to_be_hidden()
    await reaches(seen.page, 41)


async def test_a_moment_in_a_gap_offers_the_footage_on_both_sides(seen: Tab) -> None:
    await seen.page.goto(link(1, 25))
    panel = seen.page.locator(".panel")
    await expect(panel).to_contain_text("Recording gap")
    await panel.get_by_role("button", name="Last before").click()
    await reaches(seen.page, 10)
    await seen.page.goto(link(1, 25))
    await panel.get_by_role("button", name="Next after").click()
    await reaches(seen.page, 40)


async def test_a_day_without_footage_leads_to_the_nearest(seen: Tab) -> None:
    await seen.page.goto(link(1, -86400))
    await expect(seen.page.locator(".panel")).to_contain_text("No recording available")
    await seen.page.get_by_role("button", name="Next after").click()
    await reaches(seen.page, 0)


async def test_frames_are_stepped_one_by_one(seen: Tab) -> None:
    await seen.page.goto(link(1, 5))
    await decoded(seen.page)
    await seen.page.keyboard.press("k")  # it learns how long a frame lasts while it plays
    await reaches(seen.page, 6)
    await seen.page.keyboard.press("k")
    await holds(seen.page, "video.paused")
    places = [await place(seen)]
    for key in (".", ".", ","):
        before = await seen.shown_at()
        await seen.page.keyboard.press(key)
        await expect(seen.page.locator(".shown .when")).not_to_contain_text(before)
        places.append(await place(seen))
    steps = [later - earlier for earlier, later in itertools.pairwise(places)]
    assert steps == pytest.approx([FRAME_S, FRAME_S, -FRAME_S], abs=0.011)


async def test_keys_jump_change_the_speed_and_play_backwards(seen: Tab) -> None:
    await seen.page.goto(link(1, 2))
    await decoded(seen.page)
    await seen.page.keyboard.press("ArrowRight")
    await reaches(seen.page, 7)
    for _ in range(2):
        await seen.page.keyboard.press("l")
    await expect(seen.page.get_by_label("Speed")).to_have_value("4")
    for _ in range(5):
        await seen.page.keyboard.press("j")
    await expect(seen.page.get_by_label("Speed")).to_have_value("-1")
    await seen.page.keyboard.press("k")
    await reaches(seen.page, 5)


async def test_jump_to_a_date_and_time_says_what_is_wrong_at_the_field(seen: Tab) -> None:
    await seen.page.goto(link(1, 5))
    await decoded(seen.page)
    await seen.page.keyboard.press("g")
    field = seen.page.get_by_label("Date and time (IST)")
    await field.fill("31/02/2026 10:00")
    await field.press("Enter")
    await expect(seen.page.locator("dialog .wrong")).to_contain_text("Write it like")
    await expect(field).to_have_value("31/02/2026 10:00")
    await field.fill(at(45).astimezone(HOME).strftime("%d/%m/%Y %H:%M:%S"))
    await field.press("Enter")
    await reaches(seen.page, 45)


async def test_chosen_range_is_downloaded_as_it_says(seen: Tab, tmp_path: Path) -> None:
    await seen.page.goto(link(1, 2))
    await decoded(seen.page)
    await seen.page.keyboard.press("i")
    await expect(seen.page.locator(".range")).to_contain_text("1 min")
    await seen.page.keyboard.press("d")
    start = seen.page.get_by_label("From (IST)")
    await start.fill(at(2).astimezone(HOME).strftime("%d/%m/%Y %H:%M:%S"))
    await seen.page.get_by_label("To (IST)").fill(at(44).astimezone(HOME).strftime("%d/%m/%Y %H:%M:%S"))
    await expect(seen.page.locator("dialog")).to_contain_text("1 gap of 28 s")
    async with seen.page.expect_download() as download:
        await seen.page.get_by_role("link", name="Download MP4").click()
    target = tmp_path / "clip.mp4"
    await (await download.value).save_as(target)
    window = f"from={T0_US + 2 * S}&to={T0_US + 44 * S}"
    told = await seen.page.request.get(f"/play/1/clip.json?{window}")
    assert target.stat().st_size == (await told.json())["size_bytes"]


async def test_clip_of_nothing_is_refused_at_the_form(seen: Tab) -> None:
    await seen.page.goto(link(1, -86400))
    await expect(seen.page.locator(".panel")).to_be_visible()
    await seen.page.keyboard.press("d")
    await expect(seen.page.locator("dialog")).to_contain_text("Nothing was recorded in this time.")
    await expect(seen.page.get_by_role("button", name="Download MP4")).to_be_disabled()


async def test_still_is_named_by_its_true_time(seen: Tab) -> None:
    await seen.page.goto(link(1, 5))
    await decoded(seen.page)
    async with seen.page.expect_download() as download:
        await seen.page.keyboard.press("s")
    stamp = at(5).astimezone(HOME).strftime("%Y%m%d-%H%M%S")
    earlier = at(4.9).astimezone(HOME).strftime("%Y%m%d-%H%M%S")
    assert (await download.value).suggested_filename in (f"KNP-0001_{stamp}.jpg", f"KNP-0001_{earlier}.jpg")


async def test_browser_that_cannot_decode_is_told_and_offered_the_download(seen: Tab) -> None:
    await seen.page.goto(link(2, 5))
    panel = seen.page.get_by_role("alert")
    await expect(panel).to_contain_text("This browser cannot decode H.265 (HEVC)")
    await expect(seen.page.locator("img.poster")).to_be_visible()
    await seen.page.get_by_role("button", name="Download these 10 minutes").click()
    await expect(seen.page.get_by_role("link", name="Download MP4")).to_be_visible()


async def test_plays_on_where_audio_begins(seen: Tab) -> None:
    """No player goes on across a change of tracks by itself: the page loads anew on the other side."""
    await seen.page.goto(link(3, 9))
    await decoded(seen.page)
    await seen.page.keyboard.press("k")
    await reaches(seen.page, 14)


async def test_click_on_the_timeline_jumps(seen: Tab) -> None:
    await seen.page.goto(link(1, 2))
    await decoded(seen.page)
    for _ in range(7):
        await seen.page.keyboard.press("+")
    canvas = seen.page.get_by_label("Wheel or plus and minus zoom")
    box = await canvas.bounding_box()
    assert box is not None
    # An hour halved seven times, around the playhead, which keeps its place.
    left = await seen.page.evaluate("location.search")
    assert left.startswith("?at=")
    head = await place(seen)
    await seen.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 70)
    await expect(seen.page.locator(".shown .when")).to_contain_text("IST")
    assert abs(await place(seen) - head) < 30
    await seen.page.mouse.move(box["x"] + 200, box["y"] + 70)
    await seen.page.keyboard.down("Shift")
    await seen.page.mouse.down()
    await seen.page.mouse.move(box["x"] + 400, box["y"] + 70, steps=4)
    await seen.page.mouse.up()
    await seen.page.keyboard.up("Shift")
    await expect(seen.page.locator(".range")).to_contain_text("Download")


async def test_timeline_is_told_in_words_too(seen: Tab) -> None:
    await seen.page.goto(link(1, 5))
    rows = seen.page.locator(".timeline table tbody tr")
    await expect(rows.filter(has_text="Recorded")).to_have_count(2)
    await expect(rows.filter(has_text="Recording gap: Recorder was ended").first).to_be_attached()
    await expect(seen.page.locator(".gaps")).to_contain_text("Recorder was ended")


async def test_facts_warn_of_a_wrong_camera_clock(footage: Footage, seen: Tab) -> None:
    footage.served.fleet.healths[CameraId(1)] = replace(RECORDING, clock_offset_us=-312 * S)
    try:
        await seen.page.goto(link(1, 5))
        await expect(seen.page.locator(".facts")).to_contain_text("5 min 12 s slow")
        await expect(seen.page.locator(".shown")).to_contain_text("camera's own clock")
    finally:
        del footage.served.fleet.healths[CameraId(1)]


async def test_keyboard_list_names_every_key(seen: Tab) -> None:
    await seen.page.goto(link(1, 5))
    await decoded(seen.page)
    await seen.page.keyboard.press("?")
    dialog = seen.page.get_by_role("dialog", name="Keyboard")
    await expect(dialog.locator("kbd")).to_have_text(
        [
            "Space",
            "K",
            "J",
            "L",
            ",",
            ".",
            "←",
            "→",
            "Shift",
            "←",
            "→",
            "Alt",
            "←",
            "→",
            "A",
            "G",
            "End",
            "S",
            "I",
            "O",
            "H",
            "D",
            "Esc",
            "+",
            "−",
            "PgUp",
            "PgDn",
            "M",
            "F",
            "?",
        ]
    )
    await seen.page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()


async def test_camera_that_does_not_exist_is_said(seen: Tab) -> None:
    await seen.page.goto("/cameras/999")
    await expect(seen.page.get_by_text("There is no camera with this number.")).to_be_visible()


async def test_another_camera_is_chosen_by_its_code(seen: Tab) -> None:
    await seen.page.goto("/review")
    await seen.page.get_by_role("combobox").fill("0003")
    await expect(seen.page.get_by_role("option")).to_have_count(1)
    await seen.page.keyboard.press("Enter")
    await expect(seen.page.locator(".review h1")).to_contain_text("KNP-0003")


async def test_live_plays_seconds_after_it_happened(tmp_path: Path, browser: Browser) -> None:
    """A camera whose newest footage is of this moment opens live."""
    async with serve(tmp_path) as served:
        await served.add("KNP-0001")
        files = recorded(seconds=24)
        start_us = wall_us() - 23 * S
        await served.record(1, files, at_us=start_us, segment_s=4)
        served.fleet.usual = replace(RECORDING, newest_footage_us=wall_us())
        async with tab(browser, served.url) as seen:
            await seen.page.goto("/cameras/1")
            await decoded(seen.page)
            await expect(seen.page.get_by_role("button", name="Live", exact=True)).to_have_attribute(
                "aria-pressed", "true"
            )
            await expect(seen.page.locator(".behind")).to_be_visible()
            clock = "(async () => (await import('/static/js/site.js')).serverNow())()"
            now = datetime.fromtimestamp(await seen.page.evaluate(clock) / 1000, HOME)
            shown = datetime.combine(now.date(), time.fromisoformat(await seen.shown_at()), HOME)
            assert abs((now - shown).total_seconds()) < 12


async def test_camera_without_footage_says_so_and_waits(footage: Footage, browser: Browser) -> None:
    async with tab(browser, footage.served.url) as seen:
        await seen.page.goto("/cameras/4")
        await seen.page.keyboard.press("End")
        await expect(seen.page.locator(".panel")).to_contain_text("This camera has no footage yet")
