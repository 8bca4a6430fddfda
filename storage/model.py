"""The plain data that passes between the rooms. All values; no I/O.

Wall time is `int` microseconds since 1970 UTC (`*_us`). Media time is counted in microseconds from the run's own zero
(`tfdt` over the track's time scale).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import NewType

CameraId = NewType("CameraId", int)
RunId = NewType("RunId", int)  # milliseconds since 1970 at the start of the run, unique in the catalog
VolumeId = NewType("VolumeId", int)
InitId = NewType("InitId", int)

MAX_SEGMENT_US = 15 * 60 * 1_000_000
"""No segment is longer: range queries look back this far and no further."""
HOUR_US = 3_600_000_000

CAUSES = (
    "unauthorized",
    "refused",
    "unreachable",
    "timeout",
    "not_found",
    "no_video",
    "unsupported_codec",
    "audio_silent",
    "no_keyframes",
    "camera_time_jump",
    "parameters_changed",
    "disk_full",
    "volume_lost",
    "killed",
    "server_down",
    "disabled",
    "not_registered",
    "deleted",
    "missing",
    "unknown",
)
"""Why there is no footage. The class of a failure is the gap's cause and chooses the back-off."""


class Tier(IntEnum):
    """Where a segment's bytes are."""

    LOCAL = 0
    BOTH = 1
    REMOTE = 2

    @property
    def label(self) -> str:
        return self.name.lower()


class SegmentFlag(IntFlag):
    """What is unusual about a segment. Written names are the lower-case ones."""

    FRAGS_IN_FILE = 1  # a fragment did not fit the packed form: read the boxes instead
    TIME_BAD = 2  # fragment durations cannot be true; dated by the server's clock
    TIME_UNCERTAIN = 4  # dated by one late sample only; err_us is the bound
    TRUNCATED = 8  # bytes follow the last complete fragment (a killed ffmpeg): they are kept, never played
    NO_KEYFRAME = 16  # the first fragment does not start with a keyframe
    GROWING = 32  # never stored: the segment ffmpeg is writing now; only its complete fragments are listed

    @property
    def labels(self) -> list[str]:
        return [flag.name.lower() for flag in SegmentFlag if flag in self and flag.name]


@dataclass(frozen=True, slots=True)
class Camera:
    """A registered camera. `url` carries no user and no password."""

    id: CameraId
    code: str
    name: str
    url: str
    node: str
    name_hi: str = ""
    owner_kind: str = ""
    owner: str = ""
    site: str = ""
    station: str = ""
    zone: str = ""
    covers: tuple[str, ...] = ()
    lat: float | None = None
    lon: float | None = None
    bearing: float | None = None
    tags: tuple[str, ...] = ()
    contact: str = ""
    ward: str = ""
    address: str = ""
    fov: float | None = None  # degrees of its field of view, around `bearing`
    make: str = ""
    model: str = ""
    serial: str = ""
    mac: str = ""
    firmware: str = ""
    legal_basis: str = ""  # why it may be recorded: an order, a consent
    audio: str = "auto"  # auto | copy | aac | off
    mode: str = "continuous"
    enabled: bool = True
    created_us: int = 0
    archived_us: int | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    username: str
    password: str

    def __repr__(self) -> str:  # never in a log, a traceback or an error
        return "Credentials(...)"


@dataclass(frozen=True, slots=True)
class Probe:
    """What a camera was found to send. `audio_received`: audio packets really came, not just an announcement."""

    camera_id: CameraId
    probed_us: int
    video_codec: str
    width: int
    height: int
    fps: float | None
    audio_codec: str  # "" without audio
    audio_received: bool
    detail: str = ""
    ok: bool = True  # of the last look; the media are of the last good one
    cause: str | None = None  # one of CAUSES where the last look could not read it
    bitrate_kbps: float | None = None
    keyframe_s: float | None = None  # the longest seen from one keyframe to the next
    clock_offset_us: int | None = None  # camera clock minus server clock
    findings: tuple[str, ...] = ()  # codes of storage.registry.findings


@dataclass(frozen=True, slots=True)
class CameraState:
    """A row of `camera_state`: true from `since_us` until the camera's next row.

    `state`: starting | recording | failed | disabled | stopped. `cause`: one of CAUSES, or None while all is well.
    """

    camera_id: CameraId
    since_us: int
    state: str
    cause: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Init:
    """ftyp + moov of a run: what a player needs before its fragments. `codecs` is RFC 6381 (`avc1.64001f,mp4a.40.2`)."""

    id: InitId
    sha256: bytes
    data: bytes
    video_codec: str  # h264 | hevc
    audio_codec: str  # "" | aac
    codecs: str
    width: int
    height: int
    timescale: int  # of the video track, per second


@dataclass(frozen=True, slots=True)
class Run:
    """One ffmpeg process. `seq0`: the camera's fragments of all earlier runs (HLS media sequence)."""

    id: RunId
    camera_id: CameraId
    node: str
    volume_id: VolumeId
    started_us: int
    boot_id: str = ""
    pid: int | None = None
    command_sha256: bytes = b""
    clock_source: str = ""
    seq0: int = 0
    discontinuities: int = 0
    ended_us: int | None = None
    end_reason: str | None = None
    audio: str = "off"  # copy | aac (coded anew) | off


@dataclass(frozen=True, slots=True)
class Fragment:
    """One moof + mdat with the prft before it, inside a segment's file."""

    offset: int  # bytes from the start of the file
    size_bytes: int
    dur_ms: int  # media duration; rounded so that the sum over a segment stays true
    keyframe: bool  # the first video sample is a keyframe
    activity: int = 0  # 0 to 127


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of a run. A growing one has the flag GROWING, no sha256, and lists its complete fragments only.

    Wall time of media inside: `start_us + (media time into the segment) * dur_us / (sum of fragment durations)`.
    `frags` is packed: see storage.frags. The first fragment starts at byte `len(init.data)`.
    """

    camera_id: CameraId
    start_us: int
    dur_us: int
    run_id: RunId
    n: int
    frag0: int  # fragments of this run before this segment
    media_start: int  # first tfdt of the video track, in the init's timescale
    init_id: InitId
    size_bytes: int
    tier: Tier
    volume_id: VolumeId
    flags: SegmentFlag
    err_us: int  # bound of the error of start_us against true capture time
    clock_offset_us: int | None  # camera clock minus server clock, from RTCP sender reports
    sha256: bytes
    frags: bytes

    @property
    def end_us(self) -> int:
        return self.start_us + self.dur_us

    @property
    def growing(self) -> bool:
        return SegmentFlag.GROWING in self.flags


@dataclass(frozen=True, slots=True)
class Slice:
    """Consecutive fragments `first` (inclusive) to `end` (exclusive; None = to the last) of a segment.

    `start_us`, `end_us`: the wall time they cover.
    """

    segment: Segment
    first: int
    end: int | None
    start_us: int
    end_us: int

    @property
    def whole(self) -> bool:
        return self.first == 0 and self.end is None


@dataclass(frozen=True, slots=True)
class Span:
    from_us: int
    to_us: int
    run_id: RunId


@dataclass(frozen=True, slots=True)
class Gap:
    from_us: int
    to_us: int
    cause: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Spans and gaps tile `from_us` to `to_us` up to now (the future is neither). `activity`: one value 0..127 a bucket."""

    camera_id: CameraId
    from_us: int
    to_us: int
    coverage: float  # recorded over expected (past part of the window), 0 to 1
    spans: tuple[Span, ...]
    gaps: tuple[Gap, ...]
    bucket_us: int = 0
    activity: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class FileGrowth:
    """What the 10 s pass saw of one file in a spool that a running ffmpeg writes. Media times in microseconds."""

    camera_id: CameraId
    run_id: RunId
    n: int
    volume_id: VolumeId
    size_bytes: int
    mtime_us: int  # wall time of the last write
    has_init: bool
    fragments: int  # complete ones in this file
    media_end_us: int | None  # end of the newest complete fragment, None without one
    longest_fragment_us: int
    seen_us: int  # wall time of this look
    parameters: int = 0  # fingerprint of the newest keyframe's sequence parameter set; 0 where it carries none


@dataclass(frozen=True, slots=True)
class Volume:
    """A file system folder for footage. `state`: ok | missing | foreign | full | readonly | slow. Only on one that is ok
    recorders are started."""

    id: VolumeId
    uuid: str
    path: str
    state: str = "ok"
    detail: str = ""
