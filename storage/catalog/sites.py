"""Rows of `site`: the shop, the crossing, the bus stand that cameras stand at. `camera.site` holds a site's name.

A camera that names an unknown site makes it, so a sheet of cameras needs no sheet of sites. What renames cameras along with
their site is `storage.catalog.site_changes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from config.errors import Conflict, NotFound
from storage.camera_rules import MAX_WORDS, search_words
from storage.catalog.sqlite import Connection, Row, sqlite3
from storage.clock import wall_us
from storage.model import Camera


@dataclass(frozen=True, slots=True)
class Site:
    """`lat`, `lon`: its own place, else the middle of its cameras' places, else None. `own_place`: whether it is its own.
    `cameras`: how many stand there, archived ones left out."""

    id: int
    name: str
    name_hi: str = ""
    owner_kind: str = ""
    owner: str = ""
    contact: str = ""
    station: str = ""
    ward: str = ""
    zone: str = ""
    address: str = ""
    lat: float | None = None
    lon: float | None = None
    created_us: int = 0
    own_place: bool = False
    cameras: int = 0


INSERT = (
    "INSERT INTO site (name, name_hi, owner_kind, owner, contact, station, ward, zone, address, lat, lon, created_us)"
    " VALUES (:name, :name_hi, :owner_kind, :owner, :contact, :station, :ward, :zone, :address, :lat, :lon, :created_us)"
)
UPDATE = (
    "UPDATE site SET name = :name, name_hi = :name_hi, owner_kind = :owner_kind, owner = :owner, contact = :contact,"
    " station = :station, ward = :ward, zone = :zone, address = :address, lat = :lat, lon = :lon WHERE id = :id"
)
PAGE = """
SELECT site.*,
       (SELECT count(*) FROM camera WHERE camera.site = site.name AND camera.site <> '' AND archived_us IS NULL) AS cameras,
       (SELECT avg(lat) FROM camera WHERE camera.site = site.name AND camera.site <> '' AND archived_us IS NULL) AS mean_lat,
       (SELECT avg(lon) FROM camera WHERE camera.site = site.name AND camera.site <> '' AND archived_us IS NULL) AS mean_lon
FROM site
WHERE (:id IS NULL OR id = :id) AND name > :after
  AND (:w0 = '' OR NOT EXISTS (
    SELECT 1 FROM (VALUES (:w0), (:w1), (:w2), (:w3), (:w4), (:w5), (:w6), (:w7)) AS words
    WHERE instr(lower(name || char(10) || name_hi || char(10) || owner || char(10) || station || char(10) || ward
          || char(10) || zone || char(10) || address), words.column1) = 0
  ))
ORDER BY name
LIMIT :limit
"""


def _values(site: Site) -> dict[str, Any]:
    """`lat` and `lon` are kept where they are the site's own."""
    own = site.own_place
    return {
        "id": site.id,
        "name": site.name,
        "name_hi": site.name_hi,
        "owner_kind": site.owner_kind,
        "owner": site.owner,
        "contact": site.contact,
        "station": site.station,
        "ward": site.ward,
        "zone": site.zone,
        "address": site.address,
        "lat": site.lat if own else None,
        "lon": site.lon if own else None,
        "created_us": site.created_us,
    }


def _site(row: Row) -> Site:
    own = row["lat"] is not None
    return Site(
        id=row["id"],
        name=row["name"],
        name_hi=row["name_hi"],
        owner_kind=row["owner_kind"],
        owner=row["owner"],
        contact=row["contact"],
        station=row["station"],
        ward=row["ward"],
        zone=row["zone"],
        address=row["address"],
        lat=row["lat"] if own else row["mean_lat"],
        lon=row["lon"] if own else row["mean_lon"],
        created_us=row["created_us"],
        own_place=own,
        cameras=row["cameras"],
    )


def ensure(db: Connection, camera: Camera) -> None:
    """The site that the camera names is there; one that is new takes station, ward, zone, address, owner and place of it."""
    if not camera.site or exists(db, camera.site):
        return
    db.execute(
        INSERT,
        _values(
            Site(
                id=0,
                name=camera.site,
                owner_kind=camera.owner_kind,
                owner=camera.owner,
                contact=camera.contact,
                station=camera.station,
                ward=camera.ward,
                zone=camera.zone,
                address=camera.address,
                lat=camera.lat,
                lon=camera.lon,
                created_us=wall_us(),
                own_place=camera.lat is not None,
            )
        ),
    )


def exists(db: Connection, name: str) -> bool:
    return db.execute("SELECT 1 FROM site WHERE name = :name", {"name": name}).fetchone() is not None


def insert(db: Connection, site: Site) -> Site:
    """`site.id` is given anew. Raises Conflict where the name is taken. The caller has looked at the fields."""
    try:
        cursor = db.execute(INSERT, _values(site))
    except sqlite3.IntegrityError:
        raise _taken(site.name) from None
    return get(db, int(cursor.lastrowid or 0))


def put(db: Connection, site: Site) -> None:
    """The row of `site.id` as it is now. Raises Conflict where the name is taken."""
    try:
        db.execute(UPDATE, _values(site))
    except sqlite3.IntegrityError:
        raise _taken(site.name) from None


def _taken(name: str) -> Conflict:
    return Conflict(f"another site has the name {name}", field="name")


def page(db: Connection, *, text: str = "", after: str = "", limit: int) -> list[Site]:
    """By name (in binary order), those after the name `after`, at most `limit`. Each word of `text` occurs somewhere."""
    return [_site(row) for row in db.execute(PAGE, _page_values(search_words(text), after, limit))]


def _page_values(words: Iterable[str], after: str, limit: int, site_id: int | None = None) -> dict[str, Any]:
    padded = [*words, *[""] * MAX_WORDS][:MAX_WORDS]
    return {"id": site_id, "after": after, "limit": limit} | {f"w{number}": word for number, word in enumerate(padded)}


def all_sites(db: Connection) -> list[Site]:
    """By name, with how many cameras stand there and where it is."""
    return page(db, limit=-1)


def get(db: Connection, site_id: int) -> Site:
    """Raises NotFound."""
    row = db.execute(PAGE, _page_values((), "", 1, site_id)).fetchone()
    if row is None:
        raise NotFound(f"there is no site {site_id}", field="site_id")
    return _site(row)


def delete(db: Connection, site_id: int) -> None:
    """Raises NotFound, or Conflict while cameras stand there. Archived ones keep the name, and make the site anew when they
    come back."""
    site = get(db, site_id)
    if site.cameras:
        raise Conflict(
            f"{site.cameras} camera{'' if site.cameras == 1 else 's'} stand{'s' if site.cameras == 1 else ''} at the site "
            f"{site.name}: give them another site first",
            field="site_id",
            cameras=site.cameras,
        )
    db.execute("DELETE FROM site WHERE id = :id", {"id": site_id})
