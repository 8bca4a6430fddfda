"""The key of the cameras' logins, and how one is sealed."""

from __future__ import annotations

import base64
import multiprocessing
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Corrupt, Invalid, Unavailable
from storage import secrets
from storage.model import CameraId, Credentials

ONE, OTHER = CameraId(1), CameraId(2)
TEXT = base64.b64encode(bytes(range(32))).decode()
TEXT_2 = base64.b64encode(bytes(range(1, 33))).decode()
KEY = secrets._key(bytes(range(32)))


@given(st.text(), st.text())
def test_opens_what_it_sealed_and_nothing_shows(username: str, password: str) -> None:
    try:
        login = Credentials(username.encode().decode(), password.encode().decode())
    except UnicodeEncodeError:
        return  # no login holds lone surrogates
    sealed = secrets.seal(KEY, ONE, login)
    assert secrets.unseal(KEY, ONE, sealed) == login
    assert sealed != secrets.seal(KEY, ONE, login)
    if len(password) > 3:
        assert password.encode() not in sealed


def test_opens_for_its_own_camera_with_its_own_key_alone() -> None:
    sealed = secrets.seal(KEY, ONE, Credentials("admin", "s3cret"))
    for key, camera, blob in (
        (KEY, OTHER, sealed),
        (secrets._key(bytes(32)), ONE, sealed),
        (KEY, ONE, sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (KEY, ONE, b""),
        (KEY, ONE, sealed[:12]),
    ):
        with pytest.raises(Corrupt) as error:
            secrets.unseal(key, camera, blob)
        assert "s3cret" not in str(error.value)


def test_the_first_use_makes_a_key_for_its_owner_alone(tmp_path: Path) -> None:
    database = tmp_path / "nvr.sqlite3"
    assert secrets.load(database, {}) is None
    ring = secrets.make(database, {})
    path = tmp_path / "nvr.sqlite3.key"
    assert (ring.path, stat.S_IMODE(path.stat().st_mode)) == (path, 0o600)
    assert secrets.load(database, {}) == ring == secrets.make(database, {})
    assert os.listdir(tmp_path) == ["nvr.sqlite3.key"]
    assert base64.b64encode(ring.current.value).decode() not in repr(ring)


def made(database: Path) -> str:
    return secrets.make(database, {}).current.id


def test_processes_that_begin_together_have_one_key(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(made, [tmp_path / "nvr.sqlite3"] * 8))) == 1


def test_the_environment_goes_before_the_named_file_and_that_before_the_usual_one(tmp_path: Path) -> None:
    database, named = tmp_path / "nvr.sqlite3", tmp_path / "named"
    named.write_text(f"# the key\n{TEXT_2}\n")
    usual = secrets.make(database, {})
    of_file = secrets.load(database, {secrets.KEY_FILE: str(named)})
    of_env = secrets.load(database, {secrets.KEY_FILE: str(named), secrets.KEY: f"{TEXT} {TEXT_2}"})
    assert of_file is not None and of_env is not None
    assert (of_env.path, of_env.current) == (None, KEY)
    assert of_file.path == named
    assert of_env.find(of_file.current.id) == of_file.current != usual.current
    assert secrets.where(database, {secrets.KEY: TEXT}) == "$NVR_SECRETS_KEY"


@pytest.mark.parametrize(
    "text", ["", "   \n# nothing\n", "s3cret", TEXT[:-4], TEXT + "=", f"{TEXT}\ns3cret", "ü" * 44, "\0"]
)
def test_what_is_no_key_is_told_and_not_shown(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text)
    with pytest.raises(Invalid) as error:
        secrets.load(tmp_path / "nvr.sqlite3", {secrets.KEY_FILE: str(tmp_path / "key")})
    assert "32 random bytes" in error.value.message or "is empty" in error.value.message
    assert "s3cret" not in error.value.message


def test_a_folder_or_a_missing_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        secrets.load(tmp_path / "x", {secrets.KEY_FILE: str(tmp_path)})
    with pytest.raises(Unavailable, match="cannot be written"):
        secrets.make(tmp_path / "x", {secrets.KEY_FILE: str(tmp_path / "none" / "key")})


def test_a_new_key_keeps_the_former_ones_beside_it(tmp_path: Path) -> None:
    database = tmp_path / "nvr.sqlite3"
    first = secrets.make(database, {})
    second = secrets.renew(first, database, {})
    third = secrets.renew(second, database, {})
    assert [key.id for key in third.keys[1:]] == [second.current.id, first.current.id]
    assert secrets.load(database, {}) == third
    assert sorted(os.listdir(tmp_path)) == ["nvr.sqlite3.key", "nvr.sqlite3.key.old"]
    assert stat.S_IMODE((tmp_path / "nvr.sqlite3.key.old").stat().st_mode) == 0o600


def test_former_keys_that_are_broken_do_not_hide_the_present_one(tmp_path: Path) -> None:
    database = tmp_path / "nvr.sqlite3"
    ring = secrets.make(database, {})
    (tmp_path / "nvr.sqlite3.key.old").write_text("nonsense")
    assert secrets.load(database, {}) == ring


def test_a_key_that_root_makes_is_the_catalogs_owners(tmp_path: Path) -> None:
    database = tmp_path / "nvr.sqlite3"
    database.touch()
    owner = 12345 if os.geteuid() == 0 else os.geteuid()
    os.chown(database, owner, -1)
    secrets.renew(secrets.make(database, {}), database, {})
    for name in ("nvr.sqlite3.key", "nvr.sqlite3.key.old"):
        made = (tmp_path / name).stat()
        assert (made.st_uid, stat.S_IMODE(made.st_mode)) == (owner, 0o600)
