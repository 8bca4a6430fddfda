"""Ballast: a file that is given up when the catalog's disk is full, so that deletions can still be committed.

Without it a full disk can never be freed: SQLite needs room in its journal to record a deletion (tried: "database or disk
is full" on the very first row).
"""

from __future__ import annotations

import os
import time
from pathlib import Path

MAX_BYTES = 256 * 1024 * 1024
SHARE = 0.01  # of the file system; the smaller of both
RETRY_S = 30.0


class Ballast:
    """The file `<database>.ballast`. Used from the writer thread only."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".ballast")
        self._missing_since = 0.0

    def size_bytes(self) -> int:
        stat = os.statvfs(self.path.parent)
        return min(MAX_BYTES, int(stat.f_blocks * stat.f_frsize * SHARE))

    def make(self) -> bool:
        """Lay it where there is room for it twice; True when it lies there afterwards."""
        size = self.size_bytes()
        if self.path.exists() and self.path.stat().st_size >= size:
            return True
        stat = os.statvfs(self.path.parent)
        if stat.f_bavail * stat.f_frsize < 2 * size:
            self._missing_since = time.monotonic()
            return False
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(fd, 0, max(size, 1))
        except OSError:
            os.ftruncate(fd, 0)
            self._missing_since = time.monotonic()
            return False
        finally:
            os.close(fd)
        self._missing_since = 0.0
        return True

    def drop(self) -> bool:
        """Give it up. True when that freed something."""
        try:
            freed = self.path.stat().st_size > 0
            self.path.unlink()
        except FileNotFoundError:
            return False
        self._missing_since = time.monotonic()
        return freed

    def restore_later(self) -> None:
        """Lay it again once there is room; looks at most every RETRY_S."""
        if self._missing_since and time.monotonic() - self._missing_since > RETRY_S:
            self.make()
