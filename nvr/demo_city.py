"""The demo's cameras as they stand in the catalog: places of Kanpur, invented cameras."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    name: str
    name_hi: str
    owner_kind: str
    station: str
    covers: str
    lat: float
    lon: float


PLACES = (
    Place(
        "Jhakarkati bus stand, gate 1", "झकरकटी बस अड्डा, गेट 1", "bus_stand", "Babupurwa", "entrance", 26.4420, 80.3450
    ),
    Place("Bada Chauraha, north side", "बड़ा चौराहा, उत्तर", "smart_city", "Kotwali", "road_side", 26.4716, 80.3512),
    Place("Mall Road, bank entrance", "माल रोड, बैंक प्रवेश द्वार", "bank_atm", "Cantt", "entrance", 26.4667, 80.3580),
    Place("Ghantaghar police post", "घंटाघर पुलिस चौकी", "police_post", "Harbans Mohal", "public_area", 26.4540, 80.3510),
    Place("Moti Jheel, park exit", "मोती झील, निकास द्वार", "kda", "Swaroop Nagar", "exit", 26.4757, 80.3145),
    Place("Rawatpur crossing", "रावतपुर क्रॉसिंग", "nhai", "Kakadeo", "road_side", 26.4870, 80.2960),
    Place("Naveen Market, shop 12", "नवीन मार्केट, दुकान 12", "shop", "Kotwali", "public_area", 26.4700, 80.3500),
    Place("Kidwai Nagar petrol pump", "किदवई नगर पेट्रोल पंप", "petrol_pump", "Kidwai Nagar", "exit", 26.4310, 80.3310),
)


def place(number: int) -> Place:
    """Of camera `number`, counted from 1; names repeat with a number after the first round."""
    base = PLACES[(number - 1) % len(PLACES)]
    turn = (number - 1) // len(PLACES)
    if turn == 0:
        return base
    return base._replace(name=f"{base.name} ({turn + 1})", name_hi=f"{base.name_hi} ({turn + 1})")
