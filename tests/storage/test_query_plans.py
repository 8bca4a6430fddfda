"""Statements on hot paths find their rows by a key: what they cost does not grow with the archive."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from storage.catalog import (
    cameras,
    causes,
    coverage,
    days,
    deletions,
    garbage,
    holds,
    hours,
    inits,
    jobs,
    object_garbage,
    offloads,
    runs,
    search,
    segments,
    states,
    sweeping,
    usage,
)
from storage.catalog.db import connect, prepare, transaction
from storage.catalog.sqlite import Connection
from storage.model import HOUR_US, Camera, CameraId, CameraState, InitId, Run, RunId, Tier, VolumeId
from tests.rows import T0_US, segment

CAMERA = CameraId(1)
RUN = RunId(1_795_000_020_000)
WINDOW: Any = {"from_us": T0_US, "to_us": T0_US + HOUR_US}

HOT: dict[str, Callable[[Connection], Any]] = {
    "segments of a window": partial(segments.overlapping, camera_id=CAMERA, **WINDOW),
    "a page of segments": partial(segments.page, camera_id=CAMERA, **WINDOW, after=(-1, 0), limit=100),
    "how many segments": partial(segments.count, camera_id=CAMERA, **WINDOW, at_most=100),
    "one segment": partial(segments.get, run_id=RUN, n=1),
    "the last of a run": partial(segments.last_of_run, run_id=RUN, limit=5),
    "the one before": partial(segments.before, run_id=RUN, n=2),
    "numbers of a run": partial(segments.numbers_of, run_id=RUN),
    "the newest": partial(segments.newest, camera_id=CAMERA),
    "the first after": partial(segments.first_start_after, camera_id=CAMERA, from_us=T0_US),
    "what an hour folder holds": partial(segments.starting, camera_id=CAMERA, volume_id=VolumeId(1), **WINDOW),
    "a new segment": partial(segments.insert, segment=segment(3, start_s=180)),
    "an init": partial(inits.get, init_id=InitId(1)),
    "hours of a window": partial(hours.between, camera_id=CAMERA, **WINDOW),
    "why there is a gap": partial(causes.reasons, camera_id=CAMERA, **WINDOW),
    "one run": partial(runs.get, run_id=RUN),
    "the latest run": partial(runs.latest, camera_id=CAMERA),
    "the next run": partial(
        runs.insert, run=Run(RunId(RUN + 1), CAMERA, "n1", VolumeId(1), T0_US, ended_us=T0_US, end_reason="killed")
    ),
    "the next run's id": partial(runs.next_id, now_us=T0_US),
    "a camera's state": partial(states.current, camera_id=CAMERA),
    "a new state": partial(states.put, state=CameraState(CAMERA, T0_US + 9, "failed", "refused")),
    "one camera": partial(cameras.get, camera_id=CAMERA),
    "one camera as listed": partial(cameras.listed, camera_id=CAMERA),
    "a camera's login": partial(cameras.credentials, camera_id=CAMERA),
    "the next job": jobs.next_open,
    "what a sweep takes": partial(
        sweeping.due,
        of=sweeping.Range(CAMERA, VolumeId(1), (Tier.LOCAL, Tier.BOTH), T0_US, T0_US + HOUR_US),
        after=(-1, 0),
        limit=100,
    ),
    "what a recorder counts on": partial(sweeping.newest_of_open_runs, camera_id=CAMERA),
    "hours before a cut": partial(usage.before, camera_id=CAMERA, before_us=T0_US),
    "segments of an hour": partial(usage.segments, camera_id=CAMERA, hour_us=T0_US),
    "holds of a camera": partial(holds.active, camera_id=CAMERA),
    "what holds keep": partial(holds.held_bytes, intervals=[(CAMERA, T0_US, T0_US + HOUR_US)]),
    "garbage of a volume": partial(garbage.listing, volume_id=VolumeId(1), limit=100),
    "garbage of a day": partial(garbage.below, volume_id=VolumeId(1), folder="archive/1/2026/11/18/"),
    "is it garbage": partial(garbage.has, volume_id=VolumeId(1), path="archive/x"),
    "what was deleted of a day": partial(deletions.of_day, camera_id=CAMERA, day_us=T0_US),
    "leaves of a day": partial(days.leaves_of, camera_id=CAMERA, day_us=T0_US),
    "hours for the object store": partial(offloads.hours_local, camera_id=CAMERA, from_us=0, before_us=T0_US, limit=9),
    "what of an hour goes there": partial(
        offloads.queue_hour, camera_id=CAMERA, hour_us=T0_US, before_us=T0_US + HOUR_US, storage_class=""
    ),
    "the next uploads": partial(offloads.claim, now_us=T0_US, limit=4, key_of=lambda segment: "k"),
    "what is in the store": partial(offloads.verified, run_id=RUN, n=1),
    "where in the store": partial(offloads.place, run_id=RUN, n=1),
    "objects to hold": partial(offloads.without_legal_hold, camera_id=CAMERA, **WINDOW, limit=9),
    "objects that are held": partial(offloads.with_legal_hold, after=(0, -1), limit=9),
    "the next objects to delete": partial(object_garbage.due, now_us=T0_US, limit=9),
    "what many cameras have of a window": lambda db: [
        list(ask(db, "[1, 2]", T0_US, T0_US + HOUR_US)) for ask in (coverage.full_hours, coverage.part_hours)
    ],
    "an hour that is full twice": lambda db: db.execute(
        coverage.ONE_FULL, {"camera_id": CAMERA, "first_us": T0_US, "last_us": T0_US + HOUR_US, "hour_us": HOUR_US}
    ),
    "which cameras have anything": partial(coverage.with_any, ids="[1, 2]", first_us=T0_US, last_us=T0_US + HOUR_US),
    "which cameras fail": partial(coverage.failing, ids="[1, 2]", until_us=T0_US),
    "which cameras record": partial(coverage.recording_since, ids="[1, 2]", until_us=T0_US),
    "why many cameras have gaps": partial(coverage.reasons, ids="[1, 2]", **WINDOW),
    "how runs of many cameras ended": partial(coverage.run_ends, ids="[1, 2]", **WINDOW),
    "the nearest footage": partial(search.nearest, camera_id=CAMERA, **WINDOW),
    "codecs of some cameras": partial(search.video_codecs, ids=[CAMERA]),
    "names of some cameras": partial(search.cameras, wanted=search.Wanted(), from_us=T0_US, ids=[CAMERA]),
    "what came late": partial(days.late_of, camera_id=CAMERA, day_us=T0_US),
}
GROWING = re.compile(
    r"SCAN (camera|secret|probe|camera_state|init|run|segment|hour|deletion|hold|garbage|day|day_late|offload|object_garbage)\b"
)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    """Two cameras with some footage, and statistics as SQLite keeps them."""
    prepare(tmp_path / "nvr.sqlite3")
    connection = connect(tmp_path / "nvr.sqlite3")
    with transaction(connection):
        connection.execute("INSERT INTO volume (uuid, path, state) VALUES ('u', '/v', 'ok')")
        for code in ("a", "b"):
            cameras.add(connection, Camera(CameraId(0), code, code, "rtsp://10.0.0.5/", "n1", created_us=1))
        runs.insert(connection, Run(RUN, CAMERA, "n1", VolumeId(1), T0_US))
        for n in range(3):
            segments.insert(connection, segment(n, start_s=60 * n))
    yield connection
    connection.close()


def plans(db: Connection, run: Callable[[Connection], Any]) -> list[str]:
    """The plan of every statement that `run` sends, as it is sent."""
    sent: list[str] = []
    with transaction(db):
        db.set_trace_callback(sent.append)
        try:
            run(db)
        finally:
            db.set_trace_callback(None)
    told = []
    for statement in sent:
        if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE)", statement, re.IGNORECASE):
            told += [str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")]
    return told


@pytest.mark.parametrize("what", HOT)
def test_hot_statements_use_a_key(db: Connection, what: str) -> None:
    told = plans(db, HOT[what])
    assert told
    for step in told:
        assert not GROWING.match(step), told
        assert "TEMP B-TREE" not in step, told


def test_places_of_a_window_are_found_by_camera_and_time(db: Connection) -> None:
    """What a bus told of its places in years is not read."""
    told = plans(db, partial(search.stays, box=(26.0, 80.0, 27.0, 81.0), **WINDOW))
    assert "SEARCH place USING PRIMARY KEY (camera_id=? AND since_us>? AND since_us<?)" in told
    assert not any("camera_place" in step and "SCAN" in step for step in told), told


@pytest.mark.parametrize("what", ["a page of segments", "segments of a window", "what an hour folder holds"])
def test_windows_are_found_by_camera_and_time(db: Connection, what: str) -> None:
    (step,) = plans(db, HOT[what])
    assert step.startswith("SEARCH segment USING PRIMARY KEY (camera_id=? AND start_us>? AND start_us<?)")
