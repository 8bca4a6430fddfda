"""How a clip is laid out, from rows alone."""

from __future__ import annotations

import os
import struct
import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Conflict
from storage import clip as clips
from storage.clip import Clip, Edges, Piece, lay_out, pieces
from storage.fmp4 import InitBoxes, read_init
from storage.model import Segment, SegmentFlag, Slice, Tier
from storage.selection import select
from tests.lavfi import recorded
from tests.rows import T0_US, fragments, segment

S = 1_000_000
OLD, NEW = 1_795_000_020_000, 1_795_000_020_001


def init_of(path_index: int, **what: int) -> InitBoxes:
    fd = os.open(recorded(audio=True, b_frames=2, **what)[path_index], os.O_RDONLY)
    try:
        init = read_init(fd)
    finally:
        os.close(fd)
    assert init is not None
    return init


INIT = init_of(0)
VIDEO, AUDIO = INIT.tracks
SCALE = VIDEO.timescale


def slices_of(segments: list[Segment], from_s: float = 0, to_s: float = 3600) -> list[Slice]:
    scaled = [replace(s, media_start=s.media_start * SCALE // 90_000) for s in segments]
    return select(scaled, T0_US + int(from_s * S), T0_US + int(to_s * S), fragments)


def edges_of(piece: Piece) -> Edges:
    """As if each fragment lasted what its row says, with sound that begins 0.1 s later and ends 0.1 s earlier."""
    first, last = piece.slices[0], piece.slices[-1]
    before_ms = sum(f.dur_ms for f in fragments(first.segment)[: first.first])
    until_ms = sum(f.dur_ms for f in fragments(last.segment)[: last.end])
    start = first.segment.media_start + before_ms * SCALE // 1000
    end = last.segment.media_start + until_ms * SCALE // 1000
    rate = AUDIO.timescale
    return Edges(start, end, start * rate // SCALE + rate // 10, end * rate // SCALE - rate // 10)


def laid_out(slices: list[Slice], *, keep_gaps: bool = False) -> Clip:
    made = pieces(slices, lambda part: INIT)
    return lay_out(made, [edges_of(piece) for piece in made], fragments, keep_gaps=keep_gaps)


def references(clip: Clip) -> list[tuple[int, float, bool]]:
    """(bytes, seconds, starts with a keyframe) of the sidx."""
    at = clip.header.index(b"sidx") - 4
    size = int.from_bytes(clip.header[at : at + 4], "big")
    assert at + size == len(clip.header)
    _, track, scale, _, first_offset, _, count = struct.unpack_from(">IIIQQHH", clip.header, at + 8)
    assert (track, scale, first_offset) == (VIDEO.track_id, SCALE, 0)
    rows = struct.iter_unpack(">III", clip.header[at + 40 : at + size])
    found = [(first, duration / scale, bool(sap >> 31)) for first, duration, sap in rows]
    assert len(found) == count
    return found


def test_sizes_and_times_come_from_rows() -> None:
    clip = laid_out(slices_of([segment(n, start_s=60 * n) for n in range(3)], 3, 125))
    rows = references(clip)
    assert clip.size_bytes == len(clip.header) + sum(size for size, _, _ in rows)
    assert [part.part.segment.n for part in clip.parts] == [0, 1, 2]
    assert [part.clip_time_s for part in clip.parts] == pytest.approx([0, 58, 118], abs=0.001)
    assert clip.parts[0].offset == 1000 + 100
    assert clip.duration_s == pytest.approx(124, abs=0.001)
    assert sum(seconds for _, seconds, _ in rows) == pytest.approx(124, abs=0.001)
    assert [part.sequence for part in clip.parts] == [1, 30, 60]


def test_the_movie_says_how_long_it_is() -> None:
    clip = laid_out(slices_of([segment()]))
    at = clip.header.index(b"mehd") + 4
    assert struct.unpack_from(">IQ", clip.header, at)[1] == pytest.approx(
        60 * clips._movie_timescale(INIT.data[32:]), abs=2
    )


def test_runs_follow_each_other_without_a_hole() -> None:
    clip = laid_out(slices_of([segment(run=OLD), segment(run=NEW, start_s=100)]))
    assert [part.clip_time_s for part in clip.parts] == pytest.approx([0, 60], abs=0.001)
    first, second = clip.parts
    assert first.shifts != second.shifts


def test_kept_gaps_are_holes_of_their_true_length() -> None:
    clip = laid_out(slices_of([segment(run=OLD), segment(run=NEW, start_s=100)]), keep_gaps=True)
    assert [part.clip_time_s for part in clip.parts] == pytest.approx([0, 100], abs=0.001)
    assert clip.duration_s == pytest.approx(160, abs=0.001)
    assert sum(seconds for _, seconds, _ in references(clip)) == pytest.approx(160, abs=0.001)


def test_a_missing_file_of_a_run_leaves_no_hole_either() -> None:
    segments = [segment(n, start_s=60 * n) for n in (0, 2)]
    assert laid_out(slices_of(segments)).duration_s == pytest.approx(120, abs=0.001)
    assert laid_out(slices_of(segments), keep_gaps=True).duration_s == pytest.approx(180, abs=0.001)


def test_no_track_ever_steps_back_between_runs() -> None:
    made = pieces(slices_of([segment(run=OLD), segment(run=NEW, start_s=100)]), lambda part: INIT)
    rate = AUDIO.timescale
    late = Edges(0, 60 * SCALE, 0, 62 * rate)  # sound that goes on for two seconds
    early = Edges(SCALE, 61 * SCALE, 0, 60 * rate)  # sound that begins a second before the picture
    first, second = clips._shifts(made, [late, early], keep_gaps=False)
    video, sound = VIDEO.track_id, AUDIO.track_id
    assert early.audio_start is not None and late.audio_end is not None
    assert early.audio_start + second[sound] >= late.audio_end + first[sound]
    assert early.video_start + second[video] >= late.video_end + first[video]
    assert abs(second[sound] / rate - second[video] / SCALE) < 2 / rate


def test_the_etag_is_what_decides_the_bytes_and_nothing_else() -> None:
    rows = [segment(n, start_s=60 * n) for n in range(2)]
    etag = laid_out(slices_of(rows)).etag
    assert etag is not None and etag.startswith('"')
    moved = [replace(row, tier=Tier.BOTH, volume_id=row.volume_id, sha256=b"x" * 32) for row in rows]
    assert laid_out(slices_of(moved)).etag == etag
    assert laid_out(slices_of(rows, 2)).etag != etag
    assert laid_out(slices_of(rows[:1])).etag != etag


def test_a_growing_segment_takes_the_etag_away() -> None:
    rows = [segment(0), segment(1, start_s=60, flags=SegmentFlag.GROWING)]
    assert laid_out(slices_of(rows)).etag is None


def test_other_streams_are_refused_with_the_windows_that_work() -> None:
    other = init_of(0, fps=5)
    rows = slices_of([segment(run=OLD), segment(run=NEW, start_s=100), segment(1, run=NEW, start_s=160)])
    with pytest.raises(Conflict) as caught:
        pieces(rows, lambda part: INIT if part.segment.run_id == OLD else other)
    assert caught.value.extra["code"] == "mixed_streams"
    assert caught.value.extra["windows"] == [
        {"from": "2026-11-18T11:07:00.000000Z", "to": "2026-11-18T11:08:00.000000Z"},
        {"from": "2026-11-18T11:08:40.000000Z", "to": "2026-11-18T11:10:40.000000Z"},
    ]


def layout_peak_bytes(count: int) -> int:
    """What laying out so many segments of 30 fragments takes, beside the segments themselves."""
    made = pieces(slices_of([segment(n, start_s=60 * n) for n in range(count)], 0, 60 * count), lambda part: INIT)
    edges = [edges_of(piece) for piece in made]
    tracemalloc.start()
    try:
        clip = lay_out(made, edges, fragments, keep_gaps=False)
        assert len(clip.parts) == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_long_clip_remembers_its_segments_and_not_their_fragments() -> None:
    """Both fill the sidx. With every fragment kept it was 9.6 kB a segment, 0.4 GB for a month."""
    assert (layout_peak_bytes(4400) - layout_peak_bytes(2190)) / 2210 < 2000


def test_more_fragments_than_a_sidx_can_hold_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "MAX_REFERENCES", 7)
    clip = laid_out(slices_of([segment()]))
    rows = references(clip)
    assert len(rows) == 6
    assert sum(size for size, _, _ in rows) == clip.size_bytes - len(clip.header)


@given(start=st.integers(0, 20_000), length=st.integers(1, 20_000))
def test_the_parts_between_two_bytes_cover_them(start: int, length: int) -> None:
    clip = laid_out(slices_of([segment(n, start_s=60 * n) for n in range(4)]))
    start, end = min(start, clip.size_bytes), min(start + length, clip.size_bytes)
    covered = 0
    for part in clip.between(start, end):
        low, high = max(start, part.clip_offset), min(end, part.clip_offset + part.size_bytes)
        assert high > low
        covered += high - low
    assert covered == max(end - max(start, len(clip.header)), 0)
