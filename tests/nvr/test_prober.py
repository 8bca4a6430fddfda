"""A server looks at its cameras: one that it records is judged by its footage, another is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nvr.simulator import CameraOptions, Simulator, SimulatorOptions
from tests.nvr.served import Served, until
from tests.nvr.simulated import LOOP

pytestmark = pytest.mark.slow

SECRET = "Zwiebelkuchen42"


async def test_recorded_and_other_cameras_are_looked_at(loops: Path, tmp_path: Path) -> None:
    camera = CameraOptions(replace(LOOP, bframes=2), audio="pcmu", user="admin", password=SECRET)
    options = SimulatorOptions(cameras=2, camera=camera, cache_dir=loops)
    async with Simulator(options) as simulated, Served(tmp_path, segment_seconds=8) as served:
        recorded = await served.add("R", simulated.url(1))
        other = await served.add("D", simulated.url(2), enabled=False)
        await until(lambda: len(served.segments(recorded)) > 1, 90, "footage of the camera")
        assert (await served.ask("/api/v1/cameras/probes", "POST", {"cameras": [recorded, other]})) == {"queued": 2}

        async def worked_off() -> bool:
            counts = await served.ask("/api/v1/cameras/probes")
            return counts["done"] + counts["failed"] >= 2 and not counts["waiting"] and not counts["running"]

        await until(worked_off, 120, "the queue of looks")
        for camera_id in (recorded, other):
            found = await served.ask(f"/api/v1/cameras/{camera_id}/probe")
            assert found["ok"], found
            codes = {"plain_rtsp", "b_frames", "audio_present", "audio_codec", "low_resolution"}
            assert codes <= {one["code"] for one in found["findings"]}
            assert found["keyframe_s"] == pytest.approx(1.0, abs=0.1)
            assert found["audio_codec"] == "pcm_mulaw"
            assert SECRET not in str(found)
