"""A city of synthetic cameras, for tests and demonstrations: the counts of the city's kinds of owners, invented cameras.

Deterministic: a camera of a code is always the same, also in a larger city. Their addresses (10.x) lead nowhere and they
are disabled: installed, not yet linked. Pure.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Final, NamedTuple

from storage.model import Camera, CameraId
from storage.registry.sample_places import LOCALITIES, PLACES, Locality, Place

LINKED: Final = {
    "smart_city": 624,
    "bank_atm": 428,
    "shop": 321,
    "industry": 114,
    "automobile": 82,
    "municipal": 39,
    "petrol_pump": 30,
    "bus_stand": 26,
    "police_post": 20,
    "school": 11,
    "hospital": 9,
    "nhai": 8,
    "kda": 7,
    "lab": 1,
}
CITY: Final = sum(LINKED.values())
PREFIX: Final = {
    "smart_city": "KSC",
    "bank_atm": "BNK",
    "shop": "SHP",
    "industry": "IND",
    "automobile": "AUT",
    "municipal": "NNK",
    "petrol_pump": "PPM",
    "bus_stand": "BUS",
    "police_post": "PLC",
    "school": "SCH",
    "hospital": "HSP",
    "nhai": "NHA",
    "kda": "KDA",
    "lab": "LAB",
}
_METRES_PER_DEGREE = 111_320.0


class _Where(NamedTuple):
    """What a kind of owner has at a locality: the words for its site."""

    name: str
    name_hi: str
    owner: str
    at_once: int  # cameras of one site
    spread_m: float  # from the locality's middle
    basis: str


_WHERE: Final = {
    "smart_city": _Where("{} crossing", "{} चौराहा", "Kanpur Smart City Ltd", 6, 90, "Safe City programme"),
    "bank_atm": _Where("Bank and ATM, {}", "बैंक एवं एटीएम, {}", "Bank branch", 3, 350, "Owner's consent"),
    "shop": _Where("Shop, {}", "दुकान, {}", "Shopkeeper", 2, 400, "Owner's consent"),
    "industry": _Where("Works, {}", "कारखाना, {}", "Works manager", 4, 600, "Owner's consent"),
    "automobile": _Where("Car dealer, {}", "ऑटोमोबाइल शोरूम, {}", "Dealer", 4, 500, "Owner's consent"),
    "municipal": _Where(
        "Ward office, {}", "वार्ड कार्यालय, {}", "Municipal Corporation", 4, 200, "Order of the corporation"
    ),
    "petrol_pump": _Where("Petrol pump, {}", "पेट्रोल पंप, {}", "Dealer", 3, 500, "Owner's consent"),
    "bus_stand": _Where("Bus stop, {}", "बस स्टॉप, {}", "UPSRTC", 2, 150, "Order of the corporation"),
    "police_post": _Where("Police post, {}", "पुलिस चौकी, {}", "Police", 2, 120, "Order of the commissioner"),
    "school": _Where("College, {}", "कॉलेज, {}", "Management", 2, 400, "Owner's consent"),
    "hospital": _Where("Hospital, {}", "अस्पताल, {}", "Superintendent", 3, 300, "Owner's consent"),
    "nhai": _Where("Highway at {}", "राजमार्ग, {}", "NHAI", 2, 300, "Order of the authority"),
    "kda": _Where("KDA market, {}", "केडीए मार्केट, {}", "Kanpur Development Authority", 3, 250, "Order of the authority"),
    "lab": _Where("Laboratory, {}", "लैब, {}", "Laboratory", 1, 200, "Owner's consent"),
}
_SPOTS: Final = (
    ("entrance", "entrance", "प्रवेश द्वार"),
    ("exit", "exit", "निकास द्वार"),
    ("road_side", "road side", "सड़क किनारे"),
    ("public_area", "public area", "सार्वजनिक क्षेत्र"),
)
_MAKES: Final = (
    ("CP Plus", ("CP-UNC-TA41L3", "CP-UNC-VB41ZL5"), "4.001"),
    ("Hikvision", ("DS-2CD1043G2-I", "DS-2CD2T47G2-L"), "V5.7.15"),
    ("Dahua", ("IPC-HFW2441S", "IPC-HDW1439T1"), "2.840"),
    ("Prama", ("PT-NC140D3", "PT-NC123D3"), "V5.5.0"),
    ("Honeywell", ("HC35WB3R2", "HC30W45R3"), "1.10"),
    ("Bosch", ("NBE-3502-AL", "NTE-3503-F03L"), "9.40"),
)


def counts(cameras: int) -> dict[str, int]:
    """How many of each kind: the city's shares, rounded so that their sum is right."""
    shares = {kind: cameras * linked / CITY for kind, linked in LINKED.items()}
    whole = {kind: int(share) for kind, share in shares.items()}
    left = cameras - sum(whole.values())
    for kind in sorted(shares, key=lambda kind: whole[kind] - shares[kind])[:left]:
        whole[kind] += 1
    return whole


def sample_city(cameras: int = CITY) -> list[Camera]:
    """By kind, then by code. `id` is 0, `node` empty, `created_us` 0: the caller's."""
    made: list[Camera] = []
    for kind, count in counts(cameras).items():
        spots = _spots(kind)
        made += [_camera(kind, number, *next(spots)) for number in range(1, count + 1)]
    return made


def _spots(kind: str) -> Iterator[tuple[Place | None, Locality, int, int]]:
    """(site with a name of its own or None, locality, which site of the kind there, which camera of the site), without end."""
    by_name = {locality.name: locality for locality in LOCALITIES}
    for place in PLACES:
        if place.kind == kind:
            yield from ((place, by_name[place.locality], 0, camera) for camera in range(place.cameras))
    where, turn = _WHERE[kind], 0
    while True:
        turn += 1
        for locality in LOCALITIES:
            yield from ((None, locality, turn, camera) for camera in range(where.at_once))


def _camera(kind: str, number: int, place: Place | None, locality: Locality, turn: int, nth: int) -> Camera:
    chance = random.Random(f"{kind} {number}")
    where = _WHERE[kind]
    if place is not None:
        site, site_hi, owner, lat, lon = place.name, place.name_hi, place.owner, place.lat, place.lon
        inner_m, reach_m = 35.0, 40.0 + 6 * nth
    else:
        (site, site_hi), owner = _site(where, locality, turn), where.owner
        lat, lon = _moved(locality.lat, locality.lon, random.Random(site), where.spread_m)
        inner_m, reach_m = 0.0, 12.0 + 4 * nth
    lat, lon = _moved(lat, lon, chance, reach_m, inner_m)
    covers, spot, spot_hi = _SPOTS[2 if kind in ("smart_city", "nhai") and nth % 3 < 2 else nth % len(_SPOTS)]
    make, models, firmware = chance.choice(_MAKES)
    return Camera(
        id=CameraId(0),
        code=f"{PREFIX[kind]}-{number:04d}",
        name=f"{site}, {spot} {nth + 1}",
        name_hi=f"{site_hi}, {spot_hi} {nth + 1}",
        url=f"rtsp://10.{64 + list(PREFIX).index(kind)}.{number >> 8 & 255}.{number & 255}/stream{1 + (number >> 16)}",
        node="",
        owner_kind=kind,
        owner=owner,
        contact=f"+91 512 2{chance.randrange(10**6):06d}",
        site=site,
        station=locality.station,
        ward=locality.ward,
        zone=locality.zone,
        address=f"{locality.name}, Kanpur",
        covers=(covers,),
        lat=round(lat, 6),
        lon=round(lon, 6),
        bearing=float(chance.randrange(0, 360, 5)),
        fov=float(chance.choice((60, 75, 90, 105))),
        make=make,
        model=chance.choice(models),
        serial=f"S{chance.randrange(10**10):010d}",
        mac=":".join(f"{byte:02x}" for byte in (2, *(chance.randrange(256) for _ in range(5)))),
        firmware=firmware,
        legal_basis=where.basis,
        tags=("sample",),
        enabled=False,
    )


def _site(where: _Where, locality: Locality, turn: int) -> tuple[str, str]:
    """Its name in both languages; a crossing (chauraha) is not called one twice."""
    again = f" {turn}" if turn > 1 else ""
    name, name_hi = where.name.format(locality.name), where.name_hi.format(locality.name_hi)
    if locality.name.endswith("Chauraha"):
        name, name_hi = name.replace("Chauraha crossing", "Chauraha"), name_hi.replace("चौराहा चौराहा", "चौराहा")
    return name + again, name_hi + again


def _moved(lat: float, lon: float, chance: random.Random, reach_m: float, inner_m: float = 0.0) -> tuple[float, float]:
    """Somewhere `inner_m` to `reach_m` metres away."""
    turn, metres = chance.uniform(0, 2 * math.pi), inner_m + (reach_m - inner_m) * math.sqrt(chance.random())
    return (
        lat + metres * math.cos(turn) / _METRES_PER_DEGREE,
        lon + metres * math.sin(turn) / (_METRES_PER_DEGREE * math.cos(math.radians(lat))),
    )
