"""What the pages change of a camera is beside its footage as well, soon."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.nvr.served import Served, answer, until
from tests.nvr.simulated import simulator

pytestmark = pytest.mark.slow


async def test_a_change_by_the_api_or_the_command_line_reaches_the_footage(loops: Path, tmp_path: Path) -> None:
    async with simulator(loops) as cameras, Served(tmp_path, segment_seconds=2) as served:
        camera = await served.add("C1", cameras.url(1), site="Bus stand")
        file = served.volumes[0] / "archive" / str(camera) / "camera.json"

        def told(name: str) -> object:
            return json.loads(file.read_text("utf-8"))[name] if file.exists() else None

        await until(lambda: told("site") == "Bus stand", 60)
        await served.ask(f"/api/v1/cameras/{camera}", "PATCH", {"make": "CP Plus", "fov": 80.0})
        await until(lambda: (told("make"), told("fov")) == ("CP Plus", 80.0), 30)
        await served.ask("/api/v1/sites/1", "PATCH", {"name": "ISBT"})
        await until(lambda: told("site") == "ISBT", 30)
        status, _, err = await answer(served, "camera", "set", "C1", "--ward", "12")
        assert status == 0, err
        await until(lambda: told("ward") == "12", 30)
