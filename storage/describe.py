"""From an examined file to its row: what every way of indexing shares (ingest, reconcile, rebuild). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from config.errors import Corrupt
from storage.examine import Examined, camera_clock_us, pack_fragments, true_durations_us, usual_frame_us
from storage.fmp4 import FragmentBoxes, InitBoxes
from storage.lengths import Lengths
from storage.model import CameraId, InitId, RunId, Segment, SegmentFlag, Tier, VolumeId
from storage.timemodel import Dated


@dataclass(frozen=True, slots=True)
class Media:
    """A file's media time, in microseconds of the run's own zero."""

    durations_us: list[int]  # of each fragment
    counted_us: list[int]  # of each fragment by its frames; empty while the run's usual frame is unknown
    start_us: int
    dur_us: int
    stamp: tuple[int, int] | None  # (camera wall time, media time) of the newest sender report

    @property
    def end_us(self) -> int:
        return self.start_us + self.dur_us

    @property
    def lengths(self) -> Lengths:
        return Lengths(self.durations_us, self.counted_us)


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


def measure(examined: Examined, *, first_of_run: bool, frame_us: int = 0) -> Media:
    """`frame_us`: the run's usual frame, where earlier files told it. Raises Corrupt for a file that is broken or empty."""
    return media_of(examined.fragments, init_of(examined).video.timescale, first_of_run=first_of_run, frame_us=frame_us)


def media_of(fragments: Sequence[FragmentBoxes], scale: int, *, first_of_run: bool, frame_us: int = 0) -> Media:
    """At least one fragment."""
    durations = true_durations_us(fragments, scale, first_of_run=first_of_run)
    dur_us = sum(durations)
    # From the end back: a run's first fragment can start anywhere.
    end_us = fragments[-1].shown_start * 1_000_000 // scale + durations[-1]
    known = not first_of_run or len(fragments) > 1  # the first fragment's frames can have nonsense for their time
    frame_us = frame_us or (usual_frame_us(fragments, scale) if known else 0)
    return Media(
        durations_us=durations,
        counted_us=[fragment.frames * frame_us for fragment in fragments] if frame_us else [],
        start_us=end_us - dur_us,
        dur_us=dur_us,
        stamp=camera_clock_us(fragments, scale, first_of_run=first_of_run),
    )


def segment_of(examined: Examined, media: Media, activity: Sequence[int], place: Place, dated: Dated) -> Segment:
    """The row; its `init_id` is still 0."""
    durations_us = media.counted_us if dated.counted else media.durations_us
    packed, fits = pack_fragments(examined.fragments, durations_us, activity)
    flags = dated.flags
    if not fits:
        flags |= SegmentFlag.FRAGS_IN_FILE
    if examined.end_bytes < examined.size_bytes:
        flags |= SegmentFlag.TRUNCATED
    if not examined.fragments[0].keyframe:
        flags |= SegmentFlag.NO_KEYFRAME
    offset_us = None
    if media.stamp is not None and SegmentFlag.TIME_BAD not in flags:
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
