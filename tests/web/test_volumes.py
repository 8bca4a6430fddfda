"""Volumes and promises over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.clock import rfc3339, wall_us
from storage.model import CameraId
from storage.terms import DAY_US
from tests.lavfi import recorded
from tests.web.served import Served, serve
from web.keys import KEEPER


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as running:
        yield running


async def test_a_volume_tells_its_room_and_who_is_recorded_there(served: Served, tmp_path: Path) -> None:
    turns = {name: turn for name, _, turn in served.app[KEEPER].open()}
    try:
        await turns["volume 1"]()
        [volume] = (await served.get("/api/v1/volumes"))["items"]
    finally:
        await served.app[KEEPER].close()
    assert (volume["path"], volume["state"], volume["cameras"]) == (str(tmp_path / "footage"), "ok", [])
    assert 0 < volume["low_bytes"] < volume["total_bytes"]
    assert (volume["write_bytes_per_s"], volume["time_to_full_s"]) == (None, None)
    assert (volume["shedding"], volume["held_full"], volume["garbage_files"]) == (False, False, 0)


async def test_a_volume_that_is_away_is_told_without_its_room(served: Served, tmp_path: Path) -> None:
    (tmp_path / "footage" / ".nvr-volume").unlink()
    served.volumes.recheck(served.volumes.all()[0].id)
    [volume] = (await served.get("/api/v1/volumes"))["items"]
    assert (volume["state"], volume["low_bytes"]) == ("missing", None)


async def test_the_report_holds_promised_against_achieved(served: Served) -> None:
    camera = await served.add("KNP-1")
    await served.add("KNP-2")
    start_us = wall_us() - 2 * DAY_US
    await served.record(camera["id"], recorded(), at_us=start_us, segment_s=4)
    await served.app[KEEPER].sweep_due()
    report = await served.get("/api/v1/retention/report")
    one, two = report["cameras"]
    assert (one["code"], one["state"], one["min_days"], one["max_days"]) == ("KNP-1", "filling", 30, 30)
    assert one["achieved_days"] == pytest.approx(2, abs=0.01)
    assert one["oldest_footage"][:16] == rfc3339(start_us)[:16]
    assert (two["state"], two["oldest_footage"], two["achieved_days"]) == ("none", None, 0)
    assert report["counts"] == {"kept": 0, "filling": 1, "broken": 0, "none": 1}
    assert report["offload"] == {"segments": 0, "bytes": 0, "oldest": None, "failing": 0}


async def test_metrics_hold_the_oldest_footage_against_the_promise(served: Served) -> None:
    camera = await served.add("KNP-1")
    await served.record(camera["id"], recorded(), at_us=wall_us() - 2 * DAY_US, segment_s=4)
    await served.app[KEEPER].sweep_due()
    status, text, _ = await served.ask("GET", "/metrics")
    assert status == 200
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(lines['nvr_oldest_footage_age_seconds{camera="1"}']) == pytest.approx(2 * 86_400, abs=600)
    assert float(lines['nvr_promised_days{bound="max",camera="1"}']) == 30
    assert float(lines["nvr_cameras_held_back"]) == 0


async def test_the_status_tells_who_is_held_back(served: Served) -> None:
    status = await served.get("/api/v1/status")
    assert (status["held_back"], status["shedding"]) == (0, [])
    assert CameraId(1) not in served.app[KEEPER].held_back()
