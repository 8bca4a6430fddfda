"""The largest ids that files name: new runs and cameras come above them, also after a restored or lost catalog.

Names never collide.
"""

from __future__ import annotations

import os
from pathlib import Path

from storage.listing import cameras_of
from storage.model import CameraId, RunId
from storage.paths import ARCHIVE, SPOOL, parse_archive_name, parse_spool_name


def highest_camera_id(volume: Path) -> CameraId:
    """Of the folders in the archive. Blocking: one listing. 0 for an empty volume or none. Raises OSError."""
    return max(cameras_of(volume), default=CameraId(0))


def highest_run_id(volume: Path) -> RunId:
    """Of the spool, and of the newest hour folder of each camera (a run's id is its start, so newer files name larger ones).

    Blocking: five listings a camera. 0 for an empty volume.
    """
    highest = 0
    for name in map(parse_spool_name, _listdir(volume / SPOOL)):
        if name is not None:
            highest = max(highest, name.run_id)
    for camera in _listdir(volume / ARCHIVE):
        for file in _listdir(_newest_hour(volume / ARCHIVE / camera)):
            archived = parse_archive_name(file)
            if archived is not None:
                highest = max(highest, archived.run_id)
    return RunId(highest)


def _newest_hour(camera: Path) -> Path:
    """`YYYY/MM/DD/HH`: the names sort as the times do."""
    folder = camera
    for _ in range(4):
        below = [name for name in _listdir(folder) if name.isdecimal()]
        if not below:
            break
        folder /= max(below)
    return folder


def _listdir(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
