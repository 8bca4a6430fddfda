"""`nvr retention` as a person types it, on a real catalog, with and without what a server does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from retention.settle import settle_now
from storage.catalog import policies
from storage.catalog.db import connect, transaction
from storage.clock import wall_us
from storage.model import HOUR_US, CameraId
from storage.terms import DAY_US
from tests.nvr.typed import nvr
from tests.retention.stocked import camera, catalog, footage


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A bank's camera with 80 days of footage, one of a shop with none; settled as by a server."""
    (tmp_path / "nvr.toml").write_text('[storage]\ndatabase = "nvr.sqlite3"\nvolumes = ["footage"]\n')
    with catalog(tmp_path) as db, transaction(db):
        bank = camera(db, "BANK", owner_kind="bank_atm")
        camera(db, "SHOP", owner_kind="shop", tags=("metro",))
        footage(db, bank, 80, until_us=wall_us() // HOUR_US * HOUR_US)
        settle_now(db, wall_us(), trusted=True)
    return tmp_path


def served(here: Path, *, later_us: int = 0) -> None:
    """What a server with a trusted clock does with a change."""
    db = connect(here / "nvr.sqlite3")
    try:
        with transaction(db):
            settle_now(db, wall_us() + later_us, trusted=True)
    finally:
        db.close()


async def done(here: Path, *words: str) -> str:
    status, out, err = await nvr(here, "retention", *words)
    assert (status, err) == (0, "")
    return out


async def answer(here: Path, *words: str) -> Any:
    return json.loads(await done(here, *words, "--json"))


async def refused(here: Path, *words: str) -> str:
    status, _, err = await nvr(here, "retention", *words)
    assert status == 1
    return err.strip()


async def test_makes_the_first_policies_where_there_is_no_catalog(tmp_path: Path) -> None:
    (tmp_path / "nvr.toml").write_text(
        '[storage]\ndatabase = "nvr.sqlite3"\nvolumes = ["footage"]\n[retention]\ndefault_days = 45\n'
    )
    found = {item["name"]: (item["min_days"], item["max_days"]) for item in await answer(tmp_path, "policies")}
    assert found == {"bank_atm": (90, 90), "police_post": (365, 548), "default": (45, 45)}


async def test_shows_what_decides_and_why(here: Path) -> None:
    out = await done(here, "policies")
    assert [line.split()[0] for line in out.splitlines()] == ["name", "bank_atm", "police_post", "default"]
    assert out.splitlines()[1].split() == ["bank_atm", "kind", "bank_atm", "90", "90", "70", "1"]
    shown = await answer(here, "show", "BANK")
    assert shown["policy"] == {"name": "bank_atm", "why": "kind bank_atm"}
    assert (shown["in_force"]["max_days"], shown["pending"]) == (90, None)
    assert "because of kind bank_atm: 90 days" in await done(here, "show", "1")
    assert await refused(here, "show", "NOBODY") == "nvr: there is no camera with the code NOBODY"


async def test_a_shorter_policy_is_previewed_made_dated_and_cancelled(here: Path) -> None:
    out = await done(here, "set", "bank_atm", "--min-days", "30", "--max-days", "75", "--dry-run")
    assert "cameras that change: 1, to less: 1" in out
    assert "dry run: nothing was changed" in out
    assert (await answer(here, "changes")) == []
    out = await done(here, "set", "bank_atm", "--min-days", "30", "--max-days", "75")
    assert "nvr retention cancel 1" in out
    assert "in force a day after the server has seen it" in await done(here, "show", "BANK")
    served(here)
    shown = await answer(here, "show", "BANK")
    assert (shown["in_force"]["max_days"], shown["pending"]["max_days"]) == (90, 75)
    assert shown["pending"]["due"] is not None
    (change,) = await answer(here, "changes")
    assert (change["policy"], change["done"], change["status"]) == ("bank_atm", "changed", "pending")
    assert await done(here, "cancel", "1") == "change 1 is cancelled: the policy bank_atm is as it was before\n"
    assert (await answer(here, "show", "BANK"))["pending"] is None
    assert "was cancelled" in await refused(here, "cancel", "1")


async def test_what_a_day_has_passed_over_is_in_force(here: Path) -> None:
    await done(here, "set", "bank_atm", "--min-days", "75", "--max-days", "75")
    served(here)
    served(here, later_us=DAY_US + 1)
    assert (await answer(here, "show", "BANK"))["in_force"]["max_days"] == 75
    assert "is in force" in await refused(here, "cancel", "1")


async def test_more_than_a_fifth_of_a_volume_needs_a_confirmation(here: Path) -> None:
    said = await refused(here, "set", "bank_atm", "--min-days", "30", "--max-days", "30")
    assert "64% of the footage on volume 1" in said and "confirm" in said
    assert (await answer(here, "changes")) == []
    preview = await answer(here, "delete", "bank_atm", "--dry-run")
    assert (preview["needs_confirm"], preview["shortened"], preview["effects"][0]["camera"]) == (True, 1, "BANK")
    await done(here, "delete", "bank_atm", "--confirm")
    served(here)
    shown = await answer(here, "show", "BANK")
    assert (shown["in_force"]["policy"], shown["in_force"]["max_days"]) == ("bank_atm", 90)
    assert shown["policy"] == {"name": "default", "why": "default"}


async def test_set_keeps_what_is_not_named_and_takes_values_away(here: Path) -> None:
    await done(here, "set", "metro", "--scope", "tag", "--target", "metro", "--max-days", "40", "--quota", "500GB",
               "--offload-after-days", "3", "--local-days", "7")  # fmt: skip
    await done(here, "set", "metro", "--priority", "60", "--quota", "none", "--local-days", "never")
    (metro,) = [item for item in await answer(here, "policies") if item["name"] == "metro"]
    assert (metro["min_days"], metro["max_days"], metro["offload_after_days"]) == (40, 40, 3)
    assert (metro["priority"], metro["quota_bytes"], metro["local_days"], metro["target"]) == (60, None, None, "metro")
    assert await done(here, "set", "metro", "--priority", "60") == "nothing changes\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["set", "x", "--max-days", "9"], "nvr: there is no policy x yet: a new one needs --scope"),
        (["set", "x", "--scope", "tag", "--target", "t"], "nvr: there is no policy x yet: a new one needs --max-days"),
        (["set", "x", "--scope", "tag", "--max-days", "9"], "nvr: target is missing: name the tag that it is for"),
        (["set", "bank_atm", "--min-days", "91"], "nvr: min_days (91) is more than max_days (90)"),
        (["set", "x", "--scope", "camera", "--target", "Z", "--max-days", "9"],
         "nvr: target: there is no camera with the code Z"),
        (["set", "x", "--scope", "kind", "--target", "bank_atm", "--max-days", "9"],
         "nvr: target: bank_atm and x are both for kind bank_atm: change the one that is there"),
        (["delete", "x"], "nvr: name: there is no policy 'x'"),
        (["delete", "default"],
         "nvr: the default policy can be changed, not deleted: it is for cameras that no other fits"),
        (["cancel", "7"], "nvr: change_id: there is no change 7"),
        (["import", "p.xlsx"], "nvr: FILE: p.xlsx: a file of policies ends in .csv or .toml"),
        (["import", "none.csv"], "nvr: none.csv: No such file or directory"),
    ],
)  # fmt: skip
async def test_refuses_in_one_line(here: Path, words: list[str], said: str) -> None:
    assert await refused(here, *words) == said


async def test_days_out_of_range_are_the_command_lines_error(here: Path) -> None:
    for days in ("0", "3651", "x"):
        status, _, err = await nvr(here, "retention", "set", "default", "--max-days", days)
        assert status == 2
        assert "--max-days" in err


async def test_a_sheet_goes_out_and_comes_in_again(here: Path) -> None:
    await done(here, "set", "gate", "--scope", "camera", "--target", "SHOP", "--max-days", "40")
    for name in ("p.csv", "p.toml"):
        assert await done(here, "export", name) == f"4 policies in {name}\n"
        assert await done(here, "import", name) == "nothing changes\n"
    assert "gate,camera,SHOP,40,40" in (here / "p.csv").read_text()
    assert "--force" in await refused(here, "export", "p.csv")
    await done(here, "export", "p.csv", "--force")


async def test_a_sheet_is_taken_whole_or_not_at_all(here: Path) -> None:
    sheet = here / "p.csv"
    sheet.write_text(
        "name,scope,target,min_days,max_days\n"
        "hotel,kind,hotel,30,30\n"
        "bad,zone,West,60,30\n"
        "hotel,kind,hostel,30,30\n"
        "gate,camera,NOBODY,,30\n"
        "banks,kind,bank_atm,,30\n",
        encoding="utf-8-sig",
    )
    status, out, err = await nvr(here, "retention", "import", "p.csv")
    assert (status, out) == (1, "")
    assert err.splitlines() == [
        "row 3, min_days (60) is more than max_days (30)",
        "row 4, name: row 2 has the name hotel already",
        "row 5, target: there is no camera with the code NOBODY",
        "row 6, target: bank_atm and banks are both for kind bank_atm: change the one that is there",
        "nvr: p.csv: 4 of 5 policies are wrong, none was taken",
    ]
    sheet.write_text("name,scope,target,max_days\nhotel,kind,hotel,30\nmetro,tag,metro,7\nbank_atm,kind,bank_atm,88\n")
    preview = await answer(here, "import", "p.csv", "--dry-run")
    assert (preview["changes"], preview["shortened"], preview["cameras"]) == ([], 2, 2)
    assert len(await answer(here, "policies")) == 3
    made = await answer(here, "import", "p.csv")
    assert made["changes"] == [1, 2, 3]
    found = {change["policy"]: change["status"] for change in await answer(here, "changes")}
    assert found == {"hotel": "in_force", "metro": "pending", "bank_atm": "pending"}


async def test_a_sheet_that_deletes_too_much_needs_a_confirmation(here: Path) -> None:
    (here / "p.toml").write_text('[[policy]]\nname = "bank_atm"\nscope = "kind"\ntarget = "bank_atm"\nmax_days = 10\n')
    assert "confirm" in await refused(here, "import", "p.toml")
    assert (await answer(here, "import", "p.toml", "--confirm"))["changes"] == [1]
    db = connect(here / "nvr.sqlite3", readonly=True)
    assert policies.in_force(db)[CameraId(1)].terms.max_days == 90
    db.close()
