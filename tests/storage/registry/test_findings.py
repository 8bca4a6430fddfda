"""What is found about a camera, from measured values; and what is measured, from boxes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.fmp4 import FragmentBoxes, InitBoxes, TrackInfo
from storage.model import Credentials
from storage.registry.findings import FINDINGS, Seen, findings_of, well_known
from storage.registry.measured import Measured, clock_offset_us, measure

LOGIN = Credentials("nvr", "fjord-7-Kalpi")
GOOD = Measured(
    width=1920,
    height=1080,
    fps=25.0,
    bitrate_kbps=2048.0,
    keyframes=4,
    keyframe_s=2.0,
    keyframe_at_least_s=2.0,
    keyframes_vary=False,
    fps_varies=False,
    b_frames=False,
    seconds=8.0,
)
SEEN = Seen(
    ok=True,
    cause=None,
    detail="",
    url="rtsps://10.0.0.5/1",
    credentials=LOGIN,
    video_codec="h264",
    fps=25.0,
    measured=GOOD,
    clock_asked=True,
    clock_offset_us=-40_000,
)


def test_a_good_camera_has_no_findings() -> None:
    assert findings_of(SEEN) == ()


@pytest.mark.parametrize(
    ("seen", "codes"),
    [
        (replace(SEEN, url="rtsp://10.0.0.5/1"), {"plain_rtsp"}),
        (replace(SEEN, credentials=None), {"no_login"}),
        (replace(SEEN, credentials=None, has_login=True), set()),
        (replace(SEEN, credentials=Credentials("admin", "12345")), {"well_known_login"}),
        (replace(SEEN, video_codec="hevc"), {"hevc"}),
        (replace(SEEN, video_codec="mjpeg", measured=replace(GOOD, bitrate_kbps=20_000.0)), {"mjpeg", "high_bitrate"}),
        (replace(SEEN, clock_offset_us=2_100_000), {"clock_wrong"}),
        (replace(SEEN, clock_offset_us=-2_100_000), {"clock_wrong"}),
        (replace(SEEN, clock_offset_us=1_900_000), set()),
        (replace(SEEN, clock_offset_us=None), {"clock_unknown"}),
        (replace(SEEN, clock_offset_us=None, clock_asked=False), set()),
        (replace(SEEN, audio_codec="aac"), {"audio_silent"}),
        (replace(SEEN, audio_codec="aac", audio_received=True), {"audio_present"}),
        (replace(SEEN, audio_codec="pcm_mulaw", audio_received=True), {"audio_present", "audio_codec"}),
        (replace(SEEN, audio_codec="aac", audio_received=True, audio_recorded=False), set()),
        (replace(SEEN, measured=None), set()),
    ],
)
def test_what_is_found_beside_the_picture(seen: Seen, codes: set[str]) -> None:
    assert set(findings_of(seen)) == codes


@pytest.mark.parametrize(
    ("measured", "codes"),
    [
        (replace(GOOD, keyframe_s=4.0, keyframe_at_least_s=4.0), set()),
        (replace(GOOD, keyframe_s=5.0, keyframe_at_least_s=5.0), {"long_gop"}),
        (replace(GOOD, keyframe_s=5.0, keyframe_at_least_s=5.0, keyframes_vary=True), {"smart_codec"}),
        (replace(GOOD, keyframe_s=None, keyframe_at_least_s=9.0, keyframes=1), {"smart_codec"}),
        (replace(GOOD, keyframe_s=None, keyframe_at_least_s=6.0, keyframes=1), {"long_gop"}),
        (replace(GOOD, keyframe_s=None, keyframe_at_least_s=9.0, keyframes=0), {"no_keyframes"}),
        (replace(GOOD, keyframe_s=None, keyframe_at_least_s=2.0, keyframes=0, seconds=2.0), set()),
        (replace(GOOD, fps_varies=True), {"variable_frame_rate"}),
        (replace(GOOD, fps=6.0), {"low_frame_rate", "frame_rate_mismatch"}),
        (replace(GOOD, fps=12.5), {"frame_rate_mismatch"}),
        (replace(GOOD, fps=24.0), set()),
        (replace(GOOD, b_frames=True), {"b_frames"}),
        (replace(GOOD, bitrate_kbps=8_500.0), {"high_bitrate"}),
        (replace(GOOD, bitrate_kbps=700.0), {"low_bitrate"}),
        (replace(GOOD, width=640, height=360, bitrate_kbps=500.0), {"low_resolution"}),
    ],
)
def test_what_is_found_in_the_picture(measured: Measured, codes: set[str]) -> None:
    assert set(findings_of(replace(SEEN, measured=measured))) == codes


@pytest.mark.parametrize(
    ("cause", "detail", "code"),
    [
        ("unreachable", "", "unreachable"),
        ("timeout", "", "unreachable"),
        ("refused", "connection refused by 10.0.0.5", "unreachable"),
        ("refused", "method SETUP failed: 461 Unsupported transport", "udp_only"),
        ("unauthorized", "", "wrong_login"),
        ("not_found", "", "wrong_path"),
        ("no_video", "", "no_video"),
        ("unsupported_codec", "", "unsupported_codec"),
        ("unknown", "", "unreachable"),
    ],
)
def test_what_is_found_of_a_camera_that_cannot_be_read(cause: str, detail: str, code: str) -> None:
    seen = replace(SEEN, ok=False, cause=cause, detail=detail, video_codec="", measured=None)
    assert findings_of(seen) == (code,)


def test_a_factory_login_is_told_even_where_nothing_can_be_read() -> None:
    seen = replace(SEEN, ok=False, cause="timeout", credentials=Credentials("admin", "admin"))
    assert findings_of(seen) == ("unreachable", "well_known_login")


@pytest.mark.parametrize(
    ("user", "password", "known"),
    [
        *(("admin", "admin", True), ("Admin", "12345", True), ("root", "PASS", True), ("admin", "", True)),
        *(("666666", "666666", True), ("ramesh", "ramesh", True), ("admin", "fjord-7-Kalpi", False)),
        ("ramesh", "12345", False),
    ],
)
def test_well_known_logins(user: str, password: str, known: bool) -> None:
    assert well_known(Credentials(user, password)) is known


def test_every_finding_says_what_is_so_and_what_to_do() -> None:
    for code, finding in FINDINGS.items():
        assert code == finding.code
        assert finding.text.endswith(".") and finding.fix.endswith(".")


# -- measuring ---------------------------------------------------------------------------------------------------------

SCALE = 90_000
INIT = InitBoxes(b"", (TrackInfo(1, "video", SCALE, "h264", "avc1.42c01e", 640, 480, 0, 0, 0, b""),))


def film(*lengths_s: float, keys: str = "", frames: int = 25, prft_off_us: int | None = None) -> list[FragmentBoxes]:
    """One fragment after another; `keys`: "k" where it begins with a keyframe. 100 kB a second."""
    made, start_s = [], 0.0
    for number, length_s in enumerate(lengths_s):
        start = round(start_s * SCALE)
        made.append(
            FragmentBoxes(
                offset=0,
                size_bytes=0,
                moof_offset=0,
                moof_size=0,
                mdat_offset=0,
                media_start=start,
                dur=round(length_s * SCALE),
                audio_start=None,
                audio_dur=0,
                frames=round(frames * length_s),
                keyframe=not keys or keys[number] == "k",
                key_bytes=0,
                inter_bytes=round(100_000 * length_s),
                prft_us=None if prft_off_us is None else round(start_s * 1e6) + prft_off_us,
                prft_media=start,
                prft_flags=24,
                keyframe_offset=0,
            )
        )
        start_s += length_s
    return made


def test_a_steady_film_is_measured() -> None:
    found = measure(INIT, film(2, 2, 2, 2), first_of_run=False)
    assert found is not None
    assert (found.fps, found.bitrate_kbps, found.keyframe_s, found.keyframes) == (25.0, 800.0, 2.0, 4)
    assert (found.seconds, found.keyframes_vary, found.fps_varies, found.b_frames) == (8.0, False, False, False)


def test_a_runs_first_fragment_is_not_believed() -> None:
    nonsense = replace(film(9.77)[0], frames=1)
    found = measure(INIT, [nonsense, *film(2, 2)], first_of_run=True)
    assert found is not None and found.fps == 25.0
    assert measure(INIT, film(2.0), first_of_run=True) is not None


def test_keyframes_that_are_far_apart_are_counted_with_the_open_ends() -> None:
    found = measure(INIT, film(*[1.0] * 8, keys="--k-----"), first_of_run=False)
    assert found is not None
    assert (found.keyframe_s, found.keyframe_at_least_s, found.keyframes) == (None, 6.0, 1)


def test_irregular_keyframes_and_rates() -> None:
    found = measure(INIT, film(1, 1, 1, 1, 1, 1, keys="kk---k"), first_of_run=False)
    assert found is not None and found.keyframes_vary and found.keyframe_s == 4.0
    slow = [*film(1, 1, 1), replace(film(1, frames=8)[0], media_start=3 * SCALE)]
    varying = measure(INIT, slow, first_of_run=False)
    assert varying is not None and varying.fps_varies


def test_nothing_is_measured_of_nothing() -> None:
    assert measure(INIT, [], first_of_run=False) is None
    assert measure(INIT, film(0.0), first_of_run=False) is None


def test_the_cameras_clock_against_ours() -> None:
    """Its pictures arrive 40 ms late; the server's clock shows 1000 s at media time 0."""
    camera = film(1, 1, 0.7, prft_off_us=1_030_000_000)
    written = [1_001_040_000, 1_002_040_000, 1_002_740_000]
    assert clock_offset_us(INIT, camera, list(written)) == pytest.approx(30_000_000 - 40_000, abs=2)
    assert clock_offset_us(INIT, camera, [None, written[1], None]) == pytest.approx(30_000_000 - 40_000, abs=2)
    assert clock_offset_us(INIT, camera, [None, None, None]) is None


def test_a_stamp_made_at_writing_is_no_cameras_clock() -> None:
    """What ffmpeg 9.0.2 writes for a camera without sender reports: flags 24 and the time of writing."""
    written = [1_001_040_000, 1_002_040_000, 1_002_740_000]
    made = [replace(one, prft_us=wall + 300) for one, wall in zip(film(1, 1, 0.7, prft_off_us=0), written, strict=True)]
    assert clock_offset_us(INIT, made, list(written)) is None
