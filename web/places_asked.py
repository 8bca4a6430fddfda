"""Places in a query, read strictly: `near`, `bbox`, `polygon`, `route`, with their radius and width.

Latitude comes first. A point outside the city whose halves, the other way round, lie inside is taken for what it is: swapped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from config.errors import Invalid
from storage.coverage.shapes import (
    MAX_POINTS,
    MAX_RADIUS_M,
    MAX_WIDTH_M,
    MIN_RADIUS_M,
    Area,
    Bounds,
    Box,
    Near,
    Point,
    Route,
    Shape,
)
from web.operations import Parameter

SHAPES: Final = ("near", "bbox", "polygon", "route")
DEFAULT_RADIUS_M: Final = 500.0
DEFAULT_WIDTH_M: Final = 100.0
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{1,12})?")
_METRES: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_POINT = r"[+-]?[0-9]{1,3}(\.[0-9]{1,12})?"
_PAIR = rf"{_POINT},{_POINT}"


def shape(query: Mapping[str, str], city: tuple[float, ...]) -> Shape | None:
    """What the query asks for, at most one of four; None: everywhere. Raises Invalid naming the parameter. Whether a polygon
    holds ground is said by `Shape.check`, in a thread."""
    given = [name for name in SHAPES if name in query]
    if len(given) > 1:
        raise Invalid(f"{given[1]} is given beside {given[0]}: a search has one place", field=given[1])
    for name, needs in (("radius_m", "near"), ("width_m", "route")):
        if name in query and needs not in given:
            raise Invalid(f"{name} goes with {needs}", field=name)
    if not given:
        return None
    text = query[given[0]]
    if given[0] == "near":
        centre = _point(text, "near", city)
        return Near(centre, _metres(query, "radius_m", DEFAULT_RADIUS_M, MIN_RADIUS_M, MAX_RADIUS_M))
    if given[0] == "bbox":
        return _box(text, city)
    points = _points(text, given[0], city)
    if given[0] == "polygon":
        return Area(points)
    return Route(points, _metres(query, "width_m", DEFAULT_WIDTH_M, 2 * MIN_RADIUS_M, MAX_WIDTH_M))


def _metres(query: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    text = query.get(name)
    if text is None:
        return default
    if not _METRES.fullmatch(text) or not low <= float(text) <= high:
        raise Invalid(f"{name} is a number of metres from {low:.0f} to {high:.0f}", field=name)
    return float(text)


def _point(text: str, field: str, city: tuple[float, ...]) -> Point:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2 or not all(_NUMBER.fullmatch(part) for part in parts):
        raise Invalid(f"{field} has points as latitude,longitude in degrees, such as 26.4499,80.3319", field=field)
    lat, lon = float(parts[0]), float(parts[1])
    if abs(lat) > 90 or abs(lon) > 180:
        turned = f": did you mean {parts[1]},{parts[0]}?" if abs(lat) <= 180 and abs(lon) <= 90 else ""
        raise Invalid(f"{field}: latitude is -90 to 90 and comes first, longitude -180 to 180{turned}", field=field)
    if city and not _inside((lat, lon), city) and _inside((lon, lat), city):
        raise Invalid(
            f"{field}: {parts[0]},{parts[1]} lies outside the city and {parts[1]},{parts[0]} inside: latitude comes first",
            field=field,
        )
    return lat, lon


def _inside(point: Point, city: tuple[float, ...]) -> bool:
    south, west, north, east = city
    return south <= point[0] <= north and west <= point[1] <= east


def _points(text: str, field: str, city: tuple[float, ...]) -> tuple[Point, ...]:
    parts = [part for part in text.split(";") if part.strip()]
    if not parts:
        raise Invalid(f"{field} has no points: give latitude,longitude;latitude,longitude;...", field=field)
    if len(parts) > MAX_POINTS:
        raise Invalid(f"{field} has at most {MAX_POINTS} points", field=field)
    return tuple(_point(part, field, city) for part in parts)


def _box(text: str, city: tuple[float, ...]) -> Box:
    parts = text.split(",")
    if len(parts) != 4:
        raise Invalid("bbox has four numbers: south,west,north,east", field="bbox")
    corners = [_point(",".join(pair), "bbox", city) for pair in (parts[:2], parts[2:])]
    box = Box(Bounds(*corners[0], *corners[1]))
    box.check()
    return box


def _metre_schema(low: float, high: float, default: float) -> dict[str, object]:
    return {"type": "number", "minimum": low, "maximum": high, "default": default}


PARAMETERS: Final = (
    Parameter(
        "near",
        "query",
        {"type": "string", "pattern": f"^{_PAIR}$", "examples": ["26.4499,80.3319"]},
        "Around a point: LAT,LON.",
    ),
    Parameter(
        "radius_m",
        "query",
        _metre_schema(MIN_RADIUS_M, MAX_RADIUS_M, DEFAULT_RADIUS_M),
        "With `near`: how far, in metres.",
    ),
    Parameter(
        "bbox",
        "query",
        {"type": "string", "pattern": f"^{_PAIR},{_PAIR}$", "examples": ["26.44,80.32,26.46,80.35"]},
        "In a box: SOUTH,WEST,NORTH,EAST.",
    ),
    Parameter(
        "polygon",
        "query",
        {
            "type": "string",
            "pattern": f"^{_PAIR}(;{_PAIR}){{2,199}}$",
            "examples": ["26.44,80.32;26.46,80.32;26.45,80.35"],
        },
        "In a polygon: its corners in order, LAT,LON;LAT,LON;...",
    ),
    Parameter(
        "route",
        "query",
        {"type": "string", "pattern": f"^{_PAIR}(;{_PAIR}){{1,199}}$", "examples": ["26.44,80.32;26.46,80.35"]},
        "Along a line: LAT,LON;LAT,LON;...",
    ),
    Parameter(
        "width_m",
        "query",
        _metre_schema(2 * MIN_RADIUS_M, MAX_WIDTH_M, DEFAULT_WIDTH_M),
        "With `route`: its width in all, in metres.",
    ),
)
