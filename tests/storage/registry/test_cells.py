"""What people type into the cells of a sheet."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Invalid
from config.owner_kinds import OwnerKind, all_kinds
from storage.camera_rules import COVERS
from storage.registry import cells

KINDS = all_kinds(["metro: Metro rail | मेट्रो रेल", "depot: Bus depot, shops"])
TEXTS = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp", "Cf"]) | st.sampled_from(" '=+-@;,\\"), max_size=30
)


@pytest.mark.parametrize(
    "text, degrees",
    [
        ("26.4716", 26.4716),
        ("26,4716", 26.4716),
        ("२६.४७१६", 26.4716),
        ("26.4716°", 26.4716),
        ("26.4716 N", 26.4716),
        ("26.4716° उ", 26.4716),
        ("S 26.5", -26.5),
        ("-26.5", -26.5),
        ("26°28'17.8\"N", 26.4716111),
        ("26° 28′ 17.8″ N", 26.4716111),
        ("N 26 28 17.8", 26.4716111),
        ("26:28:17.8", 26.4716111),
        ("26°28.5'", 26.475),
        ("26° 28' 17.8'' S", -26.4716111),
    ],
)
def test_a_latitude_may_be_written_in_many_ways(text: str, degrees: float) -> None:
    assert cells.angle(text, "lat") == pytest.approx(degrees, abs=1e-7)


@pytest.mark.parametrize(
    "text", ["", "x", "26.4.7", "26°61'00\"", "26 28 77", "80.35 E", "nan", "1e999", "26.47, 80.35"]
)
def test_what_is_no_latitude_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        cells.angle(text, "lat")


@given(st.text(max_size=40))
def test_any_text_is_an_angle_or_is_refused(text: str) -> None:
    with contextlib.suppress(Invalid):
        assert isinstance(cells.angle(text, "lon"), float)


@given(st.floats(-180, 180))
def test_a_number_comes_back_as_it_was(value: float) -> None:
    assert cells.angle(repr(value), "lon") == value


@pytest.mark.parametrize(
    "text, pair",
    [
        ("26.47, 80.35", ("26.47", "80.35")),
        ("26.47 80.35", ("26.47", "80.35")),
        ("26°28'N; 80°21'E", ("26°28'N", "80°21'E")),
    ],
)
def test_two_coordinates_in_one_cell(text: str, pair: tuple[str, str]) -> None:
    assert cells.pair(text) == pair


@pytest.mark.parametrize(
    "text, key",
    [
        ("bank_atm", "bank_atm"),
        ("Banks and ATMs", "bank_atm"),
        ("ATM", "bank_atm"),
        ("bank", "bank_atm"),
        ("बैंक", "bank_atm"),
        ("दुकान", "shop"),
        ("HOSPITAL", "hospital"),
        ("कोचिंग", "school"),
        ("Metro Rail", "metro"),
        ("मेट्रो रेल", "metro"),
        ("यूपीएसआरटीसी बस स्टेण्ड", "bus_stand"),
    ],
)
def test_a_kind_of_owner_is_known_by_key_and_by_name(text: str, key: str) -> None:
    assert cells.owner_kind(text, KINDS) == key


def test_an_unknown_kind_is_refused_with_the_nearest() -> None:
    with pytest.raises(Invalid, match="did you mean Petrol pumps"):
        cells.owner_kind("Petrol pmp", KINDS)
    with pytest.raises(Invalid, match="none of the kinds"):
        cells.owner_kind("zzzz", KINDS)
    # "shops" is a part of two names here, and so means neither.
    with pytest.raises(Invalid):
        cells.owner_kind("shops", KINDS)


def test_every_name_of_a_kind_means_that_kind() -> None:
    for kind in KINDS.values():
        assert isinstance(kind, OwnerKind)
        for word in kind:
            assert cells.owner_kind(word, KINDS) == kind.key


@pytest.mark.parametrize(
    "text, covers",
    [
        ("entrance", ("entrance",)),
        ("Entry Gate / Exit", ("entrance", "exit")),
        ("सड़क किनारे", ("road_side",)),
        ("निकास द्वार, प्रवेश द्वार", ("entrance", "exit")),
        ("road_side; public_area", ("road_side", "public_area")),
        ("public area and entrance", ("entrance", "public_area")),
        ("सार्वजनिक क्षेत्र एवं निकास", ("exit", "public_area")),
    ],
)
def test_what_a_camera_covers(text: str, covers: tuple[str, ...]) -> None:
    assert cells.covers(text) == covers


def test_what_it_cannot_cover_is_refused_with_the_nearest() -> None:
    with pytest.raises(Invalid, match="did you mean entrance"):
        cells.covers("entrence")


@pytest.mark.parametrize("language", ["en", "hi"])
def test_covers_come_back(language: str) -> None:
    assert cells.covers(cells.joined_covers(COVERS, language)) == COVERS


@pytest.mark.parametrize("text, meant", [("Yes", True), ("हाँ", True), ("1", True), ("नहीं", False), ("FALSE", False)])
def test_yes_and_no(text: str, meant: bool) -> None:
    assert cells.yes(text, "enabled") is meant


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+91 512", "-x", "@SUM(A1)", "\t=1", "＝1", "'=1", "''+1", "-", "NA", "'", "-5", "-26.4", "a=b", "'tis"],
)
def test_no_formula_is_written_and_the_text_comes_back(text: str) -> None:
    written = cells.safe(text)
    assert written[:1] not in ("=", "+", "@", "\t", "\r") and (written[:1] != "-" or written in ("-5", "-26.4"))
    assert cells.typed(written) == text
    assert cells.empties(written) is False


@given(TEXTS)
def test_any_text_comes_back(text: str) -> None:
    text = text.strip()
    assert cells.typed(cells.safe(text)) == text
    assert not text or not cells.empties(cells.safe(text))


@given(st.lists(TEXTS.map(str.strip).filter(bool), max_size=5))
def test_any_tags_come_back(tags: list[str]) -> None:
    assert cells.tags(cells.joined_tags(tags)) == tuple(tags)


def test_blanks_that_nobody_sees_are_taken_off() -> None:
    assert cells.typed(" \u00a0\u200bKNP-1\ufeff\u2003") == "KNP-1"
    assert cells.empties("\u00a0-\u200b") and cells.empties("n/a") and not cells.empties("")
