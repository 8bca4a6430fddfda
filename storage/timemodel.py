"""From media time to wall time, for one run. Pure: samples in, dates out.

A sample says: at server time `wall_us` the file had reached media time `media_us`. Delay (network, ffmpeg) only ever adds,
so of several samples the smallest `wall - media` is the best. ffmpeg itself hands a frame on one to two frames late: `lag_us`,
measured by the self-test, is taken off.

Segments of a run neither overlap nor leave gaps: a start is fixed by what came before, and `dur_us` leans towards the
sample by at most 500 ppm, which follows a camera clock that drifts without ever making a jump.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from storage.model import MAX_SEGMENT_US, SegmentFlag

MAX_CORRECTION_PPM = 500
RECENT_SEGMENTS = 5  # never the whole run: a camera 200 ppm slow would be 690 ms off after an hour
LAG_ERROR_US = 20_000  # of the self-test's measurement
LATE_END_US = 30_000_000  # a frozen camera's last file ends up to three times the 10 s time-out late
MAX_DRIFT_US = 2_000_000  # beyond it the run is ended
ENOUGH_SAMPLES = 5
ONE_SAMPLE_ERROR_US = 300_000  # a single sample does not tell how much delay it had
MIN_DUR_US = 1_000  # names carry milliseconds: no two starts of a run are the same
UNTRUE_US = 2_000_000  # media and wall time that advanced so differently (plus a GOP) cannot both be true


@dataclass(frozen=True, slots=True)
class Stream:
    """What the delay between capture and file depends on. `transcoded`: audio is coded anew, which holds the video back."""

    frame_us: int
    reorder_us: int = 0  # the camera's own, to code B-frames
    transcoded: bool = False


LagOf = Callable[[Stream], int]
"""How late ffmpeg hands a frame on, in microseconds."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A closed file of the run, as read from disk. Media times in microseconds; `end_wall_us` is its mtime."""

    n: int
    media_start_us: int
    media_dur_us: int
    longest_fragment_us: int
    end_wall_us: int
    lag_us: int
    last_of_run: bool


@dataclass(frozen=True, slots=True)
class Dated:
    """`drift_us`: what remains between the model and the sample; beyond MAX_DRIFT_US end the run."""

    start_us: int
    dur_us: int
    err_us: int
    flags: SegmentFlag
    drift_us: int


@dataclass(frozen=True, slots=True)
class _End:
    """The end of the newest dated segment on both clocks."""

    n: int
    wall_us: int
    media_us: int
    mtime_us: int


def delay_error_us(samples: list[int]) -> int:
    """How late the best sample may still be (99 of 100), if delays are spread evenly. 0 without samples."""
    count = len(samples)
    if count < 2:
        return ONE_SAMPLE_ERROR_US * count
    spread_us = (max(samples) - min(samples)) * (count + 1) / (count - 1)
    return int(spread_us * (1 - 0.01 ** (1 / count)))


@dataclass(slots=True)
class RunClock:
    """The time model of one run. `watched` as the file grows, `date` in the order of n as files close."""

    _end: _End | None = None
    # Samples as media time -> offset, which is wall - media - lag.
    _recent: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=RECENT_SEGMENTS))
    _watched: dict[int, dict[int, int]] = field(default_factory=dict)  # by n
    _resumed: list[tuple[int, int]] = field(default_factory=list)  # (media, wall): the lag is known with the next file

    def watched(self, n: int, media_us: int, wall_us: int, lag_us: int) -> None:
        """A sample from the growing file n."""
        # Another look at the same fragment tells nothing new.
        self._watched.setdefault(n, {})[media_us] = wall_us - media_us - lag_us

    def resume(self, n: int, end_us: int, media_end_us: int, mtime_us: int, ends: list[tuple[int, int]]) -> None:
        """Go on after a restart of the server: the newest indexed segment, and (media time, wall time) at which the last
        five were closed."""
        self._end = _End(n, end_us, media_end_us, mtime_us)
        self._resumed = ends[-RECENT_SEGMENTS:]

    def provisional(self, n: int, media_start_us: int) -> int | None:
        """Start of a segment that is still growing; None while nothing is known of the run."""
        if self._end is not None:
            return self._end.wall_us + (media_start_us - self._end.media_us if n != self._end.n + 1 else 0)
        samples = [offset for offsets in self._watched.values() for offset in offsets.values()]
        return media_start_us + min(samples) if samples else None

    def date(self, file: Measured) -> Dated:
        """Fixes the segment's start and length for ever."""
        own = self._watched.pop(file.n, {})
        for stale in [n for n in self._watched if n < file.n]:
            del self._watched[stale]
        media_end_us = file.media_start_us + file.media_dur_us
        closing = file.end_wall_us - media_end_us - file.lag_us
        self._recent.extend((media_us, wall_us - media_us - file.lag_us) for media_us, wall_us in self._resumed)
        self._resumed = []
        if not file.last_of_run:
            self._recent.append((media_end_us, closing))
            own[media_end_us] = closing
        flags = SegmentFlag(0)
        samples = self._samples(own)
        err_us = LAG_ERROR_US + delay_error_us(samples)
        if not samples:
            # The only file of its run, and nobody watched it grow: by its end, which may be late.
            samples = [closing]
            err_us = LAG_ERROR_US + LATE_END_US
            flags |= SegmentFlag.TIME_UNCERTAIN
        sample = min(samples)
        if self._end is None:
            dated = self._first(file, sample, err_us, flags)
        else:
            dated = self._next(self._end, file, sample, err_us, flags)
        self._end = _End(file.n, dated.start_us + dated.dur_us, media_end_us, file.end_wall_us)
        return dated

    def _samples(self, own: dict[int, int]) -> list[int]:
        """The segment's own where there are enough of them, else those of the run's last ones too; for a run's first, those
        of the files behind it: a server that comes back finds several at once."""
        if len(own) >= ENOUGH_SAMPLES:
            return list(own.values())
        behind = [] if self._end else [sample for of in self._watched.values() for sample in of.items()]
        return list({**own, **dict(self._recent), **dict(behind[:ENOUGH_SAMPLES])}.values())

    def _first(self, file: Measured, sample: int, err_us: int, flags: SegmentFlag) -> Dated:
        dur_us = _possible(file.media_dur_us)
        start_us = file.media_start_us + file.media_dur_us + sample - dur_us
        return Dated(start_us, dur_us, err_us, flags, 0)

    def _next(self, end: _End, file: Measured, sample: int, err_us: int, flags: SegmentFlag) -> Dated:
        start_us = end.wall_us
        if file.n != end.n + 1:
            # A file between is lost or in quarantine: the run's media time still tells how long it was.
            start_us += max(file.media_start_us - end.media_us, 0)
        elif not file.last_of_run:
            passed_us = file.end_wall_us - end.mtime_us
            if abs(passed_us - file.media_dur_us) > UNTRUE_US + file.longest_fragment_us:
                dur_us = _possible(file.end_wall_us - file.lag_us - start_us)
                self._recent.clear()
                return Dated(start_us, dur_us, err_us, flags | SegmentFlag.TIME_BAD, 0)
        drift_us = file.media_start_us + file.media_dur_us + sample - (start_us + file.media_dur_us)
        limit_us = file.media_dur_us * MAX_CORRECTION_PPM // 1_000_000
        correction_us = max(-limit_us, min(limit_us, drift_us))
        dur_us = _possible(file.media_dur_us + correction_us)
        rest_us = drift_us - correction_us
        return Dated(start_us, dur_us, err_us + abs(rest_us), flags, rest_us)


def _possible(dur_us: int) -> int:
    return max(MIN_DUR_US, min(dur_us, MAX_SEGMENT_US))
