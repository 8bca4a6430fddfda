"""The demo's city in the catalog: simulated cameras in and around the Jhakarkati bus stand, and the sample city around them.

The sample's cameras are registered and disabled (installed, not yet linked), so the demo has a city's registry and nothing of
it is an alarm. Of each kind of owner as many are left out as are simulated: the counts are the city's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from storage.catalog import cameras, sites, states, targets
from storage.catalog.sqlite import Connection
from storage.model import Camera, CameraState
from storage.registry.register import Target
from storage.registry.sample import sample_city
from storage.registry.sample_places import PLACES as SITES

NOT_LINKED = "installed, not yet linked"
TARGETS = {
    "shop": 500,
    "school": None,
    "hospital": 200,
    "petrol_pump": 141,
    "police_post": None,
    "industry": 1000,
    "bank_atm": None,
    "hotel": 235,
    "medical_store": None,
    "liquor_shop": None,
}
"""Of the review meeting; None: all there are, which nobody has counted."""


class Whose(NamedTuple):
    owner_kind: str
    owner: str
    site: str
    station: str
    zone: str


class Place(NamedTuple):
    name: str
    name_hi: str
    whose: Whose
    covers: str
    lat: float
    lon: float
    bearing: float


_STAND = Whose("bus_stand", "UPSRTC", "Jhakarkati bus stand", "Babupurwa", "South")
_CROSSING = Whose("smart_city", "Kanpur Smart City Ltd", "Jhakarkati crossing", "Babupurwa", "South")
_TATMILL = Whose("smart_city", "Kanpur Smart City Ltd", "Tatmill Chauraha", "Railbazar", "East")
_POST = Whose("police_post", "Police", "Police post, Ghantaghar", "Harbans Mohal", "Central")
_BANK = Whose("bank_atm", "Bank branch", "Bank and ATM, Jhakarkati", "Babupurwa", "South")
_PUMP = Whose("petrol_pump", "Dealer", "Petrol pump, Jhakarkati", "Babupurwa", "South")

PLACES = (
    Place("Jhakarkati bus stand, gate 1", "झकरकटी बस अड्डा, गेट 1", _STAND, "entrance", 26.4421, 80.3451, 20.0),
    Place("Jhakarkati bus stand, exit", "झकरकटी बस अड्डा, निकास द्वार", _STAND, "exit", 26.4418, 80.3448, 200.0),
    Place(
        "Jhakarkati bus stand, platform 3", "झकरकटी बस अड्डा, प्लेटफ़ॉर्म 3", _STAND, "public_area", 26.4420, 80.3448, 110.0
    ),
    Place("Jhakarkati crossing, GT Road", "झकरकटी चौराहा, जीटी रोड", _CROSSING, "road_side", 26.4427, 80.3457, 300.0),
    Place("Tatmill Chauraha, north side", "टाटमिल चौराहा, उत्तर", _TATMILL, "road_side", 26.4478, 80.3476, 0.0),
    Place("Ghantaghar police post", "घंटाघर पुलिस चौकी", _POST, "public_area", 26.4540, 80.3510, 90.0),
    Place("Bank entrance, Jhakarkati", "बैंक प्रवेश द्वार, झकरकटी", _BANK, "entrance", 26.4430, 80.3445, 180.0),
    Place("Petrol pump exit, Jhakarkati", "पेट्रोल पंप निकास, झकरकटी", _PUMP, "exit", 26.4408, 80.3440, 250.0),
)


def place(number: int) -> Place:
    """Of camera `number`, counted from 1; names repeat with a number after the first round, some metres away."""
    base = PLACES[(number - 1) % len(PLACES)]
    turn = (number - 1) // len(PLACES)
    if turn == 0:
        return base
    return base._replace(
        name=f"{base.name} ({turn + 1})", name_hi=f"{base.name_hi} ({turn + 1})", lat=round(base.lat + turn * 1e-4, 6)
    )


def register_city(db: Connection, simulated: Sequence[Camera], *, node: str, created_us: int) -> int:
    """The sample city's cameras that are not there yet, and its targets where there are none; how many were registered."""
    known = {camera.code for camera in cameras.all_of(db, node)}
    spare = Counter(camera.owner_kind for camera in simulated)
    city = sample_city()
    made = 0
    for camera in city:
        if spare[camera.owner_kind] > 0:
            spare[camera.owner_kind] -= 1  # a simulated one stands for it
        elif camera.code not in known:
            added = cameras.add(db, replace(camera, node=node, created_us=created_us), by="the sample city")
            states.put(db, CameraState(added.id, created_us, "disabled", "disabled", NOT_LINKED))
            made += 1
    if made:
        _name_sites(db, {camera.site: camera.name_hi.rpartition(", ")[0] for camera in city})
    if not targets.listing(db):
        targets.put(
            db,
            [
                Target(
                    kind,
                    "",
                    wanted=wanted,
                    is_all=wanted is None,
                    all_known=None,
                    made_by="demo",
                    changed_us=created_us,
                )
                for kind, wanted in TARGETS.items()
            ],
        )
    return made


def _name_sites(db: Connection, names_hi: Mapping[str, str]) -> None:
    """A site that a camera made has no Hindi name and stands where that camera stands; those of SITES have their own."""
    own = {place.name: place for place in SITES}
    for site in sites.all_sites(db):
        if site.name_hi or site.name not in names_hi:
            continue
        named = replace(site, name_hi=names_hi[site.name])
        if (place := own.get(site.name)) is not None:
            named = replace(named, lat=place.lat, lon=place.lon, own_place=True)
        sites.put(db, named)
