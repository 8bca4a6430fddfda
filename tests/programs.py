"""Programs of the system that some tests need, and how to get them: `@pytest.mark.needs("chromium")`."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

PACKAGES = {
    "chromium": "chromium",
    "gst-launch-1.0": "gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
    " gstreamer1.0-plugins-ugly gstreamer1.0-libav",
    "gst-rtsp-server": "python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good"
    " gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly",
    "nginx": "nginx-light",
    "ffmpeg": "ffmpeg",
    "systemd-analyze": "systemd",
    "node": "nodejs",
    "npm": "npm",
    "strace": "strace",
}
ROOT = "root"
LEFT_OUT = "tests left out; "
_LIMIT_S = 20


def missing(names: Iterable[str]) -> list[str]:
    """Which of them are not here. An unknown name fails: it is a slip in the test."""
    return [name for name in names if not present(name)]


@functools.cache
def present(name: str) -> bool:
    if name == ROOT:
        return _can_mount()
    if name == "gst-rtsp-server":
        return _gst_rtsp_server()
    if name == "ffmpeg":  # the wheel has one too; these tests want the system's older one
        return Path("/usr/bin/ffmpeg").exists()
    assert name in PACKAGES, f"{name} is not in tests/programs.py"
    return shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin") is not None


def advice(names: Iterable[str]) -> str:
    """One line that says how to get them."""
    wanted = sorted(set(names))
    packages = sorted({package for name in wanted if name != ROOT for package in PACKAGES[name].split()})
    parts = ["sudo apt-get install " + " ".join(packages)] if packages else []
    if ROOT in wanted:
        parts.append("run the tests as root (some mount a small tmpfs)")
    return f"{', '.join(wanted)} missing: " + "; ".join(parts)


def _gst_rtsp_server() -> bool:
    """Debian's Python has the binding; the virtual environment does not."""
    lines = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    return _runs("/usr/bin/python3", "-c", lines)


def _can_mount() -> bool:
    """Root in a container may still be refused mounts. The try happens in a mount name space of its own."""
    return os.getuid() == 0 and _runs("unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt")


def _runs(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=_LIMIT_S, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
