"""What lies in an archive: cameras, days, footage files. Blocking: run it in the volume's pool.

Raises OSError, but a folder that is not there counts as an empty one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from storage.model import HOUR_US, CameraId
from storage.paths import ARCHIVE, ArchiveName, archive_path, hour_folder, parse_archive_name

DAY_US = 24 * HOUR_US


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    path: Path
    name: ArchiveName
    size_bytes: int
    changed_us: int  # the later of mtime and ctime: being moved counts


def cameras_of(root: Path) -> list[CameraId]:
    return sorted(CameraId(int(name)) for name in _names(root / ARCHIVE) if _number(name) and name[0] != "0")


def days_of(root: Path, camera_id: CameraId) -> list[int]:
    """Starts of the UTC days that have a folder."""
    camera = root / ARCHIVE / str(camera_id)
    found = []
    for year in filter(_number, _names(camera)):
        for month in filter(_number, _names(camera / year)):
            for day in filter(_number, _names(camera / year / month)):
                try:
                    at = datetime(int(year), int(month), int(day), tzinfo=UTC)
                except ValueError:
                    continue
                found.append(int(at.timestamp()) * 1_000_000)
    return sorted(found)


def files_of(root: Path, camera_id: CameraId, from_us: int, to_us: int) -> tuple[list[ArchiveFile], int]:
    """(files in the hour folders of [from_us, to_us), how many entries are no footage or lie in a wrong folder)."""
    found: list[ArchiveFile] = []
    strangers = 0
    for hour_us in _hours(root, camera_id, from_us, to_us):
        folder = root / ARCHIVE / hour_folder(camera_id, hour_us)
        for entry in _entries(folder):
            name = parse_archive_name(entry.name)
            own = name is not None and _belongs(folder, entry.name, camera_id, name)
            if name is None or not own or not entry.is_file(follow_symlinks=False):
                strangers += 1
                continue
            try:
                stat = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            changed_us = max(stat.st_mtime_ns, stat.st_ctime_ns) // 1000
            found.append(ArchiveFile(Path(entry.path), name, stat.st_size, changed_us))
    return found, strangers


def is_gone(path: Path) -> bool:
    """Certainly: any other trouble than its absence is raised."""
    try:
        path.lstat()
    except FileNotFoundError:
        return True
    return False


def _belongs(folder: Path, entry: str, camera_id: CameraId, name: ArchiveName) -> bool:
    try:
        expected = archive_path(camera_id, name.start_ms * 1000, name.run_id, name.n)
    except (OverflowError, ValueError):  # a year that no calendar has
        return False
    return expected.endswith(f"/{entry}") and str(folder).endswith(f"/{ARCHIVE}/{expected.removesuffix('/' + entry)}")


def _hours(root: Path, camera_id: CameraId, from_us: int, to_us: int) -> Iterator[int]:
    """Hours of the window that have a folder: one listing a day instead of 24."""
    day_us = from_us // DAY_US * DAY_US
    while day_us < to_us:
        there = set(_names((root / ARCHIVE / hour_folder(camera_id, day_us)).parent))
        for hour_us in range(max(day_us, from_us), min(day_us + DAY_US, to_us), HOUR_US):
            if f"{hour_us // HOUR_US % 24:02d}" in there:
                yield hour_us
        day_us += DAY_US


def _number(name: str) -> bool:
    return name.isascii() and name.isdecimal()


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
