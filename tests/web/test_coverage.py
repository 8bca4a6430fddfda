"""Coverage and places over HTTP, and coverage in the metrics."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from functools import partial
from urllib.parse import quote

import pytest
import pytest_asyncio

from storage.catalog import segments, states
from storage.catalog.cameras import archive
from storage.catalog.db import Catalog
from storage.clock import rfc3339
from storage.model import HOUR_US, CameraId, CameraState
from tests.rows import T0_US, segment
from tests.web.served import Served, serve
from web.coverage_watch import KEPT_US, CoverageWatch

MINUTE_US = 60_000_000
WINDOW = f"from={T0_US}&to={T0_US + HOUR_US}"


@pytest_asyncio.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """Camera 1 has 45 minutes of an hour and was silent then; 2 was switched off; 3 has nothing that says why."""
    async with serve(tmp_path_factory.mktemp("coverage")) as running:
        await running.add("A", station="Kotwali", owner_kind="shop", lat=26.45, lon=80.33)
        await running.add("B", station="Kotwali", name_hi="बस स्टैंड", lat=26.46, lon=80.33)
        await running.add("C", zone="North", owner="कानपुर ज्वेलर्स")
        await running.catalog.write(lambda db: db.execute("UPDATE camera SET created_us = 1"))
        await running.catalog.write(lambda db: [segments.insert(db, segment(n, start_s=60 * n)) for n in range(45)])
        for state in (
            CameraState(CameraId(1), T0_US + 45 * MINUTE_US, "failed", "timeout"),
            CameraState(CameraId(2), T0_US - MINUTE_US, "disabled", "disabled"),
        ):
            await running.catalog.write(partial(states.put, state=state))
        yield running


async def test_coverage_of_all_cameras_with_its_causes(served: Served) -> None:
    answer = await served.get(f"/api/v1/coverage?{WINDOW}")
    assert (answer["from"], answer["to"]) == (rfc3339(T0_US), rfc3339(T0_US + HOUR_US))
    assert (answer["expected_s"], answer["recorded_s"], answer["coverage"]) == (10_800, 2700, 0.25)
    assert answer["causes"] == {"network": 900, "disabled": 3600, "unknown": 3600}
    assert [(item["code"], item["recorded_s"], item["coverage"], item["causes"]) for item in answer["items"]] == [
        ("A", 2700, 0.75, {"network": 900}),
        ("B", 0, 0, {"disabled": 3600}),
        ("C", 0, 0, {"unknown": 3600}),
    ]


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("kind=shop", ["A"]),
        ("station=Kotwali", ["A", "B"]),
        ("zone=North", ["C"]),
        (f"text={quote('स्टैंड kotwali')}", ["B"]),
        (f"text={quote('ज्वेलर्स')}", ["C"]),
        ("text=nothing", []),
    ],
)
async def test_coverage_of_some(served: Served, query: str, codes: list[str]) -> None:
    answer = await served.get(f"/api/v1/coverage?{WINDOW}&{query}")
    assert [item["code"] for item in answer["items"]] == codes
    assert answer["expected_s"] == 3600 * len(codes)


async def test_pages_of_coverage_keep_the_sums(served: Served) -> None:
    first = await served.get(f"/api/v1/coverage?{WINDOW}&limit=2")
    second = await served.get(f"/api/v1/coverage?{WINDOW}&limit=2&cursor={first['next']}")
    assert [item["code"] for item in [*first["items"], *second["items"]]] == ["A", "B", "C"]
    assert (second["next"], second["expected_s"]) == (None, 10_800)


async def test_coverage_of_a_camera_by_the_hours_of_the_site(served: Served) -> None:
    answer = await served.get(f"/api/v1/cameras/1/coverage?{WINDOW}")  # 16:37 to 17:37 there
    assert [(item["from"], item["expected_s"], item["recorded_s"], item["causes"]) for item in answer["items"]] == [
        (rfc3339(T0_US), 1380, 1380, {}),
        (rfc3339(T0_US + 23 * MINUTE_US), 2220, 1320, {"network": 900}),
    ]


async def test_coverage_of_a_camera_by_day(served: Served) -> None:
    answer = await served.get(f"/api/v1/cameras/1/coverage?from={T0_US}&to={T0_US + 48 * HOUR_US}&by=day")
    assert (answer["camera_id"], answer["by"], len(answer["items"])) == (1, "day", 3)
    assert [item["recorded_s"] for item in answer["items"]] == [2700, 0, 0]


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        (f"coverage?from={T0_US}&to={T0_US + 31 * 24 * HOUR_US + 1}", 422, "to"),
        (f"coverage?from={T0_US}&to={T0_US}", 422, "to"),
        (f"coverage?{WINDOW}&cursor=WzFd", 422, "cursor"),
        (f"cameras/1/coverage?{WINDOW}&by=week", 422, "by"),
        (f"cameras/1/coverage?from={T0_US}&to={T0_US + 31 * 24 * HOUR_US + 1}", 422, "to"),
        (f"cameras/1/coverage?from={T0_US}&to={T0_US + 400 * 24 * HOUR_US + 1}&by=day", 422, "to"),
        (f"cameras/99/coverage?{WINDOW}", 404, "camera_id"),
        ("places", 422, "text"),
        ("places?text=a&limit=51", 422, "limit"),
    ],
)
async def test_what_cannot_be_is_refused(served: Served, path: str, status: int, field: str) -> None:
    got, problem, _ = await served.ask("GET", f"/api/v1/{path}")
    assert (got, problem["field"]) == (status, field)


async def test_places_by_name_and_by_coordinates(served: Served) -> None:
    (station,) = (await served.get("/api/v1/places?text=kotwali"))["items"]
    assert (station["kind"], station["cameras"], round(station["lat"], 3)) == ("station", 2, 26.455)
    (camera,) = (await served.get(f"/api/v1/places?text={quote('स्टैंड')}"))["items"]
    assert (camera["kind"], camera["name_hi"]) == ("camera", "बस स्टैंड")
    (typed,) = (await served.get("/api/v1/places?text=26.45,+80.33"))["items"]
    assert (typed["kind"], typed["lat"], typed["lon"], typed["cameras"]) == ("coordinates", 26.45, 80.33, 1)
    assert (await served.get("/api/v1/places?text="))["items"] == []


async def test_the_last_day_is_in_the_metrics(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with serve(tmp_path_factory.mktemp("metrics")) as running:
        for code in ("A", "B"):
            await running.add(code)
        await running.catalog.write(lambda db: db.execute("UPDATE camera SET created_us = 1"))
        await running.catalog.write(lambda db: archive(db, CameraId(2), 2))
        _, text, _ = await running.ask("GET", "/metrics")
        assert 'nvr_coverage_ratio{camera="1"} 0.0' in text
        assert 'nvr_coverage_ratio{camera="2"}' not in text
        missing = re.search(r'nvr_missing_seconds\{camera="1",cause="unknown"\} (\S+)', text)
        assert missing is not None
        assert float(missing[1]) == 86_400


async def test_coverage_is_counted_once_in_five_minutes(served: Served) -> None:
    passed_us = 0
    watch = CoverageWatch(served.catalog, clock=lambda: T0_US + HOUR_US, mono=lambda: passed_us)
    first = await watch.last_day()
    assert first[CameraId(1)].recorded_us == 45 * MINUTE_US
    passed_us = KEPT_US - 1
    assert await watch.last_day() is first
    passed_us = KEPT_US
    assert await watch.last_day() is first  # an old count is told while the new one is made
    await watch.close()
    second = await watch.last_day()
    assert second is not first
    assert second == first


async def test_metrics_come_though_the_catalog_does_not_answer(tmp_path_factory: pytest.TempPathFactory) -> None:
    catalog = Catalog(tmp_path_factory.mktemp("locked") / "nvr.sqlite3")
    await catalog.open()
    try:
        await catalog.write(lambda db: db.execute("ALTER TABLE hour RENAME TO elsewhere"))
        assert await CoverageWatch(catalog).last_day() == {}
    finally:
        await catalog.close()
