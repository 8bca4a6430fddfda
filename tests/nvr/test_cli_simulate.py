"""`nvr simulate` from outside: it says where the cameras are, serves them, ends when told, and complains in one line."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tests.nvr.rtsp_client import RtspClient

NVR = (sys.executable, "-c", "from nvr.cli import main; main()", "simulate")
SMALL = ("--port", "0", "--size", "320x180", "--gop-s", "1", "--loop-s", "2", "--alike", "--bitrate-kbps", "300")


async def started(*arguments: str, folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(*NVR, *arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=folder
    )


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
async def test_prints_addresses_that_play_and_ends_when_told(loops: Path, tmp_path: Path, stop: signal.Signals) -> None:
    arguments = ("--cameras", "2", "--user", "admin", "--password", "a@b", "--cache", str(loops))
    process = await started(*SMALL, *arguments, folder=tmp_path)
    assert process.stdout is not None
    try:
        urls = [(await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip() for _ in range(2)]
        assert [url.rpartition("/")[2] for url in urls] == ["1", "2"]
        async with RtspClient(urls[1]) as client:
            await client.play()
            await client.until(lambda c: c.video)
            process.send_signal(stop)
            await client.until(lambda c: c.ended is not None)
        _, complaints = await asyncio.wait_for(process.communicate(), 10)
        assert (process.returncode, complaints) == (0, b"")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize(
    "arguments, names",
    [
        (("--size", "7"), "--size"),
        (("--size", "321x180"), "321x180"),
        (("--gop-s", "50"), "GOP"),
        (("--codec", "vp9"), "--codec"),
        (("--host", "192.0.2.1"), "192.0.2.1"),
    ],
)
async def test_says_in_a_line_what_is_wrong(
    loops: Path, tmp_path: Path, arguments: tuple[str, ...], names: str
) -> None:
    process = await started(*SMALL, "--cache", str(loops), *arguments, folder=tmp_path)
    _, complaints = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode not in (0, None)
    assert names in complaints.decode() and "Traceback" not in complaints.decode()
