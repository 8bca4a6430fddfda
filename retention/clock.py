"""Whether the clock may decide what is too old: a clock that is a day ahead would delete a day of footage too early.

Trusted is a clock that NTP (or PTP) keeps, as the kernel says, and one that is within ten minutes of what the monotonic clock
makes of the last time it was trusted; over a restart of the machine, of that time and the time since the boot. After a larger
step somebody looks at it and says `nvr retention trust-clock`, or it comes back by itself. `judged` decides and is pure.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import structlog

from storage.catalog import trust
from storage.catalog.db import Catalog
from storage.catalog.trust import Trust
from storage.clock import wall_us
from storage.kernel_clock import kernel_clock

log = structlog.get_logger()

STEP_US = 600_000_000
TOUCH_US = 30_000_000
"""How often a trusted time is written down: what a crash or a power cut leaves is no older."""
EARLIEST_US = 1_735_689_600_000_000
"""2025: before it the clock was never set."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks at one instant. `mono_us`: since the boot, sleep included; never steps. `synchronised` None: the kernel
    may not be asked."""

    boot_id: str
    wall_us: int
    mono_us: int
    synchronised: bool | None


def expected_us(last: Trust, now: Reading) -> int:
    """What the wall clock should say by the last trusted time."""
    passed_us = now.mono_us - last.mono_us if now.boot_id == last.boot_id else now.mono_us
    return last.wall_us + passed_us


def judged(last: Trust | None, now: Reading) -> Trust:
    """What is to be remembered: the new time while the clock is trusted, else the last trusted one and the doubt.

    The first look of all has nothing to compare with.
    """
    fresh = Trust(now.boot_id, now.wall_us, now.mono_us)
    if now.wall_us < EARLIEST_US:
        return replace(last or fresh, doubt="the clock was never set")
    if last is None or now.synchronised or last.wall_us < EARLIEST_US:
        return fresh
    off_us = now.wall_us - expected_us(last, now)
    if abs(off_us) <= STEP_US:
        return fresh
    since = "the last time it was trusted" if now.boot_id == last.boot_id else "the machine's last shutdown"
    direction = "ahead of" if off_us > 0 else "behind"
    doubt = f"the clock is {_length(abs(off_us))} {direction} what {since} makes it, and NTP does not keep it"
    return replace(last, doubt=doubt)


def _length(span_us: int) -> str:
    minutes = span_us // 60_000_000
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"


def reading() -> Reading:
    """As of now. Reads two files of the kernel, which do not wait."""
    kept = kernel_clock()
    try:
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        boot_id = ""
    mono_us = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
    return Reading(boot_id, wall_us(), mono_us, None if kept is None else kept.synchronised)


class ClockTrust:
    """The server's: asked before every sweep, which also keeps the catalog's row young."""

    def __init__(self, catalog: Catalog, *, read: Callable[[], Reading] = reading) -> None:
        self._catalog = catalog
        self._read = read
        self.doubt_now = ""
        """As of the last look, for alarms and pages."""

    async def doubt(self) -> str:
        """Why nothing may be deleted by age, "" where it may."""
        now = await asyncio.to_thread(self._read)
        last = await self._catalog.read(trust.get)
        found = judged(last, now)
        if found.doubt and (last is None or last.doubt != found.doubt):
            log.error("the clock is not trusted", why=found.doubt)
        elif not found.doubt and last is not None and last.doubt:
            log.info("the clock is trusted again")
        if last != found and not (last is not None and _young(last, found)):
            await self._catalog.write(partial(trust.put, trust=found))
        self.doubt_now = found.doubt
        return found.doubt


def _young(last: Trust, found: Trust) -> bool:
    """Whether what is written down says the same, a moment ago."""
    same = (last.boot_id, last.doubt) == (found.boot_id, found.doubt)
    return same and 0 <= found.mono_us - last.mono_us < TOUCH_US


def vouched(now: Reading) -> Trust:
    """What `nvr retention trust-clock` writes: an operator says that the clock is right now."""
    return Trust(now.boot_id, now.wall_us, now.mono_us)
