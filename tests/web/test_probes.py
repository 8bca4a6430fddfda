"""Looks at cameras through the API: one that is not registered, a registered one, a queue; and ONVIF."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from nvr.onvif import Onveef
from nvr.prober import Prober
from storage.catalog import cameras, probe_queue, probes
from storage.catalog.probe_queue import Asked
from storage.clock import wall_us
from storage.model import CameraId, Credentials
from tests.lavfi import recorded
from tests.nvr.onvif_device import OnvifDevice, serving
from tests.nvr.served import until
from tests.web.served import RECORDING, FakeFleet, Served, serve, silent
from web.keys import PROBER, ProbeReport

GOOD = ProbeReport(
    ok=True,
    cause=None,
    detail="",
    video_codec="h264",
    width=1920,
    height=1080,
    fps=25.0,
    bitrate_kbps=2048.0,
    keyframe_s=12.0,
    clock_offset_us=-3_500_000,
    findings=("plain_rtsp", "smart_codec", "clock_wrong"),
)
AWAY = ProbeReport(False, "timeout", "nothing came", findings=("unreachable",))


@dataclass
class TellingFleet(FakeFleet):
    """Answers a look as `reports` say, by URL."""

    reports: dict[str, ProbeReport] = field(default_factory=dict)

    async def probe(self, url: str, credentials: Credentials | None, audio: str) -> ProbeReport:
        self.probed.append((url, credentials, audio))
        return self.reports.get(url, GOOD)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as served:
        yield served


def prober_of(served: Served, fleet: FakeFleet) -> Prober:
    prober = served.app[PROBER]
    assert isinstance(prober, Prober)
    prober._fleet = fleet
    return prober


async def drained(served: Served, prober: Prober) -> None:
    """The queue is worked off."""

    async def done() -> bool:
        counts = await prober.counts()
        return not counts.waiting and not counts.running

    work = asyncio.create_task(prober.run())
    try:
        await until(done, 60)
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


async def test_a_look_at_a_registered_camera_is_kept_and_told_with_its_fixes(served: Served) -> None:
    fleet = TellingFleet()
    prober_of(served, fleet)
    camera = await served.add("C1", url="rtsp://u:p@10.0.0.5/x", audio="off")
    path = f"/api/v1/cameras/{camera['id']}/probe"
    status, none, _ = await served.ask("GET", path)
    assert (status, none["field"]) == (404, "camera_id")
    status, found, _ = await served.ask("POST", path)
    assert status == 200
    assert fleet.probed == [("rtsp://10.0.0.5/x", Credentials("u", "p"), "off")]
    assert (found["ok"], found["bitrate_kbps"], found["keyframe_s"], found["clock_offset_ms"]) == (
        True,
        2048.0,
        12.0,
        -3500.0,
    )
    codes = {one["code"]: one for one in found["findings"]}
    assert codes.keys() == {"plain_rtsp", "smart_codec", "clock_wrong"}
    assert codes["clock_wrong"]["level"] == "warn" and "NTP" in codes["clock_wrong"]["fix"]
    assert await served.get(path) == found


async def test_a_camera_that_cannot_be_read_keeps_what_it_was_known_to_send(served: Served) -> None:
    fleet = TellingFleet()
    prober_of(served, fleet)
    camera = await served.add("C1")
    path = f"/api/v1/cameras/{camera['id']}/probe"
    await served.ask("POST", path)
    fleet.reports["rtsp://10.0.0.5/x"] = AWAY
    status, found, _ = await served.ask("POST", path)
    assert (status, found["ok"], found["cause"], found["video_codec"]) == (200, False, "timeout", "h264")
    assert [one["code"] for one in found["findings"]] == ["unreachable"]
    known = await served.catalog.read(lambda db: cameras.get_probe(db, CameraId(camera["id"])))
    assert known is not None and known.video_codec == "h264"


async def test_a_camera_never_read_is_not_known_to_send_anything(served: Served) -> None:
    fleet = TellingFleet(reports={"rtsp://10.0.0.5/x": AWAY})
    prober_of(served, fleet)
    camera = await served.add("C1")
    await served.ask("POST", f"/api/v1/cameras/{camera['id']}/probe")
    assert await served.catalog.read(lambda db: cameras.get_probe(db, CameraId(camera["id"]))) is None
    assert await served.catalog.read(lambda db: probes.last_look(db, CameraId(camera["id"]))) is not None


async def test_many_are_looked_at_in_their_turn(served: Served) -> None:
    fleet = TellingFleet(reports={"rtsp://10.0.0.3/x": AWAY})
    prober = prober_of(served, fleet)
    made = [await served.add(f"C{n}", url=f"rtsp://10.0.0.{n}/x") for n in range(1, 8)]
    await served.add("OFF", url="rtsp://10.0.0.9/x", enabled=False)  # not linked yet: asked only by its own id
    status, body, _ = await served.ask("POST", "/api/v1/cameras/probes", json={"cameras": [made[0]["id"]]})
    assert (status, body) == (202, {"queued": 1})
    status, body, _ = await served.ask("POST", "/api/v1/cameras/probes", json={"unprobed": True})
    assert (status, body) == (202, {"queued": 6})
    assert (await served.get("/api/v1/cameras/probes"))["waiting"] == 7
    await drained(served, prober)
    assert await served.get("/api/v1/cameras/probes") == {"waiting": 0, "running": 0, "done": 6, "failed": 1}
    assert {url for url, _, _ in fleet.probed} == {f"rtsp://10.0.0.{n}/x" for n in range(1, 8)}
    status, body, _ = await served.ask("POST", "/api/v1/cameras/probes", json={"unprobed": True})
    assert body == {"queued": 1}  # the one that could not be read


async def test_the_queue_outlives_the_server(tmp_path: Path) -> None:
    async with serve(tmp_path) as served:
        camera = await served.add("C1")
        await served.ask("POST", "/api/v1/cameras/probes", json={"cameras": [camera["id"]]})
    async with serve(tmp_path) as served:
        fleet = TellingFleet()
        await drained(served, prober_of(served, fleet))
        assert len(fleet.probed) == 1
        assert (await served.get(f"/api/v1/cameras/{camera['id']}/probe"))["ok"] is True


async def test_one_that_fails_inside_holds_up_no_other(served: Served) -> None:
    class Broken(TellingFleet):
        async def probe(self, url: str, credentials: Credentials | None, audio: str) -> ProbeReport:
            if url.endswith("/broken"):
                raise RuntimeError("a defect")
            return await super().probe(url, credentials, audio)

    prober = prober_of(served, Broken())
    bad = await served.add("C1", url="rtsp://10.0.0.1/broken")
    good = await served.add("C2", url="rtsp://10.0.0.2/x")
    await served.catalog.write(lambda db: probe_queue.ask(db, [bad["id"], good["id"]], wall_us()))
    await drained(served, prober)
    assert (await served.get("/api/v1/cameras/probes"))["failed"] == 1
    assert (await served.get(f"/api/v1/cameras/{good['id']}/probe"))["ok"] is True


async def test_a_starting_recorder_is_waited_for_a_while(served: Served) -> None:
    fleet = TellingFleet(usual=silent("timeout"))
    prober = prober_of(served, fleet)
    now_us = wall_us()
    assert prober._ready(Asked(CameraId(1), now_us), now_us)
    fleet.usual = replace(silent("timeout"), state="starting")
    assert not prober._ready(Asked(CameraId(1), now_us), now_us)
    assert prober._ready(Asked(CameraId(1), now_us - 61_000_000), now_us)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "cameras"),
        ({"cameras": []}, "cameras"),
        ({"cameras": [1], "unprobed": True}, "cameras"),
        ({"cameras": [99]}, "cameras"),
        ({"cameras": ["x"]}, "cameras.0"),
        ({"all": True}, "all"),
    ],
)
async def test_what_the_queue_does_not_take(served: Served, body: object, field: str) -> None:
    status, problem, _ = await served.ask("POST", "/api/v1/cameras/probes", json=body)
    assert (status, problem["field"]) == (422, field)


async def test_an_archived_camera_is_not_looked_at(served: Served) -> None:
    camera = await served.add("C1")
    await served.ask("DELETE", f"/api/v1/cameras/{camera['id']}")
    status, problem, _ = await served.ask("POST", f"/api/v1/cameras/{camera['id']}/probe")
    assert (status, problem["code"]) == (404, "not_found")


# -- ONVIF -------------------------------------------------------------------------------------------------------------


async def test_a_device_is_asked_for_its_streams(tmp_path: Path) -> None:
    async with serving(OnvifDevice()) as device, serve(tmp_path, onvif=Onveef()) as served:
        login = {"username": "admin", "password": "Ganga#2026"}
        found = await _streams(served, {"address": device.address, "credentials": login})
        assert (found["make"], found["mac"], len(found["profiles"])) == ("Gangotri Optics", "02:00:5e:10:00:41", 2)
        assert "Ganga#2026" not in str(found)
        login["password"] = "wrong"
        status, problem, _ = await served.ask(
            "POST", "/api/v1/onvif/streams", json={"address": device.address, "credentials": login}
        )
        assert (status, problem["field"]) == (422, "credentials")
        assert "wrong" not in problem["detail"]


async def _streams(served: Served, body: dict[str, Any]) -> Any:
    status, found, _ = await served.ask("POST", "/api/v1/onvif/streams", json=body)
    assert status == 200, found
    return found


async def test_the_network_is_searched(tmp_path: Path) -> None:
    async with serve(tmp_path, onvif=Onveef()) as served:
        status, found, _ = await served.ask("POST", "/api/v1/onvif/discover", json={"seconds": 1})
    assert status == 200 and isinstance(found["items"], list)


async def test_a_device_that_is_registered_is_known_by_its_code(served: Served) -> None:
    _, found, _ = await served.ask("POST", "/api/v1/onvif/discover", json={})
    assert found["items"][0]["registered_as"] is None
    await served.add("KNP-7", url="rtsp://10.0.0.5:554/x")
    _, found, _ = await served.ask("POST", "/api/v1/onvif/discover", json={})
    assert (found["items"][0]["name"], found["items"][0]["registered_as"]) == ("Gate", "KNP-7")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("discover", {"seconds": 0}, "seconds"),
        ("discover", {"seconds": 11}, "seconds"),
        ("streams", {}, "address"),
        ("streams", {"address": "169.254.169.254"}, "address"),
        ("streams", {"address": "http://a:b@10.0.0.5/"}, "address"),
    ],
)
async def test_what_onvif_is_not_asked(served: Served, path: str, body: object, field: str) -> None:
    status, problem, _ = await served.ask("POST", f"/api/v1/onvif/{path}", json=body)
    assert (status, problem["field"]) == (422, field)


async def test_a_camera_that_is_recorded_is_judged_by_its_footage(served: Served) -> None:
    fleet = TellingFleet()
    prober_of(served, fleet)
    camera = await served.add("C1")
    await served.record(
        camera["id"], recorded(seconds=12, segment_seconds=12), at_us=wall_us() - 30_000_000, segment_s=12
    )
    fleet.usual = RECORDING
    status, found, _ = await served.ask("POST", f"/api/v1/cameras/{camera['id']}/probe")
    assert (status, found["ok"], found["video_codec"]) == (200, True, "h264")
    assert found["bitrate_kbps"] > 0 and found["keyframe_s"] is not None and found["fps"] > 0
    assert fleet.probed == []


async def test_one_without_enough_footage_is_asked(served: Served) -> None:
    fleet = TellingFleet(usual=RECORDING)
    prober_of(served, fleet)
    camera = await served.add("C1")
    await served.ask("POST", f"/api/v1/cameras/{camera['id']}/probe")
    assert len(fleet.probed) == 1
