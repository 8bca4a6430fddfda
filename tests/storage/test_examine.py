"""What a run's fragments tell of its stream."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from storage.examine import examine, sound_wait_us, stream_of, true_durations_us
from tests.lavfi import recorded


def of(path: Path, *first_reorders: int) -> int:
    """The reorder delay in microseconds; the first fragments are given other composition offsets."""
    examined = examine(path, sync=False)
    assert examined.init is not None
    fragments = list(examined.fragments)
    for at, reorder in enumerate(first_reorders):
        fragments[at] = replace(fragments[at], reorder=reorder)
    return stream_of(fragments, examined.init.video.timescale, audio="off").reorder_us


def test_b_frames_delay_a_stream_by_their_depth() -> None:
    assert of(recorded()[0]) == 0
    assert of(recorded(b_frames=2)[0]) == 200_000  # at ten frames a second


def test_nonsense_in_a_runs_first_fragment_dates_no_picture_early() -> None:
    path = recorded(b_frames=2)[0]
    assert of(path, 300_000) == of(path)
    assert of(path, 0) == of(path)


def test_fragments_last_from_picture_to_picture_where_their_stamps_are_a_frame_off() -> None:
    examined = examine(recorded(b_frames=2)[0], sync=False)
    assert examined.init is not None
    scale = examined.init.video.timescale
    first, *others = examined.fragments
    frame = scale // 10
    # As ffmpeg 9.0.2 writes some runs: the first sample lasts a frame too long, later ones are shown a frame before their dts.
    odd = [replace(first, dur=first.dur + frame)]
    odd += [replace(one, media_start=one.media_start + frame, lead=one.lead - frame) for one in others]
    true = true_durations_us(examined.fragments, scale, first_of_run=True)
    assert true_durations_us(odd, scale, first_of_run=True) == true == [1_000_000] * 4


def test_a_fragment_whose_sound_is_coded_anew_waits_for_its_audio_packet() -> None:
    examined = examine(recorded(audio=True)[0], sync=False)
    init, last = examined.init, examined.fragments[-1]
    assert init is not None and init.audio is not None
    end_us = (last.media_start + last.dur) * 1_000_000 // init.video.timescale
    start = init.audio.timescale * (end_us + 96_000) // 1_000_000
    late = replace(last, audio_start=start, audio_dur=0)
    assert abs(sound_wait_us(late, init, audio="aac") - 96_000) < 100
    assert sound_wait_us(late, init, audio="copy") == 0
    assert sound_wait_us(replace(late, audio_start=1 << 63), init, audio="aac") == 0
