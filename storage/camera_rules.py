"""What a camera's fields may hold. One place for the API, the command line and the catalog. Pure."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from config.errors import Invalid
from storage.model import Camera

CODE: Final = r"^[A-Za-z0-9._-]{1,64}$"
KIND: Final = r"^([a-z][a-z0-9_]{0,31})?$"
MAX_TEXT: Final = 200
MAX_TAGS: Final = 32
MAX_TAG: Final = 64
COVERS: Final = ("entrance", "exit", "road_side", "public_area")
AUDIO: Final = ("auto", "copy", "aac", "off")
MODES: Final = ("continuous",)
TEXTS: Final = (
    *("name", "name_hi", "owner", "contact", "site", "station", "ward", "zone", "address"),
    *("make", "model", "serial", "mac", "firmware", "legal_basis"),
)
MAX_WORDS: Final = 8
"""A search looks at this many words; more are ignored."""
MAC: Final = r"^([0-9A-Fa-f]{2}([:-]?[0-9A-Fa-f]{2}){5})?$"

_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def unfit(value: str) -> bool:
    """Holds control characters, bidirectional overrides or lone surrogates. Joiners stay: Devanagari needs them."""
    return _UNFIT.search(value) is not None


def checked(camera: Camera) -> Camera:
    """The camera as it is kept: texts trimmed, lists without repeats, the code for a missing name.

    Raises Invalid naming the field. The URL is `storage.camera_url`'s business.
    """
    if not re.fullmatch(CODE[1:-1], camera.code):
        raise Invalid("code has 1 to 64 of the characters A-Z a-z 0-9 . _ -", field="code")
    _kind(camera.owner_kind)
    texts: dict[str, Any] = {field: _text(getattr(camera, field), field, MAX_TEXT) for field in TEXTS}
    texts["name"] = texts["name"] or camera.code
    texts["mac"] = _mac(texts["mac"])
    _among(camera.audio, AUDIO, "audio")
    _among(camera.mode, MODES, "mode")
    for word in camera.covers:
        _among(word, COVERS, "covers")
    _place(camera)
    return replace(
        camera, **texts, covers=tuple(word for word in COVERS if word in camera.covers), tags=_tags(camera.tags)
    )


def checked_site_texts(texts: Mapping[str, str], lat: float | None, lon: float | None) -> dict[str, str]:
    """A site's texts as they are kept. Raises Invalid naming the field."""
    _kind(texts["owner_kind"])
    kept = {field: _text(value, field, MAX_TEXT) for field, value in texts.items()}
    if not kept["name"]:
        raise Invalid("name is missing: a site is known by it", field="name")
    check_place(lat, lon)
    return kept


def search_words(text: str) -> list[str]:
    """What a search looks for: each of these must occur. Of a letter that has two spellings (Hindi's dotted ones) the one that
    is kept."""
    return unicodedata.normalize("NFC", text).lower().split()[:MAX_WORDS]


def _kind(value: str) -> None:
    if not re.fullmatch(KIND[1:-1], value):
        raise Invalid("owner_kind is a word of a-z 0-9 _ that starts with a letter", field="owner_kind")


def _text(value: str, field: str, limit: int) -> str:
    value = value.strip()
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
    if len(value) > limit:
        raise Invalid(f"{field} has at most {limit} characters", field=field)
    if unfit(value):
        raise Invalid(f"{field} has control characters or is no valid text", field=field)
    return value


def _mac(value: str) -> str:
    """As 00:1a:2b:3c:4d:5e."""
    if not re.fullmatch(MAC[1:-1], value):
        raise Invalid("mac has six pairs of hexadecimal digits, such as 00:1a:2b:3c:4d:5e", field="mac")
    digits = re.sub("[:-]", "", value).lower()
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def _among(value: str, options: tuple[str, ...], field: str) -> None:
    if value not in options:
        raise Invalid(f"{field} is one of {', '.join(options)}", field=field)


def _tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    kept = tuple(dict.fromkeys(tag for tag in (_text(tag, "tags", MAX_TAG) for tag in tags) if tag))
    if len(kept) > MAX_TAGS:
        raise Invalid(f"a camera has at most {MAX_TAGS} tags", field="tags")
    return kept


def _place(camera: Camera) -> None:
    check_place(camera.lat, camera.lon, camera.bearing)
    if camera.fov is not None and not (math.isfinite(camera.fov) and 0 < camera.fov <= 360):
        raise Invalid("fov is a number of degrees, above 0 to 360", field="fov")


def check_place(lat: float | None, lon: float | None, bearing: float | None = None) -> None:
    """Raises Invalid naming the field."""
    for value, field, limit in ((lat, "lat", 90.0), (lon, "lon", 180.0)):
        if value is not None and not (math.isfinite(value) and -limit <= value <= limit):
            raise Invalid(f"{field} is a number of degrees from -{limit:.0f} to {limit:.0f}", field=field)
    if (lat is None) != (lon is None):
        missing = "lat" if lat is None else "lon"
        raise Invalid(f"{missing} is missing: a place has lat and lon", field=missing)
    if bearing is not None and not (math.isfinite(bearing) and 0 <= bearing < 360):
        raise Invalid("bearing is a number of degrees from north, 0 to below 360", field="bearing")
