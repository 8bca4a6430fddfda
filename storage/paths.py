"""The one owner of file names: spool, archive, quarantine. Pure functions from values to paths and back.

```
<volume>/spool/<camera_id>-<run_id>-<n>.mp4
<volume>/archive/<camera_id>/<YYYY>/<MM>/<DD>/<HH>/<start_ms>-<run_id>-<n>.mp4      UTC
<volume>/quarantine/<name>
<volume>/.nvr-volume    its uuid
<volume>/.nvr-probe     what storage.volume_watch writes
```
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from storage.model import CameraId, RunId, Segment

SPOOL = "spool"
ARCHIVE = "archive"
QUARANTINE = "quarantine"
VOLUME_FILE = ".nvr-volume"
PROBE_FILE = ".nvr-probe"

_SPOOL_NAME = re.compile(r"([1-9][0-9]{0,17})-([1-9][0-9]{0,17})-([0-9]{6,12})\.mp4")
_ARCHIVE_NAME = re.compile(r"([0-9]{1,18})-([1-9][0-9]{0,17})-([0-9]{6,12})\.mp4")


@dataclass(frozen=True, slots=True)
class SpoolName:
    camera_id: CameraId
    run_id: RunId
    n: int


@dataclass(frozen=True, slots=True)
class ArchiveName:
    start_ms: int
    run_id: RunId
    n: int


def spool_name(camera_id: CameraId, run_id: RunId, n: int) -> str:
    return f"{camera_id}-{run_id}-{n:06d}.mp4"


def spool_pattern(volume: str | Path, camera_id: CameraId, run_id: RunId) -> str:
    """The last argument of a record command. Percent signs of the folder are doubled for ffmpeg's own formatting."""
    folder = str(Path(volume) / SPOOL).replace("%", "%%")
    return f"{folder}/{camera_id}-{run_id}-%06d.mp4"


def parse_spool_pattern(argument: str) -> tuple[Path, CameraId, RunId] | None:
    """(volume root, camera, run) of a record command's last argument; None when it is something else."""
    match = re.fullmatch(r"(.+)/spool/([1-9][0-9]{0,17})-([1-9][0-9]{0,17})-%06d\.mp4", argument, re.DOTALL)
    if match is None:
        return None
    return Path(match[1].replace("%%", "%")), CameraId(int(match[2])), RunId(int(match[3]))


def parse_spool_name(name: str) -> SpoolName | None:
    match = _SPOOL_NAME.fullmatch(name)
    return SpoolName(CameraId(int(match[1])), RunId(int(match[2])), int(match[3])) if match else None


def parse_archive_name(name: str) -> ArchiveName | None:
    match = _ARCHIVE_NAME.fullmatch(name)
    return ArchiveName(int(match[1]), RunId(int(match[2])), int(match[3])) if match else None


def hour_folder(camera_id: CameraId, start_us: int) -> str:
    """Below `archive/`, for the UTC hour of `start_us`."""
    at = datetime.fromtimestamp(start_us // 1_000_000, UTC)
    return f"{camera_id}/{at:%Y/%m/%d/%H}"


def archive_path(camera_id: CameraId, start_us: int, run_id: RunId, n: int) -> str:
    """Path below `archive/`; also the object key below `<prefix>/<node>/`."""
    return f"{hour_folder(camera_id, start_us)}/{start_us // 1000}-{run_id}-{n:06d}.mp4"


def segment_path(volume: str | Path, segment: Segment) -> Path:
    """Where a local segment's file is: in the spool while it grows, in the archive once it has a row."""
    if segment.growing:
        return Path(volume) / SPOOL / spool_name(segment.camera_id, segment.run_id, segment.n)
    return Path(volume) / ARCHIVE / archive_path(segment.camera_id, segment.start_us, segment.run_id, segment.n)
