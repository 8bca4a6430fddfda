"""`nvr footage ...` as a person types it, beside a server and without: the same answers as the API's."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from storage.clock import wall_us
from tests.lavfi import recorded
from tests.nvr import typed
from tests.web.archived import grow, put_run
from tests.web.served import Served, serve

SETTINGS = '[storage]\ndatabase = "nvr.sqlite3"\nvolumes = ["footage"]\n'
T0_US = 1_795_000_020_000_000
S = 1_000_000
WINDOW = (T0_US + 1 * S, T0_US + 60 * S)
QUERY = f"from={WINDOW[0]}&to={WINDOW[1]}"
ASKED = ("--from", str(WINDOW[0]), "--to", str(WINDOW[1]))


@pytest_asyncio.fixture(loop_scope="session")
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """Camera KNP-1 with two runs of 12 s, 28 s apart."""
    (tmp_path / "nvr.toml").write_text(SETTINGS)
    async with serve(tmp_path) as running:
        await running.add("KNP-1")
        for start_us in (T0_US, T0_US + 40 * S):
            await put_run(running, recorded(audio=True), run_id=start_us // 1000, start_us=start_us)
        yield running


async def nvr(here: Path, *arguments: str) -> tuple[int, str, str]:
    """`nvr footage ...` in a folder."""
    return await typed.nvr(here, "footage", *arguments)


async def fetched(served: Served, path: str) -> bytes:
    async with served.session.get(served.url + path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


async def asked(served: Served, path: str) -> Any:
    return json.loads(await fetched(served, path))


async def test_segments_are_listed_as_the_api_lists_them(served: Served, tmp_path: Path) -> None:
    status, out, _ = await nvr(tmp_path, "list", "KNP-1", *ASKED, "--json")
    assert status == 0
    listed = await asked(served, f"/api/v1/cameras/1/segments?{QUERY}")
    assert json.loads(out) == listed["items"] and len(listed["items"]) > 2
    status, out, _ = await nvr(tmp_path, "list", "1", *ASKED)
    assert status == 0 and len(out.splitlines()) == 1 + len(listed["items"])


async def test_a_timeline_tells_gaps_as_the_api_tells_them(served: Served, tmp_path: Path) -> None:
    status, out, _ = await nvr(tmp_path, "timeline", "1", *ASKED, "--buckets", "7", "--json")
    assert status == 0
    told = await asked(served, f"/api/v1/cameras/1/timeline?{QUERY}&buckets=7")
    assert json.loads(out) == told and told["gaps"] and len(told["spans"]) == 2
    status, out, _ = await nvr(tmp_path, "timeline", "1", *ASKED)
    assert status == 0 and out.startswith("KNP-1: ") and told["gaps"][0]["cause"] in out


@pytest.mark.parametrize("gaps", ["skip", "keep"])
async def test_a_clip_is_byte_for_byte_the_apis(served: Served, tmp_path: Path, gaps: str) -> None:
    status, out, err = await nvr(tmp_path, "clip", "KNP-1", *ASKED, "--gaps", gaps)
    assert (status, err) == (0, "")
    name = out.strip()
    assert name == "KNP-1-20261118-163701.mp4"  # 11:07:01 UTC, in Kanpur
    assert (tmp_path / name).read_bytes() == await fetched(served, f"/play/1/clip.mp4?{QUERY}&gaps={gaps}")
    assert not [left for left in os.listdir(tmp_path) if left.endswith(".part")]


async def test_a_clip_never_replaces_a_file_unasked(served: Served, tmp_path: Path) -> None:
    target = tmp_path / "evidence.mp4"
    target.write_bytes(b"something else")
    status, _, err = await nvr(tmp_path, "clip", "1", *ASKED, "-o", "evidence.mp4")
    assert status == 1 and err.startswith("nvr: evidence.mp4 is there already") and err.count("\n") == 1
    assert target.read_bytes() == b"something else"
    assert (await nvr(tmp_path, "clip", "1", *ASKED, "-o", "evidence.mp4", "--force"))[0] == 0
    assert target.read_bytes() == await fetched(served, f"/play/1/clip.mp4?{QUERY}")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("clip", "KNP-1", "--from", "yesterday", "--to", "1"), "--from: a time is RFC 3339"),
        (("list", "KNP-1", "--from", "5", "--to", "5"), "--to must be later than --from"),
        (("timeline", "KNP-77", *ASKED), "KNP-77"),
        (("clip", "99", *ASKED), "99"),
        (("clip", "1", "--from", "1000000", "--to", "2000000"), "has no footage from 1970-01-01"),
        (("clip", "1", *ASKED, "-o", "no/such/folder/x.mp4"), "No such file or directory"),
    ],
)
async def test_what_cannot_be_answered_is_one_line(
    served: Served, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    status, out, err = await nvr(tmp_path, *arguments)
    assert (status, out) == (1, "")
    assert err.startswith("nvr: ") and err.count("\n") == 1 and words in err


async def test_no_server_is_needed(tmp_path: Path) -> None:
    (tmp_path / "nvr.toml").write_text(SETTINGS)
    async with serve(tmp_path) as running:
        await running.add("KNP-1")
        await put_run(running, recorded(audio=True), run_id=T0_US // 1000, start_us=T0_US)
        clip = await fetched(running, f"/play/1/clip.mp4?{QUERY}")
        listed = await asked(running, f"/api/v1/cameras/1/segments?{QUERY}")
        told = await asked(running, f"/api/v1/cameras/1/timeline?{QUERY}")
    assert json.loads((await nvr(tmp_path, "list", "1", *ASKED, "--json"))[1]) == listed["items"]
    assert json.loads((await nvr(tmp_path, "timeline", "1", *ASKED, "--json"))[1]) == told
    assert (await nvr(tmp_path, "clip", "1", *ASKED, "-o", "x.mp4")) == (0, "x.mp4\n", "")
    assert (tmp_path / "x.mp4").read_bytes() == clip


async def test_a_file_that_grows_is_in_the_clip(served: Served, tmp_path: Path) -> None:
    start_us = wall_us() - 30 * S
    await grow(served, recorded(audio=True)[0], run_id=start_us // 1000, n=0, start_us=start_us)
    window = (start_us - 60 * S, start_us + 60 * S)
    arguments = ("--from", str(window[0]), "--to", str(window[1]), "-o", "live.mp4")
    assert (await nvr(tmp_path, "clip", "1", *arguments))[0] == 0
    clip = await fetched(served, f"/play/1/clip.mp4?from={window[0]}&to={window[1]}")
    assert (tmp_path / "live.mp4").read_bytes() == clip


async def test_streams_that_one_file_cannot_hold_are_told_with_the_windows_that_work(
    served: Served, tmp_path: Path
) -> None:
    other_us = T0_US + 100 * S
    await put_run(served, recorded(size="320x240"), run_id=other_us // 1000, start_us=other_us)
    status, out, err = await nvr(tmp_path, "clip", "1", "--from", str(T0_US), "--to", str(T0_US + 200 * S))
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "streams changed within this window" in err
    windows = re.findall(r"(\S+Z) to (\S+Z)", err)
    assert len(windows) == 2
    for from_, to in windows:
        assert (await nvr(tmp_path, "clip", "1", "--from", from_, "--to", to, "-o", f"{from_}.mp4"))[0] == 0
    assert len([name for name in os.listdir(tmp_path) if name.endswith(".mp4")]) == 2


async def test_a_window_without_footage_names_the_nearest(served: Served, tmp_path: Path) -> None:
    window = ("--from", str(T0_US + 20 * S), "--to", str(T0_US + 30 * S))
    status, out, err = await nvr(tmp_path, "clip", "KNP-1", *window)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert re.search(
        r"the nearest before ends at 2026-11-18T11:07:1\S+; the nearest after begins at 2026-11-18T11:07:40", err
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    point = tmp_path / "stick"
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(point)], check=True, timeout=10)
    yield point
    subprocess.run(["umount", "--lazy", str(point)], check=True, timeout=10)


@pytest.mark.needs("root")
async def test_a_disk_that_is_too_small_keeps_no_half_clip(served: Served, tmp_path: Path, small_disk: Path) -> None:
    status, out, err = await nvr(tmp_path, "clip", "1", *ASKED, "-o", "stick/clip.mp4")
    assert (status, out) == (1, "")
    assert err == "nvr: stick/clip.mp4 cannot be written: No space left on device; nothing is left there\n"
    assert os.listdir(small_disk) == []
