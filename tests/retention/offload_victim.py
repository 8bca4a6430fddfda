"""A process that offloads, drains and ends itself by SIGKILL at its k-th step: what `test_offload_killed` starts."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from config.settings import OffloadSettings, Settings
from storage.objects_keys import Keys
from tests.storage.node import node_at
from tests.stores import Offload


async def main(folder: Path, endpoint: str, prefix: str, die_at: int) -> None:
    seen = 0

    def step(name: str) -> None:
        nonlocal seen
        if seen == die_at:
            print(name, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        seen += 1

    settings = Settings(offload=OffloadSettings(endpoint=endpoint, bucket="footage", prefix=prefix))
    async with node_at(folder) as node:
        made = Offload(node.catalog, node.volumes, settings, lambda: Keys("nvr-test-key", "nvr-test-secret"), step=step)
        await made.offloader.queue_due()
        for work in await made.offloader.claim(10):
            uploaded = await made.offloader.take(work)
            if uploaded is not None:
                await made.offloader.finish([uploaded])
        await made.offloader.far.drain()
        made.close()
    print("ended", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
