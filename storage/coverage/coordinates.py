"""Coordinates as people type them: 26.4499, 80.3319 · 26°26'59.6"N 80°19'54.8"E · २६.४४९९ उ, ८०.३३१९ पू. Pure."""

from __future__ import annotations

import re
from typing import Final

from storage.coverage.shapes import Point
from storage.coverage.words import folded

_SIDES: Final = {
    **dict.fromkeys(("n", "north", "उ", "उत्तर"), "n"),
    **dict.fromkeys(("s", "south", "द", "दक्षिण"), "s"),
    **dict.fromkeys(("e", "east", "पू", "पूर्व"), "e"),
    **dict.fromkeys(("w", "west", "प", "पश्चिम"), "w"),
}
_SIDE: Final = "|".join(sorted(_SIDES, key=len, reverse=True))
_ANGLE: Final = re.compile(
    rf"\s*(?:(?P<lead>{_SIDE})\.?\s*)?(?P<sign>[+-])?(?P<degrees>[0-9]{{1,3}}(?:\.[0-9]{{1,12}})?)\s*°?"
    r"(?:\s*(?P<minutes>[0-9]{1,2}(?:\.[0-9]{1,12})?)\s*['′’](?:\s*(?P<seconds>[0-9]{1,2}(?:\.[0-9]{1,12})?)\s*(?:\"|″|”|''))?)?"
    rf"\s*(?(lead)|(?:(?P<side>{_SIDE})\.?)?)\s*"  # a letter before the angle: the next one is of the next angle
)


def parse(text: str) -> Point | None:
    """(latitude, longitude); None where the text is none. Without letters for the sides latitude comes first."""
    plain = folded(text)
    first = _ANGLE.match(plain)
    if first is None:
        return None
    rest = plain[first.end() :]
    parted = rest[:1] in (",", ";") or plain[first.end() - 1 : first.end()].isspace() or bool(first["side"])
    second = _ANGLE.fullmatch(rest.lstrip(",;"))
    if second is None or not parted:
        return None
    one, other = _value(first), _value(second)
    if one is None or other is None:
        return None
    sides = _side(first), _side(second)
    if sides[0] in ("e", "w") or sides[1] in ("n", "s"):
        one, other, sides = other, one, (sides[1], sides[0])
    if sides[0] in ("e", "w") or sides[1] in ("n", "s") or abs(one) > 90 or abs(other) > 180:
        return None
    return one, other


def _side(match: re.Match[str]) -> str:
    return _SIDES.get(match["side"] or match["lead"] or "", "")


def _value(match: re.Match[str]) -> float | None:
    minutes, seconds = float(match["minutes"] or 0), float(match["seconds"] or 0)
    if minutes >= 60 or seconds >= 60:
        return None
    value = float(match["degrees"]) + minutes / 60 + seconds / 3600
    negative = (match["sign"] == "-") != (_side(match) in ("s", "w"))
    return -value if negative else value
