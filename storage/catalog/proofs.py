"""A camera's day is closed with a Merkle root, and later checked against it: what is there and what is told to be gone make it.

Run `close` in the writer, `check` in a reader.
"""

from __future__ import annotations

from storage import merkle
from storage.catalog import days, deletions
from storage.catalog.days import Day
from storage.catalog.sqlite import Connection
from storage.model import CameraId


def close(db: Connection, camera_id: CameraId, day_us: int, at_us: int) -> Day:
    """Give a day its root, over what is there and what was deleted before; the same again where it has one.

    From then on nodes stand for what was deleted, in place of the leaves kept so far.
    """
    known = days.get(db, camera_id, day_us)
    if known is not None:
        return known
    there = days.leaves_of(db, camera_id, day_us)
    names = {(leaf.run_id, leaf.n) for leaf in there}
    kept = {}
    for deletion in deletions.of_day(db, camera_id, day_us):
        if leaves := merkle.unpack_leaves(deletion.nodes):
            # What was missing and is back has its place among those that are there.
            kept[deletion.id] = [leaf for leaf in leaves if (leaf.run_id, leaf.n) not in names]
            names.update((leaf.run_id, leaf.n) for leaf in leaves)
    ordered = sorted([*there, *(leaf for leaves in kept.values() for leaf in leaves)])
    hashes = [leaf.hash() for leaf in ordered]
    places = {(leaf.run_id, leaf.n): place for place, leaf in enumerate(ordered)}
    for deletion_id, leaves in kept.items():
        at = [places[leaf.run_id, leaf.n] for leaf in leaves]
        nodes = merkle.cover(merkle.leaves((place, hashes[place]) for place in at), len(ordered))
        deletions.set_nodes(db, deletion_id, merkle.pack_nodes(nodes))
    day = Day(len(ordered), merkle.root(hashes), at_us)
    days.put(db, camera_id, day_us, day)
    return day


def check(db: Connection, camera_id: CameraId, day_us: int) -> str:
    """Empty where rows and deletions make the day's root, else what is wrong. A day that is not closed cannot be checked."""
    day = days.get(db, camera_id, day_us)
    if day is None:
        return "the day is not closed"
    late = days.late_of(db, camera_id, day_us)
    hashes = [leaf.hash() for leaf in days.leaves_of(db, camera_id, day_us) if (leaf.run_id, leaf.n) not in late]
    nodes = deletions.nodes_of(deletions.of_day(db, camera_id, day_us))
    return merkle.proven(hashes, nodes, day.leaves, day.root)
