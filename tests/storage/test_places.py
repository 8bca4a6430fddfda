"""Typed coordinates, words in two scripts, shapes on the ground, and places by name."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Invalid
from storage.catalog.places import Named, NamedSite
from storage.coverage import coordinates
from storage.coverage.places import find
from storage.coverage.shapes import Area, Bounds, Box, Near, Point, Route, haversine_m
from storage.coverage.words import folded, holds, words
from storage.model import CameraId

CITY = (25.9, 79.5, 27.0, 80.9)
STAND: Point = (26.4499, 80.3319)


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("26.4499, 80.3319", STAND),
        (" 26.4499 80.3319 ", STAND),
        ("26.4499,80.3319", STAND),
        ("26.4499;80.3319", STAND),
        ("२६.४४९९, ८०.३३१९", STAND),
        ("26.4499N, 80.3319E", STAND),
        ("26.4499° N 80.3319° E", STAND),
        ("N 26.4499 E 80.3319", STAND),
        ("80.3319E 26.4499N", STAND),
        ("26.4499 उ, 80.3319 पू", STAND),
        ("२६.४४९९ उत्तर ८०.३३१९ पूर्व", STAND),
        ("26°26'59.64\"N 80°19'54.84\"E", STAND),
        ("26° 26′ 59.64″ N, 80° 19′ 54.84″ E", STAND),
        ("26°26.994'N 80°19.914'E", STAND),
        ("-26.4499, -80.3319", (-26.4499, -80.3319)),
        ("26.4499S 80.3319W", (-26.4499, -80.3319)),
        ("26, 80", (26, 80)),
    ],
)
def test_coordinates_are_read_as_people_type_them(text: str, point: Point) -> None:
    found = coordinates.parse(text)
    assert found is not None
    assert found == pytest.approx(point, abs=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bus stand",
        "26.4499",
        "Sector 26, 80 feet road",
        "126.4, 80.3",
        "26.4N 80.3N",
        "26°61'N 80°E",
        "26.4, 80.3, 9",
        "208001",
    ],
)
def test_other_texts_are_no_coordinates(text: str) -> None:
    assert coordinates.parse(text) is None


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    point = coordinates.parse(text)
    assert point is None or (abs(point[0]) <= 90 and abs(point[1]) <= 180)


@given(st.floats(-89, 89), st.floats(-179, 179))
def test_what_is_written_is_read(lat: float, lon: float) -> None:
    assert coordinates.parse(f"{lat:.6f}, {lon:.6f}") == (round(lat, 6), round(lon, 6))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Bus Stand", "stand bus"),
        ("बस स्टैंड", "स्टैंड"),
        ("सड़क", "सड\u093cक"),  # the letter in one piece and in two
        ("क्\u200dया", "क्या"),
        ("गेट २", "गेट 2"),
        ("STRASSE", "straße"),
        ("straße", "STRASSE"),
    ],
)
def test_words_are_found_however_they_are_written(text: str, wanted: str) -> None:
    assert holds([text], words(wanted))


def test_all_words_must_occur_but_in_any_text() -> None:
    assert holds(["Naveen Market", "Kotwali"], words("kotwali naveen"))
    assert not holds(["Naveen Market", "Kotwali"], words("kotwali market north"))
    assert not holds(["ab", "cd"], words("bc"))


@given(st.text())
def test_folding_again_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)


def ring(centre: Point, radius_m: float, corners: int = 60) -> tuple[Point, ...]:
    lat_m, lon_m = 111_195.0, 111_195.0 * math.cos(math.radians(centre[0]))
    turns = [2 * math.pi * corner / corners for corner in range(corners)]
    return tuple(
        (centre[0] + radius_m * math.cos(turn) / lat_m, centre[1] + radius_m * math.sin(turn) / lon_m) for turn in turns
    )


@given(st.floats(25.9, 27.0), st.floats(79.5, 80.9), st.floats(10, 20_000))
def test_a_circle_drawn_as_a_polygon_holds_what_the_circle_holds(lat: float, lon: float, radius_m: float) -> None:
    centre = (lat, lon)
    inside, outside = ring(centre, radius_m * 0.98), ring(centre, radius_m * 1.02)
    for shape in (Near(centre, radius_m), Area(ring(centre, radius_m))):
        shape.check()
        assert all(away is not None for away in shape.distances(inside))
        assert all(away is None for away in shape.distances(outside))
        assert [away for away in shape.distances(inside) if away] == pytest.approx([radius_m * 0.98] * 60, rel=0.005)
        box = shape.bounds
        assert all(box.south <= one[0] <= box.north and box.west <= one[1] <= box.east for one in inside)


def test_a_route_is_as_wide_as_it_says() -> None:
    route = Route(((26.44, 80.33), (26.46, 80.33)), 100)
    route.check()
    found = route.distances([(26.45, 80.33), (26.45, 80.3304), (26.45, 80.3306), (26.4604, 80.33), (26.4606, 80.33)])
    assert [None if away is None else round(away) for away in found] == [0, 40, None, 44, None]


def test_a_box_holds_its_edges() -> None:
    box = Box(Bounds(26.0, 80.0, 27.0, 81.0))
    box.check()
    assert [away is not None for away in box.distances([(26.0, 80.0), (27.0, 81.0), (27.1, 80.5), (26.5, 79.9)])] == [
        *(True, True),
        *(False, False),
    ]


@pytest.mark.parametrize("shape", [Near(STAND, 5), Area(ring(STAND, 50)), Route((STAND, (26.5, 80.4)), 9)])
def test_no_points_have_no_distances(shape: Near | Area | Route) -> None:
    assert shape.distances([]) == []


@pytest.mark.parametrize(
    ("shape", "field"),
    [
        (Near(STAND, 0.9), "radius_m"),
        (Near(STAND, 50_001), "radius_m"),
        (Box(Bounds(27, 80, 26, 81)), "bbox"),
        (Area(((26, 80), (26, 80.1), (26, 80.2))), "polygon"),
        (Area(((26, 80), (26.1, 80.1), (26.1, 80), (26, 80.1))), "polygon"),
        (Area(((26, 80), (26, 80.000001), (26.000001, 80))), "polygon"),
        (Area(((20, 70), (30, 70), (30, 80))), "polygon"),
        (Route((STAND, STAND), 10), "route"),
        (Route((STAND, (28.0, 77.0)), 10), "route"),
        (Route((STAND, (26.5, 80.4)), 1), "width_m"),
    ],
)
def test_what_is_no_shape_is_refused(shape: Near | Box | Area | Route, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        shape.check()
    assert refused.value.field == field


def test_a_degree_of_latitude_is_111_km() -> None:
    assert haversine_m((26, 80), (27, 80)) == pytest.approx(111_195, rel=1e-4)


def camera(number: int, lat: float | None = None, lon: float | None = None, **names: str) -> Named:
    empty = dict.fromkeys(("name", "name_hi", "site", "station", "ward", "zone", "address"), "")
    return Named(id=CameraId(number), code=f"KNP-{number}", lat=lat, lon=lon, **(empty | names))


SITES = [NamedSite("Bus Stand", "बस स्टैंड", "Jhakarkati", None, None), NamedSite("Mall", "मॉल", "", 26.48, 80.30)]
CITY_CAMERAS = [
    camera(1, 26.4500, 80.3300, name="Gate 1", site="Bus Stand", station="Anwarganj", zone="South"),
    camera(2, 26.4520, 80.3300, name="Gate 2", name_hi="गेट", site="Bus Stand", station="Anwarganj", zone="South"),
    camera(3, 26.4800, 80.3000, name="Stand of the bus", site="Mall", station="Kotwali", ward="Bus ward"),
    camera(4, name="Bus without a place", station="Nowhere"),
]


def names(text: str, limit: int = 9) -> list[tuple[str, str]]:
    return [(place.kind, place.name) for place in find(text, CITY_CAMERAS, SITES, city=CITY, limit=limit)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bus stand", [("site", "Bus Stand"), ("camera", "Stand of the bus")]),
        ("bus", [("site", "Bus Stand"), ("ward", "Bus ward"), ("camera", "Stand of the bus")]),
        ("बस स्टैंड", [("site", "Bus Stand")]),
        ("jhakar", [("site", "Bus Stand")]),
        ("anwarganj", [("station", "Anwarganj")]),
        ("south", [("zone", "South")]),
        ("knp-2", [("camera", "Gate 2")]),
        ("gate", [("camera", "Gate 1"), ("camera", "Gate 2")]),
        ("गेट", [("camera", "Gate 2")]),
        ("nowhere", []),  # it stands nowhere
        ("", []),
        ("  ", []),
    ],
)
def test_places_are_found_by_their_names_the_best_first(text: str, expected: list[tuple[str, str]]) -> None:
    assert names(text) == expected


def test_a_name_goes_before_an_address_and_more_cameras_before_fewer() -> None:
    def site(name: str, address: str) -> NamedSite:
        return NamedSite(name, "", address, 26.44, 80.34)

    sites = [site("Bank", "Gate road"), site("Gate A", ""), site("Gate B", "")]
    found = find("gate", [camera(1, 26.44, 80.34, site="Gate B")], sites, city=(), limit=9)
    assert [place.name for place in found] == ["Gate B", "Gate A", "Bank"]


def test_a_place_is_the_middle_of_its_cameras_and_holds_them() -> None:
    (stand,) = find("anwarganj", CITY_CAMERAS, SITES, city=CITY, limit=5)
    assert (round(stand.lat, 6), round(stand.lon, 6), stand.cameras) == (26.4510, 80.3300, 2)
    assert 111 <= stand.radius_m <= 113
    (mall,) = find("mall", CITY_CAMERAS, SITES, city=CITY, limit=5)
    assert (mall.lat, mall.lon, mall.cameras, mall.radius_m) == (26.48, 80.30, 1, 100.0)


def test_no_more_places_than_asked_for() -> None:
    assert len(names("bus", limit=1)) == 1


@pytest.mark.parametrize("text", ["26.4510, 80.3300", "80.3300, 26.4510"])
def test_typed_coordinates_are_a_place_the_right_way_round(text: str) -> None:
    (place,) = find(text, CITY_CAMERAS, SITES, city=CITY, limit=5)
    assert (place.kind, place.name, place.cameras) == ("coordinates", "26.45100, 80.33000", 2)
