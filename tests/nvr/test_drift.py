"""Cameras whose crystal is 200 ppm fast or slow, over five real minutes: the dates stay with the truth."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from nvr.simulator import CameraOptions, Simulator, SimulatorOptions
from nvr.simulator_picture import decode_frame_numbers
from storage.paths import ARCHIVE
from tests.nvr.served import Served, until
from tests.nvr.simulated import LOOP

FIVE_MINUTES_US = 300_000_000
WITHIN_US = 250_000
DRIFTS_PPM = {1: 200.0, 2: -200.0}


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(600)
async def test_five_minutes_of_a_camera_200_ppm_off_stay_within_250_ms(
    ffmpeg: str, loops: Path, tmp_path: Path
) -> None:
    overrides = {number: CameraOptions(LOOP, clock_drift_ppm=ppm) for number, ppm in DRIFTS_PPM.items()}
    options = SimulatorOptions(cameras=len(overrides), overrides=overrides, cache_dir=loops)
    async with Simulator(options) as cameras, Served(tmp_path, segment_seconds=10) as served:
        for number in overrides:
            assert await served.add(f"C{number}", cameras.url(number)) == number

        def recorded() -> bool:
            found = [served.segments(number) for number in overrides]
            return all(rows and rows[-1]["start_us"] - rows[0]["start_us"] > FIVE_MINUTES_US for rows in found)

        await until(recorded, 500)
        for number in overrides:
            camera, rows = cameras.camera(number), served.segments(number)
            assert [run["ended_us"] for run in served.runs(number)] == [None]
            assert all(a["start_us"] + a["dur_us"] == b["start_us"] for a, b in pairwise(rows))
            for row in [rows[0], *rows[1:-5:5], *rows[-5:]]:
                numbers = await asyncio.to_thread(decode_frame_numbers, ffmpeg, archived(tmp_path, row))
                for shown, at_s in numbers[3:]:  # ffmpeg gives a run's first pictures any time
                    stated_us = row["start_us"] + round((at_s - numbers[0][1]) * 1e6)
                    wrong_us = stated_us - camera.frame_time_us(shown, stated_us)
                    assert abs(wrong_us) <= min(WITHIN_US, row["err_us"]), (number, row["n"], shown, wrong_us)


def archived(folder: Path, row: dict[str, Any]) -> Path:
    [path] = (folder / "footage" / ARCHIVE).glob(f"{row['camera_id']}/*/*/*/*/*-{row['run_id']}-{row['n']:06d}.mp4")
    return path
