"""A program that dies at a step of ingest or of a sweep, as by `kill -9`.

`python -m tests.retention.dying FOLDER ACTION STEP NTH`
"""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial
from pathlib import Path

from storage.catalog import proofs
from storage.catalog.days import day_of
from storage.model import CameraId
from tests.retention.aged import cut, sweeper
from tests.storage.node import Node, node_at

DIED = 77


class Death:
    """Ends the process at the `nth` time that a step is told."""

    def __init__(self, name: str, nth: int) -> None:
        self._name = name
        self._left = nth

    def __call__(self, name: str) -> None:
        if name == self._name:
            self._left -= 1
            if self._left == 0:
                os._exit(DIED)


async def ingest(node: Node, step: Death) -> None:
    node.ingest.step = step
    await node.sweep()


async def sweep(node: Node, step: Death) -> None:
    rows = await node.rows(CameraId(1))
    day_us = day_of(rows[0].start_us)
    await node.catalog.write(partial(proofs.close, camera_id=CameraId(1), day_us=day_us, at_us=1))
    await sweeper(node, step).sweep([cut(rows, before_us=rows[-2].end_us)], pinned_counts=True)


async def drop_local(node: Node, step: Death) -> None:
    rows = await node.rows(CameraId(1))
    await sweeper(node, step).sweep([cut(rows, kind="drop_local", reason="offloaded")], pinned_counts=True)


async def drain(node: Node, step: Death) -> None:
    await sweeper(node, step).drain_garbage()


ACTIONS = {"ingest": ingest, "sweep": sweep, "drop_local": drop_local, "drain": drain}


async def main(folder: Path, action: str, step: str, nth: int) -> None:
    async with node_at(folder) as node:
        await ACTIONS[action](node, Death(step, nth))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
