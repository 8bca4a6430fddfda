"""The shapes of bodies and answers, as pydantic models: the API's contract, and what OpenAPI is made from.

What a body's fields may hold is decided in `storage.camera_rules`; the patterns here tell readers of the
document the same.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from storage.camera_rules import CODE, KIND, MAC, MAX_TAG, MAX_TAGS, MAX_TEXT
from storage.camera_url import MAX_CREDENTIAL, MAX_LENGTH
from storage.model import CAUSES
from storage.trouble import KINDS

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-23T13:00:00.000000Z"])]
Id = Annotated[int, Field(ge=1)]

# The same as storage.camera_rules.unfit, in the dialect that pydantic, Python and JSON Schema share.
FIT = r"^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufffe\uffff]*$"
Text = Annotated[str, Field(max_length=MAX_TEXT, pattern=FIT)]
Tag = Annotated[str, Field(max_length=MAX_TAG, pattern=FIT)]
Login = Annotated[str, Field(max_length=MAX_CREDENTIAL, pattern=FIT)]
Covers = Literal["entrance", "exit", "road_side", "public_area"]
Audio = Literal["auto", "copy", "aac", "off"]
Url = Annotated[
    str,
    Field(max_length=MAX_LENGTH, pattern=r"^[Rr][Tt][Ss][Pp][Ss]?://[!-~]+$", examples=["rtsp://10.20.1.3/stream1"]),
]


BY = "web"
"""Who changed something, as long as nobody signs in and the request does not say."""


class Body(BaseModel):
    """Read strictly: no unknown fields, no strings for numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)


class CredentialsIn(Body):
    """A camera's login. Never returned."""

    username: Login
    password: Login = ""


class CameraIn(Body):
    """A camera to register. A login inside `url` is split off and kept apart."""

    code: Annotated[str, Field(pattern=CODE, description="The camera's own name in the city, unique.")]
    url: Url
    name: Text = ""
    name_hi: Text = ""
    owner_kind: Annotated[str, Field(pattern=KIND, examples=["bank_atm"])] = ""
    owner: Text = ""
    site: Text = ""
    station: Annotated[Text, Field(description="Police station.")] = ""
    zone: Text = ""
    covers: list[Covers] = []
    lat: Annotated[float | None, Field(ge=-90, le=90)] = None
    lon: Annotated[float | None, Field(ge=-180, le=180)] = None
    bearing: Annotated[float | None, Field(ge=0, lt=360, description="Degrees from north.")] = None
    tags: Annotated[list[Tag], Field(max_length=MAX_TAGS)] = []
    contact: Text = ""
    ward: Text = ""
    address: Text = ""
    fov: Annotated[float | None, Field(gt=0, le=360, description="Field of view in degrees, around `bearing`.")] = None
    make: Text = ""
    model: Text = ""
    serial: Text = ""
    mac: Annotated[str, Field(pattern=MAC, examples=["00:1a:2b:3c:4d:5e"])] = ""
    firmware: Text = ""
    legal_basis: Annotated[Text, Field(description="Why it may be recorded: an order, a consent.")] = ""
    audio: Audio = "auto"
    mode: Literal["continuous"] = "continuous"
    enabled: bool = True
    credentials: CredentialsIn | None = None
    by: Annotated[Text, Field(description="Who registers it, as long as nobody signs in.")] = BY


class CameraChange(Body):
    """What is to change; what is left out stays. `credentials: null` forgets the login."""

    code: Annotated[str, Field(pattern=CODE)] = ""
    url: Url = ""
    name: Text = ""
    name_hi: Text = ""
    owner_kind: Annotated[str, Field(pattern=KIND)] = ""
    owner: Text = ""
    site: Text = ""
    station: Text = ""
    zone: Text = ""
    covers: list[Covers] = []
    lat: Annotated[float | None, Field(ge=-90, le=90)] = None
    lon: Annotated[float | None, Field(ge=-180, le=180)] = None
    bearing: Annotated[float | None, Field(ge=0, lt=360)] = None
    tags: Annotated[list[Tag], Field(max_length=MAX_TAGS)] = []
    contact: Text = ""
    ward: Text = ""
    address: Text = ""
    fov: Annotated[float | None, Field(gt=0, le=360, description="Field of view in degrees, around `bearing`.")] = None
    make: Text = ""
    model: Text = ""
    serial: Text = ""
    mac: Annotated[str, Field(pattern=MAC, examples=["00:1a:2b:3c:4d:5e"])] = ""
    firmware: Text = ""
    legal_basis: Annotated[Text, Field(description="Why it may be recorded: an order, a consent.")] = ""
    audio: Audio = "auto"
    mode: Literal["continuous"] = "continuous"
    enabled: bool = True
    credentials: CredentialsIn | None = None
    place_since: Annotated[
        Time | None,
        Field(
            description="Since when a new lat, lon or bearing holds; left out: from now on; before `created_at`: always."
        ),
    ] = None
    by: Annotated[Text, Field(description="Who changes it, as long as nobody signs in.")] = BY
    archived: Annotated[
        bool, Field(json_schema_extra={"const": False}, description="Brings an archived camera back. DELETE archives.")
    ] = False


class ProbeIn(Body):
    """A camera to look at without registering it."""

    url: Url
    credentials: CredentialsIn | None = None
    audio: Audio = "auto"


class CameraOut(Answer):
    """A camera and how it fares now. `codecs` is RFC 6381, "" until there is footage."""

    id: Id
    code: str
    name: str
    name_hi: str
    owner_kind: str
    owner: str
    site: str
    station: str
    zone: str
    covers: list[str]
    lat: float | None
    lon: float | None
    bearing: float | None
    tags: list[str]
    contact: str
    ward: str
    address: str
    fov: float | None
    make: str
    model: str
    serial: str
    mac: str
    firmware: str
    legal_basis: str
    url: str
    has_credentials: bool
    audio: str
    mode: str
    node: str
    enabled: bool
    created_at: Time
    archived_at: Time | None
    state: Literal["recording", "starting", "failed", "disabled", "unknown"]
    cause: str | None
    detail: str
    since: Time | None
    newest_footage: Time | None
    missed_segments: int
    clock_offset_ms: Annotated[float | None, Field(description="The camera's clock minus the server's.")]
    video_codec: str
    audio_codec: str
    codecs: str
    width: int
    height: int
    troubles: Annotated[
        list[str],
        Field(description="What the last look at it found that needs a hand, as codes: GET .../probe tells them."),
    ]


class CameraPage(Answer):
    items: list[CameraOut]
    next: Annotated[str | None, Field(description="The `cursor` of the next page, null on the last.")]


class SpanOut(Answer):
    from_: Annotated[Time, Field(alias="from")]
    to: Time
    run_id: Id


class GapOut(Answer):
    from_: Annotated[Time, Field(alias="from")]
    to: Time
    cause: Annotated[str, Field(description=f"Why there is no footage: {', '.join(CAUSES)}.")]
    detail: str


class ActivityOut(Answer):
    bucket_s: float
    values: Annotated[list[int], Field(description="0 to 127 for each bucket: a hint for the eye.")]


class TimelineOut(Answer):
    """Spans and gaps tile the window up to now. `coverage`: recorded seconds over expected seconds."""

    camera_id: Id
    from_: Annotated[Time, Field(alias="from")]
    to: Time
    coverage: Annotated[float, Field(ge=0, le=1)]
    spans: list[SpanOut]
    gaps: list[GapOut]
    activity: ActivityOut


class SegmentOut(Answer):
    """One file of a run. `uncertainty_ms` bounds the error of `from` against the true time of capture."""

    camera_id: Id
    run_id: Id
    n: int
    from_: Annotated[Time, Field(alias="from")]
    to: Time
    size_bytes: int
    tier: Literal["local", "both", "remote"]
    sha256: Annotated[str | None, Field(description="null while the segment grows.")]
    uncertainty_ms: float
    clock_offset_ms: float | None
    flags: list[str]
    url: str


class SegmentPage(Answer):
    items: list[SegmentOut]
    next: str | None


class WindowOut(Answer):
    from_: Annotated[Time, Field(alias="from")]
    to: Time


class ClipSegment(SegmentOut):
    """Where a segment lies in a clip: `offset` and `length` in its own file, `clip_time_s` in the clip."""

    offset: int
    length: int
    clip_time_s: float


class ClipOut(Answer):
    """What a clip holds. `etag` is null while its bytes are not final."""

    camera_id: Id
    requested: WindowOut
    delivered: WindowOut
    gaps: list[GapOut]
    segments: list[ClipSegment]
    size_bytes: int
    etag: str | None


class SyncCamera(Answer):
    camera_id: Id
    playlist: str
    gaps: list[GapOut]


class SyncOut(Answer):
    """Several cameras on one clock."""

    from_: Annotated[Time, Field(alias="from")]
    to: Time
    cameras: list[SyncCamera]


class VolumeOut(Answer):
    id: Id
    path: str
    state: Literal["ok", "missing", "foreign", "full", "readonly", "slow"]
    detail: str
    free_bytes: int | None
    total_bytes: int | None


class CameraCounts(Answer):
    """`silent`: enabled, and failed or without footage for two segments. `failed` and `starting`: in that state."""

    total: int
    recording: int
    silent: int
    disabled: int
    failed: int
    starting: int


class Trouble(Answer):
    camera_id: Id
    code: str
    name: str
    name_hi: str
    cause: str | None
    detail: str
    since: Time
    newest_footage: Time | None


class AlertOut(Answer):
    """A trouble. `told`: when people were last told of it, null: not yet. `until`: since when it is over."""

    id: Id
    kind: Annotated[str, Field(description=f"One of {', '.join(KINDS)}.")]
    subject: Annotated[str, Field(description="A camera's code, a volume's path, a case.")]
    detail: str
    since: Time
    told: Time | None
    until: Time | None


class StatusOut(Answer):
    """The whole place at a glance. `troubles` lists the silent cameras, longest first, at most 200; `alerts` what else is
    wrong but for volumes, which carry their state."""

    name: str
    now: Time
    timezone: str
    language: str
    segment_seconds: int
    cameras: CameraCounts
    troubles: list[Trouble]
    volumes: list[VolumeOut]
    held_back: Annotated[int, Field(description="Cameras that may not record: no footage is left that may go.")]
    shedding: Annotated[list[Id], Field(description="Volumes from which footage younger than its minimum goes now.")]
    alerts: list[AlertOut]
    version: str


class UndeliveredOut(Answer):
    """Messages that a place has not taken yet, and why."""

    place: str
    messages: int
    error: str


class AlertsOut(Answer):
    """`lasting`: at most 200 of `total`, the oldest first. `lately`: the last 50 that ended, the newest first."""

    lasting: list[AlertOut]
    total: int
    lately: list[AlertOut]
    waiting: list[UndeliveredOut]


class Alive(Answer):
    status: Literal["ok"] = "ok"


class Ready(Answer):
    status: Literal["ready"] = "ready"
    checks: dict[str, str]


class Problem(BaseModel):
    """RFC 9457. Some answers carry further members."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    field: str | None = None
