"""`nvr camera import`, `nvr camera export`, `nvr city sample` as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from storage.catalog import camera_history, cameras
from storage.catalog.db import connect
from storage.catalog.sqlite import Connection
from storage.model import CameraId
from tests.nvr.typed import nvr

SHEET = (
    "Code,Name,Owner category,URL\nA,Gate,Banks and ATMs,rtsp://u:s3cret@10.0.0.1/a\nB,Door,Shops,rtsp://10.0.0.2/a\n"
)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "nvr.toml").write_text('[storage]\ndatabase = "nvr.sqlite3"\nvolumes = ["footage"]\n')
    (tmp_path / "a.csv").write_text(SHEET)
    return tmp_path


async def done(here: Path, *words: str) -> str:
    status, out, err = await nvr(here, *words)
    assert (status, err) == (0, "")
    return out


def opened(here: Path) -> Connection:
    return connect(here / "nvr.sqlite3")


async def test_imports_a_sheet_once_and_exports_it_without_logins(here: Path) -> None:
    assert await done(here, "camera", "import", "a.csv", "--dry-run") == (
        "2 would be added, 0 would be changed, 0 the same\n"
    )
    assert await done(here, "camera", "import", "a.csv") == "2 added, 0 changed, 0 the same\n"
    assert await done(here, "camera", "import", "a.csv") == "0 added, 0 changed, 2 the same\n"
    await done(here, "camera", "export", "out.xlsx", "--language", "hi")
    assert await done(here, "camera", "import", "out.xlsx") == "0 added, 0 changed, 2 the same\n"
    assert await done(here, "camera", "export", "out.csv") == "2 cameras: out.csv\n"
    assert "s3cret" not in (here / "out.csv").read_text("utf-8-sig")
    db = opened(here)
    try:
        assert [change.by for _, change in camera_history.changes(db, CameraId(1), limit=9)] == ["a.csv"]
        login = cameras.credentials(db, CameraId(1))
        assert login is not None and login.password == "s3cret"
    finally:
        db.close()


async def test_a_wrong_row_ends_it_and_is_told(here: Path) -> None:
    (here / "bad.csv").write_text(SHEET + "C 3,,,http://x\n")
    status, out, err = await nvr(here, "camera", "import", "bad.csv")
    assert status == 1
    assert err == "nvr: 1 of 3 rows is wrong: nothing was imported\n"
    assert "how to mend it" in out and "rtsp://" in out
    status, out, _ = await nvr(here, "camera", "import", "bad.csv", "--json")
    items = json.loads(out)["items"]
    assert status == 1
    assert [(item["row"], item["result"]) for item in items] == [(2, "add"), (3, "add"), (4, "wrong")]
    db = opened(here)
    try:
        assert cameras.ids(db) == set()
    finally:
        db.close()


async def test_registered_cameras_change_where_that_is_said(here: Path) -> None:
    await done(here, "camera", "import", "a.csv")
    (here / "a.csv").write_text(SHEET.replace("Gate", "Main gate"))
    status, _, _ = await nvr(here, "camera", "import", "a.csv")
    assert status == 1
    assert await done(here, "camera", "import", "a.csv", "--update") == "0 added, 1 changed, 1 the same\n"


async def test_the_template_and_the_sample_can_be_imported(here: Path) -> None:
    await done(here, "camera", "export", "empty.xlsx", "--template")
    assert await done(here, "camera", "import", "empty.xlsx") == "0 added, 0 changed, 0 the same\n"
    assert await done(here, "city", "sample", "city.csv") == "1720 cameras: city.csv\n"
    assert await done(here, "camera", "import", "city.csv") == "1720 added, 0 changed, 0 the same\n"
    assert await done(here, "city", "sample", "some.xlsx", "--cameras", "50", "--language", "hi") == (
        "50 cameras: some.xlsx\n"
    )
    status, _, err = await nvr(here, "city", "sample", "city.pdf")
    assert (status, err) == (1, "nvr: FILE: city.pdf: the file's name ends with .csv or .xlsx\n")
