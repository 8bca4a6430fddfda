"""Fixtures for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.binary import find


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    """The ffmpeg binary that the program itself would take."""
    return str(find())


@pytest.fixture(scope="session")
def loops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where simulated cameras keep their coded pictures: one folder for all workers of a test run."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if base.name.startswith("popen-") else base) / "loops"
