"""Nothing in a camera's sound stops its video: sound that is announced and never comes, that stops, that comes late."""

from __future__ import annotations

from pathlib import Path

import pytest

from nvr.simulator import CameraOptions, Simulator, SimulatorOptions
from tests.nvr.served import Served, faults, until
from tests.nvr.simulated import LOOP

NEVER_S = float("inf")
CAMERAS = {
    "silent": CameraOptions(LOOP, audio="aac", audio_start_s=NEVER_S),
    "silent-and-wanted": CameraOptions(LOOP, audio="pcmu", audio_start_s=NEVER_S),
    "stops": CameraOptions(LOOP, audio="pcmu", audio_stop_s=12.0),
    "stops-aac": CameraOptions(LOOP, audio="aac", audio_stop_s=12.0),
    "late": CameraOptions(LOOP, audio="aac", audio_start_s=12.0),
}
WANTED = {"silent-and-wanted": "aac"}


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_video_goes_on_whatever_the_sound_does(ffmpeg: str, loops: Path, tmp_path: Path) -> None:
    options = SimulatorOptions(cameras=len(CAMERAS), overrides=dict(enumerate(CAMERAS.values(), 1)), cache_dir=loops)
    async with Simulator(options) as cameras, Served(tmp_path) as served:
        ids = {
            name: await served.add(name, cameras.url(number), audio=WANTED.get(name, "auto"))
            for number, name in enumerate(CAMERAS, 1)
        }

        def recorded() -> bool:
            return all(len(served.segments(camera_id)) >= 6 for camera_id in ids.values())

        await until(recorded, 180)
        for name, camera_id in ids.items():
            await served.until_state(camera_id, "recording")
            ends = [run["end_reason"] for run in served.runs(camera_id)]
            assert ends == (["audio_silent", None] if name in WANTED else [None]), name
            run = served.runs(camera_id)[-1]
            assert run["audio"] == {"stops": "aac", "stops-aac": "copy"}.get(name, "off")
            assert faults(served.shown(ffmpeg, run["id"])) == [], name
        causes = [cause for _, cause, _ in served.history(ids["silent-and-wanted"])]
        assert "audio_silent" in causes
