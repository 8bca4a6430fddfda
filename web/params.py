"""What a URL carries, read strictly: an unknown or repeated parameter, a time without an offset, a number out of range are
errors that name the parameter.

Times are RFC 3339 or integer microseconds since 1970 UTC. In a query an unescaped `+` arrives as a blank, so a blank before
hh:mm is read as `+`.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any, TypeVar

from aiohttp import web
from multidict import MultiMapping

from config.errors import Invalid, NotFound
from storage.camera_rules import unfit
from storage.clock import rfc3339
from storage.model import CameraId, RunId

MAX_US = 4_102_444_800_000_000
"""The year 2100: a time beyond it is a mistake of units."""
MAX_ID = (1 << 53) - 1
"""The largest integer that every JSON reader keeps."""
DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
MAX_TEXT = 200
MAX_CURSOR = 200

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,12}))?(?:([Zz])|([+ -])([0-9]{2}):([0-9]{2}))"
)
_TIME_FORM = "a time is RFC 3339 with an offset (2026-11-23T18:30:00+05:30) or integer microseconds since 1970"

T = TypeVar("T")


def rfc3339_or_none(at_us: int | None) -> str | None:
    return None if at_us is None else rfc3339(at_us)


def parse_time(text: str, field: str) -> int:
    """Microseconds since 1970. Raises Invalid naming `field`; digits beyond the microsecond are cut off."""
    if re.fullmatch(r"[0-9]{1,17}", text):
        return _in_range(int(text), field)
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise Invalid(f"{field}: {_TIME_FORM}", field=field)
    day, clock, fraction, _, sign, hours, minutes = match.groups()
    try:
        whole = datetime.fromisoformat(f"{day}T{clock}+00:00")
    except ValueError:
        raise Invalid(f"{field}: there is no such date or time; {_TIME_FORM}", field=field) from None
    offset_s = 0
    if sign:
        if int(hours) > 23 or int(minutes) > 59:
            raise Invalid(f"{field}: an offset is at most 23:59", field=field)
        offset_s = (int(hours) * 3600 + int(minutes) * 60) * (-1 if sign == "-" else 1)
    fraction_us = int((fraction or "")[:6].ljust(6, "0"))
    return _in_range((whole - _EPOCH) // _MICROSECOND + fraction_us - offset_s * 1_000_000, field)


def _in_range(at_us: int, field: str) -> int:
    if not 0 <= at_us <= MAX_US:
        raise Invalid(f"{field}: times from 1970 to 2100 are understood", field=field)
    return at_us


def known(query: MultiMapping[str], names: tuple[str, ...]) -> None:
    """Raises Invalid for a parameter that is not one of `names`, naming the nearest, and for a repeated one."""
    for name in query:
        if name not in names:
            near = get_close_matches(name, names, 1)
            if near:
                way_out = f"did you mean {near[0]}?"
            else:
                way_out = f"known are {', '.join(names)}" if names else "there are none here"
            raise Invalid(f"unknown query parameter {name[:40]!r}: {way_out}", field=name[:40])
        if len(query.getall(name)) > 1:
            raise Invalid(f"{name} is given more than once", field=name)


def time(request: web.Request, name: str) -> int:
    """A time that must be given."""
    return parse_time(_needed(request, name), name)


def time_or_none(request: web.Request, name: str) -> int | None:
    text = request.query.get(name)
    return None if text is None else parse_time(text, name)


def window(request: web.Request) -> tuple[int, int]:
    """(from, to): `from` inclusive, `to` exclusive, not empty."""
    from_us, to_us = time(request, "from"), time(request, "to")
    if from_us >= to_us:
        raise Invalid("to must be later than from", field="to")
    return from_us, to_us


def integer(request: web.Request, name: str, *, default: T, low: int, high: int) -> int | T:
    text = request.query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,16}", text) or not low <= int(text) <= high:
        raise Invalid(f"{name} is a whole number from {low} to {high}", field=name)
    return int(text)


def limit(request: web.Request) -> int:
    """How many items a page holds."""
    return integer(request, "limit", default=DEFAULT_LIMIT, low=1, high=MAX_LIMIT)


def flag(request: web.Request, name: str, *, default: T) -> bool | T:
    text = request.query.get(name)
    if text is None:
        return default
    if text not in ("true", "false"):
        raise Invalid(f"{name} is true or false", field=name)
    return text == "true"


def choice(request: web.Request, name: str, options: tuple[str, ...], *, default: T) -> str | T:
    text = request.query.get(name)
    if text is None:
        return default
    if text not in options:
        raise Invalid(f"{name} is one of {', '.join(options)}", field=name)
    return text


def text(request: web.Request, name: str) -> str | None:
    """Words to look for, trimmed; None where they are not given."""
    found = request.query.get(name)
    if found is None:
        return None
    if len(found) > MAX_TEXT:
        raise Invalid(f"{name} has at most {MAX_TEXT} characters", field=name)
    if unfit(found):
        raise Invalid(f"{name} has control characters or is no valid text", field=name)
    return found.strip()


def camera_id(request: web.Request) -> CameraId:
    """From the path. Raises NotFound for what cannot be one."""
    return CameraId(_id(request, "camera_id", "camera"))


def run_id(request: web.Request) -> RunId:
    """From the path. Raises NotFound for what cannot be one."""
    return RunId(_id(request, "run_id", "run"))


def segment_number(request: web.Request) -> int:
    """`n` of the path. Raises NotFound for what cannot be one."""
    return _id(request, "n", "segment", low=0)


def number(request: web.Request, name: str, thing: str) -> int:
    """An id of the path. Raises NotFound for what cannot be one."""
    return _id(request, name, thing)


def _id(request: web.Request, name: str, thing: str, low: int = 1) -> int:
    given = request.match_info[name]
    if not re.fullmatch(r"[0-9]{1,16}", given) or not low <= int(given) <= MAX_ID:
        raise NotFound(f"there is no {thing} {given[:40]!r}", field=name)
    return int(given)


def _needed(request: web.Request, name: str) -> str:
    given = request.query.get(name)
    if given is None:
        raise Invalid(f"{name} is missing: {_TIME_FORM}", field=name)
    return given


def cursor(request: web.Request) -> list[Any] | None:
    """What `as_cursor` packed, None on the first page. Raises Invalid for anything else."""
    given = request.query.get("cursor")
    if given is None:
        return None
    try:
        if len(given) > MAX_CURSOR:
            raise ValueError
        raw = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True)
        found = json.loads(raw)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise bad_cursor()
    return found


def as_cursor(*values: str | int) -> str:
    """Opaque to the client: where the page ended."""
    packed = json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def bad_cursor() -> Invalid:
    """For a cursor of the right form with the wrong content."""
    return Invalid("cursor is not one that a page of this list gave as `next`", field="cursor")
