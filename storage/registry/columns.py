"""The columns of a sheet of cameras: their headers in English and Hindi, what people call them, what they may hold. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from storage.camera_rules import AUDIO


@dataclass(frozen=True, slots=True)
class Column:
    """`field`: of Camera, or `username`, `password`, or `place` (latitude and longitude in one cell). `other`: further headers
    that mean it. `holds`: for a person who fills in the template."""

    field: str
    en: str
    hi: str
    holds: str
    holds_hi: str
    example: str
    other: tuple[str, ...] = ()
    example_hi: str = ""

    def header(self, language: str) -> str:
        return self.hi if language == "hi" else self.en


_TEXT, _TEXT_HI = "text, at most 200 characters", "पाठ, अधिकतम 200 अक्षर"

COLUMNS: Final = (
    Column(
        "code",
        "Code",
        "कोड",
        "needed: A-Z a-z 0-9 . _ -, at most 64 characters, no two alike",
        "ज़रूरी: A-Z a-z 0-9 . _ -, अधिकतम 64 अक्षर, हर कैमरे का अलग",
        "EXAMPLE-1",
        (
            "camera code",
            "camera id",
            "cam id",
            "id",
            "camera no",
            "camera number",
            "कैमरा कोड",
            "कैमरा आईडी",
            "कैमरा संख्या",
        ),
    ),
    Column(
        "name",
        "Name",
        "नाम",
        f"{_TEXT}; left empty: the code",
        f"{_TEXT_HI}; खाली हो तो कोड",
        "Bada Chauraha, north side",
        ("camera name", "name english", "name in english", "कैमरे का नाम", "कैमरा नाम", "नाम अंग्रेज़ी", "नाम अंग्रेजी में"),
    ),
    Column(
        "name_hi",
        "Name (Hindi)",
        "नाम (हिन्दी)",
        _TEXT,
        _TEXT_HI,
        "बड़ा चौराहा, उत्तर",
        ("hindi name", "name in hindi", "camera name hindi", "हिन्दी नाम", "हिंदी नाम", "नाम हिंदी", "नाम हिन्दी में"),
    ),
    Column(
        "owner_kind",
        "Owner category",
        "स्वामी का प्रकार",
        "one of the kinds of owners, by its key or its name in either language",
        "स्वामी के प्रकारों में से एक: कुंजी, या किसी भी भाषा में नाम",
        "Kanpur Smart City Ltd",
        ("owner kind", "kind", "category", "owner type", "type of owner", "department", "श्रेणी", "स्वामी प्रकार", "विभाग"),
        "कानपुर स्मार्ट सिटी लि.",
    ),
    Column("owner", "Owner", "स्वामी", _TEXT, _TEXT_HI, "", ("owner name", "name of owner", "स्वामी का नाम", "मालिक")),
    Column(
        "contact",
        "Contact",
        "संपर्क",
        _TEXT,
        _TEXT_HI,
        "",
        (
            "phone",
            "mobile",
            "mobile no",
            "contact no",
            "contact number",
            "phone number",
            "मोबाइल",
            "मोबाइल नंबर",
            "संपर्क नंबर",
            "फ़ोन",
        ),
    ),
    Column(
        "site",
        "Site",
        "स्थल",
        _TEXT,
        _TEXT_HI,
        "Bada Chauraha",
        ("site name", "location name", "स्थल का नाम", "स्थान का नाम"),
    ),
    Column(
        "station",
        "Police station",
        "थाना",
        _TEXT,
        _TEXT_HI,
        "Kotwali",
        ("station", "thana", "ps", "ps name", "police station name", "पुलिस थाना", "थाना का नाम", "थाने का नाम"),
    ),
    Column("ward", "Ward", "वार्ड", _TEXT, _TEXT_HI, "", ("ward no", "ward number", "वार्ड संख्या", "वार्ड नं")),
    Column("zone", "Zone", "ज़ोन", _TEXT, _TEXT_HI, "Central", ("zone name", "जोन", "क्षेत्र")),
    Column(
        "address",
        "Address",
        "पता",
        _TEXT,
        _TEXT_HI,
        "",
        ("full address", "location", "address of camera", "पूरा पता", "स्थान"),
    ),
    Column(
        "lat",
        "Latitude",
        "अक्षांश",
        "degrees: 26.4716, or 26°28'17.8\"N",
        "अंश: 26.4716, या 26°28'17.8\"N",
        "26.4716",
        ("lat", "gps latitude", "lattitude", "latitude n", "अक्षांस"),
    ),
    Column(
        "lon",
        "Longitude",
        "देशांतर",
        "degrees: 80.3512, or 80°21'04.3\"E",
        "अंश: 80.3512, या 80°21'04.3\"E",
        "80.3512",
        ("lon", "long", "lng", "gps longitude", "longtitude", "longitude e", "देशान्तर"),
    ),
    Column(
        "bearing",
        "Bearing",
        "दिशा (अंश)",
        "where it looks, degrees from north: 0 to below 360",
        "किस ओर देखता है, उत्तर से अंश: 0 से 360 से कम",
        "0",
        ("direction", "azimuth", "heading", "दिशा"),
    ),
    Column(
        "fov",
        "Field of view",
        "दृश्य कोण (अंश)",
        "degrees, above 0 to 360",
        "अंश, 0 से अधिक, 360 तक",
        "90",
        ("fov", "angle", "view angle", "दृश्य कोण"),
    ),
    Column(
        "covers",
        "Covers",
        "क्या दिखता है",
        "entrance, exit, road side, public area; several with a ; between",
        "प्रवेश द्वार, निकास द्वार, सड़क किनारे, सार्वजनिक क्षेत्र; कई हों तो बीच में ;",
        "road side",
        ("coverage", "area covered", "covered area", "कवरेज", "आच्छादित क्षेत्र", "कवर क्षेत्र"),
        "सड़क किनारे",
    ),
    Column("make", "Make", "निर्माता", _TEXT, _TEXT_HI, "", ("manufacturer", "brand", "company", "मेक", "कंपनी", "ब्रांड")),
    Column("model", "Model", "मॉडल", _TEXT, _TEXT_HI, "", ("model no", "model number", "camera model", "मॉडल संख्या")),
    Column(
        "serial",
        "Serial number",
        "सीरियल नंबर",
        _TEXT,
        _TEXT_HI,
        "",
        ("serial", "serial no", "device serial", "सीरियल", "सीरियल संख्या"),
    ),
    Column(
        "mac",
        "MAC address",
        "मैक पता",
        "six pairs of hexadecimal digits: 00:1a:2b:3c:4d:5e",
        "हेक्साडेसिमल अंकों के छह जोड़े: 00:1a:2b:3c:4d:5e",
        "",
        ("mac", "mac id", "मैक", "मैक एड्रेस"),
    ),
    Column("firmware", "Firmware", "फ़र्मवेयर", _TEXT, _TEXT_HI, "", ("firmware version", "फर्मवेयर")),
    Column(
        "legal_basis",
        "Legal basis",
        "कानूनी आधार",
        f"why it may be recorded: an order, a consent; {_TEXT}",
        f"रिकॉर्ड करने का आधार: आदेश, सहमति; {_TEXT_HI}",
        "",
        ("basis", "order", "consent", "आदेश", "सहमति", "विधिक आधार"),
    ),
    Column(
        "tags",
        "Tags",
        "टैग",
        "words, with a ; between; at most 32",
        "शब्द, बीच में ;; अधिकतम 32",
        "",
        ("tag", "labels", "टैग्स"),
    ),
    Column(
        "url",
        "URL",
        "यूआरएल",
        "needed for a new camera: rtsp://host[:port]/path; a login inside is split off",
        "नए कैमरे के लिए ज़रूरी: rtsp://host[:port]/path; भीतर का लॉगिन अलग रखा जाता है",
        "rtsp://192.0.2.10/stream1",
        (
            "rtsp",
            "rtsp url",
            "stream url",
            "stream",
            "rtsp link",
            "camera url",
            "link",
            "आरटीएसपी",
            "आरटीएसपी यूआरएल",
            "लिंक",
        ),
    ),
    Column(
        "username",
        "User",
        "उपयोगकर्ता",
        "of the camera; left empty: as it is",
        "कैमरे का; खाली हो तो जैसा है",
        "",
        ("username", "user name", "login", "user id", "यूज़रनेम", "यूजर नेम", "उपयोगकर्ता नाम", "लॉगिन"),
    ),
    Column(
        "password",
        "Password",
        "पासवर्ड",
        "of the camera; kept apart, never exported",
        "कैमरे का; अलग रखा जाता है, कभी एक्सपोर्ट नहीं होता",
        "",
        ("pass", "pwd", "camera password", "कैमरा पासवर्ड"),
    ),
    Column("audio", "Audio", "ध्वनि", ", ".join(AUDIO), ", ".join(AUDIO), "auto", ("sound", "ऑडियो", "आवाज़")),
    Column(
        "enabled",
        "Record",
        "रिकॉर्ड करें",
        "yes or no; left empty: yes",
        "हाँ या नहीं; खाली हो तो हाँ",
        "yes",
        ("enabled", "active", "recording", "recorded", "रिकॉर्डिंग", "सक्रिय", "चालू"),
        "हाँ",
    ),
    Column(
        "place",
        "Coordinates",
        "निर्देशांक",
        "latitude and longitude in one cell: 26.4716, 80.3512",
        "अक्षांश और देशांतर एक साथ: 26.4716, 80.3512",
        "",
        (
            "lat long",
            "lat lon",
            "latlong",
            "latitude longitude",
            "gps",
            "gps coordinates",
            "gps location",
            "coordinate",
        ),
    ),
)
BY_FIELD: Final = {column.field: column for column in COLUMNS}
EXPORTED: Final = tuple(column for column in COLUMNS if column.field not in ("username", "password", "place"))
IN_TEMPLATE: Final = tuple(column for column in COLUMNS if column.field != "place")
EXAMPLE_CODE: Final = "EXAMPLE-1"
"""The template's own row: never imported."""

_IGNORED = (
    *("s no", "sr no", "sl no", "sno", "srno", "slno", "serial no of row", "no", "क्र सं", "क्रम संख्या", "क्रमांक", "क्र"),
    *("remarks", "remark", "टिप्पणी", "अभ्युक्ति"),
)


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """A header as it is compared: small letters, no signs, no joiners, no dots below Hindi letters."""
    text = unicodedata.normalize("NFC", text).casefold()
    text = re.sub("[़\u200b-\u200d\u2060\ufeff]", "", text)
    return " ".join(re.sub(r"[^\w\u0900-\u097f]+|_", " ", text).split())


def _known() -> dict[str, str]:
    found: dict[str, str] = {}
    for column in COLUMNS:
        for word in (column.field, column.en, column.hi, *column.other):
            assert found.setdefault(plain(word), column.field) == column.field, word
    return found


_FIELDS: Final = _known()
_ALL_IGNORED: Final = frozenset(map(plain, _IGNORED))


def field_of(header: str) -> str | None:
    """What a header means; what stands in brackets may be left out ("Latitude (decimal)"). None: nothing we know."""
    return _FIELDS.get(plain(header)) or _FIELDS.get(plain(re.sub(r"[(\[][^)\]]*[)\]]", "", header)))


def ignored(header: str) -> bool:
    """A column that sheets have and a camera has not: the number of the row, remarks."""
    return plain(header) in _ALL_IGNORED


def nearest(header: str) -> Column | None:
    """Of a header that is not known."""
    near = get_close_matches(plain(header), _FIELDS, 1, 0.7)
    return BY_FIELD[_FIELDS[near[0]]] if near else None
