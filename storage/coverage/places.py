"""Where a search can begin: sites, stations, wards, zones and cameras by their names, or typed coordinates. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from storage.catalog.places import Named, NamedSite
from storage.coverage import coordinates
from storage.coverage.shapes import MAX_RADIUS_M, Point, haversine_m
from storage.coverage.words import folded, holds, words

KINDS: Final = ("coordinates", "site", "station", "ward", "zone", "camera")
MIN_RADIUS_M: Final = 100.0
AROUND_M: Final = 500.0
"""Around typed coordinates."""
_GROUPS: Final[tuple[tuple[str, Callable[[Named], str]], ...]] = (
    ("station", lambda camera: camera.station),
    ("ward", lambda camera: camera.ward),
    ("zone", lambda camera: camera.zone),
)


@dataclass(frozen=True, slots=True)
class Place:
    """`kind`: one of KINDS. `radius_m` around the middle holds all its cameras."""

    kind: str
    name: str
    name_hi: str
    lat: float
    lon: float
    cameras: int
    radius_m: float


def find(
    text: str, cameras: Sequence[Named], sites: Sequence[NamedSite], *, city: tuple[float, ...], limit: int
) -> list[Place]:
    """What has all the words of `text` in its names or its address: those whose name is it, begins with it, has a word which
    does, the others; among equals by kind, cameras and name. What stands nowhere is left out. `city`: see `registry.city`."""
    point = coordinates.parse(text)
    if point is not None:
        return [_at(_turned(point, city), cameras)]
    wanted = words(text)
    if not wanted:
        return []
    whole = " ".join(wanted)
    ranked = [
        (_rank(names, whole), KINDS.index(place.kind), -place.cameras, place.name, place)
        for names, address, make in _candidates(cameras, sites)
        if holds((*names, address), wanted) and (place := make()) is not None
    ]
    ranked.sort(key=lambda one: one[:4])
    return [place for *_, place in ranked[:limit]]


def _rank(names: Iterable[str], whole: str) -> int:
    plain = [" ".join(folded(name).split()) for name in names if name]
    if whole in plain:
        return 0
    if any(name.startswith(whole) for name in plain):
        return 1
    return 2 if any(f" {whole}" in name for name in plain) else 3


Candidate = tuple[tuple[str, ...], str, Callable[[], Place | None]]
"""Names, address, how it is made."""


def _candidates(cameras: Sequence[Named], sites: Sequence[NamedSite]) -> Iterator[Candidate]:
    at_site: dict[str, list[Named]] = {}
    for camera in cameras:
        at_site.setdefault(camera.site, []).append(camera)
    for site in sites:
        own = (site.lat, site.lon) if site.lat is not None and site.lon is not None else None
        yield (
            (site.name, site.name_hi),
            site.address,
            _maker("site", site.name, site.name_hi, at_site.get(site.name, []), own),
        )
    for kind, name_of in _GROUPS:
        groups: dict[str, list[Named]] = {}
        for camera in cameras:
            if name := name_of(camera):
                groups.setdefault(name, []).append(camera)
        for name, members in groups.items():
            yield (name,), "", _maker(kind, name, "", members, None)
    for camera in cameras:
        yield (
            (camera.code, camera.name, camera.name_hi),
            camera.address,
            _maker("camera", camera.name or camera.code, camera.name_hi, [camera], None),
        )


def _maker(
    kind: str, name: str, name_hi: str, members: Sequence[Named], own: Point | None
) -> Callable[[], Place | None]:
    return lambda: _place(kind, name, name_hi, members, own)


def _place(kind: str, name: str, name_hi: str, members: Sequence[Named], own: Point | None) -> Place | None:
    points = _points(members)
    middle = own or _middle(points)
    if middle is None:
        return None
    radius_m = max((haversine_m(middle, point) for point in points), default=0.0)
    return Place(
        kind, name, name_hi, *middle, len(members), min(MAX_RADIUS_M, max(MIN_RADIUS_M, float(int(radius_m) + 1)))
    )


def _points(members: Iterable[Named]) -> list[Point]:
    return [(one.lat, one.lon) for one in members if one.lat is not None and one.lon is not None]


def _middle(points: Sequence[Point]) -> Point | None:
    if not points:
        return None
    return sum(lat for lat, _ in points) / len(points), sum(lon for _, lon in points) / len(points)


def _turned(point: Point, city: tuple[float, ...]) -> Point:
    """Longitude first, as some maps have it, where only that lies in the city."""
    if not city:
        return point
    south, west, north, east = city
    inside = south <= point[0] <= north and west <= point[1] <= east
    turned = south <= point[1] <= north and west <= point[0] <= east
    return (point[1], point[0]) if turned and not inside else point


def _at(point: Point, cameras: Sequence[Named]) -> Place:
    near = sum(haversine_m(point, other) <= AROUND_M for other in _points(cameras))
    return Place("coordinates", f"{point[0]:.5f}, {point[1]:.5f}", "", *point, near, AROUND_M)
