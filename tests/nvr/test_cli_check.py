"""`nvr check` as a person types it: a line for each part, with what to do; exit status 1 where any is in trouble."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlite_utils import Database

from nvr import cli_check
from nvr.cli import nvr as command
from storage.catalog.db import connect
from storage.catalog.schema import migrations
from storage.kernel_clock import KernelClock, kernel_clock
from tests.nvr.typed import nvr
from tests.storage.node import node_at

# Root may write wherever it likes; without this capability the rights of a file count for it too.
AS_ANYBODY = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
KEPT = KernelClock(synchronised=True, max_error_us=12_000)
CLOCK_IS_KEPT = (kernel_clock() or KEPT).synchronised
PARTS = ["ffmpeg", "sqlite", "catalog", "logins", "volume", "store", "clock"]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    settings(tmp_path)
    return tmp_path


def settings(folder: Path, *, volumes: str = '["footage"]', more: str = "") -> None:
    (folder / "nvr.toml").write_text(f'[storage]\ndatabase = "nvr.sqlite3"\nvolumes = {volumes}\n{more}')


async def in_use(here: Path, *volumes: str) -> None:
    """A catalog that knows its volumes, and a camera."""
    async with node_at(here, volumes=volumes or ("footage",)) as node:
        await node.camera()


def lose_catalog(here: Path) -> None:
    for path in here.glob("nvr.sqlite3*"):
        path.unlink()


async def troubles(here: Path, *, as_anybody: bool = False) -> dict[str, str]:
    """Part -> what is wrong with it; the clock of the machine left out. The exit status must agree with the lines."""
    status, out, err = await nvr(here, "check", within=AS_ANYBODY if as_anybody else ())
    assert err == ""
    found = {}
    for line in out.splitlines():
        verdict, part, detail = line.split(maxsplit=2)
        assert verdict in ("ok", "TROUBLE"), line
        if verdict == "TROUBLE":
            found[part] = detail
    assert status == (1 if found else 0)
    if "clock" in found:
        assert not CLOCK_IS_KEPT
        del found["clock"]
    return found


async def test_all_is_well_before_the_first_start_and_after_it(here: Path) -> None:
    assert await troubles(here) == {}
    assert os.listdir(here) == ["nvr.toml"]  # it only looks
    await in_use(here)
    assert await troubles(here) == {}
    _, out, _ = await nvr(here, "check")
    assert [line.split()[1] for line in out.splitlines()] == PARTS
    assert f"{here / 'nvr.sqlite3'} is sound, 1 camera\n" in out
    assert "GB free" in out


async def test_answers_in_json_too(here: Path) -> None:
    settings(here, more='[recording]\nffmpeg = "/no/such/ffmpeg"\n')
    status, out, _ = await nvr(here, "check", "--json")
    told = {answer["part"]: answer for answer in json.loads(out)}
    assert status == 1
    assert list(told) == PARTS
    assert told["ffmpeg"]["ok"] is False
    assert told["sqlite"]["ok"] is True


async def test_an_ffmpeg_that_is_not_there(here: Path) -> None:
    settings(here, more='[recording]\nffmpeg = "/no/such/ffmpeg"\n')
    said = "recording.ffmpeg names /no/such/ffmpeg, which is no program that can be run"
    assert await troubles(here) == {"ffmpeg": said}


async def test_a_program_that_is_no_ffmpeg(here: Path) -> None:
    true = shutil.which("true")
    settings(here, more=f'[recording]\nffmpeg = "{true}"\n')
    assert await troubles(here) == {"ffmpeg": f"{true} is not ffmpeg: it does not tell its version"}


async def test_a_volume_that_is_not_mounted(here: Path) -> None:
    await in_use(here)
    (here / "footage").rename(here / "elsewhere")
    assert (await troubles(here))["volume"].endswith("mount it")
    (here / "footage").mkdir()
    assert (await troubles(here))["volume"].endswith("mount it")
    assert os.listdir(here / "footage") == []


async def test_a_folder_that_holds_another_volume(here: Path) -> None:
    await in_use(here, "footage", "other")
    settings(here, volumes='["footage", "other"]')
    shutil.copy(here / "other/.nvr-volume", here / "footage/.nvr-volume")
    theirs = (here / "other/.nvr-volume").read_text().strip()
    found = await troubles(here)
    assert list(found) == ["volume"]
    assert f"{here / 'footage'} holds volume {theirs}, not " in found["volume"]


@pytest.mark.parametrize("folder", ["footage/spool", "footage/archive"])
async def test_a_volume_that_may_not_be_written(here: Path, folder: str) -> None:
    await in_use(here)
    (here / folder).chmod(0o500)
    found = await troubles(here, as_anybody=True)
    assert found == {"volume": f"{here / folder} cannot be written: give it to the user that nvr runs as"}


async def test_a_place_where_nothing_may_be_made(here: Path) -> None:
    (here / "locked").mkdir(mode=0o500)
    (here / "nvr.toml").write_text('[storage]\ndatabase = "locked/data/nvr.sqlite3"\nvolumes = ["locked/footage"]\n')
    found = await troubles(here, as_anybody=True)
    assert list(found) == ["catalog", "volume"]
    assert all(f"{here / 'locked'} cannot be written" in detail for detail in found.values())


async def test_a_folder_with_other_things_in_it_is_no_volume(here: Path) -> None:
    (here / "footage").mkdir()
    (here / "footage/holiday.jpg").touch()
    assert await troubles(here) == {
        "volume": f"{here / 'footage'} is not empty and is no nvr volume: name an empty folder"
    }


async def test_footage_of_a_lost_catalog_is_told(here: Path) -> None:
    await in_use(here)
    lose_catalog(here)
    _, out, _ = await nvr(here, "check")
    assert "holds a volume that this catalog does not know: `nvr fsck --rebuild` indexes its footage" in out


async def test_a_catalog_of_a_newer_program(here: Path) -> None:
    await in_use(here)
    with closing(connect(here / "nvr.sqlite3")) as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('nvr', 'm999_later', '2030-01-01')"
        )
    found = await troubles(here)
    assert list(found) == ["catalog", "logins"]
    assert "was migrated by a newer nvr (it has m999_later)" in found["catalog"]


async def test_a_catalog_that_is_none(here: Path) -> None:
    (here / "nvr.sqlite3").write_text("a letter\n" * 1000)
    found = await troubles(here)
    assert list(found) == ["catalog", "logins", "volume"]
    assert "not a database" in found["catalog"]
    assert "the catalog, which knows the volumes, cannot be read" in found["volume"]


async def test_settings_that_cannot_be_read_are_one_line(here: Path) -> None:
    (here / "nvr.toml").write_text("[storage]\nvolume = []\n")
    status, out, err = await nvr(here, "check")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "did you mean storage.volumes?" in err


@pytest.mark.parametrize(
    ("kept", "status", "words"),
    [
        (KEPT, 0, "synchronised, at most 12 ms wrong"),
        (KernelClock(synchronised=False, max_error_us=16_000_000), 1, "nobody keeps it right: switch on NTP"),
        (None, 0, "whether it is synchronised cannot be asked here"),
    ],
)
def test_the_clock_tells_whether_it_is_kept(
    here: Path, monkeypatch: pytest.MonkeyPatch, kept: KernelClock | None, status: int, words: str
) -> None:
    monkeypatch.setattr(cli_check, "kernel_clock", lambda: kept)
    answer = CliRunner().invoke(command, ["check", "--config", str(here / "nvr.toml")])
    assert answer.exit_code == status, answer.output
    assert words in answer.output.splitlines()[-1]


def test_the_kernel_may_be_asked_and_its_answer_is_understood() -> None:
    """An error is at most NTP_PHASE_LIMIT, 16 s, which a clock that nobody keeps reaches."""
    found = kernel_clock()
    if found is not None:  # a container may refuse
        assert 0 <= found.max_error_us <= 16_000_000
        assert found.synchronised or found.max_error_us > 0


async def test_a_catalog_from_before_logins_were_sealed_is_no_trouble(here: Path) -> None:
    with closing(connect(here / "nvr.sqlite3")) as db:
        migrations.apply(Database(db), stop_before="m003_registry")
    assert await troubles(here) == {}
    assert "they are sealed by the next `nvr serve`" in (await nvr(here, "check"))[1]
