"""The demo's cameras, in a process of their own: ends when its standard input closes, so also when the demo is killed.

Started as `python -m nvr.demo_cameras <JSON of DemoCameras>`; prints one line, the port, when the cameras are there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from nvr.simulator import CameraOptions, LoopOptions, Simulator, SimulatorOptions


@dataclass(frozen=True, slots=True)
class DemoCameras:
    cameras: int
    bitrate_kbps: int
    cache_dir: str
    port: int = 0

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    def loop(self, number: int) -> LoopOptions:
        """A scene of its own for each of the first four; every fifth camera sends HEVC, which many browsers cannot show."""
        return LoopOptions(
            codec="h265" if number % 5 == 0 else "h264",
            fps=15,
            bitrate_kbps=self.bitrate_kbps,
            scene=1 + (number - 1) % 4,
            length_s=40.0,
        )

    def simulator(self) -> SimulatorOptions:
        overrides = {number: CameraOptions(loop=self.loop(number)) for number in range(1, self.cameras + 1)}
        return SimulatorOptions(
            cameras=self.cameras, port=self.port, overrides=overrides, cache_dir=Path(self.cache_dir)
        )


async def serve(cameras: DemoCameras) -> None:
    loop = asyncio.get_running_loop()
    closed = asyncio.Event()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with Simulator(cameras.simulator()) as simulator:
        print(simulator.port, flush=True)
        task = asyncio.create_task(_until_closed(reader, closed))
        await closed.wait()
        await task


async def _until_closed(reader: asyncio.StreamReader, closed: asyncio.Event) -> None:
    await reader.read()
    closed.set()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(DemoCameras(**json.loads(sys.argv[1]))))
