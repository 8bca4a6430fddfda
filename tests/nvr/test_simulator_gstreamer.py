"""GStreamer, which shares no code with ffmpeg, plays a simulated camera."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from nvr.simulator import CameraOptions, LoopOptions
from nvr.simulator_picture import decode_frame_numbers
from tests.nvr.simulated import LOOP, simulator

# Plays what the first argument says for four seconds, then ends the file properly.
PLAYER = """
import sys, gi
gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst
Gst.init(None)
pipeline, loop = Gst.parse_launch(sys.argv[1]), GLib.MainLoop()
def heard(bus, message):
    if message.type == Gst.MessageType.ERROR:
        print(message.parse_error())
    if message.type in (Gst.MessageType.ERROR, Gst.MessageType.EOS):
        loop.quit()
pipeline.get_bus().add_signal_watch()
pipeline.get_bus().connect("message", heard)
GLib.timeout_add(4000, lambda: pipeline.send_event(Gst.Event.new_eos()) and False)
GLib.timeout_add(9000, loop.quit)
pipeline.set_state(Gst.State.PLAYING)
loop.run()
pipeline.set_state(Gst.State.NULL)
"""


@pytest.mark.needs("gst-rtsp-server")
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize(
    "loop, parts",
    [
        (LOOP, "rtph264depay ! h264parse"),
        (replace(LOOP, bframes=2), "rtph264depay ! h264parse"),
        (replace(LOOP, codec="h265"), "rtph265depay ! h265parse"),
    ],
    ids=["h264", "h264-b", "h265"],
)
async def test_gstreamer_gets_every_picture_once(
    ffmpeg: str, loops: Path, tmp_path: Path, loop: LoopOptions, parts: str, protocol: str
) -> None:
    target = tmp_path / "played.mp4"
    async with simulator(loops, CameraOptions(loop, user="viewer", password="s3cret")) as cameras:
        source = f"rtspsrc location={cameras.url(1, credentials=False)} user-id=viewer user-pw=s3cret"
        pipeline = f"{source} protocols={protocol} latency=100 ! {parts} ! mp4mux ! filesink location={target}"
        process = await asyncio.create_subprocess_exec(
            *("/usr/bin/python3", "-c", PLAYER, pipeline), stdout=asyncio.subprocess.PIPE
        )
        complaints, _ = await asyncio.wait_for(process.communicate(), 30)
    assert complaints == b""
    shown = [number for number, _ in decode_frame_numbers(ffmpeg, target)]
    first = next(place for place, number in enumerate(shown) if number >= 0)  # it does not wait for a keyframe
    readable = shown[first : -1 - loop.bframes]
    assert len(readable) > 30
    assert {(b - a) % loop.frames for a, b in pairwise(readable)} == {1}
