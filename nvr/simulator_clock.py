"""When a simulated camera captures and sends each picture. Pure arithmetic; `mono_s` is the event loop's clock.

A camera's frames are counted from its epoch, for ever: frame `index` in order of capture, `place` in order of coding
(they differ with B-frames). The loop repeats below: picture number = index modulo the loop's frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

VIDEO_HZ = 90_000


@dataclass(frozen=True, slots=True)
class CameraClock:
    """A camera whose crystal is `drift_ppm` fast and whose wall clock is `error_us` ahead of the truth at its epoch.

    Both its time stamps and its frame rate come from that crystal, as in a real camera.
    """

    epoch_mono_s: float
    epoch_us: int
    fps: int
    delay_frames: int
    error_us: int = 0
    drift_ppm: float = 0.0

    @property
    def speed(self) -> float:
        """Camera seconds in a true second."""
        return 1.0 + self.drift_ppm / 1e6

    @property
    def frame_s(self) -> float:
        """True seconds between two frames."""
        return 1.0 / self.fps / self.speed

    def captured_us(self, index: int) -> int:
        """True wall time at which frame `index` was captured."""
        return self.epoch_us + round(index * self.frame_s * 1e6)

    def index_at(self, wall_us: int) -> int:
        """The newest frame captured at or before a true wall time (to a microsecond)."""
        return math.floor((wall_us - self.epoch_us + 1) / 1e6 / self.frame_s)

    def sent_mono_s(self, place: int) -> float:
        """When the picture coded as number `place` leaves: no picture leaves before it was captured."""
        return self.epoch_mono_s + (place + self.delay_frames) * self.frame_s

    def next_place(self, mono_s: float) -> int:
        """The first picture that leaves after `mono_s`."""
        return max(0, math.floor((mono_s - self.epoch_mono_s) / self.frame_s - self.delay_frames) + 1)

    def elapsed_s(self, mono_s: float) -> float:
        """Seconds since the epoch as the camera counts them."""
        return (mono_s - self.epoch_mono_s) * self.speed

    def camera_us(self, mono_s: float) -> int:
        """What the camera's wall clock shows."""
        return self.epoch_us + self.error_us + round(self.elapsed_s(mono_s) * 1e6)

    def video_ticks(self, index: int) -> int:
        """RTP time of a frame since the epoch, at 90 kHz."""
        return index * VIDEO_HZ // self.fps
