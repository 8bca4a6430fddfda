"""How fast uploads may go: one allowance of bytes a second that all of them share. Blocking; used from the S3 threads."""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Callable

from config.errors import Unavailable

BURST_S = 0.1


class Pace:
    """A bucket of tokens, one a byte. `bytes_per_s` 0: no limit. `close` sets free whoever waits, with Unavailable."""

    def __init__(self, bytes_per_s: float) -> None:
        self._rate = bytes_per_s
        self._lock = threading.Lock()
        self._free_at = 0.0  # when all that was taken so far is paid for
        self._closed = threading.Event()

    def take(self, count: int) -> None:
        """Returns when that many bytes may go. Raises Unavailable once closed."""
        wait_s = 0.0
        if self._rate > 0:
            now = time.monotonic()
            with self._lock:
                self._free_at = max(self._free_at, now - BURST_S) + count / self._rate
                wait_s = self._free_at - now
        if self._closed.is_set() or (wait_s > 0 and self._closed.wait(wait_s)):
            raise Unavailable("the server ends: the upload is broken off")

    def close(self) -> None:
        self._closed.set()


class PacedFile(io.RawIOBase):
    """A file for reading, by offset: its descriptor is shared. `take(bytes)` is called before each block is given.

    It has `size_bytes`, whatever the file has grown to; a shorter file raises OSError, so that no short object is made.
    """

    def __init__(self, fd: int, size_bytes: int, take: Callable[[int], None]) -> None:
        self._fd = fd
        self._size = size_bytes
        self._take = take
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        left = self._size - self._at
        count = left if size is None or size < 0 else min(size, left)
        if count <= 0:
            return b""
        self._take(count)
        block = os.pread(self._fd, count, self._at)
        if len(block) < count:
            raise OSError(f"the file ends {count - len(block)} bytes before its {self._size} bytes")
        self._at += count
        return block
