"""What an object says of its segment, as user metadata: enough to make a lost catalog's row again. Pure.

ASCII, and below the 2 KB that stores take. Of a segment with more than 150 fragments the list is left out: its boxes are read
then.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from config.errors import Corrupt
from storage.clock import rfc3339
from storage.model import Init, InitId, Segment, SegmentFlag, Tier, VolumeId
from storage.paths import parse_archive_name
from storage.storekeys import camera_of

MAX_FRAGS_BYTES = 900


@dataclass(frozen=True, slots=True)
class Remembered:
    """`segment` lacks its init's id and its volume, which are the catalog's. `init_bytes`: the object starts with its init."""

    segment: Segment
    code: str
    init_bytes: int
    init_sha256: bytes


def written(segment: Segment, code: str, init: Init) -> dict[str, str]:
    made = {
        "camera": code.encode("ascii", "backslashreplace").decode(),
        "start": rfc3339(segment.start_us),
        "start-us": str(segment.start_us),
        "duration-us": str(segment.dur_us),
        "sha256": segment.sha256.hex(),
        "frag0": str(segment.frag0),
        "media-start": str(segment.media_start),
        "flags": str(int(segment.flags)),
        "error-us": str(segment.err_us),
        "init-bytes": str(len(init.data)),
        "init-sha256": init.sha256.hex(),
    }
    if segment.clock_offset_us is not None:
        made["clock-offset-us"] = str(segment.clock_offset_us)
    if len(segment.frags) <= MAX_FRAGS_BYTES:
        made["frags"] = base64.b64encode(segment.frags).decode()
    return made


def read(key: str, size_bytes: int, metadata: Mapping[str, str]) -> Remembered:
    """Raises Corrupt for an object that is none of ours, or of a program before this metadata."""
    name, camera_id = parse_archive_name(key.rpartition("/")[2]), camera_of(key)
    if name is None or camera_id is None:
        raise Corrupt(f"{key} is no name of a segment")
    try:
        packed = base64.b64decode(metadata["frags"], validate=True) if "frags" in metadata else None
        flags = SegmentFlag(int(metadata["flags"]))
        offset = metadata.get("clock-offset-us")
        segment = Segment(
            camera_id=camera_id,
            start_us=int(metadata["start-us"]),
            dur_us=int(metadata["duration-us"]),
            run_id=name.run_id,
            n=name.n,
            frag0=int(metadata["frag0"]),
            media_start=int(metadata["media-start"]),
            init_id=InitId(0),
            size_bytes=size_bytes,
            tier=Tier.REMOTE,
            volume_id=VolumeId(0),
            flags=flags if packed is not None else flags | SegmentFlag.FRAGS_IN_FILE,
            err_us=int(metadata["error-us"]),
            clock_offset_us=int(offset) if offset is not None else None,
            sha256=bytes.fromhex(metadata["sha256"]),
            frags=packed or b"",
        )
        return Remembered(
            segment, metadata["camera"], int(metadata["init-bytes"]), bytes.fromhex(metadata["init-sha256"])
        )
    except (KeyError, ValueError) as error:
        raise Corrupt(f"{key} does not say what it holds: {error}") from error
