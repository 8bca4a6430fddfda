"""What cameras do wrong: the right cause, the right back-off, video goes on, and the others are untouched."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest

from nvr.simulator import CameraOptions, Faults, Simulator, SimulatorOptions
from storage.clock import wall_us
from tests.nvr.served import Served, faults, until
from tests.nvr.simulated import LOOP

pytestmark = [pytest.mark.slow, pytest.mark.serial]

NEVER = float("inf")


def built(options: dict[str, CameraOptions], loops: Path) -> Simulator:
    overrides = dict(enumerate(options.values(), 1))
    return Simulator(SimulatorOptions(cameras=len(options), overrides=overrides, cache_dir=loops))


class City:
    """Cameras with names, each registered under its number."""

    def __init__(self, served: Served, cameras: Simulator, names: list[str]) -> None:
        self.served = served
        self.cameras = cameras
        self.ids = {name: number for number, name in enumerate(names, 1)}

    async def register(self) -> None:
        for name, number in self.ids.items():
            assert await self.served.add(name.replace("+", "-plus-"), self.cameras.url(number)) == number
        for name in self.ids:
            await self.state(name, "recording", within_s=60)

    async def state(self, name: str, state: str, cause: str | None = None, within_s: float = 40) -> None:
        await self.served.until_state(self.ids[name], state, cause, within_s)

    def fault(self, name: str, what: Faults) -> None:
        self.cameras.camera(self.ids[name]).fault(what)

    def clear(self, name: str) -> None:
        self.cameras.camera(self.ids[name]).clear()

    def ends(self, name: str) -> list[str | None]:
        return [run["end_reason"] for run in self.served.runs(self.ids[name])]

    async def next_run(self, name: str, within_s: float = 60) -> None:
        """Its first run has ended and another one records."""
        camera_id = self.ids[name]

        async def there() -> bool:
            runs = self.served.runs(camera_id)
            camera = await self.served.camera(camera_id)
            return len(runs) > 1 and runs[-1]["ended_us"] is None and camera["state"] == "recording"

        try:
            await until(there, within_s, f"{name} records again")
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.ends(name)} {self.served.history(camera_id)}") from None

    async def whole(self, name: str, ffmpeg: str, *, run: int = 0) -> list[tuple[int, int, int]]:
        """Where pictures of one of its runs are missing or doubled."""
        run_id = self.served.runs(self.ids[name])[run]["id"]
        return faults(await asyncio.to_thread(self.served.shown, ffmpeg, run_id))


async def test_each_failing_camera_is_named_and_comes_back(ffmpeg: str, loops: Path, tmp_path: Path) -> None:
    names = ["well", "stalls", "resets", "refuses", "vanishes", "locked", "grows", "killed", "dark"]
    options = {name: CameraOptions(LOOP) for name in names}
    options["locked"] = CameraOptions(LOOP, user="admin", password="right")
    async with built(options, loops) as cameras, Served(tmp_path) as served:
        city = City(served, cameras, names)
        await city.register()
        served_camera = city.ids["killed"]
        [victim] = served.recorders(served_camera)
        # -- one fault each, all at once
        city.fault("stalls", Faults(stall=True))
        cameras.camera(city.ids["resets"]).reset()
        city.fault("refuses", Faults(refuse=True))
        cameras.camera(city.ids["refuses"]).reset()
        city.fault("vanishes", Faults(status=404))
        cameras.camera(city.ids["vanishes"]).reset()
        city.fault("locked", Faults(status=401))
        cameras.camera(city.ids["locked"]).reset()
        city.fault("dark", Faults(no_video=True))
        await cameras.change_video(city.ids["grows"], replace(LOOP, width=640, height=360))
        os.kill(victim.pid, signal.SIGKILL)
        # -- the killed one is started again at once, not after the back-off of one that keeps failing
        await until(lambda: [one for one in served.recorders(served_camera) if one.pid != victim.pid], 20)
        # -- each is told by its cause
        await city.state("vanishes", "failed", "not_found")
        await city.state("refuses", "failed", within_s=40)
        await city.state("locked", "failed", "unauthorized")
        for name in ("resets", "killed", "grows"):
            await city.next_run(name)
        assert city.ends("resets")[0] == "unreachable"
        assert city.ends("killed")[0] == "killed"
        assert city.ends("grows")[0] == "parameters_changed"
        await city.state("stalls", "failed")
        await city.state("dark", "failed", "no_video", within_s=90)  # told when the next connection brings none either
        assert city.ends("stalls")[0] == "timeout"
        # -- and comes back
        for name in ("stalls", "refuses", "vanishes", "dark", "locked"):
            city.clear(name)
        for name in ("stalls", "refuses", "vanishes", "dark"):
            await city.next_run(name, within_s=90)
        assert city.ends("dark")[0] in ("timeout", "no_video")
        await city.state("locked", "failed", "unauthorized")  # ten minutes: many cameras lock the account
        await served.ask(f"/api/v1/cameras/{city.ids['locked']}", "PATCH", {"enabled": False})
        await served.ask(f"/api/v1/cameras/{city.ids['locked']}", "PATCH", {"enabled": True})
        await city.next_run("locked")
        # -- the others were not touched
        assert city.ends("well") == [None]
        assert await city.whole("well", ffmpeg) == []
        assert (await served.camera(city.ids["grows"]))["state"] == "recording"
        [size] = served.rows(
            "SELECT width, height FROM init JOIN segment ON init.id = init_id WHERE camera_id = ? ORDER BY run_id DESC"
            " LIMIT 1",
            city.ids["grows"],
        ) or [{}]
        assert size == {"width": 640, "height": 360}


YEAR_S = 365.25 * 86_400
JUMPS = {
    "report+20y": ("clock", 20 * YEAR_S),
    "report+30s": ("clock", 30.0),
    "report-30s": ("clock", -30.0),
    "rtp+5s": ("rtp", 5.0),
    "rtp-5s": ("rtp", -5.0),
    "rtp+1h": ("rtp", 3600.0),
    "rtp-1h": ("rtp", -3600.0),
}


@pytest.mark.parametrize("sound", ["none", "pcmu"])
async def test_a_camera_that_jumps_in_time_goes_on_being_recorded(
    ffmpeg: str, loops: Path, tmp_path: Path, sound: Literal["none", "pcmu"]
) -> None:
    options = {name: CameraOptions(LOOP, audio=sound) for name in ("well", *JUMPS)}
    async with built(options, loops) as cameras, Served(tmp_path) as served:
        city = City(served, cameras, list(options))
        await city.register()
        for name, (what, seconds) in JUMPS.items():
            camera = cameras.camera(city.ids[name])
            (camera.step_clock if what == "clock" else camera.jump_rtp)(seconds)
        jumped_us = wall_us()

        async def all_new() -> bool:
            """Each has closed segments that began well after the jump."""
            last = served.rows("SELECT camera_id, max(start_us) AS at_us FROM segment GROUP BY camera_id")
            ends = {row["camera_id"]: row["at_us"] for row in last}
            return all(ends.get(camera_id, 0) > jumped_us + 30_000_000 for camera_id in city.ids.values())

        await until(all_new, 90)
        for name in options:
            print(name, city.ends(name), served.history(city.ids[name]))
        for name in options:
            await city.state(name, "recording")
        assert city.ends("well") == [None]
        assert await city.whole("well", ffmpeg) == []
        for name, camera_id in city.ids.items():
            assert set(city.ends(name)[:-1]) <= {"camera_time_jump"} and len(city.ends(name)) <= 3, name
            rows = [row for row in served.segments(camera_id) if row["start_us"] > jumped_us + 25_000_000]
            assert all(abs(row["dur_us"] - 5_000_000) < 1_500_000 for row in rows), (name, rows)
            for before, after in pairwise(served.segments(camera_id)):
                overlap_us = before["start_us"] + before["dur_us"] - after["start_us"]
                assert overlap_us == 0 if before["run_id"] == after["run_id"] else overlap_us < 1_500_000, (name, after)
            missing = await city.whole(name, ffmpeg, run=-1)
            assert missing == [], name
