"""`nvr footage ...` as a person types it, beside a server: the same answers as the API's."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.lavfi import recorded
from tests.web.archived import put_run
from tests.web.served import Served, serve

NVR = [sys.executable, "-c", "from nvr.cli import main; main()"]
ROOT = Path(__file__).parents[2]
T0_US = 1_795_000_020_000_000
S = 1_000_000
WINDOW = (T0_US + 1 * S, T0_US + 60 * S)
QUERY = f"from={WINDOW[0]}&to={WINDOW[1]}"
ASKED = ("--from", str(WINDOW[0]), "--to", str(WINDOW[1]))


@pytest_asyncio.fixture(loop_scope="session")
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """Camera KNP-1 with two runs of 12 s, 28 s apart."""
    (tmp_path / "nvr.toml").write_text('[storage]\ndatabase = "nvr.sqlite3"\nvolumes = ["footage"]\n')
    async with serve(tmp_path) as running:
        await running.add("KNP-1")
        for start_us in (T0_US, T0_US + 40 * S):
            await put_run(running, recorded(audio=True), run_id=start_us // 1000, start_us=start_us)
        yield running


async def nvr(here: Path, *arguments: str) -> tuple[int, str, str]:
    """(exit status, standard output, standard error) of `nvr footage ...` in a folder."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("NVR_")} | {"PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        *(*NVR, "footage", *arguments),
        cwd=here,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert "Traceback" not in err.decode()
    return process.returncode or 0, out.decode(), err.decode()


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
