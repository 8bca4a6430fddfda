"""Fixtures for all tests, and the rule for those that need a program of the system."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import settings

from nvr.bench.seaweed import Seaweed
from storage.binary import find
from tests.programs import LEFT_OUT, advice, missing

ALL = os.environ.get("NVR_TEST_ALL") == "1"
# No deadline: other work on the machine is no defect. Where all tests must pass they look at the same examples each time;
# on a developer's machine at new ones.
settings.register_profile("nvr", deadline=None, derandomize=ALL, print_blob=True)
settings.load_profile("nvr")

MISSING = pytest.StashKey[set[str]]()


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    """The ffmpeg binary that the program itself would take."""
    return str(find())


@pytest.fixture(scope="session")
def loops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where simulated cameras keep their coded pictures: one folder for all workers of a test run."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if base.name.startswith("popen-") else base) / "loops"


@pytest.fixture
def guarded_loop() -> Iterator[BlockBuster]:
    """While it is active a call of our own code that blocks the event loop raises BlockingError, wherever it hides.

    Ask for it in tests of the running server. Logging is left out: it writes a line to standard error. So is `os.sendfile` of
    what was just found in the page cache, to a socket that does not block.
    """
    rooms = ["config", "storage", "retention", "web", "nvr"]
    with blockbuster_ctx(scanned_modules=rooms, excluded_modules=["config.logs"]) as guard:
        guard.functions["os.sendfile"].can_block_in("web/ranges.py", {"_send_at_once"})
        yield guard


def pytest_configure(config: pytest.Config) -> None:
    config.stash[MISSING] = set()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what cannot run here; with NVR_TEST_ALL=1 it fails instead (see pytest_runtest_setup)."""
    _long_ones_first(items)
    if ALL:
        return
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        absent = missing(_needs(item))
        config.stash[MISSING].update(absent)
        (left_out if absent else kept).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


def _long_ones_first(items: list[pytest.Item]) -> None:
    """Each worker of pytest-xdist begins with an equal part of the list: a test that takes minutes stands at its head."""
    long = [item for item in items if item.get_closest_marker("long")]
    others = [item for item in items if not item.get_closest_marker("long")]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    for number, item in enumerate(long):
        others.insert(number % workers * (len(items) // workers), item)
    items[:] = others


def pytest_runtest_setup(item: pytest.Item) -> None:
    if absent := missing(_needs(item)):
        pytest.fail(advice(absent), pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist tells the process that prints."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        absent: set[str] = session.config.stash[MISSING]
        output["missing"] = sorted(absent)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    config = getattr(node, "config", None)
    if isinstance(config, pytest.Config):
        output: dict[str, list[str]] = getattr(node, "workeroutput", {})
        config.stash[MISSING].update(output.get("missing", ()))


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line of the output."""
    absent = config.stash[MISSING]
    if absent and not hasattr(config, "workeroutput"):
        print(LEFT_OUT + advice(absent))


def _needs(item: pytest.Item) -> list[str]:
    return [name for mark in item.iter_markers("needs") for name in mark.args]


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """A real S3 server for all tests of this worker; those that kill one start their own."""
    with Seaweed(tmp_path_factory.mktemp("seaweed")) as running:
        yield running
