"""A segment's row made again from a file in the archive: what its name, its boxes and its neighbours' rows say. Pure.

The name carries the start to the millisecond; a neighbour in the run carries it to the microsecond. The length is up to
the next start, so that segments of a run stay consecutive: the lean of the time model is in the names.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage import activity
from storage.describe import Media, Place, measure, segment_of
from storage.examine import Examined
from storage.model import MAX_SEGMENT_US, CameraId, Segment, SegmentFlag, VolumeId
from storage.paths import ArchiveName
from storage.timemodel import LAG_ERROR_US, MAX_CORRECTION_PPM, Dated

NAME_ERROR_US = 1_000


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What is known beside the file. `before_end_us`: end of n - 1, `after_start_us`: start of n + 1; None: no row."""

    frag0: int = 0
    before_end_us: int | None = None
    after_start_us: int | None = None


def start_of(name: ArchiveName, before_end_us: int | None) -> int:
    """The neighbour's exact end where it agrees with the name; the name alone decides where the file lies."""
    if before_end_us is not None and before_end_us // 1000 == name.start_ms:
        return before_end_us
    return name.start_ms * 1000


def recovered(
    examined: Examined,
    camera_id: CameraId,
    volume_id: VolumeId,
    name: ArchiveName,
    beside: Neighbours,
    usual: float | None,
) -> Segment:
    """The row of a sound file; `init_id` is still 0. `usual`: what storage.activity compares with."""
    media = measure(examined, first_of_run=name.n == 0)
    start_us = start_of(name, beside.before_end_us)
    dur_us, flags = _length(start_us, media, beside.after_start_us)
    counted = SegmentFlag.TIME_BAD in flags and bool(media.counted_us)
    values, _ = activity.rate(examined.fragments, usual)
    place = Place(camera_id, name.run_id, name.n, beside.frag0, volume_id)
    dated = Dated(start_us, dur_us, LAG_ERROR_US + NAME_ERROR_US, flags, 0, counted=counted)
    return segment_of(examined, media, values, place, dated)


def _length(start_us: int, media: Media, after_us: int | None) -> tuple[int, SegmentFlag]:
    """Up to the next start. The time model leaves media time only where it cannot be true."""
    if after_us is None or not 0 < after_us - start_us <= MAX_SEGMENT_US:
        return min(max(media.dur_us, 0), MAX_SEGMENT_US), SegmentFlag(0)
    dur_us = after_us - start_us
    leaning_us = media.dur_us * MAX_CORRECTION_PPM // 1_000_000 + 2 * NAME_ERROR_US
    believed = media.lengths.believed(start_us, {len(media.durations_us): after_us})
    untrue = believed.bad or abs(dur_us - media.dur_us) > leaning_us
    return dur_us, SegmentFlag.TIME_BAD if untrue else SegmentFlag(0)
