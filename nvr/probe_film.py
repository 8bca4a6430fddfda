"""The short film that a probe records, read while it grows: when enough of it is there, and what it tells. Blocking."""

from __future__ import annotations

import os
from pathlib import Path

from config.errors import Corrupt
from storage.fmp4 import FragmentBoxes, InitBoxes, read_fragments, read_init
from storage.registry.findings import SMART_GOP_S
from storage.registry.measured import Measured, clock_offset_us, measure

KEYFRAMES = 3
"""Two distances from keyframe to keyframe."""
FRAGMENT_US = 1_000_000


class Film:
    """`path` need not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._init: InitBoxes | None = None
        self._offset = 0
        self._fragments: list[FragmentBoxes] = []
        self._written_us: list[int | None] = []

    def look(self) -> None:
        """Read on. What makes no sense ends the film."""
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return
        try:
            self._read(fd)
        except Corrupt:
            return
        finally:
            os.close(fd)

    def _read(self, fd: int) -> None:
        if self._init is None:
            self._init = read_init(fd)
            if self._init is None:
                return
            self._offset = len(self._init.data)
        status = os.fstat(fd)
        mtime_us = status.st_mtime_ns // 1000
        found, self._offset = read_fragments(fd, self._offset, self._init)
        self._fragments += found
        if found:  # the file's time is that of its last fragment
            self._written_us += [*[None] * (len(found) - 1), mtime_us if self._offset == status.st_size else None]

    def tells_keyframes(self) -> bool:
        """Also where it is plain that they are too far apart."""
        found = self.measured()
        return found is not None and (found.keyframes >= KEYFRAMES or found.keyframe_at_least_s > SMART_GOP_S)

    def tells_time(self) -> bool:
        return self.clock_offset_us() is not None

    def measured(self) -> Measured | None:
        return measure(self._init, self._fragments, first_of_run=True) if self._init is not None else None

    def clock_offset_us(self) -> int | None:
        """Without the first fragment, which comes before the camera's first report of its time."""
        if self._init is None:
            return None
        return clock_offset_us(self._init, self._fragments[1:], self._written_us[1:])
