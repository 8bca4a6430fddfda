"""Bench of the fleet: the real server with 1,720 recorders that only `feeder` plays: lag of its loop, time of its page."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from config import logs
from config.errors import Unavailable
from config.settings import load
from nvr.bench import rig
from nvr.bench.report import Figure, percentile
from nvr.server import Server, spare_the_collector
from storage.catalog import cameras
from storage.catalog.db import connect, transaction
from storage.clock import wall_us
from storage.model import Probe

QUICK = {"fleet": {"count": 200, "seconds": 15.0}}
SAMPLE_S = 0.02


async def fleet(*, count: int = 1720, seconds: float = 90.0) -> list[Figure]:
    """Lag of the event loop over `seconds` of everyday work (passes, ingest of 29 segments a second), and the cameras page."""
    with tempfile.TemporaryDirectory(prefix="nvr-bench-") as made:
        folder = Path(made)
        ids = rig.register(folder, [f"rtsp://127.0.0.1:9/cam/{number}" for number in range(count)])
        with closing(connect(folder / "nvr.sqlite3")) as db, transaction(db):
            for camera_id in ids:  # asked once already: no probing of cameras that are not there
                cameras.put_probe(db, Probe(camera_id, wall_us(), "h264", 320, 180, 10.0, "", False))
        settings = rig.settings_file(folder, rig.free_port(), start_per_second=200)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "nvr.bench.fleet", str(settings), str(count), str(seconds)),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        if process.returncode != 0:
            raise Unavailable(f"the server of the bench ended with {process.returncode}")
    result = json.loads(out)
    detail = f"{count} recorders, {result['segments']} segments in {seconds:.0f} s, largest {result['max_ms']:.0f} ms"
    return [
        Figure("loop lag with 1,720 recorders, p99", result["p99_ms"], "ms", 50, detail=detail),
        Figure("cameras page with 1,720 cameras", result["page_s"], "s", 1, detail="slowest of 20, 100 cameras a page"),
    ]


@dataclass(slots=True)
class Fake:
    """A recorder that the feeder plays."""

    pattern: str
    feeder: subprocess.Popen[bytes]
    pid: int
    returncode: int | None = None
    _gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> None:
        await self._gone.wait()

    async def end(self) -> None:
        say(self.feeder, "stop " + self.pattern)
        self._gone.set()


def say(feeder: subprocess.Popen[bytes], line: str) -> None:
    assert feeder.stdin is not None
    feeder.stdin.write(line.encode() + b"\n")
    feeder.stdin.flush()


async def serve(settings_file: Path, count: int, seconds: float) -> dict[str, float]:
    """The server's process."""
    feeder = subprocess.Popen([sys.executable, "-m", "nvr.bench.feeder"], stdin=subprocess.PIPE)  # noqa: ASYNC220
    pids = iter(range(1 << 22, 1 << 23))

    async def spawn(command: Sequence[str], log: Path) -> Fake:
        say(feeder, "start " + command[-1])
        return Fake(command[-1], feeder, next(pids))

    server = Server(load(settings_file, {}), spawn_recorder=spawn)
    await server.start()
    spare_the_collector()
    try:
        return await _measure(server, count, seconds)
    finally:
        await server.stop(end_recorders=False)
        feeder.kill()
        feeder.wait()


async def _measure(server: Server, count: int, seconds: float) -> dict[str, float]:
    async with aiohttp.ClientSession() as http:
        for _ in range(600):
            async with http.get(server.url + "api/v1/status") as answer:
                if (await answer.json())["cameras"]["recording"] >= count:
                    break
            await asyncio.sleep(0.5)
        else:
            raise Unavailable(f"not all of {count} fake recorders came to record")
        before = server.ingest.counts["segments"]
        lags: list[float] = []
        pages: list[float] = []
        deadline = time.monotonic() + seconds
        next_page = 0.0
        while (now := time.monotonic()) < deadline:
            if now >= next_page:
                next_page = now + seconds / 20
                async with http.get(server.url + "api/v1/cameras?limit=100") as answer:
                    await answer.read()
                pages.append(time.monotonic() - now)
            began = time.monotonic()
            await asyncio.sleep(SAMPLE_S)
            lags.append(max(0.0, time.monotonic() - began - SAMPLE_S) * 1000)
    return {
        "p99_ms": percentile(lags, 0.99),
        "max_ms": max(lags),
        "page_s": max(pages),
        "segments": server.ingest.counts["segments"] - before,
    }


if __name__ == "__main__":
    logs.setup("warning")
    print(json.dumps(asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))))
