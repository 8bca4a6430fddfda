"""`nvr retention report` as a person types it, without a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from retention.settle import settle_now
from storage.catalog import segments
from storage.catalog.db import transaction
from storage.clock import wall_us
from storage.model import HOUR_US
from storage.terms import DAY_US
from storage.volumes import register
from tests.nvr.typed import nvr
from tests.retention.stocked import camera, catalog, footage


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Of one camera a day of its last month was lost; another has recorded for ten days."""
    (tmp_path / "nvr.toml").write_text('[storage]\ndatabase = "nvr.sqlite3"\nvolumes = ["footage"]\n')
    now_us = wall_us()
    with catalog(tmp_path) as db, transaction(db):
        register(db, tmp_path / "footage")
        lossy, young = camera(db, "LOSSY"), camera(db, "YOUNG")
        settle_now(db, now_us - DAY_US, trusted=True)
        for camera_id, days in ((lossy, 31), (young, 10)):
            footage(db, camera_id, days, until_us=now_us // HOUR_US * HOUR_US)
        gone = segments.page(db, lossy, now_us - 20 * DAY_US, now_us - 19 * DAY_US, after=(-1, 0), limit=100)
        segments.remove(db, gone, reason="below_min", at_us=now_us)
    return tmp_path


async def test_tells_whose_promise_is_broken_and_when_the_next_will_be(here: Path) -> None:
    status, out, err = await nvr(here, "retention", "report")
    assert (status, err) == (0, "")
    assert out.startswith("2 cameras: 0 kept, 1 filling, 1 broken, 0 none\n")
    [row] = [line for line in out.splitlines() if line.startswith("LOSSY")]
    assert row.split()[1:6] == ["broken", "default", "30", "30", "19.0"]
    assert "YOUNG" not in out.split("volume  ")[0]
    assert str(here / "footage") in out
    _, everything, _ = await nvr(here, "retention", "report", "--all")
    assert "YOUNG" in everything


async def test_answers_in_json_as_the_api_does(here: Path) -> None:
    status, out, _ = await nvr(here, "retention", "report", "--json")
    report = json.loads(out)
    assert status == 0
    assert report["counts"] == {"kept": 0, "filling": 1, "broken": 1, "none": 0}
    assert [camera["code"] for camera in report["cameras"]] == ["LOSSY", "YOUNG"]
    assert [volume["path"] for volume in report["volumes"]] == [str(here / "footage")]
