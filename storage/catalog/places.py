"""Names of places: what cameras and sites say of where they are."""

from __future__ import annotations

from dataclasses import dataclass

from storage.catalog.sqlite import Connection
from storage.model import CameraId


@dataclass(frozen=True, slots=True)
class Named:
    """A camera's names of places, and where it stands now; `lat` None: not known."""

    id: CameraId
    code: str
    name: str
    name_hi: str
    site: str
    station: str
    ward: str
    zone: str
    address: str
    lat: float | None
    lon: float | None


def cameras(db: Connection) -> list[Named]:
    """All that are not archived, by code."""
    cursor = db.cursor()
    cursor.row_factory = None
    rows = cursor.execute(
        "SELECT id, code, name, name_hi, site, station, ward, zone, address, lat, lon FROM camera"
        " WHERE archived_us IS NULL ORDER BY code"
    )
    return [Named(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class NamedSite:
    name: str
    name_hi: str
    address: str
    lat: float | None
    lon: float | None


def sites(db: Connection) -> list[NamedSite]:
    """By name; `lat` None: it stands where its cameras do."""
    rows = db.execute("SELECT name, name_hi, address, lat, lon FROM site ORDER BY name")
    return [NamedSite(*row) for row in rows]
