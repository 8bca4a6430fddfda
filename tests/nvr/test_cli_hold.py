"""`nvr hold` and `nvr retention plan`, `apply`, `trust-clock` as a person types them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nvr.jobs import Jobs
from retention import apply
from retention.clock import reading, vouched
from storage.catalog import holds, policies, stops, trust
from storage.catalog.db import CatalogLock
from storage.clock import rfc3339, wall_us
from storage.model import Segment
from storage.terms import DAY_US
from tests.nvr.typed import nvr
from tests.retention.aged import aged, sweeper
from tests.storage.node import Node, node_at


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    (tmp_path / "nvr.toml").write_text('[storage]\ndatabase = "nvr.sqlite3"\nvolumes = ["footage"]\n')
    async with node_at(tmp_path) as made:
        await made.catalog.write(partial(policies.seed, default_days=30, at_us=1))
        yield made


async def typed(here: Path, *arguments: str) -> Any:
    status, out, err = await nvr(here, *arguments, "--json")
    assert status == 0, err
    return json.loads(out)


def window(rows: list[Segment]) -> tuple[str, ...]:
    return ("--from", rfc3339(rows[0].start_us), "--to", str(rows[-1].end_us))


FOR = ("--case", "FIR 118/2026", "--reason", "asked for by the court")


async def test_a_hold_is_placed_listed_and_released(node: Node, tmp_path: Path) -> None:
    rows, _ = await aged(node), await aged(node, "KNP-2", days=1)
    made = await typed(tmp_path, "hold", "add", "--camera", "KNP-1", "--camera", "2", *window(rows), *FOR)
    assert [(hold["code"], hold["case"]) for hold in made] == [("KNP-1", "FIR 118/2026"), ("KNP-2", "FIR 118/2026")]
    assert (await typed(tmp_path, "hold", "list", "--camera", "1")) == made[:1]
    assert (await nvr(tmp_path, "retention", "plan"))[1].startswith("0 segments of 0 cameras")
    status, _, err = await nvr(tmp_path, "hold", "release", "1", "--reason", " ")
    assert (status, err) == (1, "nvr: reason must say something\n")
    status, out, _ = await nvr(tmp_path, "hold", "release", "1", "--reason", "the case is closed")
    assert (status, out) == (0, "1  KNP-1: released, case FIR 118/2026\n")
    assert [hold["id"] for hold in await typed(tmp_path, "hold", "list")] == [2]
    assert [hold["id"] for hold in await typed(tmp_path, "hold", "list", "--released")] == [2, 1]
    assert "the case is closed" in (await nvr(tmp_path, "hold", "list", "--released"))[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--camera", "KNP-9"), "KNP-9"),
        (("--camera", "KNP-1", "--review", "2020-01-01T00:00:00Z"), "--review must be later than now"),
        (("--camera", "KNP-1", "--case", " "), "case must say something"),
    ],
)
async def test_what_cannot_be_held(node: Node, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    rows = await aged(node)
    status, _, err = await nvr(tmp_path, "hold", "add", *window(rows), *FOR, *arguments)
    assert status == 1 and said in err and err.count("\n") == 1
    assert await node.catalog.read(holds.active) == []


async def test_what_is_planned_goes_here_where_no_server_runs(node: Node, tmp_path: Path) -> None:
    old, young = await aged(node), await aged(node, "KNP-2", days=29)
    size = sum(row.size_bytes for row in old)
    plan = await typed(tmp_path, "retention", "plan")
    assert [(cut["code"], cut["segments"], cut["bytes"]) for cut in plan["items"]] == [("KNP-1", 3, size)]
    assert "KNP-1" in (await nvr(tmp_path, "retention", "plan"))[1]
    assert (await typed(tmp_path, "retention", "apply")) == {"segments": 3, "bytes": size, "stopped": []}
    assert await node.rows(old[0].camera_id) == []
    assert await node.rows(young[0].camera_id) == young
    assert node.archived() == [node.path(row) for row in young]


async def test_what_is_much_wants_to_be_confirmed(node: Node, tmp_path: Path) -> None:
    rows = await aged(node, runs=8)
    status, out, err = await nvr(tmp_path, "retention", "apply")
    assert status == 1 and out.startswith("0 segments") and "nvr retention apply --confirm" in err
    assert "would go at once" in (await nvr(tmp_path, "retention", "plan"))[1]
    assert await node.rows(rows[0].camera_id) == rows
    status, out, _ = await nvr(tmp_path, "retention", "apply", "--confirm")
    assert (status, out[:11]) == (0, "24 segments")
    assert await node.rows(rows[0].camera_id) == []


async def test_a_running_server_does_it(node: Node, tmp_path: Path) -> None:
    rows = await aged(node, runs=8)
    lock = CatalogLock(tmp_path / "nvr.sqlite3")
    lock.acquire()

    async def sweep() -> Any:
        done = await apply.apply(node.catalog, sweeper(node), wall_us(), doubt="")
        return {"segments": done.segments, "bytes": done.bytes, "stopped": []}

    worker = Jobs(node.catalog, node.reconciler, apply=sweep)
    try:
        command = asyncio.ensure_future(typed(tmp_path, "retention", "apply", "--confirm"))
        while not command.done():
            worker.look()
            await asyncio.wait([command], timeout=0.05)
        assert command.result()["segments"] == 24
        assert await node.rows(rows[0].camera_id) == []
        (stop,) = await node.catalog.read(stops.listing)
        assert stop.confirmed_us is not None
    finally:
        await worker.close()
        lock.release()


async def test_a_clock_that_jumped_deletes_nothing_until_somebody_vouches_for_it(node: Node, tmp_path: Path) -> None:
    rows = await aged(node)
    now = vouched(reading())
    await node.catalog.write(lambda db: trust.put(db, trust.Trust(now.boot_id, now.wall_us - DAY_US, now.mono_us)))
    if reading().synchronised:  # on a machine whose clock NTP keeps it is trusted whatever was before
        assert (await typed(tmp_path, "retention", "apply"))["segments"] == 3
        return
    status, _, err = await nvr(tmp_path, "retention", "apply")
    assert status == 1 and "ahead of" in err and "nvr retention trust-clock" in err
    assert await node.rows(rows[0].camera_id) == rows
    assert "nothing goes now" in (await nvr(tmp_path, "retention", "plan"))[1]
    status, out, _ = await nvr(tmp_path, "retention", "trust-clock")
    assert status == 0 and "it was doubted" in out
    assert (await typed(tmp_path, "retention", "apply"))["segments"] == 3
