"""Looks at simulated cameras: what each sends, and that each trouble is found."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from nvr.probe import command, probe
from nvr.simulator import CameraOptions, Faults, Simulator, SimulatorOptions
from storage.binary import find
from storage.model import Credentials
from tests.nvr.simulated import LOOP, simulator
from web.keys import ProbeReport

USUAL = {"no_login", "plain_rtsp", "low_resolution"}  # of the simulated cameras: nobody signs in, small pictures


async def look(loops: Path, camera: CameraOptions, login: Credentials | None = None) -> ProbeReport:
    async with simulator(loops, camera) as cameras:
        return await probe(find(), cameras.url(1, credentials=False), login, whole=True)


async def test_a_usual_camera_is_measured(loops: Path) -> None:
    found = await look(loops, CameraOptions(LOOP))
    assert (found.ok, found.video_codec, found.width, found.height) == (True, "h264", 320, 180)
    assert found.fps == pytest.approx(25, abs=1)
    assert found.keyframe_s == pytest.approx(1.0, abs=0.1)
    assert found.bitrate_kbps == pytest.approx(500, rel=0.4)
    assert found.clock_offset_us is not None and abs(found.clock_offset_us) < 2_000_000
    assert set(found.findings) == USUAL


TROUBLES = {
    "long_gop": (CameraOptions(replace(LOOP, gop_s=6.0, length_s=12.0)), set[str]()),
    "smart_codec": (CameraOptions(replace(LOOP, gop_s=20.0, length_s=20.0)), set[str]()),
    "hevc": (CameraOptions(replace(LOOP, codec="h265")), set[str]()),
    "b_frames": (CameraOptions(replace(LOOP, bframes=2)), set[str]()),
    "low_frame_rate": (CameraOptions(replace(LOOP, fps=5)), set[str]()),
    "audio_codec": (CameraOptions(LOOP, audio="pcmu"), {"audio_present"}),
    "audio_silent": (CameraOptions(LOOP, audio="aac", audio_start_s=float("inf")), set[str]()),
    "audio_present": (CameraOptions(LOOP, audio="aac"), set[str]()),
    "clock_wrong": (CameraOptions(LOOP, clock_error_s=-30.0), set[str]()),
    "clock_unknown": (CameraOptions(LOOP, first_report_s=1e6, report_interval_s=1e6), set[str]()),
}


@pytest.mark.parametrize(("code", "camera", "also"), [(code, *case) for code, case in TROUBLES.items()], ids=TROUBLES)
async def test_each_trouble_is_found(loops: Path, code: str, camera: CameraOptions, also: set[str]) -> None:
    found = await look(loops, camera)
    assert found.ok, found
    assert {code, *also} <= set(found.findings)
    assert set(found.findings) - {code, *also} - USUAL <= {
        "frame_rate_mismatch",
        "variable_frame_rate",
    }  # a busy machine


async def test_the_cameras_clock_is_measured(loops: Path) -> None:
    found = await look(loops, CameraOptions(LOOP, clock_error_s=100.0))
    assert found.clock_offset_us == pytest.approx(100_000_000, abs=2_000_000)


async def test_logins(loops: Path) -> None:
    camera = CameraOptions(LOOP, user="admin", password="12345")
    assert "well_known_login" in (await look(loops, camera, Credentials("admin", "12345"))).findings
    wrong = await look(loops, camera, Credentials("admin", "fjord-7-Kalpi"))
    assert (wrong.ok, wrong.cause, wrong.findings) == (False, "unauthorized", ("wrong_login",))
    none = await look(loops, camera)
    assert (none.cause, none.findings) == ("unauthorized", ("wrong_login",))
    assert "fjord" not in repr(wrong)


@pytest.mark.parametrize(
    ("camera", "fault", "cause", "code"),
    [
        (CameraOptions(LOOP), Faults(status=404), "not_found", "wrong_path"),
        (CameraOptions(LOOP), Faults(status=503), "refused", "unreachable"),
        (CameraOptions(LOOP), Faults(stall=True), "timeout", "unreachable"),
        (CameraOptions(LOOP), Faults(no_video=True), "no_video", "no_video"),
        (CameraOptions(LOOP, transports="udp"), Faults(), "refused", "udp_only"),
    ],
    ids=["404", "503", "stall", "no_video", "udp"],
)
async def test_a_camera_that_cannot_be_read(
    loops: Path, camera: CameraOptions, fault: Faults, cause: str, code: str
) -> None:
    async with Simulator(SimulatorOptions(camera=camera, cache_dir=loops)) as cameras:
        cameras.camera(1).fault(fault)
        found = await probe(find(), cameras.url(1), None, whole=True)
    assert (found.ok, found.cause, found.findings) == (False, cause, (code,))


async def test_nothing_is_left_behind(loops: Path, tmp_path: Path) -> None:
    async with simulator(loops, CameraOptions(LOOP)) as cameras:
        assert (await probe(find(), cameras.url(1), None, tmp_path, whole=True)).ok
    assert os.listdir(tmp_path) == []


def test_the_command_shows_no_address() -> None:
    words = command(Path("ffmpeg"), Path("/x/camera.ffconcat"), Path("/x/film.mp4"))
    assert not [word for word in words if "rtsp:" in word]
