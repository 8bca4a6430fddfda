"""Merkle trees over the footage of a camera's day, in the shape of RFC 6962: what remains is proven though some has gone.

Pure. A leaf stands for a segment: its run, number, hash, start, length and size. Leaves lie in the order of (start, run,
number). What is deleted is replaced by *nodes*, the smallest subtrees that cover it: root and proofs of the rest stay.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from config.errors import Corrupt
from storage.model import RunId, Segment

_LEAF = struct.Struct(">QI32sqQQ")
_NODE = struct.Struct(">II32s")
LEAF_BYTES = _LEAF.size
NODES, LEAVES = b"\x01", b"\x02"
"""First byte of `deletion.merkle_nodes`. Hashes alone, as the first catalogs had them, are told by a length of 32 n."""


@dataclass(frozen=True, slots=True, order=True)
class Leaf:
    """Of one segment. Ordered as the leaves of a tree are."""

    start_us: int
    run_id: RunId
    n: int
    dur_us: int
    size_bytes: int
    sha256: bytes

    def packed(self) -> bytes:
        return _LEAF.pack(self.run_id, self.n, self.sha256, self.start_us, self.dur_us, self.size_bytes)

    def hash(self) -> bytes:
        return hashlib.sha256(b"\x00" + self.packed()).digest()


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """The hash of the subtree over `count` leaves from `first` on."""

    first: int
    count: int
    hash: bytes

    @property
    def end(self) -> int:
        return self.first + self.count


def leaf_of(segment: Segment) -> Leaf:
    return Leaf(
        segment.start_us, segment.run_id, segment.n, segment.dur_us, segment.size_bytes, segment.sha256 or bytes(32)
    )


def leaf_from(packed: bytes) -> Leaf:
    run_id, n, sha256, start_us, dur_us, size_bytes = _LEAF.unpack(packed)
    return Leaf(start_us, RunId(run_id), n, dur_us, size_bytes, sha256)


def split(count: int) -> int:
    """Leaves in the left half of a tree of `count` > 1: the largest power of two below it (RFC 6962 2.1)."""
    return 1 << (count - 1).bit_length() - 1


def parent(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """Of a tree with these leaf hashes; of none, the hash of nothing."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    level = list(hashes)
    while len(level) > 1:  # the same tree as by `split`, from below: the last odd one moves up as it is
        paired = [parent(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = [*paired, level[-1]] if len(level) % 2 else paired
    return level[0]


def leaves(hashes: Iterable[tuple[int, bytes]]) -> list[Node]:
    """(index, leaf hash) as nodes of one leaf each."""
    return [Node(index, 1, digest) for index, digest in hashes]


def cover(nodes: Iterable[Node], count: int) -> list[Node]:
    """The fewest subtrees of a tree with `count` leaves that stand for all that these stand for.

    They must be subtrees of that tree, disjoint; raises Corrupt where they are not.
    """
    ordered = sorted(nodes)
    return _cover(ordered, 0, len(ordered), 0, count)


def _cover(nodes: Sequence[Node], low: int, high: int, first: int, count: int) -> list[Node]:
    """Of nodes[low:high], all of which must lie in the subtree over `count` leaves from `first` on."""
    if low == high:
        return []
    if high - low == 1 and nodes[low].first == first and nodes[low].count == count:
        return [nodes[low]]
    if count == 1 or nodes[low].first < first or nodes[high - 1].end > first + count:
        raise Corrupt("these nodes are no disjoint subtrees of that tree")
    half = split(count)
    middle = low
    while middle < high and nodes[middle].first < first + half:
        middle += 1
    left = _cover(nodes, low, middle, first, half)
    right = _cover(nodes, middle, high, first + half, count - half)
    if len(left) == len(right) == 1 and left[0].count == half and right[0].count == count - half:
        return [Node(first, count, parent(left[0].hash, right[0].hash))]
    return left + right


def free(nodes: Iterable[Node], count: int) -> Iterator[int]:
    """Indexes of a tree with `count` leaves for which no node stands, ascending."""
    at = 0
    for node in sorted(nodes):
        yield from range(at, node.first)
        at = node.end
    yield from range(at, count)


def proven(hashes: Sequence[bytes], nodes: Sequence[Node], count: int, expected: bytes) -> str:
    """Whether the leaves that remain, in their order, and the nodes for those that went make the tree: empty, or why not."""
    if count == 0:
        return "" if not hashes and not nodes and expected == root([]) else "an empty day has leaves"
    places = list(free(nodes, count))
    if len(places) != len(hashes):
        gone = sum(node.count for node in nodes)
        return f"of {count} leaves {len(hashes)} are there and {gone} are deleted"
    try:
        found = cover([*nodes, *leaves(zip(places, hashes, strict=True))], count)
    except Corrupt as error:
        return error.message
    if len(found) != 1 or found[0].hash != expected:
        return "the root is another"
    return ""


def pack_nodes(nodes: Iterable[Node]) -> bytes:
    return NODES + b"".join(_NODE.pack(node.first, node.count, node.hash) for node in nodes)


def pack_leaves(kept: Iterable[Leaf]) -> bytes:
    return LEAVES + b"".join(leaf.packed() for leaf in kept)


def unpack_nodes(packed: bytes) -> list[Node]:
    """Of a deletion in a closed day; none in any other."""
    if packed[:1] != NODES or len(packed) % 32 == 0:
        return []
    return [Node(*values) for values in _NODE.iter_unpack(packed[1:])]


def unpack_leaves(packed: bytes) -> list[Leaf]:
    """Of a deletion in a day that is not closed; none in any other."""
    if packed[:1] != LEAVES or len(packed) % 32 == 0:
        return []
    return [leaf_from(packed[at : at + LEAF_BYTES]) for at in range(1, len(packed), LEAF_BYTES)]
