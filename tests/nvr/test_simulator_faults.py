"""What each fault of a simulated camera looks like on the wire, and how it ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from config.errors import Invalid
from nvr.simulator import CameraOptions, Faults
from tests.nvr.rtsp_client import RtspClient, missing, pictures, steps
from tests.nvr.simulated import LOOP, simulator


async def test_a_stalled_camera_keeps_the_connection_and_says_nothing(loops: Path) -> None:
    async with (
        simulator(loops, cameras=2) as cameras,
        RtspClient(cameras.url(1)) as client,
        RtspClient(cameras.url(2)) as other,
    ):
        await client.play()
        await other.play()
        await client.until(lambda c: c.video)
        cameras.camera(1).fault(Faults(stall=True))
        await other.until(lambda c: len(pictures(c.video)) >= 5)  # what was on its way has come
        count, seen = len(client.video), len(pictures(other.video))
        await other.until(lambda c: len(pictures(c.video)) >= seen + 15)
        assert len(client.video) == count and client.ended is None
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.ask("OPTIONS"), 0.3)
        cameras.camera(1).clear()
        await client.until(lambda c: len(c.video) > count)
        assert missing(client.video) == 0
        assert max(steps(client.video)) >= 15 * 3600


async def test_no_video_leaves_sound_and_reports(loops: Path) -> None:
    options = CameraOptions(LOOP, audio="pcmu", report_interval_s=0.1)
    async with simulator(loops, options) as cameras, RtspClient(cameras.url(1)) as client:
        cameras.camera(1).fault(Faults(no_video=True))
        await client.play(audio=True)
        await client.until(lambda c: len(c.audio) >= 10 and len(c.reports) >= 2)
        assert client.video == []


async def test_a_reset_is_a_reset(loops: Path) -> None:
    async with simulator(loops) as cameras, RtspClient(cameras.url(1)) as client:
        await client.play()
        await client.until(lambda c: c.video)
        cameras.camera(1).reset()
        await client.until(lambda c: c.ended is not None)
        assert isinstance(client.ended, ConnectionResetError)
        async with RtspClient(cameras.url(1)) as again:
            assert (await again.play()).status == 200


async def test_a_camera_that_refuses_resets_who_asks_for_it(loops: Path) -> None:
    async with simulator(loops) as cameras, RtspClient(cameras.url(1)) as client:
        cameras.camera(1).fault(Faults(refuse=True))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.ask("DESCRIBE"), 0.3)
        assert isinstance(client.ended, ConnectionResetError)


async def test_a_simulator_that_refuses_can_be_reached_again_at_the_same_port(loops: Path) -> None:
    async with simulator(loops) as cameras:
        port = cameras.port
        await cameras.refuse()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        await cameras.listen()
        async with RtspClient(cameras.url(1)) as client:
            assert cameras.port == port
            assert (await client.ask("OPTIONS")).status == 200


@pytest.mark.parametrize("status", [401, 404, 503])
async def test_answers_with_the_status_it_was_told(loops: Path, status: int) -> None:
    async with simulator(loops) as cameras, RtspClient(cameras.url(1)) as client:
        cameras.camera(1).fault(Faults(status=status))
        assert (await client.ask("DESCRIBE")).status == status


async def test_loses_about_the_share_of_packets_it_was_told(loops: Path) -> None:
    async with simulator(loops) as cameras, RtspClient(cameras.url(1)) as client:
        cameras.camera(1).fault(Faults(loss=0.3))
        await client.play()
        await client.until(lambda c: len(c.video) >= 150)
        lost = missing(client.video)
        assert 0.15 < lost / (lost + len(client.video)) < 0.45


@pytest.mark.serial
async def test_a_slow_camera_sends_fewer_pictures_and_comes_back_to_the_present(loops: Path) -> None:
    async with simulator(loops) as cameras, RtspClient(cameras.url(1)) as client:
        await client.play()
        await client.until(lambda c: len(pictures(c.video)) >= 2)
        cameras.camera(1).fault(Faults(rate=0.25))
        count = len(pictures(client.video))
        await client.until(lambda c: len(pictures(c.video)) >= count + 8)
        shown = pictures(client.video)
        assert 1.0 < (shown[count + 7].at_us - shown[count].at_us) / 1e6 < 1.4
        cameras.camera(1).clear()
        count = len(shown)
        await client.until(lambda c: len(pictures(c.video)) >= count + 4)
        sent = cameras.camera(1).frame_at(pictures(client.video)[-1].at_us).sent_us
        assert sent is not None and abs(sent - pictures(client.video)[-1].at_us) < 50_000


@pytest.mark.serial
async def test_jitter_delays_pictures_but_keeps_their_order(loops: Path) -> None:
    async with simulator(loops) as cameras, RtspClient(cameras.url(1)) as client:
        cameras.camera(1).fault(Faults(jitter_s=0.15))
        await client.play()
        await client.until(lambda c: len(pictures(c.video)) >= 50)
        gaps_ms = [(b.at_us - a.at_us) / 1000 for a, b in pairwise(pictures(client.video))]
        assert steps(client.video) == {3600} and missing(client.video) == 0
        assert max(gaps_ms) > 60 and min(gaps_ms) < 20


async def test_changes_its_picture_size_at_a_keyframe(loops: Path) -> None:
    async with simulator(loops) as cameras, RtspClient(cameras.url(1)) as client:
        await client.play()
        await client.until(lambda c: c.video)
        before = cameras.camera(1).video.loop.parameter_sets[0]
        await cameras.change_video(1, replace(LOOP, width=640, height=360))
        after = cameras.camera(1).described.loop.parameter_sets[0]
        assert before != after
        await client.until(lambda c: any(packet.payload == after for packet in c.video))
        assert steps(client.video) == {3600}


async def test_will_not_change_what_a_running_stream_cannot(loops: Path) -> None:
    async with simulator(loops) as cameras:
        with pytest.raises(Invalid):
            await cameras.change_video(1, replace(LOOP, fps=10))
        with pytest.raises(Invalid):
            await cameras.change_video(1, replace(LOOP, bframes=2))
