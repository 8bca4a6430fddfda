"""How late ffmpeg hands a frame on, for any stream, from what the self-test measured of this binary.

Measured with 5.1.9 and 9.0.2 alike: two frames; with B-frames also the camera's own reorder delay; with audio coded anew
three of its frames more (128 ms each at 8 kHz), because the muxer waits for the audio of the same time. Copied audio adds
nothing to the smallest of several samples.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from storage.timemodel import Stream


@dataclass(frozen=True, slots=True)
class Measurement:
    """Lags in microseconds, the smallest of several samples: without audio at 25 and at 10 frames a second, and at 25 with
    G.711 coded anew."""

    fps25_us: int = 77_000
    fps10_us: int = 197_000
    transcoded_us: int = 396_000

    def to_json(self) -> str:
        return json.dumps({"25": self.fps25_us, "10": self.fps10_us, "25+aac": self.transcoded_us})

    @classmethod
    def from_json(cls, text: str) -> Measurement:
        values = json.loads(text)
        return cls(values["25"], values["10"], values["25+aac"])


class Lags:
    """The lag of a stream; the straight line through both measured frame durations."""

    def __init__(self, measured: Measurement | None = None) -> None:
        self.take(measured)

    def take(self, measured: Measurement | None) -> None:
        """None: no self-test yet, the values of the versions we measured stand in."""
        found = measured or Measurement()
        self._per_frame = (found.fps10_us - found.fps25_us) / (100_000 - 40_000)
        self._fixed_us = found.fps25_us - self._per_frame * 40_000
        self._transcoding_us = found.transcoded_us - found.fps25_us

    def of(self, stream: Stream) -> int:
        """In microseconds; 0 for a stream whose frame rate is unknown yet."""
        if not stream.frame_us:
            return 0
        lag_us = self._fixed_us + self._per_frame * stream.frame_us + stream.reorder_us
        return round(lag_us + (self._transcoding_us if stream.audio == "aac" else 0))
