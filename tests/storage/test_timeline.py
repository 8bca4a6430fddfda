"""Timelines: a long one, made from the hour rows, says the same as one made from every segment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import timeline
from storage.catalog import segments, states
from storage.catalog.db import connect, prepare, transaction
from storage.catalog.sqlite import Connection
from storage.model import HOUR_US, CameraId, CameraState, RunId, Segment, SegmentFlag, Timeline
from tests.rows import T0_US, segment

CAMERA = CameraId(1)
NOW_US = T0_US + 40 * HOUR_US
MINUTE_US = 60_000_000


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    prepare(tmp_path / "nvr.sqlite3")
    connection = connect(tmp_path / "nvr.sqlite3")
    yield connection
    connection.close()


def fill(db: Connection, found: list[Segment]) -> None:
    with transaction(db):
        for table in ("segment", "hour", "camera_state", "server_life"):
            db.execute(f"DELETE FROM {table}")
        for one in found:
            segments.insert(db, one)


def by_hours(db: Connection, from_us: int, to_us: int, *, buckets: int = 60) -> Timeline:
    recorded = timeline.read(db, CAMERA, from_us, to_us, NOW_US)
    return timeline.build(CAMERA, recorded, [], from_us=from_us, to_us=to_us, now_us=NOW_US, buckets=buckets)


def by_segments(db: Connection, from_us: int, to_us: int, *, buckets: int = 60) -> Timeline:
    found = segments.overlapping(db, CAMERA, from_us, min(to_us, NOW_US))
    reasons = timeline.read(db, CAMERA, from_us, to_us, NOW_US)
    recorded = replace(reasons, segments=found, hours=[])
    return timeline.build(CAMERA, recorded, [], from_us=from_us, to_us=to_us, now_us=NOW_US, buckets=buckets)


def a_run(run: int, first_minute: int, minutes: int, activity: int = 0) -> list[Segment]:
    made = [segment(n, run=run, start_s=60 * (first_minute + n)) for n in range(minutes)]
    if activity:
        frags = bytearray(made[-1].frags)
        frags[5] = activity << 1 | 1
        made[-1] = replace(made[-1], frags=bytes(frags))
    return made


runs = st.lists(st.tuples(st.integers(0, 1200), st.integers(1, 240), st.integers(0, 127)), min_size=0, max_size=6).map(
    lambda found: [one for run, (first, count, value) in enumerate(found, 1) for one in a_run(run, first, count, value)]
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(runs, st.integers(0, 600), st.integers(361, 1500), st.integers(0, MINUTE_US))
def test_a_long_window_says_the_same_by_hours_as_by_segments(
    db: Connection, found: list[Segment], from_minute: int, minutes: int, shift_us: int
) -> None:
    fill(db, found)
    from_us = T0_US + from_minute * MINUTE_US + shift_us
    to_us = from_us + minutes * MINUTE_US
    coarse, fine = by_hours(db, from_us, to_us), by_segments(db, from_us, to_us)
    # Runs that overlap may be cut differently (spans of runs apart: the next test); what is covered is the same.
    assert [(gap.from_us, gap.to_us) for gap in coarse.gaps] == [(gap.from_us, gap.to_us) for gap in fine.gaps]
    assert coarse.coverage == pytest.approx(fine.coverage)


def test_spans_of_one_run_are_the_same_by_hours_as_by_segments(db: Connection) -> None:
    fill(db, [*a_run(1, 0, 200), *a_run(2, 230, 700)])
    window = (T0_US + 90_000_000, T0_US + 20 * HOUR_US)
    assert by_hours(db, *window).spans == by_segments(db, *window).spans
    assert [span.run_id for span in by_hours(db, *window).spans] == [1, 2]


def test_activity_is_the_same_by_hours_to_the_minute(db: Connection) -> None:
    hour = T0_US // HOUR_US * HOUR_US + HOUR_US
    first = (hour - T0_US) // MINUTE_US
    fill(db, [*a_run(1, first, 30, activity=90), *a_run(2, first + 200, 60, activity=50)])
    window = (hour, hour + 12 * HOUR_US)
    coarse, fine = by_hours(db, *window, buckets=72), by_segments(db, *window, buckets=72)
    assert coarse.activity == fine.activity
    assert (coarse.bucket_us, max(coarse.activity), len(coarse.activity)) == (600_000_000, 90, 72)


@pytest.mark.parametrize("buckets", [1, 7, 100, 3000])
def test_no_activity_is_lost_between_buckets(db: Connection, buckets: int) -> None:
    fill(db, a_run(1, 100, 30, activity=90))
    made = by_hours(db, T0_US, T0_US + 12 * HOUR_US + 1, buckets=buckets)
    assert max(made.activity) == 90
    assert len(made.activity) <= buckets
    assert made.bucket_us * len(made.activity) >= 12 * HOUR_US + 1


def test_the_future_is_no_gap(db: Connection) -> None:
    fill(db, [])
    made = by_hours(db, NOW_US - HOUR_US, NOW_US + HOUR_US)
    assert [(gap.from_us, gap.to_us) for gap in made.gaps] == [(NOW_US - HOUR_US, NOW_US)]
    assert (made.coverage, made.spans) == (0.0, ())
    assert by_hours(db, NOW_US + 1, NOW_US + HOUR_US).gaps == ()


def test_the_fragment_being_written_is_no_gap_while_the_camera_records(db: Connection) -> None:
    last = segment(run=5, start_s=40 * 3600 - 65)
    fill(db, [last])
    made = by_hours(db, last.start_us, NOW_US)
    assert (made.gaps, made.coverage) == ((), 1.0)
    with transaction(db):
        db.execute(
            "INSERT INTO camera (id, code, name, url, node, created_us) VALUES (1, 'a', 'a', 'rtsp://x/', 'n', 0)"
        )
        states.put(db, CameraState(CAMERA, last.end_us, "failed", "refused", "no"))
    assert [gap.cause for gap in by_hours(db, last.start_us, NOW_US).gaps] == ["refused"]


@pytest.mark.parametrize("before_us", [MINUTE_US, 20 * HOUR_US])
def test_the_time_before_a_camera_was_registered_has_its_own_cause(db: Connection, before_us: int) -> None:
    registered_us = T0_US + 30 * HOUR_US
    fill(db, [])
    with transaction(db):
        db.execute(
            "INSERT INTO camera (id, code, name, url, node, created_us) VALUES (1, 'a', 'a', 'rtsp://x/', 'n', ?)",
            (registered_us,),
        )
        states.put(db, CameraState(CAMERA, registered_us, "disabled", "disabled", "switched off by an administrator"))
    gaps = by_hours(db, registered_us - before_us, registered_us + HOUR_US).gaps
    assert [gap.cause for gap in gaps] == ["not_registered", "disabled"]
    assert gaps[0].to_us == gaps[1].from_us == registered_us


def test_a_growing_segment_that_was_indexed_meanwhile_counts_once(db: Connection) -> None:
    row = segment(3, start_s=60)
    fill(db, [row])
    grown = replace(row, flags=SegmentFlag.GROWING, dur_us=row.dur_us + 7, run_id=RunId(row.run_id))
    recorded = timeline.read(db, CAMERA, T0_US, T0_US + HOUR_US, NOW_US)
    made = timeline.build(CAMERA, recorded, [grown], from_us=T0_US, to_us=T0_US + HOUR_US, now_us=NOW_US, buckets=60)
    assert [(span.from_us, span.to_us) for span in made.spans] == [(row.start_us, row.end_us)]
