"""Cameras that are not ours: GStreamer's RTSP server, recorded, and played by ffmpeg and GStreamer."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio

from tests.nvr.served import Served, until

pytestmark = [pytest.mark.slow, pytest.mark.needs("gst-rtsp-server"), pytest.mark.timeout(240)]

CAMERAS = {"h264-aac": "h264", "h264-pcmu": "h264", "h265": "hevc"}
SEGMENTS = 3
FPS = 25


@pytest_asyncio.fixture(loop_scope="session")
async def port() -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        *("/usr/bin/python3", str(Path(__file__).with_name("gstreamer_cameras.py"))), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            yield int(await process.stdout.readline())
    finally:
        process.kill()
        await process.wait()


async def test_cameras_of_another_make_are_recorded_whole_and_played(ffmpeg: str, port: int, tmp_path: Path) -> None:
    async with Served(tmp_path) as served:
        ids = {name: await served.add(name, f"rtsp://127.0.0.1:{port}/{name}") for name in CAMERAS}

        def recorded() -> bool:
            return all(len(served.segments(camera_id)) >= SEGMENTS for camera_id in ids.values())

        await until(recorded, 150)
        for name, camera_id in ids.items():
            rows = served.segments(camera_id)
            [run] = served.runs(camera_id)
            assert run["ended_us"] is None, served.history(camera_id)
            assert [row["flags"] for row in rows] == [0] * len(rows)
            assert all(a["start_us"] + a["dur_us"] == b["start_us"] for a, b in pairwise(rows))
            [init] = served.rows("SELECT * FROM init WHERE id = ?", rows[0]["init_id"])
            assert (init["video_codec"], init["width"]) == (CAMERAS[name], 320)
            assert bool(init["audio_codec"]) == (name != "h265")
            expected = round(sum(row["dur_us"] for row in rows) * FPS / 1e6)
            media = tmp_path / f"{name}.mp4"
            media.write_bytes(served.whole(run["id"], len(rows)))
            assert abs(await asyncio.to_thread(ffmpeg_frames, ffmpeg, str(media)) - expected) <= 2
            window = f"from={rows[0]['start_us']}&to={rows[-1]['start_us'] + rows[-1]['dur_us']}"
            play = f"{served.url}/play/{camera_id}"
            for url in (f"{play}/index.m3u8?{window}", f"{play}/clip.mp4?{window}"):
                assert abs(await asyncio.to_thread(ffmpeg_frames, ffmpeg, url) - expected) <= 2, (name, url)
            shown = await asyncio.to_thread(gstreamer_frames, f"{play}/clip.mp4?{window}", CAMERAS[name])
            assert abs(shown - expected) <= 2, name


def ffmpeg_frames(ffmpeg: str, source: str) -> int:
    """Pictures that ffmpeg decodes. Blocking."""
    command = [ffmpeg, "-v", "error", "-nostdin", "-i", source, "-map", "0:v:0", "-fps_mode", "passthrough"]
    done = subprocess.run([*command, "-f", "framecrc", "-"], capture_output=True, text=True, timeout=60, check=True)
    return sum(not line.startswith("#") for line in done.stdout.splitlines())


def gstreamer_frames(url: str, codec: str) -> int:
    """Pictures that GStreamer decodes. Blocking."""
    kind = {"h264": "h264", "hevc": "h265"}[codec]
    pipeline = f'souphttpsrc location="{url}" ! qtdemux ! {kind}parse ! avdec_{kind} ! fakesink silent=false sync=false'
    command = ["gst-launch-1.0", "-v", *pipeline.replace('"', "").split()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.count("chain   ***")
