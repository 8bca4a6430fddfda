"""What a cell of a sheet says, and how a value is written into one. Pure; a person typed it, in English or Hindi.

A cell that begins as a formula does (=, +, -, @) is written with an apostrophe before it, which a spreadsheet takes for "this
is text"; reading takes it off again. So what was exported comes back as it was, and nothing in it is ever computed.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Final, Literal

from config.errors import Invalid
from config.owner_kinds import OwnerKind
from storage.camera_rules import COVERS
from storage.registry.columns import plain

NONE: Final = frozenset(("-", "–", "—", "na", "n/a", "nil"))
"""Each empties a field that holds something: an empty cell leaves it."""

_FORMULA = re.compile(r"[=+\-@\t\r＝＋－＠]")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_HINDI_DIGITS = str.maketrans("०१२३४५६७८९", "0123456789")
_UNSEEN = "".join(map(chr, (*range(9, 14), *range(28, 33), 0x85, 0xA0, *range(0x2000, 0x200C), 0x200E, 0x200F)))
_UNSEEN += "\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
_SIDES = {"lat": ("NS", "उद"), "lon": ("EW", "पू")}

COVER_NAMES: Final = {
    "entrance": ("entrance", "प्रवेश द्वार"),
    "exit": ("exit", "निकास द्वार"),
    "road_side": ("road side", "सड़क किनारे"),
    "public_area": ("public area", "सार्वजनिक क्षेत्र"),
}
_COVER_WORDS: Final = {
    plain(word): cover
    for cover, words in {
        "entrance": ("entrance", "entry", "entry gate", "entrance gate", "in gate", "प्रवेश", "प्रवेश द्वार"),
        "exit": ("exit", "exit gate", "out gate", "निकास", "निकास द्वार", "निकासी"),
        "road_side": ("road side", "roadside", "road_side", "road", "street", "सड़क", "सड़क किनारे", "सड़क किनारा"),
        "public_area": (
            "public area",
            "public_area",
            "public",
            "public place",
            "सार्वजनिक",
            "सार्वजनिक क्षेत्र",
            "सार्वजनिक स्थान",
        ),
    }.items()
    for word in words
}
_YES = frozenset(map(plain, ("yes", "y", "true", "1", "on", "हाँ", "हां", "जी हाँ", "चालू")))
_NO = frozenset(map(plain, ("no", "n", "false", "0", "off", "नहीं", "नही", "बंद")))


def typed(text: str) -> str:
    """A cell as a person meant it: without blanks that nobody sees at its ends, without the apostrophe before a formula."""
    text = text.strip(_UNSEEN)
    return text[1:] if text.startswith("'") and _guarded(text[1:]) else text


def empties(text: str) -> bool:
    """Whether a cell says that there is nothing: "-", "NA"."""
    return text.strip(_UNSEEN).lower() in NONE


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula; `typed` gives it back."""
    return f"'{text}" if _guarded(text) else text


def _guarded(text: str) -> bool:
    bare = text.lstrip("'")
    return (_FORMULA.match(bare) is not None and not _NUMBER.fullmatch(text)) or bare.lower() in NONE


def number(text: str, field: str) -> float:
    """26.5, 26,5 or २६.५, with a degree sign or not. Raises Invalid."""
    plain_text = re.sub(r"\s*°$", "", text.translate(_HINDI_DIGITS).strip())
    if re.fullmatch(r"[+-]?[0-9]+,[0-9]+", plain_text):
        plain_text = plain_text.replace(",", ".")
    if not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", plain_text):
        raise Invalid(f"{text[:40]!r} is no number", field=field)
    value = float(plain_text)
    if not math.isfinite(value):
        raise Invalid(f"{text[:40]!r} is too large", field=field)
    return value


def angle(text: str, axis: Literal["lat", "lon"]) -> float:
    """Degrees, as a number or as degrees, minutes and seconds (26°28'17.8"N, N 26 28 17.8). Raises Invalid."""
    given = unicodedata.normalize("NFKC", text.translate(_HINDI_DIGITS)).upper().strip()
    given = given.replace("′", "'").replace("″", '"').replace("’", "'").replace("”", '"').replace("º", "°")
    side, given = _side(given)
    if side in "NSEW" and side and side not in _SIDES[axis][0]:
        other = "latitude" if side in "NS" else "longitude"
        raise Invalid(f"{text[:40]!r} is a {other}", field=axis)
    try:
        value = number(given, axis)
    except Invalid:
        value = _sexagesimal(given, text, axis)
    return -abs(value) if side in ("S", "W") else value


def _side(given: str) -> tuple[str, str]:
    """(N, S, E, W or "", what is left)."""
    given = re.sub(r"\s*(उत्तर|उ\.?)$", "N", given)
    given = re.sub(r"\s*(पूर्व|पू\.?)$", "E", given)
    if match := re.fullmatch(r"([NSEW])\s*(.*)|(.*?)\s*([NSEW])", given):
        return (match[1], match[2]) if match[1] else (match[4], match[3])
    return "", given


def _sexagesimal(given: str, text: str, axis: str) -> float:
    match = re.fullmatch(
        r"([+-]?[0-9]{1,3})\s*[°: ]\s*([0-9]{1,2}(?:\.[0-9]+)?)\s*(?:[': ]\s*(?:([0-9]{1,2}(?:\.[0-9]+)?)\s*(?:\"|'')?)?)?",
        given,
    )
    if match is None or float(match[2]) >= 60 or float(match[3] or 0) >= 60:
        raise Invalid(f"{text[:40]!r} is no place in degrees", field=axis)
    value = abs(int(match[1])) + float(match[2]) / 60 + float(match[3] or 0) / 3600
    return math.copysign(round(value, 7), -1.0 if match[1].startswith("-") else 1.0)


def pair(text: str) -> tuple[str, str]:
    """A cell with both coordinates, cut in two. Raises Invalid."""
    parts = [part for part in re.split(r"\s*[,;/]\s*", text.strip()) if part]
    if len(parts) == 1:
        parts = text.split()
    if len(parts) != 2:
        raise Invalid(f"{text[:60]!r} is no pair of latitude and longitude", field="lat")
    return parts[0], parts[1]


def covers(text: str) -> tuple[str, ...]:
    """In the order of COVERS. Raises Invalid naming the nearest."""
    found = set()
    for part in re.split(r"[;,/|&+\n]|\s(?:and|और|एवं|व)\s", text):
        word = plain(part)
        if not word:
            continue
        if word not in _COVER_WORDS:
            near = get_close_matches(word, _COVER_WORDS, 1, 0.6)
            hint = f": did you mean {COVER_NAMES[_COVER_WORDS[near[0]]][0]}?" if near else ""
            raise Invalid(f"{part.strip()[:40]!r} is nothing that a camera covers{hint}", field="covers")
        found.add(_COVER_WORDS[word])
    return tuple(cover for cover in COVERS if cover in found)


def owner_kind(text: str, kinds: Mapping[str, OwnerKind]) -> str:
    """The key that a key, a name, or one part of a name ("Banks", "कोचिंग") means. Raises Invalid naming the nearest."""
    words = kind_words(tuple(kinds.values()))
    key = words.get(plain(text))
    if key is None:
        near = get_close_matches(plain(text), words, 1, 0.6)
        hint = f": did you mean {kinds[words[near[0]]].name}?" if near else ""
        raise Invalid(f"{text[:60]!r} is none of the kinds of owners{hint}", field="owner_kind")
    return key


@lru_cache(maxsize=4)
def kind_words(kinds: tuple[OwnerKind, ...]) -> Mapping[str, str]:
    """What people write for a kind -> its key. A part of a name that two kinds have means neither."""
    whole = {plain(word): kind.key for kind in kinds for word in (kind.key, kind.name, kind.name_hi)}
    parts: dict[str, set[str]] = {}
    for kind in kinds:
        for name in (kind.name, kind.name_hi):
            for part in re.split(r"[/,]| and | एवं ", name):
                parts.setdefault(plain(part), set()).add(kind.key)
                parts.setdefault(plain(part).removesuffix("s"), set()).add(kind.key)
    return {word: next(iter(keys)) for word, keys in parts.items() if len(keys) == 1 and word} | whole


def yes(text: str, field: str) -> bool:
    """Raises Invalid."""
    word = plain(text)
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise Invalid(f"{text[:40]!r} is neither yes nor no", field=field)


def tags(text: str) -> tuple[str, ...]:
    """With a ; between, or without any ; with a comma; `\\;` is a ; inside of one."""
    parted = re.search(r"[;\n]", re.sub(r"\\.", "", text)) is not None
    parts = re.findall(r"(?:\\.|[^\\;\n])+" if parted else r"(?:\\.|[^\\,])+", text)
    return tuple(tag for tag in (re.sub(r"\\(.)", r"\1", part).strip() for part in parts) if tag)


def joined_tags(values: Iterable[str]) -> str:
    """What `tags` reads back."""
    parts = [re.sub(r"([\\;])", r"\\\1", value) for value in values]
    return f"{parts[0]};" if len(parts) == 1 and "," in parts[0] else "; ".join(parts)


def joined_covers(values: Iterable[str], language: str) -> str:
    return "; ".join(COVER_NAMES[value][language == "hi"] for value in values)
