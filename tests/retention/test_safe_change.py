"""Whatever is edited, in whatever order: no camera ever keeps less than any moment of the last day wanted for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import Conflict
from retention.changes import Edit, cancel, make, prepare
from retention.effective import wanted_by
from retention.settle import settle, settle_now, settling, shortens
from storage.catalog import cameras, policies, policy_changes, trust
from storage.catalog.db import Catalog
from storage.catalog.sqlite import Connection
from storage.catalog.trust import Trust
from storage.model import CameraId
from storage.terms import DAY_US, Policy, Terms
from tests.retention.stocked import NOW, camera, catalog

CAMERAS = [CameraId(1), CameraId(2)]
HOUR_US = DAY_US // 24


@dataclass
class Place:
    """A catalog, the time there, and what was wanted for each camera since when."""

    db: Connection
    now_us: int = NOW
    wanted: list[tuple[int, dict[CameraId, Terms]]] = field(default_factory=list)

    def note(self) -> None:
        found = wanted_by(policies.listing(self.db), policies.subjects(self.db))
        self.wanted.append((self.now_us, {camera_id: want.terms for camera_id, want in found.items()}))

    def check(self) -> None:
        promised = policies.in_force(self.db)
        ends = [since_us for since_us, _ in self.wanted[1:]] + [self.now_us + 1]
        for (_, were), end_us in zip(self.wanted, ends, strict=True):
            for camera_id, was in were.items():
                assert end_us <= self.now_us - DAY_US or not shortens(was, promised[camera_id].terms)


Act = Callable[[Place], None]


def put(place: Place, name: str, scope: str, target: str, days: int) -> None:
    if policies.find(place.db, name) is None and name == "default":
        return
    with suppress(Conflict):
        prepared = prepare(place.db, [Edit(name, Policy(0, name, scope, target, Terms(1, days)))], place.now_us)
        make(place.db, prepared, now_us=place.now_us, trusted=True, by="x")


def delete(place: Place, name: str) -> None:
    if policies.find(place.db, name) is not None:
        prepared = prepare(place.db, [Edit(name, None)], place.now_us)
        make(place.db, prepared, now_us=place.now_us, trusted=True, by="x")


def change_camera(place: Place, camera_id: CameraId, fields: dict[str, Any]) -> None:
    with settling(place.db, camera_id, place.now_us):
        cameras.update(place.db, camera_id, **fields)


def cancel_last(place: Place) -> None:
    for change in policy_changes.listing(place.db, limit=1):
        with suppress(Conflict):
            cancel(place.db, change.id, now_us=place.now_us, trusted=True, by="x")


def wait(place: Place, hours: int) -> None:
    place.now_us += hours * HOUR_US
    settle_now(place.db, place.now_us, trusted=True)


days = st.integers(1, 6)
targets = st.sampled_from(
    [("gate", "camera", "1"), ("metro", "tag", "m"), ("k", "station", "K"), ("w", "zone", "W"), ("bank", "kind", "b")]
)
fields = st.one_of(
    st.fixed_dictionaries({"tags": st.sampled_from([(), ("m",), ("m", "n")])}),
    st.fixed_dictionaries({"station": st.sampled_from(["", "K"])}),
    st.fixed_dictionaries({"zone": st.sampled_from(["", "W"])}),
    st.fixed_dictionaries({"owner_kind": st.sampled_from(["", "b"])}),
)
acts: st.SearchStrategy[Act] = st.one_of(
    st.builds(lambda whom, most: partial(put, name=whom[0], scope=whom[1], target=whom[2], days=most), targets, days),
    st.builds(lambda most: partial(put, name="default", scope="default", target="", days=most), days),
    st.builds(lambda whom: partial(delete, name=whom[0]), targets),
    st.builds(
        lambda one, changed: partial(change_camera, camera_id=one, fields=changed), st.sampled_from(CAMERAS), fields
    ),
    st.just(cancel_last),
    st.builds(lambda hours: partial(wait, hours=hours), st.integers(1, 30)),
)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with catalog(tmp_path_factory.mktemp("safe")) as connection:
        for camera_id in CAMERAS:
            assert camera(connection, f"C{camera_id}") == camera_id
        trust.put(connection, Trust("", 0, 0))
        settle_now(connection, NOW, trusted=True)
        yield connection


@settings(max_examples=60)
@given(taken=st.lists(acts, max_size=15))
def test_no_camera_keeps_less_than_the_last_day_wanted(db: Connection, taken: list[Act]) -> None:
    db.execute("BEGIN")
    try:
        place = Place(db)
        place.note()
        for act in taken:
            act(place)
            place.note()
            place.check()
        for _ in range(2):
            wait(place, 24)
        # Left alone for a day, everything is as the policies say, and no change waits for ever.
        assert policies.pending(db) == {}
        wants = wanted_by(policies.listing(db), policies.subjects(db))
        promised = policies.in_force(db)
        for camera_id, want in wants.items():
            assert (promised[camera_id].terms, promised[camera_id].why) == (want.terms, want.why)
        assert "pending" not in {change.status for change in policy_changes.listing(db, limit=100)}
    finally:
        db.execute("ROLLBACK")


async def test_the_server_writes_only_where_something_changed(tmp_path: Path) -> None:
    running = Catalog(tmp_path / "nvr.sqlite3")
    await running.open()
    try:
        await running.write(partial(policies.seed, default_days=30, at_us=NOW))
        await running.write(lambda connection: camera(connection, "A"))
        await settle(running, NOW, trusted=True)
        assert (await running.read(policies.in_force))[CameraId(1)].terms == Terms(30, 30)
        before = await running.write(lambda connection: connection.total_changes)
        await settle(running, NOW + 5 * DAY_US, trusted=True)
        assert await running.write(lambda connection: connection.total_changes) == before
    finally:
        await running.close()
