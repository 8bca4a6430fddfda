"""The rule for tests that need a program of the system, and the places that must agree about these programs."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import PACKAGES, ROOT, advice, missing

TREE = Path(__file__).parents[1]
ALTERNATIVES = {"nodejs", "npm", "nginx-light"}  # .ci/run takes another build of these
EXAMPLE = """
import pytest

@pytest.mark.needs("npm")
def test_with_npm(): pass

def test_without(): pass
"""


def marked() -> set[str]:
    """Every program that a mark in tests/ names."""
    names = set()
    for path in (TREE / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.needs"):
                names |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    return {str(name) for name in names}


def test_every_mark_names_a_program_that_is_known() -> None:
    assert marked() <= {*PACKAGES, ROOT}


def test_ci_installs_every_package_that_a_test_may_need() -> None:
    packages = re.search(r"packages=\(([^)]*)\)", (TREE / ".ci/run").read_text("utf-8"))
    assert packages is not None
    assert {package for wanted in PACKAGES.values() for package in wanted.split()} <= set(packages[1].split())


def test_ci_is_a_sound_shell_script() -> None:
    subprocess.run(["bash", "-n", str(TREE / ".ci/run")], check=True, timeout=20)
    assert os.access(TREE / ".ci/run", os.X_OK)


def test_the_advice_is_one_command() -> None:
    assert advice(["nginx", "npm"]) == "nginx, npm missing: sudo apt-get install nginx-light npm"
    assert (
        advice([ROOT, "npm"])
        == "npm, root missing: sudo apt-get install npm; run the tests as root (some mount a small tmpfs)"
    )


def test_a_slip_in_a_mark_is_no_missing_program() -> None:
    with pytest.raises(AssertionError, match="cromium"):
        missing(["cromium"])


def ran(tmp_path: Path, *options: str, all_: bool) -> tuple[int, str]:
    """Our rules over two tests of which one needs what no PATH has."""
    (tmp_path / "test_example.py").write_text(EXAMPLE, "utf-8")
    (tmp_path / "conftest.py").write_text((TREE / "tests/conftest.py").read_text("utf-8"), "utf-8")
    environment = {"PATH": str(tmp_path), "PYTHONPATH": str(TREE), "NVR_TEST_ALL": "1" if all_ else "0"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir",
        str(tmp_path),
    ]
    told = subprocess.run(
        [*command, *options, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    return told.returncode, told.stdout.strip()


@pytest.mark.parametrize("options", [[], ["-n", "1"]], ids=["alone", "workers"])
def test_what_is_missing_is_left_out_and_told_in_the_last_line(tmp_path: Path, options: list[str]) -> None:
    status, told = ran(tmp_path, *options, all_=False)
    assert status == 0
    assert "1 passed" in told
    assert told.splitlines()[-1] == "tests left out; npm missing: sudo apt-get install npm"


def test_what_is_missing_fails_where_all_are_wanted(tmp_path: Path) -> None:
    status, told = ran(tmp_path, all_=True)
    assert status == 1
    assert "1 passed" in told
    assert "1 error" in told
    assert "npm missing: sudo apt-get install npm" in told
