"""From an examined file to its row: what every way of indexing shares (ingest, reconcile, rebuild). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from config.errors import Corrupt
from storage.examine import Examined, camera_clock_us, pack_fragments, true_durations_us
from storage.fmp4 import InitBoxes
from storage.model import CameraId, InitId, RunId, Segment, SegmentFlag, Tier, VolumeId
from storage.timemodel import Dated


@dataclass(frozen=True, slots=True)
class Media:
    """A file's media time, in microseconds of the run's own zero."""

    durations_us: list[int]  # of each fragment
    start_us: int
    dur_us: int
    stamp: tuple[int, int] | None  # (camera wall time, media time) of the newest sender report

    @property
    def end_us(self) -> int:
        return self.start_us + self.dur_us


@dataclass(frozen=True, slots=True)
class Place:
    """Which file of which run, and where it lies."""

    camera_id: CameraId
    run_id: RunId
    n: int
    frag0: int
    volume_id: VolumeId


def init_of(examined: Examined) -> InitBoxes:
    """Raises Corrupt for a file that is broken or empty."""
    if examined.init is None or not examined.fragments:
        raise Corrupt(f"{examined.path}: {examined.broken or 'it holds no media'}")
    return examined.init


def measure(examined: Examined, *, first_of_run: bool) -> Media:
    """Raises Corrupt for a file that is broken or empty."""
    scale = init_of(examined).video.timescale
    durations = true_durations_us(examined.fragments, scale, first_of_run=first_of_run)
    dur_us = sum(durations)
    # From the end back: a run's first fragment can start anywhere.
    end_us = examined.fragments[-1].media_start * 1_000_000 // scale + durations[-1]
    return Media(
        durations_us=durations,
        start_us=end_us - dur_us,
        dur_us=dur_us,
        stamp=camera_clock_us(examined.fragments, scale, first_of_run=first_of_run),
    )


def segment_of(examined: Examined, media: Media, activity: Sequence[int], place: Place, dated: Dated) -> Segment:
    """The row; its `init_id` is still 0."""
    packed, fits = pack_fragments(examined.fragments, media.durations_us, activity)
    flags = dated.flags
    if not fits:
        flags |= SegmentFlag.FRAGS_IN_FILE
    if examined.end_bytes < examined.size_bytes:
        flags |= SegmentFlag.TRUNCATED
    if not examined.fragments[0].keyframe:
        flags |= SegmentFlag.NO_KEYFRAME
    offset_us = None
    if media.stamp is not None:
        camera_us, media_us = media.stamp
        offset_us = camera_us - (dated.start_us + media_us - media.start_us)
    return Segment(
        camera_id=place.camera_id,
        start_us=dated.start_us,
        dur_us=dated.dur_us,
        run_id=place.run_id,
        n=place.n,
        frag0=place.frag0,
        media_start=examined.fragments[0].media_start,
        init_id=InitId(0),
        size_bytes=examined.size_bytes,
        tier=Tier.LOCAL,
        volume_id=place.volume_id,
        flags=flags,
        err_us=dated.err_us,
        clock_offset_us=offset_us,
        sha256=examined.sha256,
        frags=packed,
    )
