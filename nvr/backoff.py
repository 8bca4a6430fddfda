"""How long to wait before a camera's recorder is started again. Pure but for the jitter's random source."""

from __future__ import annotations

import random
from dataclasses import dataclass

GOOD_S = 300.0  # a run that recorded this long starts the count anew
FIRST_S = 0.2
LIMIT_S = 60.0
WRONG_CREDENTIALS_S = 600.0  # many cameras lock the account after some wrong tries
AT_ONCE = frozenset({"parameters_changed", "camera_time_jump", "audio_silent", "no_keyframes", "volume_lost"})
"""We ended these runs ourselves to start a better one."""


@dataclass(slots=True)
class Backoff:
    """One camera's. A first failure is met at once, repeated ones with 1, 2, 4 ... 60 s, full jitter."""

    failures: int = 0

    def after(self, cause: str, recorded_s: float, source: random.Random | None = None) -> float:
        """Seconds to wait after a run that recorded for `recorded_s` and ended with `cause`."""
        draw = (source or random).uniform
        if recorded_s >= GOOD_S:
            self.failures = 0
        self.failures += 1
        if cause == "unauthorized":
            return draw(0.9, 1.1) * WRONG_CREDENTIALS_S
        if self.failures == 1 or (cause in AT_ONCE and self.failures <= 3):
            return draw(0.0, FIRST_S)
        return draw(0.0, min(LIMIT_S, 2.0 ** min(self.failures - 2, 10)))
