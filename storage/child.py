"""Long computing and foreign files in a process of their own: a fresh Python, no fork of the server, with a bound on time and
memory. What it imports (openpyxl, shapely, fpdf2) is never in the server's memory, and it cannot hold up the event loop.

    report = await in_child(sheet_read.read, data, limit_s=30.0)

Run as `python -m storage.child`: the order comes through standard input, the result goes to standard output; it ends with its
parent, whose end of the pipe closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import resource
import sys
import threading
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar, TypeVarTuple

from config.errors import NvrError, Unavailable

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

LIMIT_S: Final = 60.0
MEMORY_BYTES: Final = 1 << 30
MAX_TOLD: Final = 4000
"""Characters of a defect's traceback that are told on."""

_LENGTH_BYTES: Final = 8
_RESULT, _ERROR, _MEMORY = "result", "error", "memory"


async def in_child(
    function: Callable[[*Arguments], T],
    *args: *Arguments,
    limit_s: float = LIMIT_S,
    memory_bytes: int = MEMORY_BYTES,
) -> T:
    """`function(*args)`, run by a new process; a function at the top of a module, arguments and result that pickle takes.

    Killed when the caller is cancelled. Its NvrErrors are raised here. Raises Unavailable after `limit_s` or where it needs
    more than `memory_bytes`, RuntimeError with its traceback for any other error.
    """
    order = await asyncio.to_thread(pickle.dumps, (memory_bytes, function, args))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "storage.child",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the server
    )
    try:
        async with asyncio.timeout(limit_s):
            answer, words = await _answer(process, order)
    except TimeoutError:
        _kill(process)
        raise Unavailable(f"this took longer than {limit_s:g} s and was given up: try less at once") from None
    except BaseException:
        _kill(process)
        raise
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()
    return await asyncio.to_thread(_unpacked, answer, words)


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


async def _answer(process: asyncio.subprocess.Process, order: bytes) -> tuple[bytes, bytes]:
    """(what it wrote as its result, what it wrote as its troubles). Standard input stays open: it is our hold on it."""
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    words = asyncio.ensure_future(process.stderr.read())
    try:
        with contextlib.suppress(ConnectionError):  # it has ended: its words say why
            process.stdin.write(len(order).to_bytes(_LENGTH_BYTES, "big"))
            process.stdin.write(order)
            await process.stdin.drain()
        return await process.stdout.read(), await words
    finally:
        words.cancel()


def _unpacked(answer: bytes, words: bytes) -> Any:
    if not answer:
        told = words.decode("utf-8", "replace")[-MAX_TOLD:]
        if "MemoryError" in told:
            raise _too_large()
        raise RuntimeError(f"a child process ended without an answer: {told}")
    kind, value = pickle.loads(answer)  # from our own child
    if kind == _ERROR:
        assert isinstance(value, NvrError)
        raise value
    if kind == _MEMORY:
        raise _too_large()
    return value


def _too_large() -> Unavailable:
    return Unavailable("this needs more memory than it may take: try less at once")


def _done(function: Callable[..., Any], args: tuple[Any, ...]) -> bytes:
    """Another error ends the process with its traceback, which the parent reads."""
    try:
        return pickle.dumps((_RESULT, function(*args)))
    except NvrError as error:
        return pickle.dumps((_ERROR, error))
    except MemoryError:
        return pickle.dumps((_MEMORY, None))


def _end_with_parent() -> None:
    """Nobody reads any more: whatever is being computed is for nothing."""
    while os.read(0, 4096):
        pass
    os._exit(1)


def main() -> NoReturn:
    results = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no result
    with os.fdopen(0, "rb", buffering=0, closefd=False) as orders:
        length = int.from_bytes(_exactly(orders.read, _LENGTH_BYTES), "big")
        order = _exactly(orders.read, length)
    memory_bytes, function, args = pickle.loads(order)  # from our own parent
    del order
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Of data, not of addresses: numpy and the threads of libraries reserve far more than they use.
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    with os.fdopen(results, "wb") as out:
        out.write(_done(function, args))
    os._exit(0)


def _exactly(read: Callable[[int], bytes | None], length: int) -> bytes:
    parts, left = [], length
    while left:
        part = read(left)
        if not part:
            os._exit(1)
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


if __name__ == "__main__":
    main()
