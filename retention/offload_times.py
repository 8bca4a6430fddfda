"""When an upload may begin, and when a failed one is tried again. Pure but for the jitter's random source."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

FIRST_S = 10.0
LIMIT_S = 3600.0
STORE_FIRST_S = 1.0
STORE_LIMIT_S = 300.0


def within(hours: str, zone: str, now_us: int) -> bool:
    """Whether `hours` ("22:00-06:00", end exclusive, in the site's zone; "" always; equal ends: always) has this instant."""
    if not hours:
        return True
    at = datetime.fromtimestamp(now_us / 1e6, ZoneInfo(zone))
    minute = at.hour * 60 + at.minute
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in hours.split("-"))
    if start < end:
        return start <= minute < end
    return minute >= start or minute < end


def again_us(attempts: int, source: random.Random | None = None) -> int:
    """How long a segment waits after so many tries: 10, 20, 40 s ... 1 h, with jitter, for ever."""
    limit_s = min(LIMIT_S, FIRST_S * 2.0 ** min(max(attempts, 1) - 1, 20))
    return int((source or random).uniform(limit_s / 2, limit_s) * 1e6)


@dataclass(slots=True)
class StoreBackoff:
    """The store as a whole: while it answers nobody, its segments need not each find out. Times of a clock that never steps."""

    failures: int = 0
    closed_until_us: int = 0

    def failed(self, now_us: int, source: random.Random | None = None) -> None:
        """Several that were under way fail at once: they count as one."""
        if now_us < self.closed_until_us:
            return
        self.failures += 1
        limit_s = min(STORE_LIMIT_S, STORE_FIRST_S * 2.0 ** min(self.failures - 1, 20))
        self.closed_until_us = now_us + int((source or random).uniform(limit_s / 2, limit_s) * 1e6)

    def succeeded(self) -> None:
        self.failures = 0
        self.closed_until_us = 0

    def wait_s(self, now_us: int) -> float:
        return max(0, self.closed_until_us - now_us) / 1e6
