"""Why a recorder ended: from the last lines of its stderr, its exit, and how long nothing had come. Pure.

Exit status says nothing: it is 0 on a TCP reset, a stall and a dead camera. The words are those of ffmpeg 5.1 and 9.0;
where 5.1 says nothing at all, the silence before the end tells a stall from a closed connection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from config.redact import redact

LINES = 100
MAX_DETAIL = 200
SILENT_S = 9.0  # a little less than ffmpeg's own time-out

_AWAY = "no route to host|(network|host) is unreachable|network is down|failed to resolve|name resolution"
_NO_VIDEO = (
    "stream map '0:v:0' matches|specifier '?v:0|not contain any stream|dimensions not set"
    r"|could not find codec parameters for stream \d+ \(video"
)
# In order of weight: the first that any of the last lines shows is the cause.
_SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (cause, re.compile(pattern, re.IGNORECASE))
    for cause, pattern in (
        ("disk_full", "no space left on device|disk quota exceeded"),
        ("volume_lost", "read-only file system|failed to open segment"),
        ("unauthorized", r"\b40[13] \(?(unauthorized|forbidden)|authorization failed|access denied"),
        ("not_found", r"\b404 \(?not found|\b404 \(?stream|\b454 \(?session"),
        ("refused", r"connection refused|failed: [45]\d\d\b|server returned [45](\d\d|xx)\b"),
        ("unreachable", _AWAY),
        ("timeout", "timed out"),
        ("unsupported_codec", "could not find tag for codec|codec not currently supported in container|unknown codec"),
        ("no_video", _NO_VIDEO),
        ("unreachable", "connection reset by peer|broken pipe|end of file"),
    )
)
# Said in passing by runs that are well.
_NOISE = re.compile(
    r"no meaningful edit list|max delay reached|rtp: missed|non-monoto|deprecated|timestamps are unset"
    r"|missing reference picture|analyzeduration|error while decoding|concealing",
    re.IGNORECASE,
)
_CONNECTION = re.compile(r"Connection to tcp://(?P<host>[^?\s]+)\S* failed: (?P<reason>.+)", re.IGNORECASE)
# Said of every packet while the camera's time stays behind what was already written: nothing can be written meanwhile.
_BACKWARD = re.compile(r"non-monoto|DTS \S+, next:\S+ .*invalid dropping", re.IGNORECASE)
MANY = LINES // 4


@dataclass(frozen=True, slots=True)
class Failure:
    """`detail` is one sentence without credentials."""

    cause: str
    detail: str


def classify(stderr: str, *, returncode: int | None, silent_s: float = 0.0) -> Failure:
    """`returncode`: negative for a signal, None where it is unknown (an adopted process). `silent_s`: seconds since the
    last footage, or since the start without any."""
    if returncode is not None and returncode < 0:
        return Failure("killed", f"ffmpeg was ended by signal {-returncode}")
    lines = [line.strip() for line in stderr.splitlines()[-LINES:] if line.strip() and not _NOISE.search(line)]
    for cause, pattern in _SIGNS:
        for line in lines:  # the first is the most exact: later ones only wrap it
            if pattern.search(line):
                return Failure(cause, _sentence(line))
    if silent_s >= SILENT_S:
        return Failure("timeout", f"nothing came from the camera for {silent_s:.0f} s")
    if not lines or "Invalid data found" in lines[-1]:
        return Failure("unreachable", "the camera ended the connection")
    return Failure("unknown", _sentence(lines[-1]))


def stall(failure: Failure, stderr: str, *, log_age_s: float) -> Failure:
    """Why no footage comes from a camera that is connected. `log_age_s`: since ffmpeg last wrote a line: that of a camera
    which sends nothing says nothing."""
    lines = stderr.splitlines()[-LINES:]
    if log_age_s < SILENT_S / 2 and sum(bool(_BACKWARD.search(line)) for line in lines) >= MANY:
        return Failure("camera_time_jump", f"the camera's time jumped back: {failure.detail}")
    return failure


def _sentence(line: str) -> str:
    """Without ffmpeg's `[rtsp @ 0x55...]` in front and without logins."""
    if found := _CONNECTION.search(line):
        reason = found["reason"].strip()
        joint = " by " if reason.lower().endswith("refused") else ": "
        line = f"{reason[0].lower()}{reason[1:]}{joint}{found['host']}"
    text = redact(re.sub(r"^(\[[^\]]*\]\s*)+", "", line))
    return text if len(text) <= MAX_DETAIL else text[: MAX_DETAIL - 1] + "…"
