"""Rules that hold for the whole tree, read from its files."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "config": {"config"},
    "storage": {"config", "storage"},
    "retention": {"config", "storage", "retention"},
    "web": {"config", "storage", "retention", "web"},
    "nvr": {"config", "storage", "retention", "web", "nvr"},
}
SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|DELETE\s+FROM|UPDATE\s+\w+\s+SET|CREATE\s+(UNIQUE\s+)?(TABLE|INDEX)"
    r"|PRAGMA\s+\w+|BEGIN\s+IMMEDIATE|VACUUM\s+INTO)\b",
    re.DOTALL,
)
BENCH_ROWS = ROOT / "nvr/bench/index.py"  # lays ten million rows past the writer, which no part of the program may
MAX_LINES = 420
NO_NAMES = {"utils", "helpers", "common", "misc", "util", "helper"}


def tracked(*patterns: str) -> list[Path]:
    """Files of the work tree that are, or are about to be, in the repository."""
    told = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=20,
    )
    return [ROOT / name for name in sorted(set(told.stdout.decode().split("\0"))) if name and (ROOT / name).is_file()]


def modules(room: str) -> list[Path]:
    return [path for path in tracked(f"{room}/") if path.suffix == ".py"]


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_go_one_way(room: str) -> None:
    wrong = []
    for path in modules(room):
        for name in imported(ast.parse(path.read_text("utf-8"))):
            top = name.partition(".")[0]
            if top == "tests" or (top in MAY_IMPORT and top not in MAY_IMPORT[room]):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def texts(tree: ast.AST) -> Iterator[str]:
    """String constants that are no docstrings; an f-string as a whole."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_sql_lives_in_the_catalog_alone(room: str) -> None:
    wrong = []
    for path in modules(room):
        if path.is_relative_to(ROOT / "storage/catalog") or path == BENCH_ROWS:
            continue
        found = [text for text in texts(ast.parse(path.read_text("utf-8"))) if SQL.search(text)]
        wrong += [f"{path.relative_to(ROOT)}: {text[:60]!r}" for text in found]
    assert wrong == []


def test_there_is_one_sqlite() -> None:
    """Two copies of SQLite on one file break its locks (POSIX drops them all when either closes the file)."""
    wrong = []
    own = ROOT / "storage/catalog/sqlite.py"  # the one place that chooses, and names the other for the type checker
    for path in [path for room in (*MAY_IMPORT, "tests") for path in modules(room) if path != own]:
        names = set(imported(ast.parse(path.read_text("utf-8"))))
        if names & {"sqlite3", "pysqlite3", "aiosqlite"}:
            wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []


def test_nobody_imports_the_composition_root() -> None:
    for room in ("config", "storage", "retention", "web"):
        for path in modules(room):
            assert not any(name.split(".")[0] == "nvr" for name in imported(ast.parse(path.read_text("utf-8")))), path


@pytest.mark.parametrize("room", [*MAY_IMPORT, "tests"])
def test_files_stay_short_and_say_what_they_are(room: str) -> None:
    for path in modules(room):
        text = path.read_text("utf-8")
        assert text.count("\n") <= MAX_LINES, f"{path.relative_to(ROOT)} has grown a second subject"
        assert path.stem not in NO_NAMES, path.relative_to(ROOT)
        assert not text.strip() or ast.get_docstring(ast.parse(text)), f"{path.relative_to(ROOT)} has no docstring"


def test_no_file_names_a_registry_or_a_place_of_one_machine() -> None:
    """Such names are put together here, so that this file does not hold them itself."""
    registries = [
        "pypi" + ".org",
        "pythonhosted" + ".org",
        "npmjs" + ".org",
        "npmjs" + ".com",
        "docker" + ".io",
        "ghcr" + ".io",
    ]
    places = ["/" + "root/", "/" + "work/", "/home/" + "user"]
    wrong = []
    for path in tracked():
        if path.is_relative_to(ROOT / "web/static/vendor"):
            continue  # bytes of others, as they were published
        text = path.read_bytes().decode("utf-8", "replace")
        wrong += [f"{path.relative_to(ROOT)}: {name}" for name in registries + places if name in text]
    assert wrong == []


def test_tests_mirror_the_rooms() -> None:
    folders = {
        path.relative_to(ROOT / "tests").parts[0]
        for path in modules("tests")
        if len(path.relative_to(ROOT / "tests").parts) > 1
    }
    assert folders <= set(MAY_IMPORT)
    assert (ROOT / "tests/__init__.py").exists(), "without it tests/storage would shadow storage"
