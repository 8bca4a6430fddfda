"""How late this ffmpeg hands frames on, measured against our own simulator, and whether it keeps what the recipe promises.

The result is kept per binary; until there is one the lags of the versions we measured stand in. It never delays a start.
"""

from __future__ import annotations

from pathlib import Path

from storage.catalog.db import Catalog

DEFAULT_LAGS_US = {10.0: 96_000, 25.0: 80_000}
"""Frames per second -> lag. ffmpeg 9.0.2: one frame at 10 fps, two at 25."""
OLD_LAGS_US = {10.0: 202_000, 25.0: 80_000}  # 5.1.9: two frames at 10 fps


class Lags:
    """The lag for any frame rate: between the measured ones by straight line, beyond them the nearest."""

    def __init__(self, measured: dict[float, int] | None = None) -> None:
        self._points = sorted((measured or DEFAULT_LAGS_US).items())

    def of(self, fps: float) -> int:
        """In microseconds."""
        points = self._points
        if fps <= points[0][0]:
            return points[0][1]
        for (low, low_us), (high, high_us) in zip(points, points[1:], strict=False):
            if fps <= high:
                return round(low_us + (high_us - low_us) * (fps - low) / (high - low))
        return points[-1][1]

    async def load(self, catalog: Catalog, ffmpeg: Path) -> None:
        """Those measured for this binary, where there are any."""
