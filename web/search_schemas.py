"""The shapes of answers about footage by place and time, places and coverage."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from storage.coverage.classes import CLASSES
from storage.coverage.search import MAX_GAPS
from web.schemas import Answer, GapOut, Id, Time, WindowOut

Causes = Annotated[dict[str, float], Field(description=f"Seconds by class of cause: {', '.join(CLASSES)}.")]
Share = Annotated[float, Field(ge=0, le=1)]
Place = Literal["site", "station", "ward", "zone", "camera", "coordinates"]


class FoundCamera(Answer):
    """A camera as a search shows it. `lat`, `lon`, `bearing`: where it stood in the window, nearest to what was asked for."""

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
    fov: float | None
    enabled: bool
    state: Literal["recording", "starting", "failed", "disabled", "unknown"]
    video_codec: str


class FoundOut(Answer):
    """What a camera has of the window. One that `moved` is asked only for the time it was there, `within`."""

    camera: FoundCamera
    distance_m: float | None
    moved: bool
    within: list[WindowOut]
    coverage: Share
    spans: list[WindowOut]
    gaps: Annotated[list[GapOut], Field(description=f"At most {MAX_GAPS}, the longest, in the order of time.")]
    gaps_left_out: Annotated[int, Field(ge=0, description="Shorter gaps that are not listed; `spans` run across them.")]
    why: Annotated[str | None, Field(description="Where there is no footage: why, as a sentence.")]
    cause: Annotated[str | None, Field(description="Of most of what is missing.")]
    still: Annotated[str | None, Field(description="URL of a picture out of the footage.")]
    before: Annotated[Time | None, Field(description="End of the last footage before the window.")]
    after: Annotated[Time | None, Field(description="Start of the first footage after it.")]


class SearchOut(Answer):
    """Cameras that stood there, the nearest first. `sync`: the first 36 with footage on one clock."""

    from_: Annotated[Time, Field(alias="from")]
    to: Time
    total: int
    with_footage: int
    items: list[FoundOut]
    sync: str | None
    next: str | None


class PlaceOut(Answer):
    """Something a search can begin from. `radius_m` around its middle holds all its cameras."""

    kind: Place
    name: str
    name_hi: str
    lat: float
    lon: float
    cameras: int
    radius_m: float


class PlacesOut(Answer):
    items: list[PlaceOut]


class CameraCoverage(Answer):
    camera_id: Id
    code: str
    name: str
    name_hi: str
    owner_kind: str
    station: str
    expected_s: float
    recorded_s: float
    coverage: Share
    causes: Causes


class CoverageOut(Answer):
    """Sums of all cameras asked for, and a page of them by code."""

    from_: Annotated[Time, Field(alias="from")]
    to: Time
    expected_s: float
    recorded_s: float
    coverage: Share
    causes: Causes
    items: list[CameraCoverage]
    next: str | None


class CoveragePart(Answer):
    from_: Annotated[Time, Field(alias="from")]
    to: Time
    expected_s: float
    recorded_s: float
    coverage: Share
    causes: Causes


class CoverageByTime(Answer):
    camera_id: Id
    by: Literal["hour", "day"]
    items: list[CoveragePart]
