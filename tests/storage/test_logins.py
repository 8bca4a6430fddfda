"""Logins in the catalog: sealed, migrated, without their key, under a new one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from config.errors import Conflict, Unavailable
from storage import backup, secrets
from storage.catalog import cameras, logins, schema
from storage.catalog.db import connect, prepare, transaction
from storage.catalog.sqlite import Connection
from storage.model import Camera, CameraId, Credentials
from storage.rekey import rekey

PASSWORD = "Zwiebelkuchen42"
LOGIN = Credentials("admin", PASSWORD)


@pytest.fixture(autouse=True)
def no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (secrets.KEY, secrets.KEY_FILE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "nvr.sqlite3"
    prepare(path)
    return path


@pytest.fixture
def db(database: Path) -> Iterator[Connection]:
    with closing(connect(database)) as connection:
        yield connection


def add(db: Connection, code: str, login: Credentials | None = LOGIN) -> CameraId:
    with transaction(db):
        return cameras.add(db, Camera(CameraId(0), code, code, "rtsp://10.0.0.5/x", "n1", created_us=1), login).id


def key_of(database: Path) -> Path:
    return database.with_name(database.name + ".key")


def shown_in(folder: Path, secret: str = PASSWORD) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes())


def test_no_file_shows_a_login(db: Connection, database: Path) -> None:
    camera = add(db, "A")
    assert cameras.credentials(db, camera) == LOGIN
    assert key_of(database).exists()
    assert shown_in(database.parent) == shown_in(database.parent, "admin") == []


def test_a_row_moved_to_another_camera_does_not_open(db: Connection) -> None:
    one, other = add(db, "A"), add(db, "B", Credentials("x", "y"))
    db.execute(
        "UPDATE secret SET sealed = (SELECT sealed FROM secret WHERE camera_id = ?) WHERE camera_id = ?", (one, other)
    )
    with pytest.raises(Unavailable, match="was changed: enter it again"):
        cameras.credentials(db, other)
    assert cameras.credentials(db, one) == LOGIN


def test_a_lost_key_is_told_and_never_made_anew_by_itself(db: Connection, database: Path) -> None:
    camera, free = add(db, "A"), add(db, "B", None)
    kept = key_of(database).read_bytes()
    key_of(database).unlink()
    with pytest.raises(Unavailable) as told:
        cameras.credentials(db, camera)
    assert told.value.extra["cause"] == "unauthorized"
    assert "its login cannot be read" in told.value.message and "bring back the key" in told.value.message
    assert cameras.credentials(db, free) is None
    with pytest.raises(Conflict, match="is missing: bring it back"):
        add(db, "C")
    assert not key_of(database).exists()
    assert logins.standing(db) == logins.Standing(1, 1, str(key_of(database)), logins.standing(db).trouble)
    key_of(database).write_bytes(kept)
    assert cameras.credentials(db, camera) == LOGIN


def test_beside_another_key_a_new_login_can_be_stored(db: Connection, database: Path) -> None:
    old, again = add(db, "A"), add(db, "B")
    first = key_of(database).read_text()
    key_of(database).unlink()
    secrets.make(database, {})
    with pytest.raises(Unavailable, match="does not fit"):
        cameras.credentials(db, old)
    cameras.set_credentials(db, again, Credentials("new", "one"))
    assert cameras.credentials(db, again) == Credentials("new", "one")
    assert (logins.standing(db).logins, logins.standing(db).unreadable) == (2, 1)
    with key_of(database).open("a") as file:
        file.write(first)
    assert cameras.credentials(db, old) == LOGIN


def test_a_key_is_made_when_no_login_is_left_that_needs_the_lost_one(db: Connection, database: Path) -> None:
    camera = add(db, "A")
    key_of(database).unlink()
    cameras.set_credentials(db, camera, None)
    cameras.set_credentials(db, camera, LOGIN)
    assert cameras.credentials(db, camera) == LOGIN


def test_a_new_key_seals_every_login_anew(db: Connection, database: Path) -> None:
    wanted = [Credentials("admin", f"{PASSWORD}-{number}") for number in range(20)]
    made = [add(db, f"C{number}", login) for number, login in enumerate(wanted)]
    before = logins.marks(db)
    first = key_of(database).read_text().strip()
    done = rekey(database, lost=False)
    old = database.with_name("nvr.sqlite3.key.old")
    assert (done.sealed, done.unreadable, done.old) == (20, 0, old)
    assert old.read_text().strip() == first != key_of(database).read_text().strip()
    after = logins.marks(db)
    assert before.keys() == after.keys() and not set(before.values()) & set(after.values())
    old.unlink()
    assert [cameras.credentials(db, camera) for camera in made] == wanted
    assert shown_in(database.parent) == []


def test_a_rekeying_that_is_cut_off_leaves_all_logins_open(
    db: Connection, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = add(db, "A")

    def torn(*args: object) -> int:
        raise OSError("power is gone")

    with monkeypatch.context() as patched:
        patched.setattr(logins, "seal_anew", torn)
        with pytest.raises(OSError, match="power"):
            rekey(database, lost=False)
    assert cameras.credentials(db, camera) == LOGIN
    assert rekey(database, lost=False).sealed == 1
    assert cameras.credentials(db, camera) == LOGIN


def test_rekeying_stops_at_a_login_that_does_not_open_unless_its_key_is_lost(db: Connection, database: Path) -> None:
    lost = add(db, "A")
    key_of(database).unlink()
    with pytest.raises(Conflict, match="1 of 1 logins cannot be opened"):
        rekey(database, lost=False)
    assert not key_of(database).exists()
    done = rekey(database, lost=True)
    assert (done.sealed, done.unreadable, done.old) == (0, 1, None)
    cameras.set_credentials(db, lost, LOGIN)
    assert cameras.credentials(db, lost) == LOGIN
    assert logins.standing(db).unreadable == 0


def test_a_key_in_the_environment_is_changed_there(
    db: Connection, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (secrets.make(database.with_name(name), {}) for name in ("one", "two"))
    texts = [ring.path.read_text().strip() for ring in (old, new) if ring.path]
    monkeypatch.setenv(secrets.KEY, texts[0])
    camera = add(db, "A")
    assert not key_of(database).exists()
    monkeypatch.setenv(secrets.KEY, f"{texts[1]} {texts[0]}")
    assert rekey(database, lost=False).sealed == 1
    monkeypatch.setenv(secrets.KEY, texts[1])
    assert cameras.credentials(db, camera) == LOGIN
    assert rekey(database, lost=False).sealed == 0


def test_copies_hold_no_key_and_are_told_to_be_locked_without_it(
    db: Connection, database: Path, tmp_path: Path
) -> None:
    camera = add(db, "A")
    made = backup.backup_to(database, tmp_path / "kept", 1_795_000_020_000_000)
    assert os.listdir(made.parent) == [made.name]
    elsewhere = tmp_path / "elsewhere" / "nvr.sqlite3"
    backup.restore(made, elsewhere, 1_795_000_020_000_000)
    with closing(connect(elsewhere)) as restored:
        assert logins.standing(restored).unreadable == 1
        with pytest.raises(Conflict, match="bring it back"):
            cameras.set_credentials(restored, camera, LOGIN)
        key_of(elsewhere).write_bytes(key_of(database).read_bytes())
        assert cameras.credentials(restored, camera) == LOGIN


def before_sealing(path: Path, *, cameras_of: int) -> None:
    """A catalog as it was kept before logins were sealed, in use: changed and deleted logins, a journal."""
    with closing(connect(path)) as db:
        schema.migrations.apply(Database(db), stop_before="m003_registry")
        with transaction(db):
            for number in range(1, cameras_of + 1):
                db.execute(
                    "INSERT INTO camera (id, code, name, url, node, created_us, site, lat, lon)"
                    " VALUES (?, ?, '', 'rtsp://x/', 'n1', 1, 'Mall', 26.4, 80.3)",
                    (number, f"C{number}"),
                )
                password = f"{PASSWORD}-{number:06d}-" + "x" * 60
                db.execute("INSERT INTO secret VALUES (?, 'admin', ?)", (number, password))
        db.execute("UPDATE secret SET password = 'short' WHERE camera_id % 3 = 0")
        db.execute("DELETE FROM secret WHERE camera_id % 3 = 1")


def test_logins_kept_so_far_are_sealed_and_no_page_shows_them_any_more(tmp_path: Path) -> None:
    path = tmp_path / "nvr.sqlite3"
    with closing(connect(path)) as reader:
        reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # in use: the journal stays when others close
        before_sealing(path, cameras_of=300)
        assert shown_in(tmp_path) == ["nvr.sqlite3", "nvr.sqlite3-wal"] or shown_in(tmp_path) == ["nvr.sqlite3-wal"]
        prepare(path)
        assert shown_in(tmp_path) == []
        assert cameras.credentials(reader, CameraId(2)) == Credentials("admin", f"{PASSWORD}-000002-" + "x" * 60)
        assert cameras.credentials(reader, CameraId(3)) == Credentials("admin", "short")
        assert cameras.credentials(reader, CameraId(4)) is None
        assert reader.execute("PRAGMA user_version").fetchone()[0] == 0
        assert reader.execute("SELECT count(*) FROM site").fetchone()[0] == 1
    prepare(path)
    assert shown_in(tmp_path) == []


def test_a_wiping_that_could_not_be_finished_is_done_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "nvr.sqlite3"
    before_sealing(path, cameras_of=30)
    with closing(connect(path, readonly=True)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM camera").fetchone()
        with closing(connect(path)) as db:
            db.execute("PRAGMA busy_timeout = 0")
            schema.migrate(Database(db))
            assert not logins.scrub(db)
            assert db.execute("PRAGMA user_version").fetchone()[0] == 1
        reader.execute("COMMIT")
    prepare(path)
    assert shown_in(tmp_path) == []
    with closing(connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == 0


def test_a_catalog_that_is_new_makes_no_key(database: Path) -> None:
    assert not key_of(database).exists()
