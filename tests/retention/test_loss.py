"""What shorter terms would delete: SQL and the plain rule count the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.loss import FOREVER_US, Loss, going, loss, summed
from storage.catalog import hour_sums
from storage.catalog.sqlite import Connection
from storage.model import HOUR_US, CameraId, Tier, VolumeId
from storage.terms import DAY_US, Terms
from tests.retention.stocked import NOW, SEGMENT_BYTES, camera, catalog, footage

ONE = CameraId(1)
FAR_FUTURE = [(NOW + 400 * DAY_US, NOW + 401 * DAY_US)]
"""A hold of nothing that is there: it only makes the hours be read one by one."""


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """Ten days on two volumes, some of it in the object store, an hour of both."""
    with catalog(tmp_path_factory.mktemp("loss")) as connection:
        assert camera(connection, "A") == ONE
        footage(connection, ONE, 4)
        footage(connection, ONE, 3, volume=2, until_us=NOW - 4 * DAY_US)
        footage(connection, ONE, 2, tier=Tier.REMOTE, until_us=NOW - 7 * DAY_US, size_bytes=3 * SEGMENT_BYTES)
        footage(connection, ONE, 1, tier=Tier.BOTH, until_us=NOW - 9 * DAY_US)
        footage(connection, ONE, 1 / 24, volume=2, until_us=NOW - DAY_US, size_bytes=7 * SEGMENT_BYTES)
        yield connection


days = st.integers(1, 12)
terms = st.builds(
    lambda most, limit: Terms(1, most, quota_bytes=limit and limit * SEGMENT_BYTES),
    days,
    st.one_of(st.none(), st.integers(1, 400)),
)
held = st.lists(
    st.tuples(st.integers(0, 250), st.integers(1, 30)).map(
        lambda pair: (NOW - pair[0] * HOUR_US, NOW - (pair[0] - pair[1]) * HOUR_US)
    ),
    max_size=3,
)
moments = st.integers(-30 * 60, 30 * 60).map(lambda minutes: NOW + minutes * 60_000_000)


@given(terms, terms, moments)
def test_counted_by_sql_and_hour_by_hour_it_is_the_same(db: Connection, old: Terms, new: Terms, at_us: int) -> None:
    assert loss(db, ONE, old, new, (), at_us) == loss(db, ONE, old, new, FAR_FUTURE, at_us)


@given(terms, held, moments)
def test_what_goes_is_never_held_and_always_beyond_the_terms(
    db: Connection, new: Terms, intervals: list[tuple[int, int]], at_us: int
) -> None:
    rows = hour_sums.each_between(db, ONE, 0, FOREVER_US)
    gone = going(rows, new, intervals, at_us)
    assert len(set(map(id, gone))) == len(gone)
    for row in gone:
        assert not any(start < row.oldest_us + HOUR_US and end > row.oldest_us for start, end in intervals)
    free = [row for row in rows if row in gone or not _touched(row.oldest_us, intervals)]
    assert free[: len(gone)] == gone  # the oldest first
    left = sum(row.bytes for row in rows) - sum(row.bytes for row in gone)
    if new.quota_bytes is not None and len(gone) < len(free):
        assert left <= new.quota_bytes
    for row in free[len(gone) :]:
        assert row.oldest_us >= at_us - new.max_days * DAY_US


def _touched(hour_us: int, intervals: list[tuple[int, int]]) -> bool:
    reach_us = hour_us + HOUR_US + 15 * 60_000_000
    return any(start < reach_us and end > hour_us for start, end in intervals)


def test_sums_tell_what_leaves_each_volume(db: Connection) -> None:
    lost = loss(db, ONE, Terms(1, 30), Terms(1, 5), (), NOW)
    assert lost == Loss(
        segments=5 * 24,
        bytes=(2 * 24 + 2 * 24 * 3 + 24) * SEGMENT_BYTES,
        remote_bytes=(2 * 24 * 3 + 24) * SEGMENT_BYTES,
        oldest_us=NOW - 10 * DAY_US,
        local=((VolumeId(1), 24, 24 * SEGMENT_BYTES), (VolumeId(2), 48, 48 * SEGMENT_BYTES)),
    )
    assert summed([]) == Loss()


@pytest.mark.parametrize("statement", [hour_sums.BETWEEN, hour_sums.EACH, hour_sums.BEYOND, hour_sums.OLDEST])
def test_reads_the_hours_of_one_camera_alone(db: Connection, statement: str) -> None:
    names = ("camera_id", "from_us", "to_us", "before_us", "quota_bytes", "anyway_before_us", "anyway_quota_bytes")
    plan = [row[3] for row in db.execute("EXPLAIN QUERY PLAN " + statement, dict.fromkeys(names, 0))]
    assert any("SEARCH hour USING PRIMARY KEY (camera_id=?" in line for line in plan), plan
    assert not any("SCAN hour" in line for line in plan), plan
