"""Merkle trees: the shape of RFC 6962, and proofs that outlive what they were made of."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Corrupt
from storage import merkle
from storage.merkle import Leaf, Node
from storage.model import RunId


def leaf(n: int) -> Leaf:
    return Leaf(n * 1_000_000, RunId(7), n, 1_000_000, 100 + n, hashlib.sha256(str(n).encode()).digest())


def by_the_book(hashes: Sequence[bytes]) -> bytes:
    """RFC 6962 2.1, as it is written there."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + by_the_book(hashes[:k]) + by_the_book(hashes[k:])).digest()


@given(st.integers(1, 300))
def test_root_is_that_of_rfc_6962(count: int) -> None:
    hashes = [leaf(n).hash() for n in range(count)]
    assert merkle.root(hashes) == by_the_book(hashes)


def test_known_roots() -> None:
    """The test vectors that implementations of certificate transparency share."""
    inputs = [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43"]
    hashes = [hashlib.sha256(b"\x00" + given).digest() for given in inputs]
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle.root(hashes[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.root(hashes[:3]).hex() == "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
    assert merkle.root(hashes[:5]).hex() == "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"


@given(st.integers(1, 200), st.data())
def test_any_order_of_deletions_keeps_the_root_provable(count: int, data: st.DataObject) -> None:
    hashes = [leaf(n).hash() for n in range(count)]
    expected = merkle.root(hashes)
    left = list(range(count))
    rows: list[list[Node]] = []  # one a deletion
    while left:
        first = data.draw(st.integers(0, len(left) - 1))
        size = data.draw(st.integers(1, len(left) - first))
        going = left[first : first + size]
        places = list(merkle.free([node for nodes in rows for node in nodes], count))
        assert places == left  # what is left knows its index from what went
        rows.append(merkle.cover(merkle.leaves((at, hashes[at]) for at in going), count))
        left = left[:first] + left[first + size :]
        nodes = [node for some in rows for node in some]
        assert merkle.proven([hashes[at] for at in left], nodes, count, expected) == ""
    assert merkle.cover([node for some in rows for node in some], count) == [Node(0, count, expected)]


@given(st.integers(2, 100), st.data())
def test_a_change_of_anything_shows(count: int, data: st.DataObject) -> None:
    hashes = [leaf(n).hash() for n in range(count)]
    expected = merkle.root(hashes)
    gone = data.draw(st.integers(1, count - 1))
    nodes = merkle.cover(merkle.leaves(enumerate(hashes[:gone])), count)
    rest = hashes[gone:]
    assert merkle.proven(rest, nodes, count, expected) == ""
    at = data.draw(st.integers(0, len(rest) - 1))
    assert merkle.proven([*rest[:at], bytes(32), *rest[at + 1 :]], nodes, count, expected)
    assert merkle.proven(rest[:at] + rest[at + 1 :], nodes, count, expected)
    assert merkle.proven([*rest, bytes(32)], nodes, count, expected)
    assert merkle.proven(rest, nodes[1:], count, expected)


def test_a_day_that_has_gone_is_one_hash() -> None:
    hashes = [leaf(n).hash() for n in range(1440)]
    nodes = merkle.cover(merkle.leaves(enumerate(hashes[:60])), 1440)
    assert [node.count for node in nodes] == [32, 16, 8, 4]
    for hour in range(1, 24):
        new = merkle.leaves((at, hashes[at]) for at in range(hour * 60, hour * 60 + 60))
        nodes = merkle.cover([*nodes, *new], 1440)
    assert nodes == [Node(0, 1440, merkle.root(hashes))]


@pytest.mark.parametrize(
    "nodes",
    [
        [Node(0, 2, b""), Node(1, 1, b"")],  # not disjoint
        [Node(1, 2, b"")],  # no subtree
        [Node(4, 4, b"")],  # beyond the tree
    ],
)
def test_what_is_no_subtree_is_refused(nodes: list[Node]) -> None:
    with pytest.raises(Corrupt):
        merkle.cover(nodes, 6)


@given(st.lists(st.integers(0, 1 << 30), max_size=40))
def test_packed_and_back(numbers: list[int]) -> None:
    leaves = [leaf(n) for n in numbers]
    nodes = [Node(n, 1, leaf(n).hash()) for n in numbers]
    assert merkle.unpack_leaves(merkle.pack_leaves(leaves)) == leaves
    assert merkle.unpack_nodes(merkle.pack_nodes(nodes)) == nodes
    assert merkle.unpack_nodes(merkle.pack_leaves(leaves)) == []
    assert merkle.unpack_leaves(merkle.pack_nodes(nodes)) == []


@given(st.integers(0, 100), st.binary(min_size=1, max_size=1))
def test_hashes_of_the_first_catalogs_are_neither(count: int, first: bytes) -> None:
    packed = b"".join(first + bytes(31) for _ in range(count))
    assert not merkle.unpack_nodes(packed)
    assert not merkle.unpack_leaves(packed)
