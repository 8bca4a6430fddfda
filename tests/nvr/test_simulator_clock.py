"""A simulated camera's frames fall where its crystal says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nvr.simulator_clock import CameraClock

EPOCH_US = 1_700_000_000_000_000


def clock(*, fps: int = 25, delay_frames: int = 0, error_us: int = 0, drift_ppm: float = 0.0) -> CameraClock:
    return CameraClock(1000.0, EPOCH_US, fps, delay_frames, error_us, drift_ppm)


@given(st.integers(0, 10**7), st.integers(1, 60), st.floats(-500, 500))
def test_the_frame_at_its_own_time_is_itself(index: int, fps: int, drift_ppm: float) -> None:
    camera = clock(fps=fps, drift_ppm=drift_ppm)
    assert camera.index_at(camera.captured_us(index)) == index
    assert camera.index_at(camera.captured_us(index + 1) - 10) == index


def test_a_fast_crystal_makes_frames_come_early_and_its_clock_run_ahead() -> None:
    camera = clock(drift_ppm=200)
    hour_of_frames = 25 * 3600
    assert abs(camera.captured_us(hour_of_frames) - EPOCH_US - 3_600_000_000 + 719_856) < 10
    assert camera.camera_us(1000 + 3600) - EPOCH_US == 3_600_720_000
    assert camera.video_ticks(hour_of_frames) == 3600 * 90_000


def test_a_clock_error_shows_in_the_cameras_clock_alone() -> None:
    camera = clock(error_us=-5_000_000)
    assert camera.camera_us(1001) == EPOCH_US - 4_000_000
    assert camera.captured_us(25) == EPOCH_US + 1_000_000


def test_no_picture_leaves_before_it_was_captured() -> None:
    camera = clock(delay_frames=2)
    assert camera.sent_mono_s(1) == 1000 + 3 / 25
    assert camera.next_place(1000 + 2.5 / 25) == 1
    assert camera.next_place(0) == 0


def test_rtp_time_of_an_odd_rate_does_not_creep() -> None:
    assert clock(fps=7).video_ticks(7 * 1000) == 90_000 * 1000
