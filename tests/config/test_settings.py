"""The settings file, the environment, and what is said when either is wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

import config
from config.errors import Invalid
from config.settings import Settings, load

EXAMPLE = Path(config.__file__).with_name("nvr.example.toml")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test may find an nvr.toml in the folder it is run from."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def written(folder: Path, text: str, name: str = "nvr.toml") -> Path:
    file = folder / name
    file.write_text(text, "utf-8")
    return file


def refused(folder: Path, text: str, env: dict[str, str] | None = None) -> Invalid:
    with pytest.raises(Invalid) as caught:
        load(written(folder, text, "bad.toml"), env or {})
    return caught.value


def test_example_documents_every_key_beside_its_default() -> None:
    example = tomllib.loads(EXAMPLE.read_text("utf-8"))
    defaults = Settings().model_dump(mode="json")
    assert example == defaults


def test_example_says_something_about_every_section() -> None:
    lines = EXAMPLE.read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.startswith("["):
            assert lines[number + 1].startswith("# "), line


def test_example_can_be_loaded_as_it_is(tmp_path: Path) -> None:
    loaded = load(EXAMPLE, {})
    assert loaded.server == Settings().server
    assert loaded.storage.database == EXAMPLE.parent / "data/nvr.sqlite3"


def test_without_a_file_all_defaults_hold_and_paths_start_at_the_working_directory(elsewhere: Path) -> None:
    loaded = load(None, {})
    assert loaded.server.port == 8080
    assert loaded.storage.database == elsewhere / "data/nvr.sqlite3"
    assert loaded.storage.volumes == (elsewhere / "data/footage",)


def test_paths_of_a_file_start_at_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    file = written(folder, '[storage]\ndatabase = "c.sqlite3"\nvolumes = ["/mnt/a", "b"]\n')
    loaded = load(file, {})
    assert loaded.storage.database == folder / "c.sqlite3"
    assert loaded.storage.volumes == (Path("/mnt/a"), folder / "b")


def test_a_file_named_by_a_relative_path_starts_its_paths_at_its_folder(elsewhere: Path) -> None:
    (elsewhere / "etc").mkdir()
    written(elsewhere / "etc", "")
    assert load(Path("etc/nvr.toml"), {}).storage.database == elsewhere / "etc/data/nvr.sqlite3"


def test_the_file_in_the_working_directory_comes_before_the_one_in_the_environment(elsewhere: Path) -> None:
    other = written(elsewhere, "[server]\nport = 2\n", "other.toml")
    env = {"NVR_CONFIG": str(other)}
    assert load(None, env).server.port == 2
    written(elsewhere, "[server]\nport = 1\n")
    assert load(None, env).server.port == 1


def test_the_environment_overrides_the_file(elsewhere: Path) -> None:
    written(elsewhere, '[server]\nport = 1\nname = "Kanpur"\n')
    loaded = load(None, {"NVR_SERVER__PORT": "9000", "PATH": "/bin"})
    assert (loaded.server.port, loaded.server.name) == (9000, "Kanpur")


@pytest.mark.parametrize("text", ['["/a", "/b"]', "/a,/b", " /a , /b ,"])
def test_a_list_in_the_environment_is_json_or_has_commas(text: str) -> None:
    assert load(None, {"NVR_STORAGE__VOLUMES": text}).storage.volumes == (Path("/a"), Path("/b"))


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("false", False), ("no", False)])
def test_a_switch_in_the_environment_is_a_word(text: str, value: bool) -> None:
    assert load(None, {"NVR_RECORDING__ALLOW_LOOPBACK": text}).recording.allow_loopback is value


@pytest.mark.parametrize("name", ["NVR_CONFIG", "NVR_FFMPEG", "NVR_TEST_ALL"])
def test_our_other_variables_are_no_settings(name: str, elsewhere: Path) -> None:
    file = written(elsewhere, "")
    assert load(file, {name: "/somewhere"}).server.port == 8080


def test_settings_cannot_be_changed() -> None:
    settings = load(None, {})
    with pytest.raises(ValueError, match="frozen"):
        settings.server.port = 1


PROBLEMS = [
    ("[server]\nprot = 1", "server.prot", "did you mean server.port?"),
    ("[servr]\nport = 1", "servr", "did you mean server?"),
    ("[storage]\nvolume = ['a']", "storage.volume", "did you mean storage.volumes?"),
    ("[server]\nport = 65536", "server.port", "65535"),
    ("[server]\nport = -1", "server.port", "0"),
    ('[server]\nport = "http"', "server.port", "integer"),
    ("[server]\nport = true", "server.port", "integer"),
    ('[server]\nnode = "N 1"', "server.node", "pattern"),
    ('[server]\nnode = ""', "server.node", "pattern"),
    (f'[server]\nname = "{"x" * 81}"', "server.name", "80"),
    ('[server]\ntimezone = "Asia/Kanpur"', "server.timezone", "Asia/Kolkata"),
    ('[server]\ntimezone = "../../etc/passwd"', "server.timezone", "Asia/Kolkata"),
    ('[server]\nlanguage = "ur"', "server.language", "'en' or 'hi'"),
    ('[server]\nhost = "0.0.0.0"', "server.host", "loopback"),
    ('[server]\nhost = ""', "server.host", "loopback"),
    ('[server]\nhost = "nvr.example.org"', "server.host", "loopback"),
    ('[server]\nnames = "a.example"', "server.names", "list"),
    ('[server]\nnames = ["https://a.example"]', "server.names", "host name"),
    ('[server]\ncors_origins = ["a.example"]', "server.cors_origins", "https://"),
    ('[server]\ncors_origins = ["*"]', "server.cors_origins", "https://"),
    ("[storage]\nvolumes = []", "storage.volumes", "at least one"),
    ('[storage]\nvolumes = ["a", "./a"]', "storage.volumes", "twice"),
    ('[storage]\nvolumes = ["a", "a/b"]', "storage.volumes", "inside"),
    ('[storage]\nvolumes = [""]', "storage.volumes", "empty"),
    ('[storage]\ndatabase = ""', "storage.database", "empty"),
    ('[storage]\nvolumes = ["a", "\\u0000"]', "storage.volumes", "NUL"),
    ('[storage]\ndatabase = "a\\u0000b"', "storage.database", "NUL"),
    ("[recording]\nsegment_seconds = 0", "recording.segment_seconds", "1"),
    ("[recording]\nsegment_seconds = 301", "recording.segment_seconds", "300"),
    ("[recording]\nsegment_seconds = 2.5", "recording.segment_seconds", "integer"),
    ("[recording]\nstart_per_second = 0", "recording.start_per_second", "greater than 0"),
    ("[recording]\nstart_per_second = nan", "recording.start_per_second", "finite"),
    ("[retention]\ndefault_days = 0", "retention.default_days", "1"),
    ("[retention]\nmin_free_percent = 51", "retention.min_free_percent", "50"),
    ('[auth]\nmode = "password"', "auth.mode", "'off'"),
    ('[playback]\nx_accel_prefix = "media"', "playback.x_accel_prefix", "/"),
    ("server = 1", "server", ""),
    ("[server]\nport = 1\nport = 2\n", None, "line 3"),
    ("[server\nport = 1", None, "line 1"),
]


@pytest.mark.parametrize(
    ("text", "field", "said"), PROBLEMS, ids=[problem[0].replace("\n", " ") for problem in PROBLEMS]
)
def test_a_problem_is_one_sentence_that_names_the_key(tmp_path: Path, text: str, field: str | None, said: str) -> None:
    problem = refused(tmp_path, text)
    assert problem.field == field
    assert said in problem.message
    assert "\n" not in problem.message
    assert (field or "bad.toml") in problem.message


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("NVR_SERVER__PROT", "NVR_SERVER__PORT"),
        ("NVR_SERVER_PORT", "NVR_SERVER__PORT"),
        ("NVR_STORAGE__VOLUME", "NVR_STORAGE__VOLUMES"),
    ],
)
def test_an_unknown_variable_is_named_with_the_nearest_right_one(name: str, nearest: str) -> None:
    with pytest.raises(Invalid) as caught:
        load(None, {name: "1"})
    assert caught.value.field == name
    assert caught.value.message == f"{name} is no setting: did you mean {nearest}?"


def test_a_bad_value_in_the_environment_names_the_variable(elsewhere: Path) -> None:
    with pytest.raises(Invalid) as caught:
        load(None, {"NVR_SERVER__PORT": "http"})
    assert "NVR_SERVER__PORT" in caught.value.message
    assert caught.value.field == "server.port"


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"no settings file .*gone\.toml"):
        load(tmp_path / "gone.toml", {})
    with pytest.raises(Invalid, match=r"no settings file .*gone\.toml") as caught:
        load(None, {"NVR_CONFIG": str(tmp_path / "gone.toml")})
    assert caught.value.field == "NVR_CONFIG"


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "binary.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Invalid, match=r"binary\.toml"):
        load(file, {})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_hosts_are_taken(tmp_path: Path, host: str) -> None:
    assert load(written(tmp_path, f'[server]\nhost = "{host}"'), {}).server.host == host


SECTIONS = {name: field.annotation for name, field in Settings.model_fields.items()}


@given(st.data())
def test_whatever_a_key_holds_it_is_a_setting_or_a_named_problem(data: st.DataObject) -> None:
    section = data.draw(st.sampled_from(sorted(SECTIONS)))
    model = SECTIONS[section]
    assert isinstance(model, type) and issubclass(model, BaseModel)
    key = data.draw(st.sampled_from(sorted(model.model_fields)))
    text = data.draw(st.text(max_size=40))
    name = f"NVR_{section}__{key}".upper()
    try:
        load(None, {name: text})
    except Invalid as problem:
        said = problem.message
    else:
        said = f"{section}.{key}"
    assert f"{section}.{key}" in said
