"""Which policy a camera gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.effective import Wanted, fitting, index, wanted_by
from storage.model import CameraId
from storage.terms import SCOPES, Policy, Subject, Terms

DEFAULT = Policy(1, "default", "default", "", Terms(30, 30))
KIND = Policy(2, "banks", "kind", "bank_atm", Terms(90, 90))
ZONE = Policy(3, "west", "zone", "West", Terms(40, 40))
STATION = Policy(4, "kotwali", "station", "Kotwali", Terms(20, 50))
FESTIVAL = Policy(5, "festival", "tag", "festival", Terms(10, 10))
METRO = Policy(6, "metro", "tag", "metro", Terms(10, 12))
GATE = Policy(7, "gate", "camera", "1", Terms(1, 1))
ALL = [DEFAULT, KIND, ZONE, STATION, FESTIVAL, METRO, GATE]


def subject(
    number: int = 1, *, kind: str = "", station: str = "", zone: str = "", tags: tuple[str, ...] = ()
) -> Subject:
    return Subject(CameraId(number), f"KNP-{number}", kind, station, zone, tags)


@pytest.mark.parametrize(
    ("camera", "expected", "why"),
    [
        (subject(9), DEFAULT, "default"),
        (subject(9, kind="shop", station="?", zone="?", tags=("?",)), DEFAULT, "default"),
        (subject(9, kind="bank_atm"), KIND, "kind bank_atm"),
        (subject(9, kind="bank_atm", zone="West"), ZONE, "zone West"),
        (subject(9, kind="bank_atm", zone="West", station="Kotwali"), STATION, "station Kotwali"),
        (subject(9, kind="bank_atm", zone="West", station="Kotwali", tags=("festival",)), FESTIVAL, "tag festival"),
        (subject(9, tags=("festival", "metro")), METRO, "tag metro"),
        (subject(9, tags=("metro", "festival")), METRO, "tag metro"),
        (subject(1, kind="bank_atm", tags=("metro",)), GATE, "camera KNP-1"),
        (subject(9, kind="West"), DEFAULT, "default"),
    ],
)
def test_the_most_specific_policy_wins(camera: Subject, expected: Policy, why: str) -> None:
    assert wanted_by(ALL, [camera]) == {camera.id: Wanted(expected.id, expected.name, why, expected.terms)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Terms(1, 11), Terms(10, 10)),
        (Terms(6, 10), Terms(5, 10)),
        (Terms(5, 10), Terms(5, 10, quota_bytes=1 << 40)),
        (Terms(5, 10, quota_bytes=2), Terms(5, 10, quota_bytes=1)),
        (Terms(5, 10), Terms(5, 10)),
    ],
)
def test_among_equals_the_longest_wins_in_any_order(one: Terms, other: Terms) -> None:
    first, second = Policy(1, "a", "tag", "x", one), Policy(2, "b", "tag", "y", other)
    for policies in ([first, second], [second, first]):
        for tags in (("x", "y"), ("y", "x")):
            assert fitting(index(policies), subject(tags=tags)) == first


def test_without_any_policy_nothing_is_wanted() -> None:
    assert wanted_by([KIND], [subject(kind="shop")]) == {}


def test_an_empty_field_is_nobodys_target() -> None:
    nobody = [Policy(number, scope, scope, "", Terms(1, 1)) for number, scope in enumerate(SCOPES[:-1])]
    assert wanted_by(nobody, [subject(tags=("",))]) == {}


words = st.sampled_from(["", "a", "b", "c"])
cameras = st.builds(
    subject,
    st.integers(1, 3),
    kind=words,
    station=words,
    zone=words,
    tags=st.lists(words, max_size=3, unique=True).map(tuple),
)
keys = st.tuples(st.sampled_from(SCOPES), st.sampled_from(["1", "2", "a", "b", "c"]))
terms = st.builds(lambda low, more: Terms(low, low + more), st.integers(1, 3), st.integers(0, 3))


def fits(policy: Policy, camera: Subject) -> bool:
    return {
        "camera": policy.target == str(camera.id),
        "tag": policy.target in camera.tags,
        "station": policy.target == camera.station,
        "zone": policy.target == camera.zone,
        "kind": policy.target == camera.kind,
        "default": True,
    }[policy.scope]


@given(cameras, st.dictionaries(keys, terms), st.randoms())
def test_no_fitting_policy_is_more_specific_or_as_specific_and_longer(camera: Subject, made, random) -> None:  # type: ignore[no-untyped-def]
    policies = [
        Policy(number, f"p{number}", scope, "" if scope == "default" else target, wanted)
        for number, ((scope, target), wanted) in enumerate(made.items(), 1)
    ]
    policies = list({(policy.scope, policy.target): policy for policy in policies}.values())
    shuffled = policies.copy()
    random.shuffle(shuffled)
    chosen = fitting(index(shuffled), camera)
    assert chosen == fitting(index(policies), camera)
    rivals = [policy for policy in policies if fits(policy, camera)]
    if chosen is None:
        assert rivals == []
        return
    assert fits(chosen, camera)
    for rival in rivals:
        assert SCOPES.index(chosen.scope) <= SCOPES.index(rival.scope)
        if rival.scope == chosen.scope:
            assert (chosen.terms.max_days, chosen.terms.min_days) >= (rival.terms.max_days, rival.terms.min_days)
