"""`nvr ...` as a person types it in a folder: a process of its own, without settings from the environment."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

NVR = (sys.executable, "-c", "from nvr.cli import main; main()")
ROOT = Path(__file__).parents[2]
LIMIT_S = 120


async def nvr(here: Path, *arguments: str, within: Sequence[str] = ()) -> tuple[int, str, str]:
    """(exit status, standard output, standard error); a traceback fails the test. `within`: a command that runs it."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("NVR_") or name == "NVR_FFMPEG"}
    process = await asyncio.create_subprocess_exec(
        *(*within, *NVR, *arguments),
        cwd=here,
        env=env | {"PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(LIMIT_S):
        out, err = await process.communicate()
    assert "Traceback" not in err.decode()
    return process.returncode or 0, out.decode(), err.decode()
