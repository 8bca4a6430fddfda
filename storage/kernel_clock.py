"""Whether anybody keeps the system clock right: what NTP, chrony and PTP tell the kernel, asked by adjtimex(2)."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

STA_UNSYNC = 0x0040
TIME_ERROR = 5


@dataclass(frozen=True, slots=True)
class KernelClock:
    """`max_error_us`: how wrong it can be at most, as the program that keeps it says. Of a clock that nobody keeps it tells
    nothing."""

    synchronised: bool
    max_error_us: int


class _Timex(ctypes.Structure):
    """`struct timex` as far as it is read; the kernel fills all of it."""

    _fields_ = (
        ("modes", ctypes.c_uint),  # 0: change nothing, so no privilege is needed
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def kernel_clock() -> KernelClock | None:
    """None where the kernel may not be asked: some containers refuse the call even to readers."""
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return None
    answer = _Timex()
    state = adjtimex(ctypes.byref(answer))
    if state < 0:
        return None
    return KernelClock(state != TIME_ERROR and not answer.status & STA_UNSYNC, answer.maxerror)
