"""What is installed: the unit, the image, the wheel, the locks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LIMIT_S = 90


def names_in(lock: str) -> set[str]:
    return set(re.findall(r"(?m)^([a-z0-9-]+)==", (ROOT / lock).read_text("utf-8")))


@pytest.mark.needs("systemd-analyze")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "nvr.service"
    text = (ROOT / "packaging/nvr.service").read_text("utf-8")
    program = re.search(r"(?m)^ExecStart=(\S+) serve", text)
    assert program is not None
    unit.write_text(text.replace(program[1], sys.executable), "utf-8")
    told = subprocess.run(
        ["systemd-analyze", "verify", str(unit)],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
    )
    assert (told.returncode, told.stdout + told.stderr) == (0, "")


@pytest.mark.parametrize("line", ["KillMode=process", "OOMPolicy=continue", "Restart=always"])
def test_the_unit_lets_recorders_outlive_the_server(line: str) -> None:
    assert line in (ROOT / "packaging/nvr.service").read_text("utf-8").splitlines()


@pytest.mark.parametrize(
    "key", ["PrivatePIDs", "ProtectProc", "ProcSubset", "PrivateTmp", "PrivateNetwork", "PrivateUsers"]
)
def test_the_unit_hides_nothing_that_adoption_needs(key: str) -> None:
    lines = (ROOT / "packaging/nvr.service").read_text("utf-8").splitlines()
    assert not [line for line in lines if line.startswith(key + "=")]


def test_the_image_is_made_from_what_is_there() -> None:
    text = (ROOT / "Containerfile").read_text("utf-8")
    for sources in re.findall(r"(?m)^COPY (.+) \S+$", text):
        for source in sources.split():
            assert (ROOT / source).exists(), source
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    for package in packages:
        assert f"COPY {package} {package}\n" in text or "." in package, package


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What a wheel of this tree holds, by setuptools' own file search: nothing is downloaded."""
    target = tmp_path_factory.mktemp("wheel")
    program = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    source = tmp_path_factory.mktemp("source") / "nvr"
    tree = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, timeout=LIMIT_S)
    for name in filter(None, tree.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [sys.executable, "-c", program, str(target)], cwd=source, capture_output=True, check=True, timeout=LIMIT_S
    )
    (wheel,) = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize(
    "name",
    ["config/nvr.example.toml", "web/static/theme.css", "web/static/vendor/hls.js/LICENSE", "web/templates/page.html"],
)
def test_the_wheel_holds_what_is_no_python(packed: set[str], name: str) -> None:
    assert name in packed


def test_the_wheel_holds_every_module_and_no_tests(packed: set[str]) -> None:
    rooms = ["config", "storage", "retention", "web", "nvr"]
    tracked = subprocess.run(
        ["git", "ls-files", "-z", *rooms], cwd=ROOT, capture_output=True, check=True, timeout=LIMIT_S
    )
    modules = {name for name in tracked.stdout.decode().split("\0") if name.endswith(".py") and (ROOT / name).is_file()}
    assert modules <= packed
    assert not [name for name in packed if name.startswith(("tests/", "docs/", "scripts/"))]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock"])
def test_a_lock_pins_and_hashes_everything_and_tells_no_source(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    blocks = [block for block in re.split(r"(?m)^(?=[a-z0-9])", text) if not block.startswith("#")]
    assert len(blocks) > 20
    for block in blocks:
        assert re.match(r"[a-z0-9-]+==\S+", block), block
        assert "--hash=sha256:" in block, block
    assert "://" not in text


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    run, test = names_in("requirements.lock"), names_in("requirements-test.lock")
    for wanted in project["dependencies"]:
        assert re.match(r"[a-z0-9-]+", wanted)[0] in run  # type: ignore[index]  # every requirement starts with a name
    for wanted in project["optional-dependencies"]["test"]:
        assert re.match(r"[a-z0-9-]+", wanted)[0] in test  # type: ignore[index]
    assert run <= test


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock"])
def test_what_runs_here_is_what_is_locked(lock: str) -> None:
    """A stale set-up would test something else than what users get."""
    from importlib.metadata import PackageNotFoundError, version

    differing = {}
    for line in re.findall(r"(?m)^[a-z0-9-]+==[^\\\n]+", (ROOT / lock).read_text("utf-8")):
        pin = Requirement(line)
        if pin.name == "pip" or (pin.marker is not None and not pin.marker.evaluate()):
            continue  # for another system, or another Python
        try:
            if version(pin.name) not in pin.specifier:
                differing[pin.name] = (str(pin.specifier), version(pin.name))
        except PackageNotFoundError:
            continue
    assert differing == {}
