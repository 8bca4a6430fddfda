"""Playlists, segments and stills over HTTP, on real footage."""

from __future__ import annotations

import asyncio
import hashlib
import re
import subprocess
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio

from storage.binary import find
from storage.clock import wall_us
from storage.model import Segment
from storage.paths import segment_path
from tests.lavfi import recorded
from tests.web.archived import grow, media_end_us, put_run
from tests.web.served import Served, serve
from web.keys import FILES

T0_US = 1_795_000_020_000_000
OLD, NEW = 1_795_000_020_000, 1_795_000_060_000
S = 1_000_000


@pytest_asyncio.fixture(loop_scope="session")
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as running:
        await running.add("A")
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def segments(served: Served) -> list[Segment]:
    """Camera 1: 12 s, a gap of 28 s, 12 s again; files of 4 s, 10 frames a second, a fragment a second."""
    files = recorded(b_frames=2)
    made = await put_run(served, files, run_id=OLD, start_us=T0_US)
    return made + await put_run(served, files, run_id=NEW, start_us=T0_US + 40 * S)


async def fetch(served: Served, path: str, **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with served.session.get(served.url + path, headers=sent) as got:
        return got.status, await got.read(), got.headers


def window(from_s: float, to_s: float) -> str:
    return f"from={T0_US + int(from_s * S)}&to={T0_US + int(to_s * S)}"


def frames_of(url: str) -> int:
    """How many frames ffmpeg's HLS reader gets. Blocking."""
    command = [str(find()), "-nostdin", "-hide_banner", "-loglevel", "error", "-i", url, "-map", "0:v", "-c", "copy"]
    done = subprocess.run([*command, "-f", "framecrc", "-"], capture_output=True, check=True, timeout=60)
    return sum(not line.startswith(b"#") for line in done.stdout.splitlines())


async def test_a_player_gets_every_frame_of_a_window_with_a_gap(served: Served, segments: list[Segment]) -> None:
    url = f"{served.url}/play/1/index.m3u8?{window(0, 60)}"
    assert await asyncio.to_thread(frames_of, url) == 240


async def test_a_playlist_is_relative_and_names_the_footage(served: Served, segments: list[Segment]) -> None:
    status, body, headers = await fetch(served, f"/play/1/index.m3u8?{window(3, 60)}")
    text = body.decode()
    assert status == 200
    assert headers["Content-Type"] == "application/vnd.apple.mpegurl"
    assert "http" not in text
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1
    assert text.rstrip().endswith("#EXT-X-ENDLIST")
    first = re.search(r"#EXT-X-PROGRAM-DATE-TIME:(\S+)", text)
    assert first
    into = re.search(r"#EXT-X-START:TIME-OFFSET=([0-9.]+),PRECISE=YES", text)
    assert into
    assert datetime.fromisoformat(first[1]).timestamp() + float(into[1]) == pytest.approx(T0_US / S + 3, abs=0.002)


async def test_a_window_without_footage_names_the_nearest(served: Served, segments: list[Segment]) -> None:
    status, problem, _ = await served.ask("GET", f"/play/1/index.m3u8?{window(20, 30)}")
    assert (status, problem["code"]) == (404, "no_footage")
    assert problem["before"] and problem["after"]
    status, problem, _ = await served.ask("GET", f"/play/7/index.m3u8?{window(20, 30)}")
    assert (status, problem["code"]) == (404, "not_found")


async def test_a_closed_segment_is_its_file_and_never_changes(served: Served, segments: list[Segment]) -> None:
    url = f"/media/1/{OLD}/1.mp4"
    status, body, headers = await fetch(served, url)
    assert status == 200
    assert hashlib.sha256(body).digest() == segments[1].sha256
    assert headers["ETag"] == f'"{segments[1].sha256.hex()}"'
    assert "immutable" in headers["Cache-Control"]
    status, part, headers = await fetch(served, url, Range="bytes=10-99")
    assert (status, part) == (206, body[10:100])
    assert headers["Content-Range"] == f"bytes 10-99/{len(body)}"
    assert (await fetch(served, url, If_None_Match=headers["ETag"]))[0] == 304
    assert (await fetch(served, url, Range=f"bytes={len(body)}-"))[0] == 416
    assert (await fetch(served, f"/media/2/{OLD}/1.mp4"))[0] == 404
    assert (await fetch(served, f"/media/1/{OLD}/77.mp4"))[0] == 404
    assert (await fetch(served, "/media/1/x/77.mp4"))[0] == 404


async def test_a_file_that_is_being_served_is_pinned(served: Served, segments: list[Segment]) -> None:
    await fetch(served, f"/media/1/{OLD}/1.mp4")
    assert served.app[FILES].pinned() == {(OLD, 1)}


async def test_a_missing_file_is_a_404_and_not_a_broken_answer(served: Served, segments: list[Segment]) -> None:
    segment_path(served.volumes.path(segments[2].volume_id), segments[2]).unlink()
    status, problem, _ = await served.ask("GET", f"/media/1/{OLD}/2.mp4")
    assert status == 404
    assert "missing" in problem["detail"]


async def test_a_truncated_file_breaks_the_answer_off(served: Served, segments: list[Segment]) -> None:
    import aiohttp

    path = segment_path(served.volumes.path(segments[0].volume_id), segments[0])
    with path.open("r+b") as file:
        file.truncate(2000)
    with pytest.raises(aiohttp.ClientError):
        await fetch(served, f"/media/1/{OLD}/0.mp4")


@pytest_asyncio.fixture(loop_scope="session")
async def growing(served: Served, tmp_path: Path) -> tuple[int, bytes]:
    """(start of a run of now, the bytes of its file that are complete). Segment 0 is indexed, 1 is growing, its last fragment
    is half written."""
    files = recorded(b_frames=2)
    start_us = wall_us() - 10 * S
    await put_run(served, files[:1], run_id=start_us // 1000, start_us=start_us)
    whole = files[1].read_bytes()
    cut = tmp_path / "growing.mp4"
    cut.write_bytes(whole[:-50])
    await grow(served, cut, run_id=start_us // 1000, n=1, start_us=start_us)
    return start_us, whole


async def test_the_growing_segment_is_played_as_far_as_it_is_complete(
    served: Served, growing: tuple[int, bytes]
) -> None:
    start_us, whole = growing
    url = f"/play/1/index.m3u8?from={start_us - 5 * S}&to={start_us + 60 * S}"
    status, body, headers = await fetch(served, url)
    assert (status, headers["Cache-Control"]) == (200, "no-store")
    assert body.count(b"#EXTINF") == 7
    assert await asyncio.to_thread(frames_of, served.url + url) == 70
    status, body, headers = await fetch(served, f"/media/1/{start_us // 1000}/1.mp4", Range="bytes=100-")
    assert status == 206
    assert "ETag" not in headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Range"] == f"bytes 100-{99 + len(body)}/*"
    assert body == whole[100 : 100 + len(body)]
    assert 100 + len(body) < len(whole) - 50


async def test_live_numbers_fragments_for_ever(served: Served, growing: tuple[int, bytes]) -> None:
    status, body, headers = await fetch(served, "/play/1/live.m3u8")
    lines = body.decode().splitlines()
    assert (status, headers["Cache-Control"]) == (200, "no-store")
    assert "#EXT-X-MEDIA-SEQUENCE:0" in lines
    assert "#EXT-X-TARGETDURATION:2" in lines
    assert not any("ENDLIST" in line or "PLAYLIST-TYPE" in line for line in lines)
    assert sum(line.startswith("#EXTINF") for line in lines) == 7


async def test_live_goes_on_over_runs(served: Served, segments: list[Segment]) -> None:
    _, body, _ = await fetch(served, "/play/1/live.m3u8?window_s=10")
    lines = body.decode().splitlines()
    assert "#EXT-X-MEDIA-SEQUENCE:14" in lines
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:1" in lines
    assert sum(line.startswith("#EXTINF") for line in lines) == 10
    _, body, _ = await fetch(served, "/play/1/live.m3u8?window_s=60")
    lines = body.decode().splitlines()
    assert "#EXT-X-MEDIA-SEQUENCE:0" in lines
    assert lines.count("#EXT-X-DISCONTINUITY") == 1
    assert sum(line.startswith("#EXTINF") for line in lines) == 24


async def test_live_without_footage_is_an_empty_playlist(served: Served) -> None:
    status, body, _ = await fetch(served, "/play/1/live.m3u8")
    assert status == 200
    assert b"#EXTINF" not in body
    assert (await fetch(served, "/play/2/live.m3u8"))[0] == 404


async def test_several_cameras_on_one_clock(served: Served, segments: list[Segment]) -> None:
    await served.add("B")
    told = await served.get(f"/play/sync?cameras=2,1&{window(0, 52)}")
    assert [camera["camera_id"] for camera in told["cameras"]] == [2, 1]
    second = told["cameras"][1]
    assert len(second["gaps"]) in (1, 2, 3)
    assert (await fetch(served, second["playlist"]))[0] == 200
    assert (await fetch(served, f"/play/sync?cameras=1,9&{window(0, 52)}"))[0] == 404
    assert (await fetch(served, f"/play/sync?cameras=1;2&{window(0, 52)}"))[0] == 422


async def test_a_still_is_the_keyframe_before_and_tells_its_true_time(served: Served, segments: list[Segment]) -> None:
    status, body, headers = await fetch(served, f"/play/1/frame.jpg?at={T0_US + int(2.75 * S)}")
    assert status == 200
    assert body.startswith(b"\xff\xd8") and body.rstrip(b"\0").endswith(b"\xff\xd9")
    shown_us = round(datetime.fromisoformat(headers["X-Frame-Time"]).timestamp() * S)
    assert 0 <= T0_US + 2.75 * S - shown_us <= 1.0 * S
    again = await fetch(served, f"/play/1/frame.jpg?at={T0_US + int(2.75 * S)}")
    assert again[1] == body
    assert (await fetch(served, f"/play/1/frame.jpg?at={T0_US + int(2.75 * S)}", If_None_Match=headers["ETag"]))[
        0
    ] == 304


async def test_an_exact_still_is_the_frame_shown_then(served: Served, segments: list[Segment], tmp_path: Path) -> None:
    seen = set()
    for tenth in range(20, 40):
        at_us = segments[0].start_us + tenth * 100_000 + 50_000
        status, body, headers = await fetch(served, f"/play/1/frame.jpg?at={at_us}&exact=1")
        assert status == 200
        shown_us = round(datetime.fromisoformat(headers["X-Frame-Time"]).timestamp() * S)
        assert 0 <= at_us - shown_us < 101_000
        seen.add(hashlib.sha256(body).digest())
    assert len(seen) == 20


async def test_a_still_is_as_wide_as_asked_but_never_enlarged(served: Served, segments: list[Segment]) -> None:
    for width, expected in ((80, (80, 60)), (1000, (160, 120))):
        _, body, _ = await fetch(served, f"/play/1/frame.jpg?at={T0_US + S}&width={width}")
        at = re.search(rb"\xff[\xc0\xc2]..\x08(..)(..)", body, re.DOTALL)
        assert at
        assert (int.from_bytes(at[2], "big"), int.from_bytes(at[1], "big")) == expected


async def test_a_still_in_a_gap_names_the_nearest_footage(served: Served, segments: list[Segment]) -> None:
    status, problem, _ = await served.ask("GET", f"/play/1/frame.jpg?at={T0_US + 30 * S}")
    assert status == 404
    assert problem["before"]
    assert (await fetch(served, f"/play/1/frame.jpg?at={T0_US + 15 * S}"))[0] == 200  # just after the last fragment


async def test_hevc_plays_and_is_shown(served: Served) -> None:
    files = recorded(codec="hevc", b_frames=2)
    await put_run(served, files, run_id=OLD, start_us=T0_US)
    assert media_end_us(files[-1]) > 11 * S
    url = f"{served.url}/play/1/index.m3u8?{window(0, 60)}"
    assert await asyncio.to_thread(frames_of, url) == 120
    assert (await fetch(served, f"/play/1/frame.jpg?at={T0_US + 6 * S}"))[0] == 200


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/play/1/index.m3u8", "from"),
        ("/play/1/index.m3u8?from=1&to=x", "to"),
        ("/play/1/index.m3u8?from=2&to=1", "to"),
        ("/play/1/index.m3u8?from=0&to=4102444800000000", "to"),
        ("/play/1/index.m3u8?from=1&to=2&form=3", "form"),
        ("/play/1/live.m3u8?window_s=1", "window_s"),
        ("/play/1/clip.mp4?from=1&to=2&gaps=some", "gaps"),
        ("/play/1/frame.jpg?at=now", "at"),
        ("/play/1/frame.jpg?at=1&width=0", "width"),
        ("/play/1/frame.jpg?at=1&exact=2", "exact"),
        ("/play/sync?cameras=&from=1&to=2", "cameras"),
    ],
)
async def test_bad_parameters_are_named(served: Served, path: str, field: str) -> None:
    status, problem, _ = await served.ask("GET", path)
    assert (status, problem["field"]) == (422, field)
