"""What looks at cameras and at the network take and answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from web.schemas import Answer, Body, CredentialsIn, Id, Time

MAX_ASKED = 10_000


class FindingOut(Answer):
    """`text` and `fix` are English sentences; docs/guide/camera-settings.md explains each code."""

    code: str
    level: Literal["info", "warn", "bad"]
    text: str
    fix: str


class ProbeOut(Answer):
    """What the camera sent. `cause` says why nothing could be read. `keyframe_s`: the longest seen from one keyframe to the
    next; `clock_offset_ms`: the camera's clock minus the server's, null where it does not tell its time."""

    ok: bool
    cause: str | None
    detail: str
    video_codec: str
    width: int
    height: int
    fps: float | None
    audio_codec: str
    audio_received: bool
    bitrate_kbps: float | None
    keyframe_s: float | None
    clock_offset_ms: float | None
    findings: list[FindingOut]


class KeptProbeOut(ProbeOut):
    """Of a registered camera. Where the last look could not read it, the media are those of the last good one."""

    probed_at: Time


class ProbesIn(Body):
    """Which cameras: these, or all that no look has measured yet."""

    cameras: Annotated[list[Id], Field(max_length=MAX_ASKED, default_factory=list)]
    unprobed: bool = False


class QueuedOut(Answer):
    queued: int


class ProbesOut(Answer):
    """`done` and `failed`: since the server started."""

    waiting: int
    running: int
    done: int
    failed: int


class DiscoverIn(Body):
    """How long to listen for answers."""

    seconds: Annotated[int, Field(ge=1, le=10)] = 3


class DeviceOut(Answer):
    """A device that answered. `address` goes into `onvif/streams`; `registered_as`: the code of a camera at the same host."""

    address: str
    name: str
    model: str
    hardware: str
    registered_as: str | None


class DevicesOut(Answer):
    items: list[DeviceOut]


class StreamsIn(Body):
    """`address`: host, host:port, or the URL that discovery gave."""

    address: Annotated[str, Field(min_length=1, max_length=500)]
    credentials: CredentialsIn | None = None


class ProfileOut(Answer):
    name: str
    url: str
    video_codec: str
    width: int
    height: int
    fps: float | None


class StreamsOut(Answer):
    """What a device says of itself. `clock_offset_ms`: its clock minus the server's, to the second."""

    make: str
    model: str
    serial: str
    firmware: str
    mac: str
    clock_offset_ms: float | None
    profiles: list[ProfileOut]
