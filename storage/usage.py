"""Footage as the retention plan sees it: so much of a camera in an hour, on a volume. Plain values; no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from storage.model import HOUR_US, MAX_SEGMENT_US, CameraId, Tier, VolumeId

MIN_SEGMENTS = HOUR_US // MAX_SEGMENT_US
"""No fewer fill an hour."""


@dataclass(frozen=True, slots=True)
class HourUse:
    """Closed segments of a camera that start at or after `hour_us`: a row of `hour`, or a finer piece of one.

    `end_us`: when the last of them ends; None for a whole hour, whose last segment may reach into the next one.
    """

    camera_id: CameraId
    hour_us: int
    volume_id: VolumeId
    tier: Tier
    segments: int
    bytes: int
    end_us: int | None = None

    @property
    def until_us(self) -> int:
        """Everything in it has ended by then, as far as can be told: a single segment of an hour may be of any length."""
        if self.end_us is not None:
            return self.end_us
        return self.hour_us + HOUR_US + (HOUR_US // self.segments if self.segments > MIN_SEGMENTS else MAX_SEGMENT_US)
