"""A camera's files beside the catalog: the ffconcat file with its login, and ffmpeg's log. Mode 0600. Blocking."""

from __future__ import annotations

import math
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from config.redact import masked
from storage.model import CameraId

LOG_READ_BYTES = 64 * 1024
LOG_LIMIT_BYTES = 256 * 1024
PROBE_PREFIX = "probe-"


@dataclass(frozen=True, slots=True)
class CameraFiles:
    folder: Path
    camera_id: CameraId

    @property
    def ffconcat(self) -> Path:
        return self.folder / f"{self.camera_id}.ffconcat"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.camera_id}.log"

    def write_ffconcat(self, text: str) -> None:
        """Whole or not at all."""
        temporary = self.ffconcat.with_suffix(".new")
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(self.ffconcat)

    def read_ffconcat(self) -> str | None:
        """None when there is none."""
        try:
            return self.ffconcat.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def log_bytes(self) -> int:
        try:
            return self.log.stat().st_size
        except OSError:
            return 0

    def log_age_s(self) -> float:
        """Since its last line; infinite without a log."""
        try:
            return time.time() - self.log.stat().st_mtime
        except OSError:
            return math.inf

    def log_since(self, start: int) -> str:
        """What was written since the log had `start` bytes, at most the last 64 KiB; all there is where it was trimmed."""
        try:
            with self.log.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                file.seek(max(start if start <= size else 0, size - LOG_READ_BYTES))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def mask_log(self) -> None:
        """ffmpeg says a whole URL, login included, where it cannot open it: once it has ended, that is overwritten."""
        _mask(self.log)


def mask_logs(folder: Path) -> None:
    """Those of recorders that ended while no server ran."""
    for path in folder.glob("*.log"):
        _mask(path)


def _mask(path: Path) -> None:
    """In place: an ffmpeg that still has it open goes on at its end."""
    with suppress(OSError), path.open("r+b") as file:
        written = file.read()
        if (shown := masked(written)) != written:
            file.seek(0)
            file.write(shown)


def trim_logs(folder: Path) -> None:
    """Logs beyond 256 KiB are emptied: ffmpeg appends, so it goes on at the new end."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".log") and entry.stat().st_size > LOG_LIMIT_BYTES:
                os.truncate(entry.path, 0)


def remove_probes(folder: Path) -> None:
    """What a killed server left of its probes: a login each."""
    for left in folder.glob(PROBE_PREFIX + "*"):
        shutil.rmtree(left, ignore_errors=True)
