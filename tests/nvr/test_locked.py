"""A server whose key of the cameras' logins is lost: what runs goes on, what needs no login is recorded, the rest says why."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from nvr.simulator import CameraOptions
from storage.model import CameraId
from tests.nvr.served import Served, answer, until
from tests.nvr.simulated import LOOP, simulator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def test_a_lost_key_costs_no_footage_of_what_needs_no_login_and_is_told(loops: Path, tmp_path: Path) -> None:
    options = CameraOptions(LOOP, user="admin", password="s3cret")
    async with (
        simulator(loops) as open_cameras,
        simulator(loops, options) as guarded,
        Served(tmp_path, segment_seconds=2) as served,
    ):
        free = CameraId(await served.add("FREE", open_cameras.url(1)))
        locked = CameraId(await served.add("LOCKED", guarded.url(1)))
        for camera in (free, locked):
            await served.until_state(camera, "recording", within_s=60)
        before = {one.camera_id: one.pid for one in served.recorders()}
        await served.end()
        key = tmp_path / "nvr.sqlite3.key"
        key.rename(tmp_path / "away")

        await served.start()
        for camera in (free, locked):
            await served.until_state(camera, "recording", within_s=60)
        assert {one.camera_id: one.pid for one in served.recorders()} == before
        await served.ask(f"/api/v1/cameras/{locked}", "PATCH", {"station": "Kotwali"})  # no reason to end it either
        os.kill(before[locked], signal.SIGKILL)
        await served.until_state(locked, "failed", "unauthorized", within_s=60)
        detail = (await served.camera(locked))["detail"]
        assert detail.startswith("its login cannot be read: the key") and "bring back the key" in detail
        recorded = len(served.segments(free))
        await until(lambda: len(served.segments(free)) > recorded, 60)
        assert {one.camera_id: one.pid for one in served.recorders()} == {free: before[free]}

        status, out, _ = await answer(served, "check")
        [line] = [line for line in out.splitlines() if line.split()[1] == "logins"]
        assert status == 1 and line.startswith("TROUBLE") and "1 of 1 logins cannot be read" in line
        status, out, err = await answer(served, "camera", "show", "LOCKED")
        assert status == 0, err
        status, out, err = await answer(served, "camera", "add", "NEW", "--url", guarded.url(1).replace("s3cret", "x"))
        assert (status, out) == (1, "") and "is missing: bring it back" in err
        assert not key.exists()

        (tmp_path / "away").rename(key)
        await served.until_state(locked, "recording", within_s=60)
        status, out, _ = await answer(served, "check")
        assert "1 login is sealed, and opened by" in out


async def test_a_new_key_reaches_the_running_server_and_ends_no_recorder(loops: Path, tmp_path: Path) -> None:
    options = CameraOptions(LOOP, user="admin", password="s3cret")
    async with simulator(loops, options) as cameras, Served(tmp_path, segment_seconds=2) as served:
        camera = await served.add("C1", cameras.url(1))
        await served.until_state(camera, "recording", within_s=60)
        [one] = served.recorders()
        status, out, err = await answer(served, "camera", "rekey")
        assert (status, err) == (0, "") and out.startswith("1 login sealed anew with the key")
        (tmp_path / "nvr.sqlite3.key.old").unlink()
        recorded = len(served.segments(camera))
        await until(lambda: len(served.segments(camera)) > recorded + 1, 60)
        assert [found.pid for found in served.recorders()] == [one.pid]
        os.kill(one.pid, signal.SIGKILL)  # and the next one opens the login with the new key
        await until(lambda: [found.pid for found in served.recorders() if found.pid != one.pid], 60)
        await served.until_state(camera, "recording", within_s=60)
