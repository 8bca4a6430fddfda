"""The one owner of names in the bucket: `<prefix>/<node>/<path below archive/>`. Pure."""

from __future__ import annotations

from storage.model import CameraId, Segment
from storage.paths import archive_path

PROBE = ".nvr-probe"


def below(prefix: str, node: str) -> str:
    """What all keys of a node start with, with its slash."""
    return f"{prefix}/{node}/" if prefix else f"{node}/"


def key_of(prefix: str, node: str, segment: Segment) -> str:
    """Always the same for a segment: an upload that is done again writes over itself."""
    return below(prefix, node) + archive_path(segment.camera_id, segment.start_us, segment.run_id, segment.n)


def probe_key(prefix: str, node: str) -> str:
    """Where it is tried what the store does."""
    return below(prefix, node) + PROBE


def camera_of(key: str) -> CameraId | None:
    """`.../<camera>/<YYYY>/<MM>/<DD>/<HH>/<name>`; None for another object's."""
    parts = key.split("/")
    return CameraId(int(parts[-6])) if len(parts) >= 7 and parts[-6].isascii() and parts[-6].isdigit() else None
