"""`nvr footage search`: what the API answers, without a server."""

from __future__ import annotations

import json
from pathlib import Path

from storage.catalog import segments
from tests.nvr import typed
from tests.rows import T0_US, segment
from tests.web.served import serve

SETTINGS = '[storage]\ndatabase = "nvr.sqlite3"\nvolumes = ["footage"]\n'
WINDOW = ("--from", str(T0_US), "--to", str(T0_US + 120_000_000))
QUERY = f"from={T0_US}&to={T0_US + 120_000_000}"


async def nvr(here: Path, *arguments: str) -> tuple[int, str, str]:
    return await typed.nvr(here, "footage", "search", *WINDOW, *arguments)


async def test_the_command_answers_as_the_api_does(tmp_path: Path) -> None:
    (tmp_path / "nvr.toml").write_text(SETTINGS)
    async with serve(tmp_path) as served:
        await served.add("KNP-1", lat=26.45, lon=80.33, name="Gate", covers=["exit"])
        await served.add("KNP-2", lat=26.46, lon=80.33, name_hi="गेट")
        await served.catalog.write(lambda db: db.execute("UPDATE camera SET created_us = 1"))
        await served.catalog.write(lambda db: segments.insert(db, segment()))
        for arguments, query in (
            (("--near", "26.45,80.33"), "near=26.45,80.33"),
            (("--near", "26.45,80.33", "--radius-m", "2000"), "near=26.45,80.33&radius_m=2000"),
            (("--text", "गेट"), "text=%E0%A4%97%E0%A5%87%E0%A4%9F"),
            (("--covers", "exit", "--limit", "1"), "covers=exit&limit=1"),
            (("--route", "26.45,80.33;26.46,80.33", "--width-m", "9"), "route=26.45,80.33;26.46,80.33&width_m=9"),
        ):
            status, out, err = await nvr(tmp_path, *arguments, "--json")
            assert status == 0, err
            assert json.loads(out) == await served.get(f"/api/v1/footage/search?{QUERY}&{query}")
        status, out, _ = await nvr(tmp_path, "--near", "26.45,80.33", "--radius-m", "2000")
        assert status == 0
        assert out.splitlines()[0] == "2 cameras, 1 with footage"
        assert out.splitlines()[2].split()[:4] == ["KNP-1", "0", "50.0%", "Gate"]
        assert "no footage because nothing was recorded" in out.splitlines()[3]


async def test_what_cannot_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "nvr.toml").write_text(SETTINGS)
    for arguments, said in (
        (("--near", "80.33,26.45"), "latitude comes first"),
        (("--near", "26.45,80.33", "--bbox", "26,80,27,81"), "bbox"),
        (("--radius-m", "5"), "radius_m goes with near"),
    ):
        status, out, err = await nvr(tmp_path, *arguments)
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert said in err
