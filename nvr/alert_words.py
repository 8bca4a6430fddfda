"""The words of an alert: a title of one line, and a text for mail and chat. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from config.redact import redact
from storage.clock import rfc3339
from storage.trouble import Alert, Notice

LISTED = 20
"""So many are named in a message; the rest is a number. All of them stand on the page."""

ONE = {
    "recording": ("{} is not being recorded", "{} is still not being recorded", "{} is being recorded again"),
    "volume": ("Volume {}", "Volume {}, still", "Volume {} is well again"),
    "promise": ("{}: footage will not stay as long as promised", "{}: still not room enough", "{}: room enough again"),
    "shedding": (
        "{}: footage younger than its minimum is being deleted",
        "{}: footage younger than its minimum is still being deleted",
        "{}: no footage below its minimum is deleted any more",
    ),
    "held_full": ("{}: only held footage is left", "{}: still only held footage is left", "{}: has room again"),
    "sweep": ("{}: a deletion waits to be confirmed", "{}: a deletion still waits", "{}: no deletion waits any more"),
    "clock": ("The clock is not trusted", "The clock is still not trusted", "The clock is trusted again"),
    "offload": ("{} is behind", "{} is still behind", "{} has caught up"),
    "hold_quota": ("{} is filling up with held footage", "{} is still full of held footage", "{}: holds fit again"),
}
MANY = {
    "recording": (
        "{} cameras are not being recorded",
        "{} cameras are still not being recorded",
        "{} cameras are being recorded again",
    ),
    "volume": ("{} volumes have trouble", "{} volumes still have trouble", "{} volumes are well again"),
}
OTHERS = ("{} alerts", "{} alerts last", "{} alerts have ended")


@dataclass(frozen=True, slots=True)
class Place:
    """What a message says about its sender. `url` is where its pages are, "" where that is not known."""

    name: str
    node: str
    zone: ZoneInfo
    url: str = ""


def body_of(notice: Notice, place: Place, at_us: int) -> dict[str, Any]:
    """What a webhook gets, and what a mail is made from. `text` is what chat services show."""
    said = title(notice, place)
    return {
        "place": place.name,
        "node": place.node,
        "at": rfc3339(at_us),
        "kind": notice.kind,
        "title": said,
        "text": f"{said}\n\n{text(notice, place)}",
        "began": [_item(alert) for alert in notice.began],
        "lasting": [_item(alert) for alert in notice.lasting],
        "ended": [_item(alert) for alert in notice.ended],
        "url": place.url,
    }


def trial(place: Place, at_us: int) -> dict[str, Any]:
    """What `nvr alert test` sends."""
    said = f"[{_line(place.name)}] Test: alerts arrive here"
    when = _when(at_us, place)
    return {
        "place": place.name,
        "node": place.node,
        "at": rfc3339(at_us),
        "kind": "test",
        "title": said,
        "text": f"{said}\n\nSent by `nvr alert test` on node {place.node} at {when}. Nothing is wrong.",
        "began": [],
        "lasting": [],
        "ended": [],
        "url": place.url,
    }


def title(notice: Notice, place: Place) -> str:
    parts = [
        _title(notice.kind, which, alerts)
        for which, alerts in enumerate((notice.began, notice.lasting, notice.ended))
        if alerts
    ]
    return f"[{_line(place.name)}] {'; '.join(parts)}"


def text(notice: Notice, place: Place) -> str:
    parts = []
    for heading, alerts in (
        ("Now", notice.began),
        ("Still", notice.lasting),
        ("Over", notice.ended),
    ):
        if alerts:
            parts.append("\n".join([f"{heading}:", *_lines(alerts, place)]))
    foot = f"Node {place.node}" + (f", {place.url}" if place.url else "")
    return "\n\n".join([*parts, foot])


def _title(kind: str, which: int, alerts: Sequence[Alert]) -> str:
    if len(alerts) == 1:
        alert = alerts[0]
        said = ONE[kind][which].format(_line(alert.subject))
        return f"{said}: {_line(alert.detail)}" if alert.detail and which < 2 else said
    return MANY.get(kind, OTHERS)[which].format(f"{len(alerts):,}")


def _lines(alerts: Sequence[Alert], place: Place) -> list[str]:
    lines = [_told(alert, place) for alert in alerts[:LISTED]]
    if len(alerts) > LISTED:
        lines.append(f"- and {len(alerts) - LISTED:,} more")
    return lines


def _told(alert: Alert, place: Place) -> str:
    said = f"- {_line(alert.subject)}: {_line(alert.detail)} (since {_when(alert.since_us, place)}"
    return f"{said}, until {_when(alert.ended_us, place)})" if alert.ended_us is not None else f"{said})"


def _item(alert: Alert) -> dict[str, Any]:
    return {
        "subject": alert.subject,
        "detail": redact(alert.detail),
        "since": rfc3339(alert.since_us),
        "until": None if alert.ended_us is None else rfc3339(alert.ended_us),
    }


def _when(at_us: int, place: Place) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).astimezone(place.zone).strftime("%d/%m/%Y %H:%M:%S %Z")


def _line(words: str) -> str:
    """One line without logins: it may become the head of a mail."""
    return redact(" ".join(words.split()))
