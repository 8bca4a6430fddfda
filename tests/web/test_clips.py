"""Clips over HTTP: read by independent programs, by range, over gaps."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio

from storage.binary import find
from storage.clock import wall_us
from tests.lavfi import recorded
from tests.web.archived import grow, put_run
from tests.web.served import Served, serve
from web import windows

T0_US = 1_795_000_020_000_000
OLD, NEW = 1_795_000_020_000, 1_795_000_060_000
S = 1_000_000


@pytest_asyncio.fixture(loop_scope="session")
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """Camera 1: 12 s with sound and B-frames, a gap of 28 s, 12 s again; 10 frames a second, a fragment a second."""
    async with serve(tmp_path) as running:
        await running.add("A")
        files = recorded(audio=True, b_frames=2)
        await put_run(running, files, run_id=OLD, start_us=T0_US)
        await put_run(running, files, run_id=NEW, start_us=T0_US + 40 * S)
        yield running


async def fetch(served: Served, path: str, **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
    async with served.session.get(
        served.url + path, headers={k.replace("_", "-"): v for k, v in headers.items()}
    ) as got:
        return got.status, await got.read(), got.headers


def clip(from_s: float, to_s: float, more: str = "") -> str:
    return f"/play/1/clip.mp4?from={T0_US + int(from_s * S)}&to={T0_US + int(to_s * S)}{more}"


def packets(path: Path, stream: str = "v:0") -> list[tuple[float, float]]:
    """(dts, duration) in seconds, as ffmpeg reads them; any complaint fails the test."""
    command = [str(find()), "-nostdin", "-hide_banner", "-loglevel", "warning", "-copyts", "-i", str(path)]
    command += ["-map", f"0:{stream}", "-c", "copy", "-f", "framecrc", "-"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert not done.stderr, done.stderr.decode()
    rows = []
    scale = 1.0
    for line in done.stdout.decode().splitlines():
        if line.startswith("#tb"):
            numerator, denominator = line.split(":")[1].strip().split("/")
            scale = int(numerator) / int(denominator)
        elif not line.startswith("#"):
            fields = line.split(",")
            rows.append((int(fields[1]) * scale, int(fields[3]) * scale))
    return rows


async def test_a_clip_over_two_runs_holds_every_frame_and_no_time_step(served: Served, tmp_path: Path) -> None:
    status, body, headers = await fetch(served, clip(0, 60))
    assert status == 200
    assert int(headers["Content-Length"]) == len(body)
    path = tmp_path / "clip.mp4"
    path.write_bytes(body)
    video = packets(path)
    assert len(video) == 240
    assert all(b[0] > a[0] for a, b in pairwise(video))
    assert video[0][0] >= 0
    assert 24 <= video[-1][0] + video[-1][1] < 24.3
    sound = packets(path, "a:0")
    assert all(b[0] >= a[0] + a[1] - 0.001 for a, b in pairwise(sound))


async def test_gaps_are_kept_when_asked(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes((await fetch(served, clip(0, 60, "&gaps=keep")))[1])
    video = packets(path)
    assert len(video) == 240
    assert video[120][0] - video[0][0] == pytest.approx(40, abs=0.1)


async def test_any_range_is_the_same_bytes(served: Served) -> None:
    _, whole, headers = await fetch(served, clip(2.5, 50))
    size = len(whole)
    for start, end in [(0, 1), (0, 2000), (1300, 1400), (1000, size - 1), (size // 3, size // 2), (size - 5, size - 1)]:
        status, body, got = await fetch(served, clip(2.5, 50), Range=f"bytes={start}-{end}")
        assert status == 206
        assert got["Content-Range"] == f"bytes {start}-{end}/{size}"
        assert body == whole[start : end + 1], (start, end)
    for start in range(1000, size, 4099):
        _, body, _ = await fetch(served, clip(2.5, 50), Range=f"bytes={start}-{start + 99}")
        assert body == whole[start : start + 100]
    status, body, _ = await fetch(served, clip(2.5, 50), Range="bytes=-7", If_Range=headers["ETag"])
    assert (status, body) == (206, whole[-7:])
    status, body, _ = await fetch(served, clip(2.5, 50), Range="bytes=-7", If_Range='"another"')
    assert (status, body) == (200, whole)
    status, body, _ = await fetch(served, clip(2.5, 50), If_None_Match=headers["ETag"])
    assert (status, body) == (304, b"")
    status, _, got = await fetch(served, clip(2.5, 50), Range=f"bytes={size}-")
    assert (status, got["Content-Range"]) == (416, f"bytes */{size}")


async def test_the_description_and_the_file_agree(served: Served, tmp_path: Path) -> None:
    _, body, headers = await fetch(served, clip(2.5, 50))
    told = await served.get(clip(2.5, 50).replace("clip.mp4", "clip.json"))
    assert told["etag"] == headers["ETag"]
    assert told["size_bytes"] == len(body)
    assert [s["n"] for s in told["segments"]] == [0, 1, 2, 0, 1, 2]
    assert told["segments"][0]["clip_time_s"] < 0.3  # the fragment's sound begins a little before its picture
    assert told["segments"][3]["clip_time_s"] == pytest.approx(10, abs=0.3)
    assert len(told["gaps"]) == 1
    path = tmp_path / "clip.mp4"
    path.write_bytes(body)
    assert len(packets(path)) == 200


async def test_head_tells_the_length(served: Served) -> None:
    async with served.session.head(served.url + clip(0, 60)) as got:
        assert got.status == 200
        assert got.headers["Accept-Ranges"] == "bytes"
        length = int(got.headers["Content-Length"])
    assert length == len((await fetch(served, clip(0, 60)))[1])


async def test_a_clip_with_the_growing_segment_is_kept_by_nobody(served: Served, tmp_path: Path) -> None:
    files = recorded(audio=True, b_frames=2)
    cut = tmp_path / "growing.mp4"
    cut.write_bytes(files[0].read_bytes()[:-100])
    start_us = wall_us() - 30 * S
    await grow(served, cut, run_id=start_us // 1000, n=0, start_us=start_us)
    url = f"/play/1/clip.mp4?from={start_us}&to={start_us + 60 * S}"
    status, body, headers = await fetch(served, url, Range="bytes=0-10")
    assert status == 200
    assert headers["Cache-Control"] == "no-store"
    assert "ETag" not in headers
    path = tmp_path / "clip.mp4"
    path.write_bytes(body)
    assert len(packets(path)) == 30


async def test_streams_that_do_not_fit_together_are_refused_with_the_windows_that_work(served: Served) -> None:
    await put_run(served, recorded(size="320x240"), run_id=NEW + 60_000, start_us=T0_US + 100 * S)
    status, problem, _ = await served.ask("GET", clip(0, 200))
    assert status == 409
    assert problem["code"] == "mixed_streams"
    assert len(problem["windows"]) == 2
    for window in problem["windows"]:
        status, _, _ = await fetch(served, f"/play/1/clip.mp4?from={window['from']}&to={window['to']}")
        assert status == 200


async def test_a_window_without_footage_names_the_nearest(served: Served) -> None:
    status, problem, _ = await served.ask("GET", clip(20, 30))
    assert status == 404
    assert problem["code"] == "no_footage"
    assert problem["before"].startswith("2026-11-18T11:07:1")
    assert problem["after"].startswith("2026-11-18T11:07:40")


async def test_a_clip_may_be_as_long_as_it_likes(served: Served, tmp_path: Path) -> None:
    months_s = 400 * 86_400
    start_us = T0_US - months_s * S
    await put_run(served, recorded(audio=True, b_frames=2), run_id=start_us // 1000, start_us=start_us)
    status, body, headers = await fetch(served, clip(-months_s, 60))
    assert status == 200
    told = await served.get(clip(-months_s, 60).replace("clip.mp4", "clip.json"))
    assert (told["etag"], told["size_bytes"]) == (headers["ETag"], len(body))
    assert [gap["to"][:10] for gap in told["gaps"]][-1] == "2026-11-18"
    path = tmp_path / "clip.mp4"
    path.write_bytes(body)
    assert len(packets(path)) == 360
    status, problem, _ = await served.ask("GET", clip(-months_s, 60).replace("clip.mp4", "index.m3u8"))
    assert (status, problem["field"]) == (422, "to")


async def test_more_segments_than_memory_holds_are_refused_before_they_are_read(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "MAX_CLIP_SEGMENTS", 5)
    monkeypatch.setattr(windows, "MAX_DESCRIBED_SEGMENTS", 3)
    status, problem, _ = await served.ask("GET", clip(0, 60))
    assert (status, problem["field"]) == (422, "to")
    assert problem["detail"] == "the window has more than 5 segments: ask for it in parts"
    assert (await fetch(served, clip(0, 47)))[0] == 200
    assert (await served.ask("GET", clip(0, 47).replace("clip.mp4", "clip.json")))[0] == 422
    assert (await served.ask("GET", clip(0, 12).replace("clip.mp4", "clip.json")))[0] == 200


async def test_the_file_is_named_by_the_cameras_code_and_the_time_at_its_site(served: Served) -> None:
    for more in ("", "&gaps=keep"):
        _, _, headers = await fetch(served, clip(2.5, 50, more), Range="bytes=0-1")
        assert headers["Content-Disposition"] == 'inline; filename="A-20261118-163702.mp4"'  # 11:07:02 UTC, in Kanpur
