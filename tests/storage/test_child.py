"""Work in a process of its own: its result, its errors, its bounds, its end."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from blockbuster import BlockBuster

from config.errors import Conflict, Invalid, Unavailable
from storage.child import in_child

HERE = Path(__file__).parents[2]


def added(one: int, other: int) -> int:
    print("a library says something")
    return one + other


def process_id() -> int:
    return os.getpid()


def echoed(data: bytes) -> bytes:
    return data[::-1]


def refused() -> None:
    raise Invalid("the sheet is empty", field="body", rows=0)


def clashed() -> None:
    raise Conflict("taken")


def defective() -> None:
    raise ZeroDivisionError("of a zero")


def greedy() -> int:
    return len(bytearray(2 << 30))


def waits(told: str) -> None:
    Path(told).write_text(str(os.getpid()), "utf-8")
    signal.pause()


def ended(pid: int) -> bool:
    """Waits for it."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 60)[0])
    finally:
        os.close(handle)


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "pid")
    return folder / "pid"


async def test_gives_the_result_whatever_is_printed(guarded_loop: BlockBuster) -> None:
    assert await in_child(added, 2, 3) == 5


async def test_is_another_process() -> None:
    assert await in_child(process_id) != os.getpid()


async def test_takes_and_gives_megabytes() -> None:
    data = bytes(range(256)) * (1 << 14)
    assert await in_child(echoed, data) == data[::-1]


async def test_passes_our_errors_on_with_all_they_say() -> None:
    with pytest.raises(Invalid, match="the sheet is empty") as caught:
        await in_child(refused)
    assert caught.value.field == "body" and caught.value.extra == {"rows": 0}
    with pytest.raises(Conflict):
        await in_child(clashed)


async def test_tells_a_defect_with_its_traceback() -> None:
    with pytest.raises(RuntimeError, match="of a zero") as caught:
        await in_child(defective)
    assert "defective" in str(caught.value)


async def test_too_much_memory_is_an_answer() -> None:
    with pytest.raises(Unavailable, match="memory"):
        await in_child(greedy)


async def test_is_given_up_after_its_time(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="given up"):
        await in_child(waits, str(tmp_path / "pid"), limit_s=0.5)


async def test_ends_with_a_caller_that_is_cancelled(tmp_path: Path) -> None:
    told = fifo(tmp_path)
    task = asyncio.create_task(in_child(waits, str(told)))
    pid = int(await asyncio.to_thread(told.read_text))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended(pid)


PARENT = """
import asyncio, sys
from storage.child import in_child
from tests.storage.test_child import waits
asyncio.run(in_child(waits, sys.argv[1]))
"""


def test_ends_with_a_server_that_is_killed(tmp_path: Path) -> None:
    told = fifo(tmp_path)
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(told)], cwd=HERE)
    pid = int(told.read_text())
    parent.kill()
    parent.wait()
    assert ended(pid)
