"""What is learned by ONVIF. Plain values, strings cut to a sensible length and without control characters."""

from __future__ import annotations

from dataclasses import dataclass

MAX_TEXT = 200
MAX_PROFILES = 32


@dataclass(frozen=True, slots=True)
class Found:
    """A device that answered a search. `address`: the URL of its service; `host`: the same host alone."""

    address: str
    host: str
    name: str
    model: str
    hardware: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A stream. `url` carries no login; `video_codec`: h264 | hevc | mjpeg | another in lower case; 0 and None: not told."""

    name: str
    url: str
    video_codec: str
    width: int
    height: int
    fps: float | None


@dataclass(frozen=True, slots=True)
class Device:
    """`mac`: of its first network interface, "" where it does not tell. `clock_offset_us`: its clock minus ours."""

    make: str
    model: str
    serial: str
    firmware: str
    mac: str
    clock_offset_us: int | None
    profiles: tuple[Profile, ...]


def clean(text: object) -> str:
    """A stranger's words as one printable line."""
    return "".join(character if character.isprintable() else " " for character in str(text or ""))[:MAX_TEXT].strip()
