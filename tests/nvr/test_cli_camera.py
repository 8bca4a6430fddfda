"""`nvr camera add`, `set` and `rekey` as a person types them."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from storage.catalog import camera_history, cameras
from storage.catalog.db import connect
from storage.clock import rfc3339, wall_us
from storage.model import CameraId
from tests.nvr.typed import nvr

URL = ("--url", "rtsp://admin:s3cret@10.0.0.5/x")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "nvr.toml").write_text('[storage]\ndatabase = "nvr.sqlite3"\nvolumes = ["footage"]\n')
    return tmp_path


async def shown(here: Path, code: str) -> dict[str, object]:
    status, out, err = await nvr(here, "camera", "show", code, "--json")
    assert status == 0, err
    found: dict[str, object] = json.loads(out)
    return found


async def test_every_field_can_be_given_and_changed(here: Path) -> None:
    fields = {
        "name": "Gate", "name-hi": "द्वार", "kind": "bus_stand", "owner": "UPSRTC", "contact": "+91", "site": "Bus stand",
        "station": "Babupurwa", "ward": "12", "zone": "East", "address": "GT Road", "covers": "entrance", "lat": "26.442",
        "lon": "80.345", "bearing": "90", "fov": "80", "tag": "mela", "make": "CP Plus", "model": "TB41", "serial": "1",
        "mac": "001A2B3C4D5E", "firmware": "2.8", "legal-basis": "order 7", "audio": "off",
    }  # fmt: skip
    options = [part for name, value in fields.items() for part in (f"--{name}", value)]
    assert await nvr(here, "camera", "add", "A", *URL, *options, "--by", "inspector") == (0, "1\n", "")
    found = await shown(here, "A")
    assert (found["owner_kind"], found["covers"], found["tags"]) == ("bus_stand", ["entrance"], ["mela"])
    assert (found["lat"], found["fov"], found["mac"]) == (26.442, 80.0, "00:1a:2b:3c:4d:5e")
    status, out, err = await nvr(
        here, "camera", "set", "A", "--station", "Kakadeo", "--covers", "exit", "--covers", "road_side"
    )
    assert (status, err) == (0, "") and out.startswith("A: station = Kakadeo")
    now = await shown(here, "A")
    assert (now["station"], now["covers"], now["name"]) == ("Kakadeo", ["exit", "road_side"], "Gate")
    with closing(connect(here / "nvr.sqlite3")) as db:
        (_, second), (_, first) = camera_history.changes(db, CameraId(1), limit=5)
        assert first.by == "inspector" and second.by not in ("", "inspector")
        assert second.changes.keys() == {"station", "covers"}


async def test_a_camera_without_a_name_is_called_by_its_code(here: Path) -> None:
    await nvr(here, "camera", "add", "A", *URL)
    assert (await shown(here, "A"))["name"] == "A"


async def test_a_move_noted_late_is_dated_back(here: Path) -> None:
    await nvr(here, "camera", "add", "A", *URL, "--lat", "26.4", "--lon", "80.3")
    with closing(connect(here / "nvr.sqlite3")) as db:
        db.execute("UPDATE camera SET created_us = 1")
    since_us = wall_us() - 3_600_000_000
    moved = ("camera", "set", "A", "--lat", "26.5", "--lon", "80.5", "--place-since")
    assert (await nvr(here, *moved, rfc3339(since_us)))[0] == 0
    with closing(connect(here / "nvr.sqlite3")) as db:
        assert [(place.since_us, place.lat) for place in camera_history.places(db, CameraId(1))] == [
            (0, 26.4),
            (since_us, 26.5),
        ]
    assert (await nvr(here, *moved, rfc3339(wall_us() + 3_600_000_000)))[0] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--kind", "bus_stop"), "did you mean bus_stand?"),
        ((), "nothing to change"),
        (("--lat", "26.4"), "lon is missing"),
        (("--place-since", "1", "--station", "x"), "--place-since goes with --lat and --lon"),
        (("--mac", "zz"), "mac has six pairs"),
    ],
)
async def test_a_mistake_is_one_line(here: Path, arguments: tuple[str, ...], said: str) -> None:
    await nvr(here, "camera", "add", "A", *URL)
    status, out, err = await nvr(here, "camera", "set", "A", *arguments)
    assert (status, out) == (1, "") and said in err and err.count("\n") == 1


async def test_a_lost_key_is_given_up_by_word_alone(here: Path) -> None:
    await nvr(here, "camera", "add", "A", *URL)
    assert (await nvr(here, "check"))[1].count("1 login is sealed") == 1
    key = here / "nvr.sqlite3.key"
    assert (await nvr(here, "camera", "rekey"))[0] == 0
    assert (here / "nvr.sqlite3.key.old").exists()
    key.unlink()
    status, _, err = await nvr(here, "camera", "rekey")
    assert status == 1 and "1 of 1 logins cannot be opened" in err and not key.exists()
    status, out, _ = await nvr(here, "camera", "rekey", "--lost")
    assert status == 0 and "1 cannot be opened: enter them again" in out and key.exists()
    assert (await nvr(here, "camera", "add", "B", *URL))[0] == 0
    with closing(connect(here / "nvr.sqlite3")) as db:
        login = cameras.credentials(db, CameraId(2))
        assert login is not None and login.password == "s3cret"


async def test_a_key_that_others_may_read_is_told(here: Path) -> None:
    await nvr(here, "camera", "add", "A", *URL)
    (here / "nvr.sqlite3.key").chmod(0o644)
    [line] = [line for line in (await nvr(here, "check"))[1].splitlines() if line.split()[1] == "logins"]
    assert line.startswith("TROUBLE") and "chmod 600" in line
