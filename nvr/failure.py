"""Why a recorder ended: from the last lines of its stderr, its exit, and what we asked. Pure.

Exit status says nothing: it is 0 on a TCP reset, a stall and a dead camera. The words are those of ffmpeg 5.1 and 9.0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from config.redact import redact

LINES = 100
MAX_DETAIL = 200

# In order of weight: the first that any of the last lines shows is the cause.
_SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (cause, re.compile(pattern, re.IGNORECASE))
    for cause, pattern in (
        ("disk_full", r"no space left on device|disk quota exceeded"),
        ("unauthorized", r"401 unauthorized|403 forbidden|authorization failed|access denied"),
        ("not_found", r"404 (stream )?not found|454 session|method describe failed: 4(04|10)"),
        ("refused", r"connection refused"),
        (
            "unreachable",
            r"no route to host|network is unreachable|host is unreachable|failed to resolve|name or service not known"
            r"|temporary failure in name resolution|nodename nor servname|connection reset by peer|broken pipe"
            r"|network is down|end of file",
        ),
        ("timeout", r"timed out|timeout|operation now in progress"),
        ("unsupported_codec", r"could not find tag for codec|codec not currently supported in container|unknown codec"),
        (
            "no_video",
            r"stream map '0:v:0' matches no streams|does not contain any stream|matches no streams"
            r"|could not find codec parameters",
        ),
        ("not_found", r"server returned 4\d\d|invalid data found when processing input"),
    )
)
# Said in passing by runs that are well.
_NOISE = re.compile(r"no meaningful edit list|max delay reached|rtp: missed|non-monoto|deprecated|Timestamps are unset")


@dataclass(frozen=True, slots=True)
class Failure:
    """`detail` is one sentence without credentials."""

    cause: str
    detail: str


def classify(stderr: str, *, returncode: int | None) -> Failure:
    """`returncode`: negative for a signal, None where it is unknown (an adopted process)."""
    lines = [line.strip() for line in stderr.splitlines()[-LINES:] if line.strip() and not _NOISE.search(line)]
    for cause, pattern in _SIGNS:
        for line in reversed(lines):
            if pattern.search(line):
                return Failure(cause, _sentence(line))
    if returncode is not None and returncode < 0:
        return Failure("killed", f"ffmpeg was ended by signal {-returncode}")
    if lines:
        return Failure("unknown", _sentence(lines[-1]))
    return Failure("unknown", "the camera ended the connection")


def _sentence(line: str) -> str:
    """Without ffmpeg's `[rtsp @ 0x55...]` in front and without logins."""
    text = re.sub(r"^(\[[^\]]*\]\s*)+", "", redact(line))
    return text if len(text) <= MAX_DETAIL else text[: MAX_DETAIL - 1] + "…"


