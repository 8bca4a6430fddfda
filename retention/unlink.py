"""Removing condemned files from a volume, durably. Blocking: run it in the volume's pool. Nothing else unlinks footage."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import structlog

from storage.model import HOUR_US, CameraId, RunId
from storage.paths import ARCHIVE, archive_path, hour_folder, parse_archive_name
from storage.volumes import fsync_folder

log = structlog.get_logger()

Step = Callable[[str], None]
YOUNG_HOURS = 3
"""Folders of these last hours stay: a recorder's next file may be on its way there."""


def named(path: str) -> tuple[CameraId, int, RunId, int] | None:
    """(camera, start in ms, run, n) of a path as `garbage` has it; None for what is no place of an archive."""
    parts = PurePosixPath(path).parts
    name = parse_archive_name(parts[-1]) if len(parts) == 7 and parts[0] == ARCHIVE else None
    if name is None or not (parts[1].isascii() and parts[1].isdecimal()):
        return None
    camera_id = CameraId(int(parts[1]))
    try:
        own = f"{ARCHIVE}/{archive_path(camera_id, name.start_ms * 1000, name.run_id, name.n)}" == path
    except (OverflowError, ValueError):  # a year that no calendar has
        return None
    return (camera_id, name.start_ms, name.run_id, name.n) if own else None


def unlink(root: Path, paths: Sequence[str], *, now_us: int, step: Step = lambda name: None) -> list[str]:
    """Those that are gone now, and stay so after a power cut. What cannot be removed is logged and left out."""
    gone: dict[str, list[str]] = {}
    for path in paths:
        try:
            (root / path).unlink(missing_ok=True)
        except OSError as error:
            log.error("condemned file cannot be removed", path=str(root / path), error=error.strerror)
            continue
        step("one unlinked")
        gone.setdefault(os.path.dirname(path), []).append(path)
    step("unlinked")
    _make_durable(root, list(gone), now_us)
    step("synced")
    return [path for some in gone.values() for path in some]


def _make_durable(root: Path, folders: Sequence[str], now_us: int) -> None:
    """Empty folders of hours, days, months and years go; what is left of the way up is flushed, each folder once.

    A camera's own folder stays: its `camera.json` says whose footage this was.
    """
    changed: set[Path] = set()
    for folder in folders:
        at = root / folder
        camera = root / PurePosixPath(folder).parts[0] / PurePosixPath(folder).parts[1]
        changed.add(at)
        while at != camera and not _young(root, at, now_us) and _rmdir(at):
            changed.discard(at)
            at = at.parent
            changed.add(at)
    for at in sorted(changed):
        try:
            fsync_folder(at)
        except FileNotFoundError:
            continue  # it went with a later one, whose parent is flushed


def _young(root: Path, folder: Path, now_us: int) -> bool:
    """Whether a folder is on the way to a file of the last hours."""
    below = str(folder.relative_to(root / ARCHIVE))
    camera_id = CameraId(int(below.partition("/")[0]))
    recent = [hour_folder(camera_id, now_us - back * HOUR_US) for back in range(-1, YOUNG_HOURS)]
    return any(hour == below or hour.startswith(f"{below}/") for hour in recent)


def _rmdir(folder: Path) -> bool:
    """Whether it was empty, and is gone."""
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
