"""The shapes of what is told of volumes and promises: see web.schemas."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from web.schemas import Answer, Id, Time, VolumeOut


class VolumeDetail(VolumeOut):
    """`low_bytes`: with less free than this, footage goes. `time_to_full_s`: at the present rate, if nothing went. `shedding`:
    footage younger than its minimum goes now. `held_full`: only held footage is left, and more would have to go."""

    low_bytes: int | None
    write_bytes_per_s: float | None
    time_to_full_s: float | None
    footage_bytes: int
    held_bytes: int
    garbage_files: Annotated[int, Field(description="Deleted footage whose files wait to be removed.")]
    cameras: Annotated[list[Id], Field(description="Those that are being recorded there.")]
    shedding: bool
    held_full: bool
    breaks_in_days: Annotated[float | None, Field(description="Until it breaks a promise; null: never at this rate.")]


class VolumeDetailPage(Answer):
    items: list[VolumeDetail]
    next: str | None = None


class CameraPromiseOut(Answer):
    """`achieved_days`: from the oldest footage after which nothing was deleted. `recorded_days`: footage younger than the
    minimum, gaps not counted. `lost_until`: end of the newest footage that went before its time."""

    camera_id: Id
    code: str
    name: str
    name_hi: str
    owner_kind: str
    station: str
    policy: str
    why: Annotated[str, Field(description="Whom the policy is for.")]
    min_days: int
    max_days: int
    priority: int
    state: Literal["kept", "filling", "broken", "none"]
    oldest_footage: Time | None
    achieved_days: float
    recorded_days: float
    lost_until: Time | None
    bytes: int
    remote_bytes: int
    held_bytes: int
    bytes_per_day: Annotated[int, Field(description="What it writes now.")]


class ForecastOut(Answer):
    """`needed_bytes`: what all promises need for good. `breaks_in_days`: until footage younger than its minimum must go; null:
    never at the present rate. `breaks_first`: whose promise breaks then. `full_in_days`: until it sheds at all."""

    volume_id: Id
    path: str
    capacity_bytes: int
    needed_bytes: int
    write_bytes_per_day: int
    breaks_in_days: float | None
    breaks_first: list[Id]
    full_in_days: float | None


class PromiseCounts(Answer):
    kept: int
    filling: int
    broken: int
    none: int


class BacklogOut(Answer):
    """What waits for the object store."""

    segments: int
    bytes: int
    oldest: Time | None
    failing: int


class PromiseReport(Answer):
    at: Time
    counts: PromiseCounts
    cameras: list[CameraPromiseOut]
    volumes: list[ForecastOut]
    offload: BacklogOut
