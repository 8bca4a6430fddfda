"""Timeline and segments over HTTP, on rows as ingest writes them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise

import pytest
import pytest_asyncio

from storage.catalog import segments
from storage.clock import rfc3339
from storage.model import CameraId, SegmentFlag, Tier
from tests.rows import T0_US, segment
from tests.web.served import Served, serve

MINUTE_US = 60_000_000


@pytest_asyncio.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """Camera 1: segments 0, 1 and, after a minute without, 3; a run of minutes each."""
    async with serve(tmp_path_factory.mktemp("footage")) as running:
        await running.add("A")
        await running.add("B")
        rows = [segment(0), segment(1, start_s=60), segment(3, start_s=180)]
        rows[1] = replace(
            rows[1],
            tier=Tier.BOTH,
            flags=SegmentFlag.TRUNCATED | SegmentFlag.TIME_UNCERTAIN,
            err_us=20_500,
            clock_offset_us=-76_000,
            sha256=bytes(range(32)),
        )

        await running.catalog.write(lambda db: [segments.insert(db, row) for row in rows])
        yield running


def window(from_s: float, to_s: float) -> str:
    return f"from={T0_US + int(from_s * 1e6)}&to={rfc3339(T0_US + int(to_s * 1e6))}"


async def test_spans_and_gaps_tile_the_window(served: Served) -> None:
    timeline = await served.get(f"/api/v1/cameras/1/timeline?{window(30, 300)}&buckets=27")
    assert timeline["camera_id"] == 1
    assert (timeline["from"], timeline["to"]) == (rfc3339(T0_US + 30_000_000), rfc3339(T0_US + 300_000_000))
    edges = [(span["from"], span["to"]) for span in timeline["spans"]]
    edges += [(gap["from"], gap["to"]) for gap in timeline["gaps"]]
    edges.sort()
    assert edges[0][0] == timeline["from"]
    assert edges[-1][1] == timeline["to"]
    assert all(before[1] == after[0] for before, after in pairwise(edges))
    assert [gap["cause"] for gap in timeline["gaps"]]
    assert timeline["coverage"] == pytest.approx(150 / 270)
    assert timeline["activity"]["bucket_s"] == 10
    assert len(timeline["activity"]["values"]) == 27


async def test_an_empty_window_is_a_gap_and_no_error(served: Served) -> None:
    timeline = await served.get(f"/api/v1/cameras/2/timeline?{window(0, 60)}")
    assert (timeline["spans"], timeline["coverage"], len(timeline["gaps"])) == ([], 0, 1)


async def test_a_segment_says_all_about_itself(served: Served) -> None:
    page = await served.get(f"/api/v1/cameras/1/segments?{window(60, 120)}")
    run_id = segment().run_id
    assert page == {
        "items": [
            {
                "camera_id": 1,
                "run_id": run_id,
                "n": 1,
                "from": rfc3339(T0_US + MINUTE_US),
                "to": rfc3339(T0_US + 2 * MINUTE_US),
                "size_bytes": segment(1).size_bytes,
                "tier": "both",
                "sha256": bytes(range(32)).hex(),
                "uncertainty_ms": 20.5,
                "clock_offset_ms": -76.0,
                "flags": ["time_uncertain", "truncated"],
                "url": f"/media/1/{run_id}/1.mp4",
            }
        ],
        "next": None,
    }


async def test_pages_through_segments(served: Served) -> None:
    seen = []
    path = f"/api/v1/cameras/1/segments?{window(0, 600)}&limit=1"
    page = await served.get(path)
    while True:
        seen += [item["n"] for item in page["items"]]
        if page["next"] is None:
            break
        page = await served.get(f"{path}&cursor={page['next']}")
    assert seen == [0, 1, 3]


@pytest.mark.parametrize("what", ["timeline", "segments"])
async def test_wrong_questions_are_told(served: Served, what: str) -> None:
    for query, status, field in (
        ("", 422, "from"),
        ("from=5&to=4", 422, "to"),
        (f"{window(0, 60)}&bucket=3", 422, "bucket"),
        (f"{window(0, 60)}&cursor=W10", 422, "cursor"),
        (f"{window(0, 60)}&buckets=0&limit=0", 422, None),
    ):
        got, problem, _ = await served.ask("GET", f"/api/v1/cameras/1/{what}?{query}")
        assert got == status, problem
        assert field is None or problem["field"] == field
    got, problem, _ = await served.ask("GET", f"/api/v1/cameras/{CameraId(9)}/{what}?{window(0, 60)}")
    assert (got, problem["code"]) == (404, "not_found")
