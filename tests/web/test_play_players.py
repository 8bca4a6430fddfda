"""Independent players on what the program serves: Chromium's own MP4 player, hls.js in it, and GStreamer."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright

from tests.lavfi import recorded
from tests.web.archived import put_run
from tests.web.served import Served, serve

T0_US = 1_795_000_020_000_000
OLD, NEW = 1_795_000_020_000, 1_795_000_060_000
S = 1_000_000
WINDOW = f"from={T0_US}&to={T0_US + 60 * S}"


@pytest_asyncio.fixture(loop_scope="session")
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """Camera 1: 12 s with B-frames and sound, a gap of 28 s, 12 s again. Each run has 1.2 s of sound before its picture."""
    async with serve(tmp_path) as running:
        await running.add("A")
        files = recorded(audio=True, b_frames=2, fps=25, sound_lead_s=1.2)
        await put_run(running, files, run_id=OLD, start_us=T0_US)
        await put_run(running, files, run_id=NEW, start_us=T0_US + 40 * S)
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def page(served: Served) -> AsyncIterator[Page]:
    """A page of the server's own origin. Frames that were shown are counted in `window.shown`."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio"],
        )
        try:
            page = await browser.new_page()
            await page.goto(f"{served.url}/healthz")
            await page.evaluate("document.body.innerHTML = '<video muted></video>'")
            yield page
        finally:
            await browser.close()


MP4 = """async (url) => {
    const video = document.querySelector('video');
    const once = (name) => new Promise((resolve, reject) => {
        video.addEventListener(name, resolve, {once: true});
        video.addEventListener('error', () => reject(new Error(video.error.message)), {once: true});
    });
    video.src = url;
    await once('loadedmetadata');
    const told = {duration: video.duration, width: video.videoWidth, seeks: []};
    for (const at of [20, 3, 11.9, 12.5]) {
        const seeked = once('seeked');
        video.currentTime = at;
        await seeked;
        told.seeks.push(video.currentTime);
    }
    video.currentTime = 10;
    video.playbackRate = 4;
    const ended = once('ended');
    await video.play();
    await ended;
    told.ended = video.currentTime;
    return told;
}"""

HLS = """async ([source, url]) => {
    const {default: Hls} = await import(source);
    const video = document.querySelector('video');
    const hls = new Hls({enableWorker: false});
    const told = {errors: [], dates: []};
    // A seek aborts what is being loaded: hls.js tells that as an error of no consequence.
    hls.on(Hls.Events.ERROR, (_, data) => data.details === 'aborted' || told.errors.push(data.details));
    hls.loadSource(url);
    hls.attachMedia(video);
    await new Promise((resolve) => video.addEventListener('canplay', resolve, {once: true}));
    told.start = video.currentTime;
    video.playbackRate = 4;
    await video.play();
    const end = told.end = () => hls.latestLevelDetails?.totalduration ?? video.duration;
    for (const at of [1.5, 5, 15, 20]) {
        const seeked = new Promise((resolve) => video.addEventListener('seeked', resolve, {once: true}));
        video.currentTime = at;
        await seeked;
        while (video.currentTime < at + 1) await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
        told.dates.push([video.currentTime, hls.playingDate.getTime()]);
    }
    told.end = end();
    hls.destroy();
    return told;
}"""


@pytest.mark.needs("chromium")
async def test_chromium_plays_and_seeks_a_clip_over_two_runs(served: Served, page: Page) -> None:
    told: dict[str, Any] = await page.evaluate(MP4, f"/play/1/clip.mp4?{WINDOW}")
    assert told["duration"] == pytest.approx(26.4, abs=0.3)
    assert told["width"] == 160
    assert told["seeks"] == pytest.approx([20, 3, 11.9, 12.5], abs=0.1)
    assert told["ended"] == pytest.approx(told["duration"], abs=0.3)


@pytest.mark.needs("chromium")
async def test_hls_js_plays_over_a_gap_and_knows_the_wall_time(served: Served, page: Page) -> None:
    source = served.url + "/static/vendor/hls.js/hls.light.min.mjs"
    told: dict[str, Any] = await page.evaluate(HLS, [source, f"/play/1/index.m3u8?{WINDOW}"])
    assert told["errors"] == []
    run_s = 13.264  # 1.264 s of sound alone, then 12 s with pictures
    for shown_s, date_ms in told["dates"]:
        expected_s = T0_US / S + shown_s + (40 - run_s if shown_s > run_s else 0)
        assert date_ms / 1000 == pytest.approx(expected_s, abs=0.1)


def gst_frames(url: str, demuxer: str) -> str:
    """Frames that come out, as GStreamer counts them. Blocking."""
    pipeline = f'souphttpsrc location="{url}" ! {demuxer} ! h264parse ! fakesink name=sink silent=false sync=false'
    script = f"""
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
pipeline = Gst.parse_launch('''{pipeline}''')
count = 0
last = -1
steps = 0
def seen(pad, info):
    global count, last, steps
    count += 1
    steps += info.get_buffer().dts <= last
    last = info.get_buffer().dts
    return Gst.PadProbeReturn.OK
pipeline.get_by_name("sink").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, seen)
pipeline.set_state(Gst.State.PLAYING)
message = pipeline.get_bus().timed_pop_filtered(30 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
print(message.type.first_value_nick if message else "timeout", count, steps,
      "" if not message or message.type == Gst.MessageType.EOS else message.parse_error())
pipeline.set_state(Gst.State.NULL)
"""
    return subprocess.run(
        ["/usr/bin/python3", "-c", script], capture_output=True, text=True, timeout=60, check=True
    ).stdout.strip()


@pytest.mark.needs("gst-rtsp-server")
async def test_gstreamer_gets_every_frame_of_a_clip(served: Served) -> None:
    url = f"{served.url}/play/1/clip.mp4?{WINDOW}"
    assert await asyncio.to_thread(gst_frames, url, "qtdemux") == "eos 600 0"


@pytest.mark.needs("gst-rtsp-server")
async def test_gstreamer_gets_every_frame_of_a_playlist(served: Served) -> None:
    url = f"{served.url}/play/1/index.m3u8?{WINDOW}"
    assert (await asyncio.to_thread(gst_frames, url, "hlsdemux ! qtdemux")).startswith("eos 600")
