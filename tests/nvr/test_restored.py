"""A catalog put back from an older backup, and one that is lost: nothing is overwritten, everything comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.nvr.served import Served, answer, until
from tests.nvr.simulated import simulator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

KEPT = ("camera_id", "run_id", "n", "size_bytes", "sha256")


def known(served: Served, camera_id: int) -> dict[tuple[int, int], dict[str, Any]]:
    return {(row["run_id"], row["n"]): row for row in served.segments(camera_id)}


def media(served: Served) -> dict[str, int]:
    """Every file of the archive with its size."""
    return {str(path): path.stat().st_size for path in served.volumes[0].glob("archive/*/*/*/*/*/*.mp4")}


def lose_catalog(folder: Path) -> None:
    for path in folder.glob("nvr.sqlite3*"):
        if path.is_file():
            path.unlink()


async def more(served: Served, camera_id: int, count: int) -> None:
    before = len(served.segments(camera_id))
    await until(lambda: len(served.segments(camera_id)) >= before + count, 60)


async def test_yesterdays_catalog_overwrites_nothing_and_learns_what_came_since(loops: Path, tmp_path: Path) -> None:
    async with simulator(loops, cameras=2) as cameras, Served(tmp_path, segment_seconds=2) as served:
        first = await served.add("C1", cameras.url(1))
        await more(served, first, 2)
        copies = tmp_path / "copies"
        copies.mkdir()
        status, _, err = await answer(served, "backup", "--to", str(copies))
        assert status == 0, err
        [copy] = copies.glob("*.sqlite3")
        second = await served.add("C2", cameras.url(2))
        await more(served, second, 2)
        await served.end()
        await answer(served, "stop", "--recorders")
        since, files = known(served, first), media(served)
        lost = known(served, second)
        status, _, err = await answer(served, "backup", "--restore", str(copy))
        assert status == 0, err
        status, _, err = await answer(served, "fsck", "--rebuild")
        assert status == 0, err
        await served.start()
        third = await served.add("C3", cameras.url(2))
        assert third > second  # its footage is not mistaken for the lost camera's
        await more(served, first, 2)
        await more(served, third, 1)
        assert {path: size for path, size in media(served).items() if path in files} == files
        now = known(served, first) | known(served, second)
        for key, row in (since | lost).items():
            assert [now[key][name] for name in KEPT] == [row[name] for name in KEPT]
        runs = [run["id"] for run in served.runs(first) + served.runs(third)]
        assert min(runs[-1], served.runs(first)[-1]["id"]) > max(run for run, _ in since | lost)


async def test_a_lost_catalog_is_made_again_and_recording_goes_on(loops: Path, tmp_path: Path) -> None:
    async with simulator(loops) as cameras, Served(tmp_path, segment_seconds=2) as served:
        camera_id = await served.add("C1", cameras.url(1), name="Main gate")
        await more(served, camera_id, 4)
        await served.end()
        await answer(served, "stop", "--recorders")
        before, files = known(served, camera_id), media(served)
        lose_catalog(tmp_path)
        status, _, err = await answer(served, "fsck", "--rebuild")
        assert status == 0, err
        now = known(served, camera_id)
        for key, row in before.items():
            assert [now[key][name] for name in KEPT] == [row[name] for name in KEPT]
            assert abs(now[key]["start_us"] - row["start_us"]) <= row["err_us"] + now[key]["err_us"]
        assert {path: size for path, size in media(served).items() if path in files} == files
        await served.start()
        camera = await served.camera(camera_id)
        assert (camera["code"], camera["name"]) == ("C1", "Main gate")
        await served.ask(f"/api/v1/cameras/{camera_id}", "PATCH", {"url": cameras.url(1), "enabled": True})
        await more(served, camera_id, 2)
