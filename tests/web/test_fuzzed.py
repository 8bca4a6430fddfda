"""Schemathesis over the OpenAPI document, against the real application with real footage: it must find nothing.

Bounded here; run it longer by hand with the same configuration.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.lavfi import recorded
from tests.web.served import RECORDING, Served, serve

T0_US = 1_795_000_000_000_000
EXAMPLES = 15

# A window must have its ends in order, a place both coordinates, a URL no address of this machine: JSON Schema cannot say
# so, hence a 422 for what it calls valid. A list that is too long is refused by its bytes (413) before anybody counts.
# Without a Schemathesis report nothing is written to the working directory.
CONFIGURATION = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "403", "404", "409", "422"]
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"]
"""
KNOWN_CAMERA = """
[parameters]
"path.camera_id" = 1
"path.run_id" = 1795000000000
"path.n" = 0
"query.from" = "2026-11-18T11:06:40Z"
"query.to" = "1795000009000000"
"query.at" = 1795000005000000
"query.cameras" = "1,2"
"""


async def run(served: Served, folder: Path, configuration: str, *arguments: str) -> None:
    (folder / "schemathesis.toml").write_text(configuration)
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        "--no-color",
        "--config-file",
        str(folder / "schemathesis.toml"),
        "run",
        f"{served.url}/api/v1/openapi.json",
        "--max-examples",
        str(EXAMPLES),
        "--continue-on-failure",
        "--generation-database",
        "none",
        "--warnings",
        "off",
        "--exclude-path",
        "/api/v1/events",  # endless: tested by itself
        *arguments,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, said.decode()


@pytest.mark.slow
async def test_anything_goes_and_nothing_breaks(tmp_path: Path) -> None:
    async with serve(tmp_path) as served:
        served.fleet.usual = RECORDING
        # DELETE archives: the camera can still be read, as its footage can.
        await run(served, tmp_path, CONFIGURATION, "--exclude-checks", "use_after_free")


@pytest.mark.slow
async def test_nothing_breaks_where_there_is_footage(tmp_path: Path) -> None:
    async with serve(tmp_path) as served:
        served.fleet.usual = RECORDING
        await served.add("A")
        await served.add("B")
        await served.record(1, recorded(audio=True), at_us=T0_US, segment_s=4)
        # Parameters given here mend what was broken on purpose: an accepted request is no finding then.
        await run(
            served,
            tmp_path,
            CONFIGURATION + KNOWN_CAMERA,
            "--include-method",
            "GET",
            "--exclude-checks",
            "negative_data_rejection",
        )
