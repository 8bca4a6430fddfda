"""The time model, fed with samples whose truth is known."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.lengths import UNTRUE_US, Lengths
from storage.model import MAX_SEGMENT_US, SegmentFlag
from storage.timemodel import (
    LATE_END_US,
    MAX_CORRECTION_PPM,
    MAX_DRIFT_US,
    MIN_DUR_US,
    Dated,
    Measured,
    RunClock,
    delay_error_us,
)

T0_US = 1_795_000_000_000_000
MINUTE_US = 60_000_000
LAG_US = 80_000
GOP_US = 2_000_000
NO_DELAY: Callable[[], int] = lambda: 0  # noqa: E731


def fragments(dur_us: int, looks: int) -> Lengths:
    """One up to each look, and one to the end."""
    ends = [max(dur_us - GOP_US, 0) * look // looks for look in range(1, looks + 1)]
    return Lengths([end - start for start, end in pairwise([0, *ends, dur_us])])


@dataclass
class CameraRun:
    """A camera whose clock is `ppm` fast; footage reaches the disk LAG_US plus a delay after the truth."""

    ppm: float = 0
    delay_us: Callable[[], int] = NO_DELAY
    looks: int = 0  # at the growing file, per segment
    clock: RunClock = field(default_factory=RunClock)
    media_us: int = 0
    n: int = 0

    def truth_us(self, media_us: int) -> int:
        return T0_US + round(media_us / (1 + self.ppm / 1e6))

    def measured(self, dur_us: int = MINUTE_US, *, last: bool = False) -> Measured:
        """Record the next segment."""
        start = self.media_us
        self.media_us += dur_us
        for look in range(1, self.looks + 1):
            seen = start + max(dur_us - GOP_US, 0) * look // self.looks
            self.clock.watched(self.n, look, seen, self.truth_us(seen) + LAG_US + self.delay_us(), LAG_US)
        end_wall = self.truth_us(self.media_us) + LAG_US + self.delay_us()
        self.n += 1
        return Measured(self.n - 1, start, fragments(dur_us, self.looks), end_wall, LAG_US, last)

    def record(self, dur_us: int = MINUTE_US, *, last: bool = False) -> Dated:
        return self.clock.date(self.measured(dur_us, last=last))

    def hour(self) -> list[tuple[int, Dated]]:
        """(media start, dates) of sixty segments."""
        return [(self.media_us, self.record()) for _ in range(60)]


def evenly(seed: int, most_us: int = 300_000) -> Callable[[], int]:
    source = random.Random(seed)
    return lambda: source.randrange(most_us)


@pytest.mark.parametrize("ppm", [-200, -50, 0, 50, 200])
@pytest.mark.parametrize("seed", range(20))
def test_an_hour_stays_within_250_ms_of_the_truth_with_a_drifting_camera_and_a_jittering_network(
    ppm: int, seed: int
) -> None:
    run = CameraRun(ppm, evenly(seed), looks=6)
    for media_us, dated in run.hour():
        assert abs(dated.start_us - run.truth_us(media_us)) < 250_000
        assert abs(dated.start_us + dated.dur_us - run.truth_us(media_us + MINUTE_US)) < 250_000


@pytest.mark.parametrize("ppm", [-200, 200])
@pytest.mark.parametrize("seed", range(20))
def test_an_hour_that_nobody_watched_is_off_by_no_more_than_its_first_delay(ppm: int, seed: int) -> None:
    run = CameraRun(ppm, evenly(seed))
    assert all(abs(dated.start_us - run.truth_us(media_us)) < 320_000 for media_us, dated in run.hour())


def test_a_steady_network_leaves_milliseconds() -> None:
    run = CameraRun(-200, lambda: 3_000, looks=6)
    assert all(abs(dated.start_us - run.truth_us(media_us)) < 20_000 for media_us, dated in run.hour())


@given(
    st.lists(st.tuples(st.integers(1, MAX_SEGMENT_US), st.integers(-5_000_000, 5_000_000)), min_size=2, max_size=20),
    st.integers(0, 4),
)
def test_segments_of_a_run_are_consecutive_whatever_the_samples_say(files: list[tuple[int, int]], looks: int) -> None:
    delays = iter([delay for _, delay in files for _ in range(looks + 1)])
    run = CameraRun(delay_us=lambda: next(delays), looks=looks)
    dated = [run.record(dur_us) for dur_us, _ in files]
    for one, other in pairwise(dated):
        assert other.start_us == one.start_us + one.dur_us
    assert all(MIN_DUR_US <= date.dur_us <= MAX_SEGMENT_US for date in dated)


@given(st.lists(st.integers(0, 300_000), min_size=3, max_size=10))
def test_a_length_leans_by_at_most_500_ppm(delays: list[int]) -> None:
    later = iter(delays)
    run = CameraRun(delay_us=lambda: next(later))
    for _ in delays:
        dated = run.record()
        assert abs(dated.dur_us - MINUTE_US) <= MINUTE_US * MAX_CORRECTION_PPM // 1_000_000
        assert dated.flags == SegmentFlag(0)


@pytest.mark.parametrize("seed", range(50))
def test_the_error_it_tells_holds_for_nearly_every_segment(seed: int) -> None:
    run = CameraRun(100, evenly(seed), looks=6)
    wrong = [dated for media, dated in run.hour() if abs(dated.start_us - run.truth_us(media)) > dated.err_us]
    assert len(wrong) <= 6


def test_one_sample_tells_nothing_of_its_own_delay() -> None:
    assert delay_error_us([]) == 0
    assert delay_error_us([5]) == 300_000
    assert delay_error_us([5, 5]) == 0
    assert delay_error_us([0, 100, 200, 300, 400, 500, 600]) < 600


def test_the_only_file_of_a_run_is_dated_by_its_end_and_says_so() -> None:
    run = CameraRun(delay_us=lambda: 25_000_000)  # a frozen camera: ffmpeg gave up after 25 s
    dated = run.record(20_000_000, last=True)
    assert dated.flags == SegmentFlag.TIME_UNCERTAIN
    assert dated.start_us - T0_US == 25_000_000 < dated.err_us
    assert dated.err_us >= LATE_END_US


def test_the_only_file_of_a_run_is_dated_by_what_was_seen_while_it_grew() -> None:
    run = CameraRun(looks=2)
    frozen = run.measured(20_000_000, last=True)
    dated = run.clock.date(replace(frozen, end_wall_us=frozen.end_wall_us + 25_000_000))
    assert (dated.start_us, dated.flags) == (T0_US, SegmentFlag(0))


def test_the_late_end_of_a_frozen_camera_is_no_sample() -> None:
    run = CameraRun()
    run.record()
    late = run.measured(last=True)
    dated = run.clock.date(replace(late, end_wall_us=late.end_wall_us + 28_000_000))
    assert dated.dur_us == MINUTE_US
    assert SegmentFlag.TIME_BAD not in dated.flags


def closed(
    n: int, media_us: list[int], counted_us: list[int], wall_us: int, *, media_start_us: int = MINUTE_US
) -> Measured:
    return Measured(n, media_start_us, Lengths(media_us, counted_us), wall_us + LAG_US, LAG_US, last_of_run=False)


SIX = [10_000_000] * 6


@pytest.mark.parametrize(
    "media_us",
    [
        pytest.param([10_000_000, 3_610_000_000, *SIX[2:]], id="an hour forward"),
        pytest.param([10_000_000, 15_000_000, *SIX[2:]], id="five seconds forward"),
        pytest.param([10_000_000, 7_000_000, 0, 0, 10_000, 10_000_000], id="back: frames fall into nothing"),
        pytest.param([10_000_000, 5_000_000, 15_000_000, *SIX[3:]], id="back and forth"),
    ],
)
def test_frames_are_counted_where_media_time_cannot_be_true(media_us: list[int]) -> None:
    run = CameraRun()
    first = run.record()
    dated = run.clock.date(closed(1, media_us, SIX, T0_US + 2 * MINUTE_US))
    assert (dated.start_us, dated.dur_us) == (first.start_us + MINUTE_US, MINUTE_US)
    assert (dated.counted, dated.flags) == (True, SegmentFlag.TIME_BAD)
    assert dated.err_us < 500_000


def test_frames_are_counted_where_the_muxer_was_held_up_as_well() -> None:
    run = CameraRun()
    run.record()
    late_us = T0_US + 2 * MINUTE_US + 4_300_000
    dated = run.clock.date(closed(1, [*SIX[:4], 15_000_000, 2_400_000], SIX, late_us))
    assert (dated.dur_us, dated.counted) == (MINUTE_US, True)


def test_a_file_that_was_written_late_is_believed_its_media_time() -> None:
    run = CameraRun()
    run.record()
    dated = run.clock.date(closed(1, SIX, SIX, T0_US + 2 * MINUTE_US + 10_000_000))
    assert abs(dated.dur_us - MINUTE_US) <= MINUTE_US * MAX_CORRECTION_PPM // 1_000_000
    assert (dated.counted, dated.flags) == (False, SegmentFlag(0))


def test_a_camera_that_goes_over_to_twice_its_rate_is_believed_its_media_time() -> None:
    run = CameraRun()
    run.record()
    counted = [10_000_000, 10_000_000, *[20_000_000] * 4]
    assert not run.clock.date(closed(1, SIX, counted, T0_US + 2 * MINUTE_US)).flags


def test_frames_that_were_lost_on_the_way_shorten_nothing() -> None:
    run = CameraRun()
    run.record()
    lossy = [9_000_000, 7_000_000, 10_000_000, 2_000_000, 9_500_000, 8_000_000]
    dated = run.clock.date(closed(1, SIX, lossy, T0_US + 2 * MINUTE_US))
    assert (dated.dur_us, dated.flags) == (MINUTE_US, SegmentFlag(0))


@pytest.mark.parametrize("forward_us", [5_000_000, 3_600_000_000])
def test_a_runs_first_file_never_begins_before_its_recorder(forward_us: int) -> None:
    run = CameraRun()
    run.clock.started_us = T0_US - 300_000
    media = [GOP_US + forward_us, *[GOP_US] * 29]
    dated = run.clock.date(closed(0, media, [GOP_US] * 30, T0_US + MINUTE_US, media_start_us=0))
    assert (dated.start_us, dated.dur_us, dated.flags) == (T0_US, MINUTE_US, SegmentFlag.TIME_BAD)


def test_a_runs_only_file_is_dated_by_its_frames_where_its_media_time_jumped() -> None:
    run = CameraRun()
    run.clock.started_us = T0_US - 300_000
    for count in (1, 2, 4, 5):
        media_us = count * 10_000_000 + (5_000_000 if count > 3 else 0)
        run.clock.watched(0, count, media_us, T0_US + count * 10_000_000 + LAG_US, LAG_US)
    jumped = Lengths([*SIX[:3], 15_000_000, *SIX[4:]], SIX)
    dated = run.clock.date(Measured(0, 0, jumped, T0_US + MINUTE_US + 28_000_000, LAG_US, last_of_run=True))
    assert (dated.start_us, dated.dur_us, dated.flags) == (T0_US, MINUTE_US, SegmentFlag.TIME_BAD)


@given(
    st.lists(st.tuples(st.integers(0, 30_000_000), st.integers(0, 3_600_000_000)), min_size=1, max_size=8),
    st.booleans(),
    st.booleans(),
)
def test_no_footage_ends_later_than_its_file_was_written(
    fragments_us: list[tuple[int, int]], last: bool, counted: bool
) -> None:
    run = CameraRun()
    run.record()
    real_us = sum(real for real, _ in fragments_us)
    media = [real + (jump if jump % 2 else 0) for real, jump in fragments_us]
    lengths = Lengths(media, [real for real, _ in fragments_us] if counted else ())
    written_us = T0_US + MINUTE_US + real_us + LAG_US
    file = Measured(1, MINUTE_US, lengths, written_us, LAG_US, last)
    for dated in (run.clock.provisional(file), run.clock.date(file)):
        assert dated.start_us + dated.dur_us <= written_us + UNTRUE_US + MIN_DUR_US


def test_a_server_clock_that_went_back_makes_no_segment_of_no_length() -> None:
    run = CameraRun()
    first = run.record()
    dated = run.clock.date(closed(1, SIX, SIX, first.start_us - 3_600_000_000))
    assert SegmentFlag.TIME_BAD in dated.flags
    assert dated.dur_us == MIN_DUR_US


def test_a_slow_step_of_the_server_clock_is_told_as_drift() -> None:
    run = CameraRun(delay_us=lambda: 2_500_000 if run.n >= 2 else 0, looks=6)
    for _ in range(2):
        assert abs(run.record().drift_us) < MAX_DRIFT_US
    assert abs(run.record().drift_us) > MAX_DRIFT_US


def test_a_file_that_is_lost_leaves_its_time_open() -> None:
    run = CameraRun()
    first = run.record()
    run.measured()
    third = run.record()
    assert third.start_us == first.start_us + 2 * MINUTE_US


def test_after_a_restart_the_run_goes_on_as_before() -> None:
    before = CameraRun(150, evenly(1), looks=6)
    untouched = [before.record() for _ in range(12)]

    run = CameraRun(150, evenly(1), looks=6)
    ends: list[tuple[int, int]] = []
    for _ in range(6):
        file = run.measured()
        dated = run.clock.date(file)
        ends.append((run.media_us, file.end_wall_us))
    run.clock = RunClock()
    run.clock.resume(5, dated.start_us + dated.dur_us, run.media_us, file.end_wall_us, ends)
    resumed = [run.record() for _ in range(6)]
    assert resumed[0].start_us == dated.start_us + dated.dur_us
    assert [abs(a.start_us - b.start_us) < 1_000 for a, b in zip(untouched[6:], resumed, strict=True)]
    assert untouched[6:] == resumed


def test_a_server_that_comes_back_dates_a_runs_first_file_by_those_behind_it_too() -> None:
    run = CameraRun()
    run.delay_us = lambda: 280_000
    late = run.measured()
    run.delay_us = NO_DELAY
    for n in (1, 2, 3):
        end_us = (n + 1) * MINUTE_US
        run.clock.watched(n, 1, end_us, run.truth_us(end_us) + LAG_US, LAG_US)
    assert run.clock.date(late).start_us == T0_US


def growing(n: int, media_start_us: int, media_us: int, wall_us: int) -> Measured:
    return Measured(n, media_start_us, Lengths([media_us]), wall_us, LAG_US, last_of_run=True)


def test_a_growing_segment_starts_where_the_last_one_ended() -> None:
    run = CameraRun(looks=3)
    seen_us = T0_US + 10_000_000 + LAG_US
    assert run.clock.provisional(growing(0, 0, 10_000_000, seen_us + 5_000)).start_us == T0_US + 5_000
    run.clock.watched(0, 1, 10_000_000, seen_us, LAG_US)
    assert run.clock.provisional(growing(0, 0, 10_000_000, seen_us)).start_us == T0_US
    dated = run.record()
    later_us = T0_US + 5 * MINUTE_US
    assert run.clock.provisional(growing(1, MINUTE_US, 1_000, later_us)).start_us == dated.start_us + dated.dur_us
    assert run.clock.provisional(growing(3, 3 * MINUTE_US, 1_000, later_us)).start_us == dated.start_us + 3 * MINUTE_US
