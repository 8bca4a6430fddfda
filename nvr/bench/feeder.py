"""Writes what many recorders would: a process that stands in for 1,720 ffmpegs, which no bench machine could run at once.

Reads `start <spool pattern>` and `stop <spool pattern>` lines from standard input; ends with it. Each camera's file grows by
a fragment every two seconds and is cut every minute, at instants of its own.
"""

from __future__ import annotations

import heapq
import itertools
import os
import select
import struct
import subprocess
import sys
import time
from dataclasses import dataclass, field

from storage import binary

FRAGMENT_S = 2.0
PER_FILE = 30


def template() -> tuple[bytes, bytes, int, int]:
    """(init, one fragment of 2 s, where its tfdt value is, time scale)."""
    made = subprocess.run(
        [
            *(str(binary.find()), "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=10", "-t", "4"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-g", "20", "-b:v", "50k", "-video_track_timescale", "90000"),
            *("-f", "mp4", "-movflags", "frag_keyframe+empty_moov+default_base_moof+skip_trailer", "pipe:1"),
        ],
        capture_output=True,
        check=True,
    ).stdout
    first = made.index(b"moof") - 4
    second = made.index(b"moof", first + 8) - 4
    fragment = made[first:second]
    return made[:first], fragment, fragment.index(b"tfdt") + 8, 90_000


@dataclass(slots=True)
class Camera:
    pattern: str
    n: int = 0
    written: int = 0
    fd: int = -1

    def write(self, init: bytes, fragment: bytes, tfdt_at: int, scale: int) -> None:
        """The next fragment; a new file where it is time."""
        if self.fd < 0 or self.written % PER_FILE == 0:
            if self.fd >= 0:
                os.close(self.fd)
                self.n += 1
            self.fd = os.open(self.pattern % self.n, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
            os.write(self.fd, init)
        media = struct.pack(">Q", int(self.written * FRAGMENT_S * scale))
        os.write(self.fd, fragment[:tfdt_at] + media + fragment[tfdt_at + 8 :])
        self.written += 1


@dataclass(slots=True)
class Feeder:
    cameras: dict[str, Camera] = field(default_factory=dict)
    due: list[tuple[float, int, str]] = field(default_factory=list)

    def run(self) -> None:
        made = template()
        turn = itertools.count()
        buffer = b""
        while True:
            wait = max(0.0, self.due[0][0] - time.monotonic()) if self.due else 1.0
            if select.select([0], [], [], wait)[0]:
                block = os.read(0, 65536)
                if not block:
                    return
                *lines, buffer = (buffer + block).split(b"\n")
                for line in lines:
                    verb, _, pattern = line.decode().partition(" ")
                    if verb == "start":
                        self.cameras[pattern] = Camera(pattern)
                        heapq.heappush(self.due, (time.monotonic() + 0.2, next(turn), pattern))
                    else:
                        self.cameras.pop(pattern, None)
            now = time.monotonic()
            while self.due and self.due[0][0] <= now:
                at, _, pattern = heapq.heappop(self.due)
                camera = self.cameras.get(pattern)
                if camera is not None:
                    camera.write(*made)
                    heapq.heappush(self.due, (at + FRAGMENT_S, next(turn), pattern))


if __name__ == "__main__":
    sys.setswitchinterval(0.05)
    Feeder().run()
