"""Places that a camera tells of itself, such as a bus with GPS: many, late, twice, in any order.

The camera's row always has its newest place; what search asks for at an earlier time is in `camera_place`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from config.errors import Invalid
from storage.catalog import camera_history, cameras
from storage.catalog.camera_history import Place
from storage.catalog.sqlite import Connection
from storage.clock import wall_us
from storage.model import Camera, CameraId

AHEAD_US = 5 * 60_000_000
"""A place may lie so far in the future: clocks in buses run ahead."""


@dataclass(frozen=True, slots=True)
class Taken:
    """`same`: those that were known as they are. `camera`: as its row is now."""

    camera: Camera
    added: int
    corrected: int
    same: int


def take(db: Connection, camera_id: CameraId, places: Sequence[Place], *, by: str = "") -> Taken:
    """Keep them; one that begins when a known one begins corrects it. Raises NotFound, or Invalid naming `items.N.field`; then
    nothing is kept (the caller's transaction)."""
    before = cameras.get(db, camera_id)
    now_us = wall_us()
    known = camera_history.count_places(db, camera_id)
    added = corrected = 0
    for number, place in enumerate(places):
        if place.since_us > now_us + AHEAD_US:
            raise Invalid(f"items.{number}.since lies in the future", field=f"items.{number}.since")
        there = camera_history.place_since(db, camera_id, place.since_us)
        if there == place:
            continue
        added += there is None
        corrected += there is not None
        try:
            camera_history.put_place(db, place)
        except Invalid as error:
            where = f"items.{number}.{error.field}"
            raise Invalid(f"items.{number}: {error.message}", field=where) from None
    told: dict[str, list[Any]] = {}
    after = _newest(db, before)
    told |= {
        name: [getattr(before, name), getattr(after, name)]
        for name in camera_history.PLACE
        if getattr(before, name) != getattr(after, name)
    }
    if added:
        told["places"] = [known, known + added]
    if corrected:
        told["corrected_places"] = [None, corrected]
    if told:
        camera_history.fed(db, camera_id, told, by=by, at_us=now_us)
    return Taken(after, added, corrected, len(places) - added - corrected)


def _newest(db: Connection, camera: Camera) -> Camera:
    """The camera with its newest place in its row."""
    found = camera_history.place_page(db, camera.id, limit=1)
    if not found:
        return camera
    return cameras.put_place(db, camera, found[0].lat, found[0].lon, found[0].bearing)
