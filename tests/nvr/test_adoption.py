"""`kill -9` of the server in the middle of everything: the recorders go on, the next server takes them on."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest

from nvr.simulator import CameraOptions
from storage.catalog.db import connect
from tests.nvr.served import Served, answer, faults, until
from tests.nvr.simulated import LOOP, simulator

pytestmark = pytest.mark.slow


async def recording(served: Served, *camera_ids: int, within_s: float = 40) -> None:
    for camera_id in camera_ids:
        await served.until_state(camera_id, "recording", within_s=within_s)


@pytest.mark.serial
async def test_killed_in_the_middle_of_everything_it_loses_no_frame(ffmpeg: str, loops: Path, tmp_path: Path) -> None:
    options = CameraOptions(LOOP, user="admin", password="p@ss/w:rd")
    async with simulator(loops, options, cameras=3) as cameras, Served(tmp_path, segment_seconds=2) as served:
        ids = [await served.add(f"C{n}", cameras.url(n)) for n in (1, 2, 3)]
        await recording(served, *ids)
        before = {one.camera_id: (one.pid, one.run_id) for one in served.recorders()}
        for _ in range(2):
            await served.kill()
            assert {one.camera_id: (one.pid, one.run_id) for one in served.recorders()} == before
            await served.start()
            await recording(served, *ids)
        assert {one.camera_id: (one.pid, one.run_id) for one in served.recorders()} == before
        longest = max(len(served.segments(camera_id)) for camera_id in ids)
        await until(lambda: min(len(served.segments(camera_id)) for camera_id in ids) > longest, 20)
        assert (await answer(served, "serve"))[0] == 1
        for camera_id in ids:
            assert [run["ended_us"] for run in served.runs(camera_id)] == [None]
            rows = served.segments(camera_id)
            assert [row["n"] for row in rows] == list(range(len(rows)))
        await served.end()
        status, out, err = await answer(served, "stop", "--recorders")
        assert (status, out, err) == (0, "3 recorders ended\n", "")
        assert served.recorders() == []
        for _, run_id in before.values():
            assert faults(await asyncio.to_thread(served.shown, ffmpeg, run_id)) == []


async def test_a_recorder_whose_pid_never_reached_the_catalog_is_found_and_not_doubled(
    loops: Path, tmp_path: Path
) -> None:
    async with simulator(loops) as cameras, Served(tmp_path) as served:
        camera_id = await served.add("C1", cameras.url(1))
        await recording(served, camera_id)
        [one] = served.recorders()
        await served.kill()
        with closing(connect(served.database)) as db:
            db.execute("UPDATE run SET pid = NULL")
            db.commit()
        await served.start()
        await recording(served, camera_id)
        assert [(found.pid, found.run_id) for found in served.recorders()] == [(one.pid, one.run_id)]
        assert [(run["id"], run["pid"]) for run in served.runs(camera_id)] == [(one.run_id, one.pid)]


def until_one_runs(served: Served) -> None:
    """Returns milliseconds after a recorder's process appeared: its pid may not be in the catalog yet. Blocks."""
    deadline = time.monotonic() + 40
    while not served.recorders():
        assert time.monotonic() < deadline, "no recorder was started"


@pytest.mark.parametrize("wait_s", [0.0, 0.02, 0.05, 0.1, 0.2])
async def test_a_server_killed_the_moment_an_ffmpeg_appears_doubles_nothing(
    loops: Path, tmp_path: Path, wait_s: float
) -> None:
    async with simulator(loops, cameras=2) as cameras, Served(tmp_path) as served:
        ids = [await served.add(f"C{n}", cameras.url(n)) for n in (1, 2)]
        await asyncio.to_thread(until_one_runs, served)
        await asyncio.sleep(wait_s)
        os.kill(served.pid, signal.SIGKILL)
        await served.kill()
        before = {(found.pid, found.run_id) for found in served.recorders()}
        assert before
        await served.start()
        await recording(served, *ids)
        after = served.recorders()
        assert before <= {(found.pid, found.run_id) for found in after}
        assert sorted(found.camera_id for found in after) == ids
        for found in after:
            runs = served.runs(found.camera_id)
            assert [(run["id"], run["pid"]) for run in runs if run["ended_us"] is None] == [(found.run_id, found.pid)]


async def test_what_is_wanted_otherwise_is_ended_and_recorded_anew(loops: Path, tmp_path: Path) -> None:
    async with simulator(loops, cameras=3) as cameras, Served(tmp_path) as served:
        ids = [await served.add(f"C{n}", cameras.url(n)) for n in (1, 2, 3)]
        await recording(served, *ids)
        before = {int(one.camera_id): one.pid for one in served.recorders()}
        await served.kill()
        await answer(served, "camera", "disable", "C2")
        with closing(connect(served.database)) as db:
            db.execute("UPDATE camera SET url = ? WHERE id = ?", (cameras.url(1), ids[2]))
            db.commit()
        await served.start()
        await recording(served, ids[0], ids[2])
        await served.until_state(ids[1], "disabled")
        now = {int(one.camera_id): one.pid for one in served.recorders()}
        assert now.keys() == {ids[0], ids[2]}
        assert now[ids[0]] == before[ids[0]] and now[ids[2]] != before[ids[2]]


async def test_a_run_that_ended_while_no_server_ran_is_indexed_with_its_cause(loops: Path, tmp_path: Path) -> None:
    async with simulator(loops) as cameras, Served(tmp_path, segment_seconds=60) as served:
        camera_id = await served.add("C1", cameras.url(1))
        await recording(served, camera_id)
        [one] = served.recorders()
        await served.kill()
        os.kill(one.pid, signal.SIGKILL)
        await served.start()
        await until(lambda: len(served.runs(camera_id)) > 1, 40)
        await recording(served, camera_id)
        runs = served.runs(camera_id)
        assert [run["end_reason"] for run in runs] == ["server_down", None]
        indexed = [row["n"] for row in served.segments(camera_id) if row["run_id"] == one.run_id]
        assert indexed == [*range(len(indexed))] and indexed  # one, or two where a cut of the clock came in between
        assert len(served.files(one.run_id)) == len(indexed)
        assert runs[1]["seq0"] > 0


async def test_a_second_server_on_the_same_catalog_refuses_in_one_line(loops: Path, tmp_path: Path) -> None:
    async with Served(tmp_path) as served:
        status, out, err = await answer(served, "serve")
        assert status == 1
        assert out == "" and err.startswith("nvr: ") and err.count("\n") == 1
        assert (await served.ask("/healthz")) == {"status": "ok"}
