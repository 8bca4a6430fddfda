"""A camera's day keeps its root whatever is deleted, late, missing or back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.catalog import days, deletions, proofs, segments
from storage.catalog.db import connect, prepare
from storage.catalog.sqlite import Connection
from storage.model import CameraId, Segment
from storage.terms import DAY_US
from tests.rows import T0_US, segment

CAMERA = CameraId(1)
DAY = T0_US // DAY_US * DAY_US
SPAN_S = (DAY + DAY_US - T0_US) // 1_000_000


def at(n: int) -> Segment:
    """Segment n of a run that starts T0; about 770 of them fit its day."""
    made = segment(n, start_s=60 * n)
    return replace(made, sha256=hashlib.sha256(str(n).encode()).digest())


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    prepare(tmp_path / "nvr.sqlite3")
    connection = connect(tmp_path / "nvr.sqlite3")
    yield connection
    connection.close()


def insert(db: Connection, *some: Segment) -> None:
    for one in some:
        assert segments.insert(db, one)


def remove(db: Connection, *some: Segment, reason: str = "max_days", policy_id: int | None = 3) -> None:
    segments.remove(db, some, reason=reason, at_us=5, policy_id=policy_id)


def known(db: Connection) -> list[deletions.Deletion]:
    return deletions.of_day(db, CAMERA, DAY)


def test_a_closed_day_is_proven_and_stays_closed(db: Connection) -> None:
    insert(db, *map(at, range(10)))
    day = proofs.close(db, CAMERA, DAY, 7)
    assert (day.leaves, day.closed_us) == (10, 7)
    assert proofs.check(db, CAMERA, DAY) == ""
    assert proofs.close(db, CAMERA, DAY, 8) == day


def test_a_segment_belongs_to_the_day_it_starts_in(db: Connection) -> None:
    last = replace(at(0), start_us=DAY + DAY_US - 30_000_000)
    insert(db, last, replace(at(1), start_us=last.end_us))
    assert proofs.close(db, CAMERA, DAY, 7).leaves == 1
    assert proofs.close(db, CAMERA, DAY + DAY_US, 7).leaves == 1


def test_what_goes_on_is_one_deletion(db: Connection) -> None:
    rows = [at(n) for n in range(64)]
    insert(db, *rows)
    proofs.close(db, CAMERA, DAY, 7)
    for first in range(0, 64, 4):
        remove(db, *rows[first : first + 4])
        assert proofs.check(db, CAMERA, DAY) == ""
    (one,) = known(db)
    assert (one.start_us, one.end_us, one.segments) == (rows[0].start_us, rows[-1].end_us, 64)
    assert one.size_bytes == sum(row.size_bytes for row in rows)
    assert len(one.nodes) == 1 + 40


def test_another_reason_or_policy_is_another_deletion(db: Connection) -> None:
    rows = [at(n) for n in range(9)]
    insert(db, *rows)
    proofs.close(db, CAMERA, DAY, 7)
    remove(db, *rows[:3])
    remove(db, *rows[3:6], reason="quota")
    remove(db, *rows[6:8], reason="quota", policy_id=None)
    assert [(one.reason, one.policy_id, one.segments) for one in known(db)] == [
        ("max_days", 3, 3),
        ("quota", 3, 3),
        ("quota", None, 2),
    ]
    assert proofs.check(db, CAMERA, DAY) == ""


def test_what_went_before_the_day_was_closed_has_its_leaves(db: Connection) -> None:
    rows = [at(n) for n in range(10)]
    insert(db, *rows)
    remove(db, *rows[2:5])
    assert days.unclosed(db, DAY + 2 * DAY_US) == [(CAMERA, DAY)]
    assert proofs.close(db, CAMERA, DAY, 7).leaves == 10
    assert proofs.check(db, CAMERA, DAY) == ""
    remove(db, *rows[5:7])
    remove(db, *rows[:2])
    assert proofs.check(db, CAMERA, DAY) == ""


def test_a_day_of_which_all_went_before_it_was_closed(db: Connection) -> None:
    rows = [at(n) for n in range(3)]
    insert(db, *rows)
    remove(db, *rows)
    assert days.unclosed(db, DAY + 2 * DAY_US) == [(CAMERA, DAY)]
    assert proofs.close(db, CAMERA, DAY, 7).leaves == 3
    assert proofs.check(db, CAMERA, DAY) == ""
    assert days.unclosed(db, DAY + 2 * DAY_US) == []


def test_what_comes_late_stands_beside_the_tree(db: Connection) -> None:
    rows = [at(n) for n in range(6)]
    insert(db, *rows[:2], *rows[4:])
    day = proofs.close(db, CAMERA, DAY, 7)
    insert(db, rows[2], rows[3])
    assert days.late_of(db, CAMERA, DAY) == {(rows[2].run_id, 2), (rows[3].run_id, 3)}
    assert proofs.check(db, CAMERA, DAY) == ""
    remove(db, *rows[1:4])
    assert proofs.check(db, CAMERA, DAY) == ""
    assert day == days.get(db, CAMERA, DAY)
    assert days.late_of(db, CAMERA, DAY)  # for ever


@pytest.mark.parametrize("closed_first", [True, False])
def test_what_was_missing_and_is_back(db: Connection, closed_first: bool) -> None:
    rows = [at(n) for n in range(5)]
    insert(db, *rows)
    if closed_first:
        proofs.close(db, CAMERA, DAY, 7)
    remove(db, rows[2], reason="missing", policy_id=None)
    insert(db, replace(rows[2], err_us=81_000))
    proofs.close(db, CAMERA, DAY, 7)
    assert proofs.check(db, CAMERA, DAY) == ""
    remove(db, rows[2])
    remove(db, rows[0], rows[1], rows[3])
    assert proofs.check(db, CAMERA, DAY) == ""


def test_what_was_changed_or_taken_by_hand_shows(db: Connection) -> None:
    insert(db, *map(at, range(5)))
    proofs.close(db, CAMERA, DAY, 7)
    db.execute("UPDATE segment SET sha256 = :other WHERE n = 3", {"other": bytes(32)})
    assert proofs.check(db, CAMERA, DAY) == "the root is another"
    db.execute("DELETE FROM segment WHERE n = 3")
    assert proofs.check(db, CAMERA, DAY) == "of 5 leaves 4 are there and 0 are deleted"


@settings(max_examples=40)  # each makes a catalog
@given(st.data())
def test_any_history_of_a_day_keeps_its_root(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Segments come and go in any order; at some time the day is closed."""
    path = tmp_path_factory.mktemp("day") / "nvr.sqlite3"
    prepare(path)
    db = connect(path)
    db.execute("PRAGMA synchronous = OFF")
    there: set[int] = set()
    absent = set(range(24))
    closed_at = data.draw(st.integers(0, 7))
    for turn in range(8):
        if turn == closed_at:
            proofs.close(db, CAMERA, DAY, 7)
        come = data.draw(st.sets(st.sampled_from(sorted(absent)), max_size=10)) if absent else set()
        insert(db, *map(at, sorted(come)))
        there, absent = there | come, absent - come
        go = data.draw(st.sets(st.sampled_from(sorted(there)), max_size=8)) if there else set()
        remove(db, *map(at, go), reason=data.draw(st.sampled_from(["max_days", "missing"])))
        there -= go
        absent |= data.draw(st.sets(st.sampled_from(sorted(go)))) if go else set()  # some come back
        if turn >= closed_at:
            assert proofs.check(db, CAMERA, DAY) == ""
    db.close()
