"""Changes of a site. A new name goes to its cameras as well, and into the history of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from storage.camera_rules import checked_site_texts
from storage.catalog import cameras, sites
from storage.catalog.sites import Site
from storage.catalog.sqlite import Connection
from storage.model import CameraId

_TEXTS = ("name", "name_hi", "owner_kind", "owner", "contact", "station", "ward", "zone", "address")


def add(db: Connection, site: Site) -> Site:
    """`site.id` is given anew. Raises Invalid naming the field, or Conflict where the name is taken."""
    return sites.insert(db, _checked(site))


def change(db: Connection, site_id: int, *, by: str = "", **changes: Any) -> tuple[Site, list[CameraId]]:
    """(the site, the cameras that its new name renamed). `lat` and `lon` are changed together; None for both: its cameras
    say where it is. Raises NotFound, Invalid, or Conflict where the new name is taken."""
    before = sites.get(db, site_id)
    if "lat" in changes or "lon" in changes:
        own = {"lat": before.lat, "lon": before.lon} if before.own_place else {"lat": None, "lon": None}
        changes = own | changes
        changes["own_place"] = changes["lat"] is not None or changes["lon"] is not None
    after = _checked(replace(before, **changes))
    sites.put(db, after)
    moved = []
    if after.name != before.name:
        for camera_id in cameras.ids_at(db, before.name):
            cameras.update(db, camera_id, by=by, site=after.name)
            moved.append(camera_id)
    return sites.get(db, site_id), moved


def _checked(site: Site) -> Site:
    texts: dict[str, Any] = {**checked_site_texts({name: getattr(site, name) for name in _TEXTS}, site.lat, site.lon)}
    return replace(site, **texts)
