"""What a search says of a camera, from rows alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage.catalog import cameras, segments, states
from storage.catalog.camera_history import Place, put_place
from storage.catalog.db import connect, prepare, transaction
from storage.catalog.search import Wanted
from storage.catalog.sqlite import Connection
from storage.coverage.search import MAX_GAPS, Asked, Hit, look, rank, with_footage
from storage.coverage.shapes import Near
from storage.coverage.why import no_footage
from storage.model import CAUSES, HOUR_US, Camera, CameraId, CameraState
from tests.rows import T0_US, segment

MINUTE_US = 60_000_000
NOW_US = T0_US + 200 * HOUR_US
STAND = (26.4499, 80.3319)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    prepare(tmp_path / "nvr.sqlite3")
    connection = connect(tmp_path / "nvr.sqlite3")
    with transaction(connection):
        for code in ("a", "b"):
            camera = Camera(CameraId(0), code, code, "rtsp://10.0.0.5/", "n1", lat=STAND[0], lon=STAND[1], created_us=1)
            cameras.add(connection, camera)
    yield connection
    connection.close()


def minutes(db: Connection, wanted: range, camera_id: int = 1) -> None:
    with transaction(db):
        for n in wanted:
            segments.insert(db, replace(segment(n, start_s=60 * n), camera_id=CameraId(camera_id)))


def asked(from_minute: float, to_minute: float, shape: Near | None = None) -> Asked:
    return Asked(T0_US + int(from_minute * MINUTE_US), T0_US + int(to_minute * MINUTE_US), shape, Wanted(), 50)


def hits(db: Connection, question: Asked) -> list[Hit]:
    return look(db, rank(db, question), {}, question, NOW_US)


def test_of_many_gaps_the_longest_are_told_and_spans_run_across_the_others(db: Connection) -> None:
    minutes(db, range(0, 300, 2))
    (hit, _) = hits(db, asked(0, 240))
    assert (len(hit.gaps), hit.gaps_left_out) == (MAX_GAPS, 20)
    assert hit.coverage == pytest.approx(0.5)
    assert len(hit.spans) == MAX_GAPS + 1
    assert hit.still_us is not None
    assert (hit.still_us - T0_US) // MINUTE_US % 2 == 0  # in footage, not in a gap that is left out
    assert hit.gaps == sorted(hit.gaps, key=lambda gap: gap.from_us)


@pytest.mark.parametrize(
    "window", [(0, 60), (0.5, 2000), (-300, 0.5), (2999.5, 3600), (100, 2900), (-90, 0), (3000, 3100)]
)
def test_those_with_footage_are_those_that_show_some(db: Connection, window: tuple[float, float]) -> None:
    minutes(db, range(10))
    minutes(db, range(2990, 3000), camera_id=1)
    question = asked(*window)
    having = with_footage(db, rank(db, question), question.from_us, question.to_us)
    assert having == {hit.ranked.camera.id for hit in hits(db, question) if hit.spans}


def test_a_camera_that_passed_twice_is_asked_for_both_times(db: Connection) -> None:
    minutes(db, range(60))
    with transaction(db):
        for minute, lat in ((0, 26.3), (10, STAND[0]), (12, 26.3), (30, STAND[0] + 0.0001), (31, 26.3)):
            put_place(db, Place(CameraId(1), T0_US + minute * MINUTE_US, lat, STAND[1]))
    question = asked(0, 60, Near((STAND[0] + 0.0001, STAND[1]), 100))
    bus = next(hit for hit in hits(db, question) if hit.ranked.camera.code == "a")
    assert [((a - T0_US) // MINUTE_US, (b - T0_US) // MINUTE_US) for a, b in bus.ranked.within] == [(10, 12), (30, 31)]
    assert bus.spans == list(bus.ranked.within)
    assert (bus.coverage, bus.gaps, bus.ranked.distance_mm, bus.ranked.moved) == (1.0, [], 0, True)
    assert with_footage(db, rank(db, question), question.from_us, question.to_us) == {1}


def test_the_cause_is_told_since_it_spoke_not_since_the_window_began(db: Connection) -> None:
    with transaction(db):
        states.put(db, CameraState(CameraId(1), T0_US - 3 * HOUR_US, "failed", "timeout", "no answer"))
    (hit, other) = hits(db, asked(0, 60))
    assert hit.main is not None
    assert (hit.main.cause, hit.since_us) == ("timeout", T0_US - 3 * HOUR_US)
    assert other.main is not None
    assert (other.main.cause, other.since_us) == ("unknown", None)


def test_the_cause_of_most_of_what_is_missing_is_the_main_one(db: Connection) -> None:
    with transaction(db):
        for minute, cause in ((0, "refused"), (25, "timeout"), (40, "refused"), (41, None)):
            states.put(
                db, CameraState(CameraId(1), T0_US + minute * MINUTE_US, "failed" if cause else "recording", cause)
            )
    minutes(db, range(41, 60))
    hit = hits(db, asked(0, 60))[0]
    assert hit.main is not None
    assert (hit.main.cause, hit.main.to_us - hit.main.from_us) == ("refused", 25 * MINUTE_US)


@pytest.mark.parametrize(
    ("recorded", "at_minute"), [(range(60), 30), (range(10), 5), ([*range(5), *range(50, 60)], 50)]
)
def test_the_still_lies_in_footage_as_near_to_its_middle_as_can_be(
    db: Connection, recorded: range | list[int], at_minute: int
) -> None:
    for n in recorded:
        minutes(db, range(n, n + 1))
    hit = hits(db, asked(0, 60))[0]
    assert hit.still_us is not None
    assert any(start <= hit.still_us < end for start, end in hit.spans)
    assert hit.still_us == T0_US + at_minute * MINUTE_US


def test_every_cause_has_its_sentence() -> None:
    sentences = {no_footage(cause) for cause in CAUSES}
    assert len(sentences) == len(CAUSES)
    assert all(sentence.startswith("no footage because ") for sentence in sentences)
    assert no_footage("refused", "10.0.0.5:554", "18/11/2026 16:36:00") == (
        "no footage because the camera refused the connection since 18/11/2026 16:36:00: 10.0.0.5:554"
    )
