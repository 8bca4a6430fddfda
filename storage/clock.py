"""The two clocks. Components take them as arguments, so that tests can set the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], int]


def wall_us() -> int:
    """CLOCK_REALTIME in microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def mono_us() -> int:
    """CLOCK_MONOTONIC in microseconds: never steps."""
    return time.monotonic_ns() // 1000


def rfc3339(us: int) -> str:
    """`2026-11-22T15:30:00.250000Z`: how times leave the program."""
    return datetime.fromtimestamp(us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{us % 1_000_000:06d}Z"
