"""A hundred cuts of a run, a segment and a GOP a second: no picture is lost or doubled."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from tests.nvr.served import Served, faults, until
from tests.nvr.simulated import simulator

ROTATIONS = 100


@pytest.mark.slow
@pytest.mark.timeout(360)
@pytest.mark.long
async def test_a_hundred_rotations_lose_and_double_no_picture(ffmpeg: str, loops: Path, tmp_path: Path) -> None:
    async with simulator(loops) as cameras, Served(tmp_path, segment_seconds=1) as served:
        camera_id = await served.add("C1", cameras.url(1))
        await until(lambda: len(served.segments(camera_id)) > ROTATIONS, 300)
        [run] = served.runs(camera_id)
        shown = await asyncio.to_thread(served.shown, ffmpeg, run["id"])
        rows = served.segments(camera_id)
    assert faults(shown) == []
    assert len(shown) >= ROTATIONS * 25
    assert [row["n"] for row in rows] == list(range(len(rows)))
    assert all(a["start_us"] + a["dur_us"] == b["start_us"] for a, b in pairwise(rows))
