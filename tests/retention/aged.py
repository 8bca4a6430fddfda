"""A node with old footage: real files, brought in by ingest, of cameras that are promised thirty days."""

from __future__ import annotations

from functools import partial

from retention.plan import Cut
from retention.sweep import Sweeper, Swept
from retention.unlink import Step
from storage.catalog import garbage, holds, offloads, policies, segments
from storage.catalog import runs as run_rows
from storage.catalog.sqlite import Connection
from storage.clock import wall_us
from storage.model import CameraId, Segment, Tier
from storage.terms import DAY_US, Hold, InForce, Terms
from tests.lavfi import recorded
from tests.storage.node import Node

THIRTY = Terms(30, 30)
POLICY = 7


async def aged(
    node: Node, code: str = "KNP-1", *, days: float = 40, runs: int = 1, terms: Terms = THIRTY
) -> list[Segment]:
    """A camera with finished runs of three segments each, `days` old."""
    camera = await node.camera(code)
    start_us = wall_us() - int(days * DAY_US)
    made = [await node.run(camera, start_us + copy * 60_000_000) for copy in range(runs)]
    for run in made:
        node.put(camera, run, recorded())
    await node.sweep()
    for run in made:
        await node.catalog.write(partial(run_rows.end, run_id=run, ended_us=start_us, reason="stopped"))
    await promise(node, camera, terms)
    rows = await node.rows(camera)
    assert len(rows) == 3 * runs
    return rows


async def promise(node: Node, camera: CameraId, terms: Terms) -> None:
    row = InForce(camera, POLICY, "default", "default", terms, 0)
    await node.catalog.write(partial(policies.put_in_force, rows=[row]))


def sweeper(node: Node, step: Step = lambda name: None) -> Sweeper:
    return Sweeper(node.catalog, node.volumes, clock=node.clock, step=step)


def cut(rows: list[Segment], *, kind: str = "delete", reason: str = "max_days", before_us: int | None = None) -> Cut:
    """Of everything that ends by `before_us`, or of all these rows."""
    before_us = max(row.end_us for row in rows) if before_us is None else before_us
    first = rows[0]
    return Cut(kind, first.camera_id, first.volume_id, before_us, reason, 0, 0, first.start_us)  # type: ignore[arg-type]


async def swept(node: Node, *cuts: Cut, pinned_counts: bool = True) -> Swept:
    return await sweeper(node).sweep(cuts, pinned_counts=pinned_counts)


async def hold(node: Node, camera: CameraId, start_us: int, end_us: int) -> Hold:
    made = Hold(0, "FIR 12/2026", camera, start_us, end_us, "asked for by the court", "inspector", wall_us())
    return await node.catalog.write(partial(holds.place, hold=made))


async def condemned(node: Node) -> list[str]:
    return await node.catalog.read(partial(garbage.listing, volume_id=node.volume.id, limit=1000))


async def offloaded(node: Node, rows: list[Segment]) -> list[Segment]:
    """As if the object store had them, checked."""

    def store(db: Connection) -> None:
        for row in rows:
            offloads.queue_hour(db, row.camera_id, row.start_us // 3_600_000_000 * 3_600_000_000, 1 << 62, "")
        works = offloads.claim(db, 1 << 61, 1000, lambda segment: f"n1/{segment.run_id}-{segment.n}")
        done = [offloads.Uploaded(one.segment.run_id, one.segment.n, one.key, "v1", "sum") for one in works]
        assert offloads.finish(db, done, 1) == len(done)

    await node.catalog.write(store)
    found = await node.rows(rows[0].camera_id)
    assert {row.tier for row in found} == {Tier.BOTH}
    return found


def wrong(db: Connection, node: Node) -> list[str]:
    """What must never be: a segment without its file, a file that nobody knows."""
    rows = segments.from_rows(db.execute(f"SELECT {segments.COLUMNS} FROM segment"))
    known = {str(node.path(row)) for row in rows if row.tier is not Tier.REMOTE}
    paths = set(garbage.listing(db, node.volume.id, 1000))
    there = {str(path) for path in node.archived()}
    garbage_paths = {str(node.root / path) for path in paths}
    return sorted([*(known - there), *(there - known - garbage_paths), *(known & garbage_paths)])
