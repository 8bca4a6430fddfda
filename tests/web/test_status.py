"""/api/v1/status, /api/v1/volumes and the pages for machines: /healthz, /readyz, /metrics."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from storage.clock import wall_us
from storage.model import CameraId
from tests.web.served import RECORDING, Served, serve, silent
from web.keys import CameraTotals


@pytest_asyncio.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as running:
        yield running


async def test_counts_cameras_and_lists_the_silent_ones_longest_first(served: Served) -> None:
    healths = {
        "A": RECORDING,
        "B": silent("refused", since_us=9_000_000),
        "C": replace(RECORDING, missed_segments=2, newest_footage_us=5_000_000),
        "D": silent("timeout"),
        "E": replace(RECORDING, state="starting"),
    }
    for code, health in healths.items():
        camera = await served.add(code, enabled=code != "D")
        served.fleet.healths[CameraId(camera["id"])] = health
    status = await served.get("/api/v1/status")
    assert status["cameras"] == {"total": 5, "recording": 1, "silent": 2, "disabled": 1, "failed": 1, "starting": 1}
    assert [(trouble["code"], trouble["cause"]) for trouble in status["troubles"]] == [("C", None), ("B", "refused")]
    assert status["troubles"][0]["newest_footage"] == "1970-01-01T00:00:05.000000Z"
    assert (status["name"], status["timezone"], status["language"]) == ("Kanpur", "Asia/Kolkata", "en")
    assert status["segment_seconds"] == 60
    assert status["now"].endswith("Z")
    for told, volume in zip(status["volumes"], (await served.get("/api/v1/volumes"))["items"], strict=True):
        assert told == {key: volume[key] for key in told}


async def test_shows_the_volumes_and_their_space(served: Served, tmp_path: Path) -> None:
    (volume,) = (await served.get("/api/v1/volumes"))["items"]
    assert (volume["path"], volume["state"]) == (str(tmp_path / "footage"), "ok")
    assert 0 < volume["free_bytes"] <= volume["total_bytes"]


async def test_is_alive_and_ready(served: Served) -> None:
    assert await served.get("/healthz") == {"status": "ok"}
    assert (await served.get("/readyz"))["checks"] == {"catalog": "ok", "volumes": "ok", "fleet": "ok"}


async def test_is_not_ready_without_a_volume_or_before_adoption(served: Served, tmp_path: Path) -> None:
    served.fleet.adopted = False
    (tmp_path / "footage" / ".nvr-volume").unlink()
    for volume in served.volumes.all():
        served.volumes.recheck(volume.id)
    status, problem, headers = await served.ask("GET", "/readyz")
    assert (status, problem["checks"]["catalog"], headers["Retry-After"]) == (503, "ok", "5")
    assert problem["checks"]["volumes"] != "ok"
    assert problem["checks"]["fleet"] != "ok"


async def test_gives_prometheus_its_metrics(served: Served) -> None:
    served.fleet.counted = [
        CameraTotals(CameraId(1), 590.0, 600.0, wall_us() - 4_000_000),
        CameraTotals(CameraId(2), 0.0, 600.0, None),
    ]
    status, text, headers = await served.ask("GET", "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain")
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["nvr_recorded_seconds_total", "1"] == 590.0
    assert samples["nvr_expected_seconds_total", "2"] == 600.0
    assert 3.9 < samples["nvr_newest_footage_age_seconds", "1"] < 60
    assert ("nvr_newest_footage_age_seconds", "2") not in samples
    assert samples["nvr_run_restarts_total", "refused"] == 3
    assert samples["nvr_volume_ok", "1"] == 1
    assert samples["nvr_volume_free_bytes", "1"] > 0
    assert ("nvr_event_loop_lag_seconds_count",) in samples
