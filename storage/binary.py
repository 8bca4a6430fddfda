"""Finding the ffmpeg binary: the configured path, then $NVR_FFMPEG, then the imageio-ffmpeg wheel's, then PATH."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from config.errors import Invalid, Unavailable

FIELD = "recording.ffmpeg"
AUTO = "auto"
_VERSION_LIMIT_S = 10.0


def find(setting: str = AUTO) -> Path:
    """The binary to use; `setting` is `recording.ffmpeg`, where "auto" and "" leave the choice to us.

    Raises Invalid when the configured one (or $NVR_FFMPEG) cannot be executed, Unavailable when there is none at all.
    """
    if setting not in ("", AUTO):
        return _named(setting, FIELD)
    if from_environment := os.environ.get("NVR_FFMPEG", ""):
        return _named(from_environment, "NVR_FFMPEG")
    found = _from_wheel() or _from_path()
    if found is None:
        raise Unavailable(
            "no ffmpeg: install the imageio-ffmpeg wheel or the system's ffmpeg, or name one in recording.ffmpeg",
            field=FIELD,
        )
    return found


def version(path: str | Path) -> str:
    """What it calls itself: `9.0.2`, `5.1.9-0+deb12u1`. Blocking. Raises Unavailable when it does not run."""
    try:
        answer = subprocess.run(
            [str(path), "-hide_banner", "-version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_VERSION_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{path} does not run: {error}", field=FIELD) from error
    match = re.match(r"ffmpeg version (\S+)", answer.stdout.decode("utf-8", "replace"))
    if match is None:
        raise Unavailable(f"{path} is not ffmpeg: it does not tell its version", field=FIELD)
    return match[1].removesuffix("-static").removeprefix("n")


def _named(name: str, field: str) -> Path:
    found = shutil.which(os.path.expanduser(name))
    if found is None:
        raise Invalid(f"{field} names {name}, which is no program that can be run", field=field)
    return Path(found).absolute()


def _from_wheel() -> Path | None:
    """Not by `get_ffmpeg_exe()` where that falls back to a search of its own: only the wheel's own binary counts here."""
    spec = importlib.util.find_spec("imageio_ffmpeg")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "binaries"
    for path in sorted(folder.glob("ffmpeg-*"), reverse=True):
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None


def _from_path() -> Path | None:
    found = shutil.which("ffmpeg")
    return Path(found).absolute() if found else None


def fingerprint(path: Path) -> str:
    """Version, size and mtime: what changes when the binary does. Blocking. Raises Unavailable."""
    stat = path.stat()
    return f"{version(path)} {stat.st_size} {stat.st_mtime_ns // 1_000_000_000}"
