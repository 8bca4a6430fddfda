"""Simulated cameras as a client meets them: what they send, when, and what their faults look like on the wire."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from blockbuster import BlockBuster

from config.errors import Invalid, NotFound, Unavailable
from nvr.simulator import CameraOptions, Faults, LoopOptions, Simulator, SimulatorOptions
from tests.nvr.rtsp_client import RtspClient, missing, pictures, steps
from tests.nvr.simulated import LOOP, simulator


@pytest.mark.serial
async def test_sends_pictures_at_their_rate_with_evenly_spaced_time_stamps(loops: Path) -> None:
    async with simulator(loops) as cameras, RtspClient(cameras.url(1)) as client:
        await client.play()
        await client.until(lambda c: len(pictures(c.video)) >= 60)
        shown = pictures(client.video)
        assert steps(client.video) == {3600}
        assert missing(client.video) == 0
        assert 1.8 < (shown[50].at_us - shown[0].at_us) / 1e6 < 2.2


@pytest.mark.serial
async def test_tells_when_it_sent_which_picture(loops: Path) -> None:
    async with simulator(loops) as cameras, RtspClient(cameras.url(1)) as client:
        await client.play()
        await client.until(lambda c: len(pictures(c.video)) >= 10)
        came_us = pictures(client.video)[9].at_us
        sent = cameras.camera(1).frame_at(came_us)
        assert sent.sent_us is not None
        assert 0 <= sent.sent_us - sent.captured_us < 100_000
        assert abs(came_us - sent.captured_us) < 140_000
        assert sent.number == sent.index % LOOP.frames
        assert cameras.camera(1).frame_time_us(sent.number, came_us - 1_500_000) == sent.captured_us


async def test_two_clients_see_the_same_timeline(loops: Path) -> None:
    async with simulator(loops) as cameras, RtspClient(cameras.url(1)) as early, RtspClient(cameras.url(1)) as late:
        await early.play()
        await early.until(lambda c: len(pictures(c.video)) >= 10)
        await late.play()
        await late.until(lambda c: len(pictures(c.video)) >= 5)
        both = {packet.timestamp for packet in early.video} & {packet.timestamp for packet in late.video}
        assert len(both) >= 4


@pytest.mark.serial
async def test_the_time_line_runs_on_while_nobody_plays(loops: Path) -> None:
    async with simulator(loops, cameras=2) as cameras:
        times = []
        for _ in range(2):
            async with RtspClient(cameras.url(1)) as client:
                await client.play()
                await client.until(lambda c: pictures(c.video))
                times.append(pictures(client.video)[0])
            async with RtspClient(cameras.url(2)) as other:
                await other.play()
                await other.until(lambda c: len(pictures(c.video)) >= 10)
        media_s = (times[1].timestamp - times[0].timestamp) % 2**32 / 90_000
        assert abs(media_s - (times[1].at_us - times[0].at_us) / 1e6) < 0.15


async def test_the_loop_repeats_without_a_break(loops: Path) -> None:
    short = replace(LOOP, length_s=1.0)
    async with simulator(loops, CameraOptions(short)) as cameras, RtspClient(cameras.url(1)) as client:
        await client.play()
        await client.until(lambda c: len(pictures(c.video)) >= 60)
        assert steps(client.video) == {3600}


async def test_keyframes_of_cameras_do_not_come_together(loops: Path) -> None:
    async with simulator(loops, cameras=8) as cameras:
        phases = {cameras.camera(n).frame_at(time.time_ns() // 1000).index % LOOP.gop_frames for n in range(1, 9)}
        assert len(phases) >= 6


async def test_a_burst_begins_with_a_keyframe_and_runs_into_the_live_pictures(loops: Path) -> None:
    async with simulator(loops, CameraOptions(LOOP, burst=True)) as cameras:
        for _ in range(2):  # to a camera that nobody played, and to one that somebody plays
            async with RtspClient(cameras.url(1)) as client:
                answer = await client.play()
                await client.until(lambda c: len(pictures(c.video)) >= 40)
                assert client.video[0].payload[0] & 0x1F == 7
                assert f"rtptime={client.video[0].timestamp}" in answer.headers["rtp-info"]
                assert f"seq={client.video[0].sequence}" in answer.headers["rtp-info"]
                assert steps(client.video) == {3600} and missing(client.video) == 0


async def test_b_frames_travel_in_coding_order_after_they_were_captured(loops: Path) -> None:
    options = CameraOptions(replace(LOOP, bframes=2))
    async with simulator(loops, options) as cameras, RtspClient(cameras.url(1)) as client:
        await client.play()
        await client.until(lambda c: len(pictures(c.video)) >= 30)
        assert len(steps(client.video)) > 1
        camera = cameras.camera(1)
        now = camera.frame_at(time.time_ns() // 1000).index
        known = [camera.sent_frame(index) for index in range(now - 20, now - 5)]
        assert all(frame.sent_us is not None and frame.sent_us >= frame.captured_us for frame in known)


# -- sender reports --------------------------------------------------------------------------------------------------


async def test_reports_tie_rtp_time_to_the_time_of_capture(loops: Path) -> None:
    async with simulator(loops) as cameras, RtspClient(cameras.url(1)) as client:
        await client.play()
        await client.until(lambda c: c.reports and pictures(c.video))
        report, picture = client.reports[0], pictures(client.video)[0]
        assert report.at_us - picture.at_us < 500_000
        captured_us = report.camera_us + round(((picture.timestamp - report.timestamp) / 90_000) * 1e6)
        truth = cameras.camera(1).frame_at(captured_us + 1000)
        assert abs(truth.captured_us - captured_us) < 1000
        assert report.packets <= len(client.video) + 10


@pytest.mark.parametrize("error_s", [-26 * 365 * 86_400.0, -3.0, 7.5])
async def test_a_wrong_clock_shows_in_the_reports(loops: Path, error_s: float) -> None:
    options = CameraOptions(LOOP, clock_error_s=error_s)
    async with simulator(loops, options) as cameras, RtspClient(cameras.url(1)) as client:
        await client.play()
        await client.until(lambda c: c.reports)
        report = client.reports[0]
        assert abs((report.camera_us - report.at_us) / 1e6 - error_s) < 0.05


async def test_a_clock_step_shows_in_the_next_report_and_leaves_rtp_time_alone(loops: Path) -> None:
    options = CameraOptions(LOOP, report_interval_s=0.2)
    async with simulator(loops, options) as cameras, RtspClient(cameras.url(1)) as client:
        await client.play()
        await client.until(lambda c: c.reports)
        cameras.camera(1).step_clock(30.0)
        count = len(client.reports)
        await client.until(lambda c: len(c.reports) > count + 1)
        first, last = client.reports[0], client.reports[-1]
        media_s = (last.timestamp - first.timestamp) % 2**32 / 90_000
        assert abs((last.camera_us - first.camera_us) / 1e6 - media_s - 30) < 0.001
        assert steps(client.video) == {3600}


@pytest.mark.parametrize("seconds", [-5.0, 3600.0])
async def test_an_rtp_jump_moves_time_stamps_and_reports_alike(loops: Path, seconds: float) -> None:
    options = CameraOptions(LOOP, report_interval_s=0.2)
    async with simulator(loops, options) as cameras, RtspClient(cameras.url(1)) as client:
        await client.play()
        await client.until(lambda c: c.reports)
        cameras.camera(1).jump_rtp(seconds)
        count = len(client.reports)
        await client.until(lambda c: len(c.reports) > count + 1)
        assert steps(client.video) == {3600, (3600 + round(seconds * 90_000)) % 2**32}
        first, last = client.reports[0], client.reports[-1]
        media_s = ((last.timestamp - first.timestamp - round(seconds * 90_000)) % 2**32) / 90_000
        assert abs((last.camera_us - first.camera_us) / 1e6 - media_s) < 0.001


# -- sound -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec, ticks", [("aac", 1024), ("pcmu", 320), ("pcma", 320)])
async def test_sound_runs_with_the_pictures(loops: Path, codec: str, ticks: int) -> None:
    options = CameraOptions(LOOP, audio=codec)  # type: ignore[arg-type]  # from the table above
    async with simulator(loops, options) as cameras, RtspClient(cameras.url(1)) as client:
        description = await client.ask("DESCRIBE")
        assert "m=audio" in description.body
        await client.play(audio=True)
        await client.until(lambda c: len(c.audio) >= 20 and len(pictures(c.video)) >= 20)
        assert {(b.timestamp - a.timestamp) % 2**32 for a, b in pairwise(client.audio)} == {ticks}
        assert missing(client.audio) == 0


async def test_sound_that_is_announced_may_never_come(loops: Path) -> None:
    options = CameraOptions(LOOP, audio="aac", audio_start_s=float("inf"))
    async with simulator(loops, options) as cameras, RtspClient(cameras.url(1)) as client:
        assert "m=audio" in (await client.ask("DESCRIBE")).body
        await client.play(audio=True)
        await client.until(lambda c: len(pictures(c.video)) >= 30)
        assert client.audio == []


@pytest.mark.serial
async def test_sound_may_start_late_and_stop(loops: Path) -> None:
    options = CameraOptions(LOOP, audio="pcmu", audio_start_s=0.4, audio_stop_s=0.8)
    async with simulator(loops, options) as cameras, RtspClient(cameras.url(1)) as client:
        began_us = time.time_ns() // 1000
        await client.play(audio=True)
        await client.until(lambda c: len(pictures(c.video)) >= 40)
        assert 350_000 < client.audio[0].at_us - began_us < 600_000
        assert 700_000 < client.audio[-1].at_us - began_us < 950_000


# -- sign-in, addresses, start ---------------------------------------------------------------------------------------


async def test_digest_lets_in_the_right_password_alone(loops: Path) -> None:
    options = CameraOptions(LOOP, user="us er", password="p@ss:w/rd")
    async with simulator(loops, options) as cameras:
        async with RtspClient(cameras.url(1)) as client:
            assert (await client.play()).status == 200
            await client.until(lambda c: c.video)
        for wrong in (cameras.url(1, credentials=False), cameras.url(1).replace("p%40ss", "pass")):
            async with RtspClient(wrong) as client:
                assert (await client.ask("DESCRIBE")).status == 401


async def test_an_unknown_address_is_not_found(loops: Path) -> None:
    async with simulator(loops) as cameras:
        for path in ("/cam/2", "/cam/0", "/", "/cam/x"):
            async with RtspClient(f"rtsp://127.0.0.1:{cameras.port}{path}") as client:
                assert (await client.ask("DESCRIBE")).status == 404
        with pytest.raises(NotFound):
            cameras.camera(2)


async def test_a_transport_the_camera_lacks_is_refused(loops: Path) -> None:
    async with simulator(loops, CameraOptions(LOOP, transports="udp")) as cameras, RtspClient(cameras.url(1)) as client:
        answer = await client.ask("SETUP", "/track1", Transport="RTP/AVP/TCP;unicast;interleaved=0-1")
        assert answer.status == 461


async def test_what_is_not_rtsp_ends_the_connection(loops: Path) -> None:
    async with simulator(loops) as cameras:
        reader, writer = await asyncio.open_connection("127.0.0.1", cameras.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        await writer.wait_closed()


async def test_a_taken_port_is_named(loops: Path) -> None:
    async with simulator(loops) as cameras:
        options = SimulatorOptions(camera=CameraOptions(LOOP), port=cameras.port, cache_dir=loops)
        with pytest.raises(Unavailable, match=str(cameras.port)):
            async with Simulator(options):
                pass


async def test_a_missing_ffmpeg_is_named(tmp_path: Path) -> None:
    options = SimulatorOptions(camera=CameraOptions(LOOP), ffmpeg="/nowhere/ffmpeg", cache_dir=tmp_path)
    with pytest.raises(Unavailable, match="/nowhere/ffmpeg"):
        async with Simulator(options):
            pass


@pytest.mark.parametrize(
    "change, field",
    [
        ({"codec": "vp9"}, "codec"),
        ({"width": 321}, "size"),
        ({"height": 90}, "size"),
        ({"fps": 0}, "fps"),
        ({"bframes": 9}, "bframes"),
        ({"gop_s": 100.0}, "gop_s"),
    ],
)
def test_impossible_pictures_name_the_field(change: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as raised:
        LoopOptions(**change)  # type: ignore[arg-type]  # wrong on purpose
    assert raised.value.field == field


async def test_serving_blocks_the_event_loop_nowhere(loops: Path, guarded_loop: BlockBuster) -> None:
    options = CameraOptions(LOOP, audio="aac", burst=True, user="a", password="b")
    async with simulator(loops, options) as cameras, RtspClient(cameras.url(1)) as client:
        await client.ask("DESCRIBE")
        await client.play(audio=True)
        cameras.camera(1).fault(Faults(loss=0.1))
        await client.until(lambda c: len(pictures(c.video)) >= 30 and c.audio and c.reports)
        await cameras.change_video(1, replace(LOOP, scene=1))
        cameras.camera(1).reset()
        await client.until(lambda c: c.ended is not None)
