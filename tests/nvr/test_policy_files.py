"""Policies as a sheet: every fault is found, and what is written is read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Invalid
from nvr.policy_files import COLUMNS, read, size_bytes, written
from storage.terms import Policy, Terms

HEAD = ",".join(COLUMNS) + "\n"


def one(text: str) -> Policy:
    rows, faults = read(text, toml=False)
    assert faults == []
    (row,) = rows
    return row.policy


def test_reads_a_sheet_as_spreadsheets_write_it() -> None:
    rows, faults = read(
        "Name;Scope;Target;Max days;Min days;Quota bytes;;\r\n"
        'hospital;kind;hospital;45;;"1,5";;\r\n'
        ";;;;;;;\r\n"
        'west;zone;"West, upper";60;30;1.5 TB;;\r\n',
        toml=False,
    )
    assert [str(fault) for fault in faults] == [
        "row 2, quota_bytes: '1,5' is no size: write bytes, or such as 500GB or 1.5TB"
    ]
    assert [(row.place, row.policy) for row in rows] == [
        ("row 4", Policy(0, "west", "zone", "West, upper", Terms(30, 60, quota_bytes=1_500_000_000_000)))
    ]


def test_what_is_left_out_has_its_default() -> None:
    assert one("name,scope,max_days\nall,default,45\n") == Policy(0, "all", "default", "", Terms(45, 45, priority=50))


def test_a_camera_may_be_named_by_its_code() -> None:
    assert one("name,scope,target,max_days\ngate,camera,KNP-0412,45\n").target == "KNP-0412"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("x,zone,W,9,8,,,,,", "row 2, min_days (9) is more than max_days (8)"),
        ("x,zone,W,0,8,,,,,", "row 2, min_days is a whole number from 1 to 3650"),
        ("x,zone,W,1,4000,,,,,", "row 2, max_days is a whole number from 1 to 3650"),
        ("x,zone,W,1,8.5,,,,,", "row 2, max_days is a whole number"),
        ("x,zone,W,1,-8,,,,,", "row 2, max_days is a whole number"),
        ("x,zone,W,1,,,,,,", "row 2, max_days is missing"),
        (",zone,W,1,8,,,,,", "row 2, name is missing"),
        ("x,ward,W,1,8,,,,,", "row 2, scope is one of camera, tag, station, zone, kind, default"),
        ("x,zone,,1,8,,,,,", "row 2, target is missing: name the zone that it is for"),
        ("x,camera,,1,8,,,,,", "row 2, target is missing: name the camera that it is for"),
        ("x,kind,Bank ATM,1,8,,,,,", "row 2, target: a kind of owner is a word of a-z 0-9 _ that starts with a letter"),
        ("x,zone,W,1,8,,,,,101", "row 2, priority is a whole number from 0 to 100"),
        ("x,zone,W,1,8,,,cold!,,", "row 2, storage_class is a word of A-Z 0-9 _, such as STANDARD_IA"),
        ("x,zone,W,1,8,9,,,,", "row 2, offload_after_days is more than max_days: nothing would be offloaded"),
        ("x,camera,C,1,8,9,,,,", "row 2, offload_after_days is more than max_days: nothing would be offloaded"),
        ("x,zone,W,1,8,,,,,,more", "row 2, 'column 11' is not known: known are " + ", ".join(COLUMNS)),
    ],
)
def test_names_row_and_column(row: str, told: str) -> None:
    rows, faults = read(HEAD + row + "\n", toml=False)
    assert (rows, [str(fault) for fault in faults]) == ([], [told])


@pytest.mark.parametrize(
    ("text", "toml", "told"),
    [
        ("", False, "empty"),
        ("name,scope,max_days,colour\n", False, "'colour', which is none of"),
        ("name,scope,max_days,name\n", False, "'name', twice"),
        ("name,scope\n", False, "lacks the column max_days"),
        ('name,scope,max_days\n"x', False, "is no CSV"),
        ("x = ", True, "no TOML"),
        ("[server]\nport = 1\n", True, r"\[\[policy\]\]"),
        ("policy = 3\n", True, r"\[\[policy\]\]"),
    ],
)
def test_refuses_what_is_no_such_file(text: str, toml: bool, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        read(text, toml=toml)


def test_toml_names_the_policy_and_the_key() -> None:
    text = (
        '[[policy]]\nname = "a"\nscope = "default"\nmax_days = 9\n[[policy]]\nname = "b"\nscope = "zone"\nmaxdays = 9\n'
    )
    rows, faults = read(text, toml=True)
    assert [row.place for row in rows] == ["policy 1"]
    assert [str(fault) for fault in faults] == ["policy 2, 'maxdays' is not known: did you mean max_days?"]
    _, faults = read('[[policy]]\nname = "a"\nscope = "default"\nmax_days = true\n', toml=True)
    assert [str(fault) for fault in faults] == ["policy 1, max_days is a whole number"]


@pytest.mark.parametrize(
    ("text", "size"),
    [("500GB", 500 * 10**9), ("1.5 tb", 1_500 * 10**9), ("2GiB", 2 << 30), ("1000000", 10**6)],
)
def test_reads_sizes(text: str, size: int) -> None:
    assert size_bytes(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "1.2.3GB", "1PB", "0x10", "1e9", "١GB"])
def test_refuses_what_is_no_size(text: str) -> None:
    with pytest.raises(Invalid):
        size_bytes(text)


texts = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Cn", "Zl", "Zp", "Co"]), min_size=1, max_size=20)
optional_days = st.one_of(st.none(), st.integers(0, 30))


@given(
    st.lists(
        st.builds(
            Policy,
            st.just(0),
            st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}", fullmatch=True),
            st.sampled_from(["zone", "tag", "station"]),
            texts.map(str.strip).filter(bool),
            st.builds(
                Terms,
                st.integers(1, 30),
                st.integers(30, 3650),
                st.integers(0, 30),
                optional_days,
                st.sampled_from(["", "STANDARD_IA"]),
                st.one_of(st.none(), st.integers(1_000_000, 1 << 53).map(lambda size: size - 1 or size)),
                st.integers(0, 100),
            ).filter(lambda terms: terms.quota_bytes is None or terms.quota_bytes >= 1_000_000),
        ),
        max_size=4,
    ),
    st.booleans(),
)
def test_what_is_written_is_read_back(policies: list[Policy], toml: bool) -> None:
    rows, faults = read(written([(policy, policy.target) for policy in policies], toml=toml), toml=toml)
    assert faults == []
    assert [row.policy for row in rows] == policies
