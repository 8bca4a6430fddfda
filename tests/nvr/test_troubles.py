"""What counts as a trouble, by tables of values; and a whole server that tells of a silent camera."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config.errors import Unavailable
from nvr import troubles
from nvr.troubles import Troubles
from retention.holds import OverQuota
from storage.catalog.stops import Stop
from storage.model import Camera, CameraId, Volume, VolumeId
from storage.trouble import KINDS, Trouble
from tests.nvr.mailed import webhook
from tests.nvr.served import Served, until
from tests.web.served import RECORDING

IST = ZoneInfo("Asia/Kolkata")
PATHS = {VolumeId(1): "/data/a", VolumeId(2): "/data/b"}
GB = 1_000_000_000
CAMERA = Camera(CameraId(1), "KNP-0412", "Bus stand", "rtsp://10.0.0.5/x", "n1")


@pytest.mark.parametrize(
    ("missed", "state", "told"),
    [(1, "recording", False), (2, "failed", True), (9, "disabled", False), (2, "starting", True)],
)
async def test_camera_is_a_trouble_from_two_missed_segments_on(missed: int, state: str, told: bool) -> None:
    health = replace(RECORDING, state=state, cause="refused", missed_segments=missed)
    found = await troubles.recording([(CAMERA, health)], IST)
    said = "Bus stand, connection refused, last footage 18/11/2026 16:37:40"
    health_at = replace(health, newest_footage_us=1_795_000_060_000_000)
    assert bool(found) is told
    if told:
        assert await troubles.recording([(CAMERA, health_at)], IST) == [Trouble("recording", "KNP-0412", said)]


async def test_six_thousand_cameras_leave_the_loop_its_turns() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await troubles.recording([(CAMERA, RECORDING)] * 6720, IST)
    counting.cancel()
    assert turns >= 12


def test_volume_is_a_trouble_unless_it_is_well() -> None:
    well = Volume(VolumeId(1), "u", "/data/a")
    found = list(troubles.volumes([well, replace(well, path="/data/b", state="readonly", detail="check its disk")]))
    assert found == [Trouble("volume", "/data/b", "check its disk")]


def test_sweep_waits_until_it_is_confirmed() -> None:
    stop = Stop(VolumeId(1), 1, 57 * GB, 133 * GB, 1)
    [told] = troubles.sweeps([stop, replace(stop, volume_id=VolumeId(2), confirmed_us=2)], PATHS)
    assert (told.kind, told.subject) == ("sweep", "/data/a") and told.detail.startswith("57.0 of 133.0 GB would go")


def test_holds_of_more_than_a_tenth_are_told_with_their_share() -> None:
    [told] = troubles.held([OverQuota(VolumeId(2), 12 * GB, 100 * GB)], PATHS)
    assert told.subject == "/data/b" and told.detail.startswith("12.0 GB are held, 12% of it")


def test_clock_is_a_trouble_while_it_is_doubted() -> None:
    assert list(troubles.clock("", "n1")) == []
    [told] = troubles.clock("it was set back by a day", "n1")
    assert told.subject == "n1" and "trust-clock" in told.detail


@pytest.mark.parametrize(
    ("failing", "late_h", "said"),
    [("", 0, None), ("", 23, None), ("", 30, "waits 30 h longer"), ("AccessDenied", 0, "AccessDenied")],
)
def test_object_store_is_a_trouble_when_it_fails_or_is_a_day_late(failing: str, late_h: int, said: str | None) -> None:
    found = list(troubles.offload("cctv", failing, late_h * 3_600_000_000))
    assert [said in one.detail for one in found if said] == ([True] if said else [])


async def test_a_look_that_fails_leaves_the_others_alone() -> None:
    async def good() -> list[Trouble]:
        return [Trouble("volume", "/data/a", "full")]

    async def bad() -> list[Trouble]:
        raise Unavailable("the catalog did not answer")

    async def blind() -> None:
        return None

    survey = await Troubles({"clock": bad, "volume": good, "recording": blind}).survey()
    assert survey.looked == {"volume"} and len(survey.troubles) == 1 and survey.looked <= set(KINDS)


@pytest.mark.slow
async def test_server_tells_of_a_silent_camera_by_webhook(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        async with webhook() as hook:
            settings = f'[alerts]\nwebhook = "{hook.url}"\n'
            async with Served(tmp_path, segment_seconds=1, settings=settings) as served:
                await served.add("KNP-0412", f"rtsp://127.0.0.1:{port}/x")
                await until(lambda: not hook.bodies.empty(), 60, "an alert")
                body = hook.bodies.get_nowait()
                assert body["title"] == "[nvr] KNP-0412 is not being recorded: connection refused, no footage yet"
                assert body["url"] == served.url + "/"
                told = await served.ask("/api/v1/alerts")
                assert [one["subject"] for one in told["lasting"]] == ["KNP-0412"] and told["waiting"] == []
                # -- a restart repeats nothing
                await served.end()
                await served.start()
                await asyncio.sleep(15)  # a whole look of the new server
                assert hook.bodies.empty()
