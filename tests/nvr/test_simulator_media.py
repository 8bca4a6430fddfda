"""Coded loops hold every picture they promise, and ffmpeg records what the simulator sends, over TCP and UDP."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from nvr.simulator import CameraOptions, LoopOptions, Simulator, SimulatorOptions
from nvr.simulator_media import coded_loop
from nvr.simulator_picture import decode_frame_numbers
from nvr.simulator_scenes import SCENES
from tests.nvr.simulated import LOOP

LOOPS = [
    LOOP,
    replace(LOOP, bframes=2),
    replace(LOOP, codec="h265"),
    replace(LOOP, codec="h265", bframes=2),
    replace(LOOP, fps=10, gop_s=2.0, bitrate_kbps=150),
    *(replace(LOOP, width=640, height=360, bitrate_kbps=1000, scene=scene) for scene in range(len(SCENES))),
]


@pytest.mark.parametrize("options", LOOPS, ids=lambda o: f"{o.codec}-b{o.bframes}-{o.fps}-{o.width}-{o.scene}")
def test_every_picture_of_a_loop_shows_its_number(ffmpeg: str, loops: Path, options: LoopOptions) -> None:
    loop = coded_loop(ffmpeg, loops, options)
    shown = decode_frame_numbers(ffmpeg, loop.path)
    assert [number for number, _ in shown] == list(range(options.frames))
    assert {round((b - a) * options.fps, 2) for (_, a), (_, b) in pairwise(shown)} == {1.0}
    keyframes = [unit.shown for unit in loop.units if unit.keyframe]
    assert keyframes == list(range(0, options.frames, options.gop_frames))
    assert loop.delay_frames == options.bframes


def test_a_loop_is_coded_once(ffmpeg: str, tmp_path: Path) -> None:
    first = coded_loop(ffmpeg, tmp_path, LOOP)
    again = coded_loop("/nowhere/ffmpeg", tmp_path, LOOP)
    assert again.units == first.units


def test_a_steady_loop_keeps_its_bit_rate(ffmpeg: str, loops: Path) -> None:
    loop = coded_loop(ffmpeg, loops, replace(LOOP, width=640, height=360, bitrate_kbps=1000))
    coded_bytes = sum(len(nal) for unit in loop.units for nal in unit.nals)
    assert 0.85 < coded_bytes * 8 / 1000 / (LOOP.frames / LOOP.fps) / 1000 < 1.15


async def record(ffmpeg: str, url: str, transport: str, target: Path, *coding: str) -> None:
    """Three seconds of a camera, coded pictures untouched."""
    source = ["-rtsp_transport", transport, "-timeout", "5000000", "-i", url, "-t", "3", "-c:v", "copy", *coding]
    process = await asyncio.create_subprocess_exec(
        *(ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error", *source, str(target)),
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaints = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, complaints.decode()


CAMERAS = {
    1: CameraOptions(LOOP),
    2: CameraOptions(replace(LOOP, bframes=2), audio="aac"),
    3: CameraOptions(replace(LOOP, codec="h265"), audio="pcma"),
    4: CameraOptions(LOOP, user="admin", password="12@34:5", burst=True),
}


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_ffmpeg_records_every_picture_once(ffmpeg: str, loops: Path, tmp_path: Path, transport: str) -> None:
    options = SimulatorOptions(cameras=len(CAMERAS), overrides=CAMERAS, cache_dir=loops)
    targets = {number: tmp_path / f"{number}.mp4" for number in CAMERAS}
    async with Simulator(options) as cameras, asyncio.TaskGroup() as tasks:
        for number, target in targets.items():
            coding = {"pcma": ["-c:a", "aac"], "aac": ["-c:a", "copy"]}.get(CAMERAS[number].audio, [])
            tasks.create_task(record(ffmpeg, cameras.url(number), transport, target, *coding))
    for number, target in targets.items():
        shown = [shown for shown, _ in decode_frame_numbers(ffmpeg, target)]
        # -t cuts in coding order: with B-frames the last picture may come without those shown before it
        steps = {(b - a) % LOOP.frames for a, b in pairwise(shown[: -1 - CAMERAS[number].loop.bframes])}
        assert len(shown) > 40 and steps == {1}, (number, shown)
