"""Coverage of many cameras says the same as the timeline of each, made from every segment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import timeline
from storage.catalog import coverage as rows
from storage.catalog import runs, segments, states
from storage.catalog.db import connect, prepare, transaction
from storage.catalog.sqlite import Connection
from storage.coverage.classes import CLASSES, class_of
from storage.coverage.days import Covered, by_class, covered
from storage.coverage.parts import edges, of_camera
from storage.coverage.spans import cut, holes, recorded, union
from storage.model import CAUSES, HOUR_US, CameraId, CameraState, Gap, Run, RunId, Segment, Timeline, VolumeId
from tests.rows import T0_US, segment

CAMERAS = (CameraId(1), CameraId(2))
MINUTE_US = 60_000_000
HOUR0_US = T0_US // HOUR_US * HOUR_US
NOW_US = T0_US + 200 * HOUR_US


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    prepare(tmp_path / "nvr.sqlite3")
    connection = connect(tmp_path / "nvr.sqlite3")
    with transaction(connection):
        connection.execute("INSERT INTO volume (uuid, path, state) VALUES ('u', '/v', 'ok')")
        for number in CAMERAS:
            register(connection, number)
    yield connection
    connection.close()


def register(db: Connection, number: int, *, created_us: int = 0, archived_us: int | None = None) -> None:
    db.execute(
        "INSERT INTO camera (id, code, name, url, node, created_us, archived_us)"
        " VALUES (:id, :code, :code, 'rtsp://x/', 'n', :created_us, :archived_us)",
        {"id": number, "code": f"C{number}", "created_us": created_us, "archived_us": archived_us},
    )


def fill(db: Connection, found: list[Segment]) -> None:
    with transaction(db):
        for table in ("segment", "hour", "camera_state", "server_life", "run", "deletion"):
            db.execute(f"DELETE FROM {table}")
        for one in found:
            segments.insert(db, one)


def by_segments(db: Connection, camera_id: CameraId, from_us: int, to_us: int) -> Timeline:
    found = replace(
        timeline.read(db, camera_id, from_us, to_us, NOW_US),
        segments=segments.overlapping(db, camera_id, from_us, min(to_us, NOW_US)),
        hours=[],
    )
    return timeline.build(camera_id, found, [], from_us=from_us, to_us=to_us, now_us=NOW_US, buckets=1)


def a_run(camera_id: int, run: int, first_minute: int, minutes: int) -> list[Segment]:
    made = [segment(n, run=run, start_s=60 * (first_minute + n)) for n in range(minutes)]
    return [replace(one, camera_id=CameraId(camera_id)) for one in made]


minutes = st.integers(0, 3000)
footage = st.lists(st.tuples(st.sampled_from(CAMERAS), minutes, st.integers(1, 400)), max_size=6)
histories = st.lists(
    st.tuples(
        st.sampled_from(CAMERAS),
        minutes,
        st.sampled_from([None, "refused", "timeout", "disabled", "disk_full", "unauthorized"]),
    ),
    max_size=8,
)
ends = st.lists(st.tuples(st.sampled_from(CAMERAS), minutes, st.sampled_from(["killed", "no_video", None])), max_size=4)
lives = st.lists(st.tuples(minutes, st.integers(1, 300)), max_size=3)
deletions = st.lists(
    st.tuples(st.sampled_from(CAMERAS), minutes, st.integers(1, 900), st.sampled_from(["max_days", "missing"])),
    max_size=3,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(footage, histories, ends, lives, deletions, minutes, st.integers(1, 3000), st.integers(0, MINUTE_US))
def test_many_cameras_are_counted_as_each_ones_timeline_tells(
    db: Connection,
    found: list[tuple[CameraId, int, int]],
    history: list[tuple[CameraId, int, str | None]],
    ended: list[tuple[CameraId, int, str | None]],
    alive: list[tuple[int, int]],
    gone: list[tuple[CameraId, int, int, str]],
    from_minute: int,
    length_min: int,
    shift_us: int,
) -> None:
    fill(db, [one for run, (camera, first, count) in enumerate(found, 1) for one in a_run(camera, run, first, count)])
    with transaction(db):
        for camera, minute, cause in sorted(history, key=lambda one: one[1]):
            states.put(db, CameraState(camera, T0_US + minute * MINUTE_US, "failed" if cause else "recording", cause))
        for number, (camera, minute, reason) in enumerate(ended):
            at_us = T0_US + minute * MINUTE_US
            run = Run(RunId(at_us // 1000 + number), camera, "n", VolumeId(1), at_us, ended_us=at_us, end_reason=reason)
            runs.insert(db, run)
        for minute, down_min in alive:
            states.begin_life(db, T0_US + minute * MINUTE_US)
            states.end_life(db, T0_US + minute * MINUTE_US, T0_US + (minute + down_min) * MINUTE_US)
        for camera, minute, length, reason in gone:
            db.execute(
                "INSERT INTO deletion (camera_id, start_us, end_us, segments, bytes, merkle_nodes, reason, at_us)"
                " VALUES (?, ?, ?, 1, 1, x'', ?, 0)",
                (camera, T0_US + minute * MINUTE_US, T0_US + (minute + length) * MINUTE_US, reason),
            )
    from_us = T0_US + from_minute * MINUTE_US + shift_us
    to_us = from_us + length_min * MINUTE_US
    counted = covered(db, from_us, to_us, NOW_US)
    for camera in CAMERAS:
        told = by_segments(db, camera, from_us, to_us)
        one = counted[camera]
        assert one.expected_us == to_us - from_us
        assert one.recorded_us == sum(span.to_us - span.from_us for span in told.spans)
        assert one.causes == by_class(told.gaps)
        assert one.recorded_us + sum(one.causes.values()) == one.expected_us


@pytest.mark.parametrize("by", ["hour", "day"])
def test_parts_add_up_to_the_whole(db: Connection, by: str) -> None:
    fill(db, [*a_run(1, 1, 0, 100), *a_run(1, 2, 130, 900), *a_run(1, 3, 1200, 60)])
    with transaction(db):
        states.put(db, CameraState(CameraId(1), T0_US + 100 * MINUTE_US, "failed", "timeout"))
        states.put(db, CameraState(CameraId(1), T0_US + 1030 * MINUTE_US, "failed", "disabled"))
    window = (T0_US + 7_000_000, T0_US + 50 * HOUR_US + 1)
    parts = of_camera(db, CameraId(1), edges(*window, by, ZoneInfo("Asia/Kolkata")), NOW_US)
    whole = covered(db, *window, NOW_US)[CameraId(1)]
    assert (parts[0][0][0], parts[-1][0][1]) == window
    assert all(before[0][1] == after[0][0] for before, after in pairwise(parts))
    assert sum(one.expected_us for _, one in parts) == whole.expected_us
    assert sum(one.recorded_us for _, one in parts) == whole.recorded_us
    for name in CLASSES:
        assert sum(one.causes.get(name, 0) for _, one in parts) == whole.causes.get(name, 0)
    assert all(one.recorded_us + sum(one.causes.values()) == one.expected_us for _, one in parts)


def test_hours_and_days_are_those_of_the_site() -> None:
    kolkata = edges(HOUR0_US, HOUR0_US + 30 * HOUR_US, "day", ZoneInfo("Asia/Kolkata"))
    assert [(end - HOUR0_US) / HOUR_US for _, end in kolkata] == [7.5, 30]  # 11:00 UTC is 16:30 there
    assert [end - start for start, end in edges(HOUR0_US, HOUR0_US + HOUR_US, "hour", ZoneInfo("Asia/Kolkata"))] == [
        HOUR_US // 2
    ] * 2
    # The last Sunday of October 2026 has 25 hours in Berlin.
    sunday_us = 1_792_879_200_000_000
    berlin = edges(sunday_us, sunday_us + 48 * HOUR_US, "day", ZoneInfo("Europe/Berlin"))
    assert [(end - start) // HOUR_US for start, end in berlin] == [25, 23]


def test_before_registration_and_after_archiving_nothing_is_expected(db: Connection) -> None:
    with transaction(db):
        register(db, 3, created_us=HOUR0_US + 2 * HOUR_US)
        register(db, 4, archived_us=HOUR0_US + 3 * HOUR_US)
        register(db, 5, archived_us=HOUR0_US - HOUR_US)
        register(db, 6, created_us=HOUR0_US + 9 * HOUR_US)
    day = covered(db, HOUR0_US, HOUR0_US + 6 * HOUR_US, NOW_US)
    assert {int(camera): one.expected_us // HOUR_US for camera, one in day.items()} == {1: 6, 2: 6, 3: 4, 4: 3, 6: 0}
    assert day[CameraId(6)] == Covered(0, 0)
    assert covered(db, HOUR0_US, HOUR0_US + HOUR_US, NOW_US, cameras=[CameraId(5), CameraId(99)]).keys() == {5}


def test_the_future_is_not_expected(db: Connection) -> None:
    half = covered(db, HOUR0_US, HOUR0_US + 2 * HOUR_US, HOUR0_US + HOUR_US)[CameraId(1)]
    assert (half.expected_us, half.causes) == (HOUR_US, {"unknown": HOUR_US})
    assert covered(db, HOUR0_US, HOUR0_US + HOUR_US, HOUR0_US - 5)[CameraId(1)] == Covered(0, 0)


def test_the_file_being_written_counts_neither_way_while_the_camera_records(db: Connection) -> None:
    fill(db, a_run(1, 1, 0, 60))
    window = (T0_US, T0_US + 62 * MINUTE_US)
    assert covered(db, *window, window[1])[CameraId(1)] == Covered(HOUR_US, HOUR_US)
    with transaction(db):
        states.put(db, CameraState(CameraId(1), T0_US + HOUR_US, "failed", "timeout"))
    stopped = covered(db, *window, window[1])[CameraId(1)]
    assert stopped.causes == {"network": 2 * MINUTE_US}
    with transaction(db):
        states.put(db, CameraState(CameraId(1), T0_US + 61 * MINUTE_US, "starting"))
        states.put(db, CameraState(CameraId(1), T0_US + 61 * MINUTE_US + 9, "recording"))
    again = covered(db, *window, window[1])[CameraId(1)]
    assert again == Covered(61 * MINUTE_US, HOUR_US, {"network": MINUTE_US})


def test_an_hour_that_is_full_on_two_volumes_counts_once(db: Connection) -> None:
    found = a_run(1, 1, 60 - (T0_US - HOUR0_US) // MINUTE_US, 60)
    fill(db, found)
    with transaction(db):
        db.execute(
            "INSERT INTO hour SELECT camera_id, hour_us, 2, tier, recorded_us, segments, bytes, spans, activity FROM hour"
        )
    hour_us = HOUR0_US + HOUR_US
    assert list(rows.full_hours(db, "[1]", HOUR0_US, HOUR0_US + 3 * HOUR_US)) == [(1, 0b10)]
    assert recorded(db, CAMERAS, HOUR0_US, HOUR0_US + 3 * HOUR_US) == {1: [(hour_us, hour_us + HOUR_US)]}


def test_a_long_window_is_read_in_pieces_that_join(db: Connection) -> None:
    fill(db, a_run(1, 1, 0, 60 * 60))
    window = (T0_US, T0_US + 60 * HOUR_US)
    assert recorded(db, CAMERAS, *window) == {1: [window]}


def test_every_cause_has_its_class() -> None:
    assert {class_of(cause) for cause in CAUSES} <= set(CLASSES)
    assert [cause for cause in CAUSES if class_of(cause) == "unknown"] == ["unknown"]


intervals: Any = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda one: (one[0], one[0] + one[1])), max_size=8
)


@given(intervals, st.integers(0, 40), st.integers(1, 40))
def test_union_and_holes_tile_the_window(some: list[tuple[int, int]], from_us: int, length: int) -> None:
    to_us = from_us + length
    spans = union(some, from_us, to_us)
    inside = {at for start, end in some for at in range(start, end)} & set(range(from_us, to_us))
    assert {at for start, end in spans for at in range(start, end)} == inside
    left = holes(spans, from_us, to_us)
    assert {at for start, end in left for at in range(start, end)} == set(range(from_us, to_us)) - inside
    assert all(before[1] < after[0] for before, after in pairwise(spans))


@given(intervals, intervals)
def test_cut_keeps_what_lies_in_both(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    spans, within = union(one, 0, 99), union(other, 0, 99)
    both = {at for start, end in spans for at in range(start, end)} & {
        at for start, end in within for at in range(start, end)
    }
    assert {at for start, end in cut(spans, within) for at in range(start, end)} == both


def test_classes_sum_over_gaps() -> None:
    gaps = [Gap(0, 5, "refused"), Gap(9, 10, "no_video"), Gap(20, 30, "disabled")]
    assert by_class(gaps) == {"camera": 6, "disabled": 10}
