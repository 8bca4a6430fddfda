"""`nvr register`: shown, signed, exported, without a running server."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from config.errors import Conflict, Invalid
from nvr.cli import nvr
from storage.catalog import targets
from storage.catalog.db import connect, prepare
from storage.clock import wall_us
from storage.model import HOUR_US
from storage.registry.register import Target
from storage.registry.register_days import day_of
from tests.retention.stocked import camera
from tests.web.stored import footage

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    database = tmp_path / "nvr.sqlite3"
    (tmp_path / "nvr.toml").write_text(
        f'[server]\nname = "Kanpur"\n[storage]\ndatabase = "{database}"\nvolumes = ["{tmp_path / "footage"}"]\n'
    )
    prepare(database)
    db = connect(database)
    made = camera(db, "KNP-0001", name="Gate", owner_kind="bank_atm", station="Kotwali", created_us=1)
    footage(db, made, 2, until_us=wall_us() // HOUR_US * HOUR_US - 24 * HOUR_US)
    targets.put(db, [Target("bank_atm", wanted=4), Target("hotel", wanted=235)])
    db.close()
    return partial(_run, tmp_path)


def _run(folder: Path, *words: str) -> Result:
    config = ["--config", str(folder / "nvr.toml")]
    return CliRunner().invoke(nvr, ["register", *words, *config], catch_exceptions=True)


def test_shows_the_day_for_people_and_for_programs(run: Run) -> None:
    told = run("show", "--stations")
    assert told.exit_code == 0, told.output
    assert "Banks and ATMs" in told.output and "25.0 %" in told.output and "Hotels" in told.output
    assert "  Kotwali" in told.output and "KNP-0001" in told.output and "Not signed" in told.output
    found = json.loads(run("show", "--json").output)
    assert (found["total"]["linked"], found["faulty"][0]["code"]) == (1, "KNP-0001")


def test_signs_a_day_once(run: Run) -> None:
    today = day_of(wall_us(), ZoneInfo("Asia/Kolkata"))
    told = run("sign", "--day", today, "--by", "ACP Sharma", "--remarks", "all told")
    assert told.output == f"{today} signed by ACP Sharma: 1 linked, 0 recording, 1 faulty\n"
    assert "Signed: ACP Sharma" in run("show", "--day", today).output
    assert isinstance(run("sign", "--day", today, "--by", "another").exception, Conflict)
    assert isinstance(run("show", "--day", "2026-02-30").exception, Invalid)


@pytest.mark.parametrize(("name", "begins"), [("r.pdf", b"%PDF-"), ("r.xlsx", b"PK"), ("r.csv", b"\xef\xbb\xbf")])
def test_writes_the_file_that_its_name_asks_for(run: Run, tmp_path: Path, name: str, begins: bytes) -> None:
    told = run("export", str(tmp_path / name), "--language", "hi")
    assert told.exit_code == 0, told.output
    assert (tmp_path / name).read_bytes().startswith(begins)
    assert run("export", str(tmp_path / "r.doc")).exit_code == 2
