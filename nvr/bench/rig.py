"""What the benches stand on: simulated cameras and a real `nvr serve`, each in a process of its own, in a temporary folder."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from config.errors import Unavailable
from nvr.lags import Measurement
from nvr.process import end_recorders, scan
from storage import binary
from storage.catalog import cameras, selftests
from storage.catalog.db import connect, prepare, transaction
from storage.clock import wall_us
from storage.model import Camera, CameraId

TICKS = os.sysconf("SC_CLK_TCK")
START_LIMIT_S = 60.0
BACKUP_LIMIT_S = 300.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from nvr.cli import main; main()", *arguments]


@asynccontextmanager
async def simulated(count: int, *, kbps: int, gop_s: float = 2.0, audio: str = "none") -> AsyncIterator[int]:
    """`count` cameras in another process; yields the port."""
    port = free_port()
    process = subprocess.Popen(  # noqa: ASYNC220 - a fork of milliseconds, while nothing else runs
        command(
            *("simulate", "--cameras", str(count), "--port", str(port), "--bitrate-kbps", str(kbps)),
            *("--gop-s", str(gop_s), "--alike", "--audio", audio),
        ),
        stdout=subprocess.DEVNULL,
    )
    try:
        await until_open(port, process)
        yield port
    finally:
        end(process)


async def until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + START_LIMIT_S
    while loop.time() < deadline:
        if process.poll() is not None:
            raise Unavailable(f"a process of the bench ended with {process.returncode}")
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)
    raise Unavailable("a process of the bench did not start")


def end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass(slots=True)
class Served:
    """A running server. `cpu_s` counts its recorders too."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    http: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def volume(self) -> Path:
        return self.folder / "footage"

    async def get(self, path: str) -> Any:
        async with self.http.get(self.url + path) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def text(self, path: str) -> str:
        async with self.http.get(self.url + path) as answer:
            answer.raise_for_status()
            return await answer.text()

    async def recording(self) -> int:
        return int((await self.get("/api/v1/status"))["cameras"]["recording"])

    async def until_recording(self, count: int, limit_s: float) -> float:
        """Seconds until that many record. Raises Unavailable."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while loop.time() < began + limit_s:
            if await self.recording() >= count:
                return loop.time() - began
            await asyncio.sleep(0.2)
        raise Unavailable(f"{await self.recording()} of {count} cameras record after {limit_s:.0f} s")

    def recorders(self) -> list[int]:
        return [found.pid for found in scan([self.volume])]

    def cpu_s(self) -> float:
        return cpu_s([self.process.pid, *self.recorders()])

    def rss_bytes(self) -> int:
        """Of the server alone: what the recorders need is ffmpeg's own."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0


def cpu_s(pids: Sequence[int]) -> float:
    """User and system time of living processes."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / TICKS


def settings_file(folder: Path, port: int, *, start_per_second: float = 10.0, segment_seconds: int = 60) -> Path:
    file = folder / "nvr.toml"
    file.write_text(
        f"[server]\nport = {port}\n[storage]\ndatabase = 'nvr.sqlite3'\nvolumes = ['footage']\n"
        f"[recording]\nstart_per_second = {start_per_second}\nsegment_seconds = {segment_seconds}\n",
        "utf-8",
    )
    return file


def register(folder: Path, urls: Sequence[str]) -> list[CameraId]:
    """Cameras of those URLs, in a catalog made where missing; the self-test counts as done, it would be measured along."""
    database = folder / "nvr.sqlite3"
    prepare(database)
    with closing(connect(database)) as db, transaction(db):
        name = binary.fingerprint(binary.find())
        selftests.put(db, name, wall_us(), True, "", Measurement().to_json())
        add = partial(cameras.add, db)
        return [
            add(
                Camera(
                    id=CameraId(0),
                    code=f"B{number:05d}",
                    name=f"bench {number}",
                    url=url,
                    node="n1",
                    created_us=wall_us(),
                )
            ).id
            for number, url in enumerate(urls, 1)
        ]


@asynccontextmanager
async def served(
    folder: Path,
    *,
    start_per_second: float = 10.0,
    segment_seconds: int = 60,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Served]:
    """`nvr serve` on that folder's catalog; its recorders are ended with it. `environment`: further variables."""
    port = free_port()
    settings = settings_file(folder, port, start_per_second=start_per_second, segment_seconds=segment_seconds)
    with (folder / "server.log").open("ab") as log:
        serve = command("serve", "--config", str(settings))
        env = {**os.environ, **(environment or {})}
        process = subprocess.Popen(serve, stdout=log, stderr=log, env=env)  # noqa: ASYNC220 - as above
    try:
        await until_open(port, process)
        async with aiohttp.ClientSession() as http:
            yield Served(folder, port, process, http)
    finally:
        end(process)
        await end_recorders([folder / "footage"])


async def until_backed_up(folder: Path) -> None:
    """A server copies a catalog that has no copy of today, at once: here gigabytes, beside which nothing is measured."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + BACKUP_LIMIT_S
    while not list((folder / "footage" / "backup").glob("catalog-*.sqlite3")):
        if loop.time() > deadline:
            raise Unavailable("the server of the bench makes no copy of its catalog")
        await asyncio.sleep(0.2)


def urls(port: int, numbers: Sequence[int]) -> list[str]:
    return [f"rtsp://127.0.0.1:{port}/cam/{number}" for number in numbers]
