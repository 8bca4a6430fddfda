"""Places on the ground: a circle, a box, a polygon, a route with a width. Pure; `distances` of the last two need shapely.

Points are (latitude, longitude) in degrees, distances metres. Geometry is done on a plane around the shape's middle, where a
degree of longitude has the length it has there: over 100 km that is wrong by less than a part in a thousand at 26 degrees.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from config.errors import Invalid

Point = tuple[float, float]
EARTH_M: Final = 6_371_008.8
DEGREE_M: Final = math.pi * EARTH_M / 180
MIN_RADIUS_M, MAX_RADIUS_M = 1.0, 50_000.0
MAX_WIDTH_M = 10_000.0
MAX_POINTS: Final = 200
MAX_EXTENT_M: Final = 200_000.0


@dataclass(frozen=True, slots=True)
class Bounds:
    south: float
    west: float
    north: float
    east: float

    def widened(self, metres: float) -> Bounds:
        lat = metres / DEGREE_M
        lon = lat / max(0.01, math.cos(math.radians(min(89.0, max(abs(self.south), abs(self.north)) + lat))))
        return Bounds(self.south - lat, self.west - lon, self.north + lat, self.east + lon)

    @property
    def middle(self) -> Point:
        return (self.south + self.north) / 2, (self.west + self.east) / 2


class Shape(Protocol):
    @property
    def bounds(self) -> Bounds:
        """Holds the shape; for a first choice by an index."""

    def check(self) -> None:
        """Raises Invalid naming the parameter where it is no shape on the ground."""

    def distances(self, points: Sequence[Point]) -> list[float | None]:
        """Of each point from what the shape is about: its centre, a route's line. None: outside."""


def _shapely() -> Any:
    """On first use: with numpy it takes a quarter of a second and 30 MB."""
    import shapely  # type: ignore[import-untyped]  # it has no types

    return shapely


def haversine_m(one: Point, other: Point) -> float:
    """Along the ground."""
    lat1, lat2 = math.radians(one[0]), math.radians(other[0])
    half = math.sin((lat2 - lat1) / 2) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin(math.radians(other[1] - one[1]) / 2) ** 2
    return 2 * EARTH_M * math.asin(math.sqrt(min(1.0, half)))


def bounds_of(points: Sequence[Point]) -> Bounds:
    lats, lons = [point[0] for point in points], [point[1] for point in points]
    return Bounds(min(lats), min(lons), max(lats), max(lons))


@dataclass(frozen=True, slots=True)
class Near:
    centre: Point
    radius_m: float

    @property
    def bounds(self) -> Bounds:
        return bounds_of([self.centre]).widened(self.radius_m)

    def check(self) -> None:
        if not MIN_RADIUS_M <= self.radius_m <= MAX_RADIUS_M:
            raise Invalid(
                f"radius_m is a number of metres from {MIN_RADIUS_M:.0f} to {MAX_RADIUS_M:.0f}", field="radius_m"
            )

    def distances(self, points: Sequence[Point]) -> list[float | None]:
        away = [haversine_m(self.centre, point) for point in points]
        return [metres if metres <= self.radius_m else None for metres in away]


@dataclass(frozen=True, slots=True)
class Box:
    bounds: Bounds

    def check(self) -> None:
        if not (self.bounds.south < self.bounds.north and self.bounds.west < self.bounds.east):
            raise Invalid("bbox is south, west, north, east: south lies below north and west below east", field="bbox")

    def distances(self, points: Sequence[Point]) -> list[float | None]:
        box, middle = self.bounds, self.bounds.middle
        return [
            haversine_m(middle, point)
            if box.south <= point[0] <= box.north and box.west <= point[1] <= box.east
            else None
            for point in points
        ]


@dataclass(frozen=True, slots=True)
class Plane:
    """Metres east and north of a point."""

    origin: Point

    def to_m(self, points: Sequence[Point]) -> list[tuple[float, float]]:
        lat0, lon0 = self.origin
        across = DEGREE_M * math.cos(math.radians(lat0))
        return [((lon - lon0) * across, (lat - lat0) * DEGREE_M) for lat, lon in points]


@dataclass(frozen=True, slots=True)
class Area:
    """A polygon; whether its last point repeats the first is all one."""

    points: tuple[Point, ...]

    @property
    def bounds(self) -> Bounds:
        return bounds_of(self.points)

    def _polygon(self) -> tuple[Any, Plane]:
        plane = Plane(self.bounds.middle)
        return _shapely().Polygon(plane.to_m(self.points)), plane

    def check(self) -> None:
        if len(set(self.points)) < 3:
            raise Invalid("polygon needs at least three different points", field="polygon")
        _check_extent(self.bounds, "polygon")
        polygon, _ = self._polygon()
        if not polygon.is_valid:
            raise Invalid("polygon touches or crosses itself: list its corners in order, once around", field="polygon")
        if polygon.area < 1:
            raise Invalid("polygon holds less than a square metre", field="polygon")

    def distances(self, points: Sequence[Point]) -> list[float | None]:
        if not points:
            return []
        polygon, plane = self._polygon()
        shapely, flat = _shapely(), plane.to_m(points)
        shapely.prepare(polygon)
        inside = shapely.intersects_xy(polygon, [x for x, _ in flat], [y for _, y in flat])
        away = shapely.distance(shapely.points(flat), polygon.centroid)
        return [float(metres) if within else None for metres, within in zip(away, inside, strict=True)]


@dataclass(frozen=True, slots=True)
class Route:
    """A line with `width_m` in all: half of it on either side."""

    points: tuple[Point, ...]
    width_m: float

    @property
    def bounds(self) -> Bounds:
        return bounds_of(self.points).widened(self.width_m / 2)

    def _line(self) -> tuple[Any, Plane]:
        plane = Plane(bounds_of(self.points).middle)
        return _shapely().LineString(plane.to_m(self.points)), plane

    def check(self) -> None:
        if not 2 * MIN_RADIUS_M <= self.width_m <= MAX_WIDTH_M:
            raise Invalid(f"width_m is a number of metres from 2 to {MAX_WIDTH_M:.0f}", field="width_m")
        if len(set(self.points)) < 2:
            raise Invalid("route needs at least two different points", field="route")
        _check_extent(self.bounds, "route")

    def distances(self, points: Sequence[Point]) -> list[float | None]:
        if not points:
            return []
        line, plane = self._line()
        away = _shapely().distance(_shapely().points(plane.to_m(points)), line)
        return [float(metres) if metres <= self.width_m / 2 else None for metres in away]


def _check_extent(bounds: Bounds, field: str) -> None:
    if haversine_m((bounds.south, bounds.west), (bounds.north, bounds.east)) > MAX_EXTENT_M:
        raise Invalid(f"{field} reaches over more than {MAX_EXTENT_M / 1000:.0f} km", field=field)
