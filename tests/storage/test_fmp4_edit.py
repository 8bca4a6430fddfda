"""Moving a fragment's media time, and listing its samples."""

from __future__ import annotations

import os
import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import Corrupt
from storage.fmp4 import FragmentBoxes, InitBoxes, parse_init, read_fragments, read_init
from storage.fmp4_edit import head_bytes, shifted, video_samples
from tests.lavfi import recorded

FILE = recorded(audio=True, b_frames=2)[1]
DATA = FILE.read_bytes()


def boxes_of(data: bytes) -> tuple[InitBoxes, list[FragmentBoxes]]:
    path = f"/proc/self/fd/{os.memfd_create('footage')}"
    with open(path, "r+b") as file:
        file.write(data)
        file.flush()
        os.close(int(path.rsplit("/", 1)[1]))
        init = read_init(file.fileno())
        assert init is not None
        return init, read_fragments(file.fileno(), len(init.data), init)[0]


INIT, FRAGMENTS = boxes_of(DATA)
HEADS = [DATA[f.offset : f.mdat_offset + 8] for f in FRAGMENTS]


def test_the_head_ends_where_the_media_begins() -> None:
    for fragment, head in zip(FRAGMENTS, HEADS, strict=True):
        assert head_bytes(DATA[fragment.offset : fragment.end]) == len(head)
        assert head_bytes(head) in (len(head), None)
        for cut in (0, 15, 40, len(head) - 20):
            assert head_bytes(head[:cut]) is None


def test_every_track_is_moved_by_its_own_shift_and_nothing_else_changes() -> None:
    moved = bytearray(DATA)
    for n, (fragment, head) in enumerate(zip(FRAGMENTS, HEADS, strict=True)):
        made = shifted(head, {1: -10_000 + n, 2: 16_000}, 77 + n)
        assert len(made) == len(head)
        moved[fragment.offset : fragment.offset + len(head)] = made
        assert bytes(shifted(bytes(made), {1: 10_000 - n, 2: -16_000}, 1 + n)) == head
    _, found = boxes_of(bytes(moved))
    for n, (before, after) in enumerate(zip(FRAGMENTS, found, strict=True)):
        assert after.media_start == before.media_start - 10_000 + n
        assert after.audio_start is not None and before.audio_start is not None
        assert after.audio_start == before.audio_start + 16_000
        assert after.prft_media == before.prft_media - 10_000 + n
        assert (after.prft_us, after.dur, after.frames) == (before.prft_us, before.dur, before.frames)
        assert DATA[before.mdat_offset : before.end] == moved[before.mdat_offset : before.end]


def test_samples_are_those_of_the_fragment() -> None:
    for fragment, head in zip(FRAGMENTS, HEADS, strict=True):
        samples = video_samples(head, INIT)
        assert len(samples) == fragment.frames
        assert samples[0].dts == fragment.media_start
        assert sum(sample.dur for sample in samples) == fragment.dur
        assert samples[0].size_bytes == fragment.key_bytes
        assert sum(sample.size_bytes for sample in samples) == fragment.key_bytes + fragment.inter_bytes
        shown = sorted(sample.pts for sample in samples)
        assert shown != [sample.pts for sample in samples]  # B-frames
        assert {b - a for a, b in pairwise(shown)} == {1024}


@settings(max_examples=300)
@given(
    flips=st.lists(st.tuples(st.integers(0, len(HEADS[0]) - 1), st.integers(0, 255)), min_size=1, max_size=4),
    cut=st.integers(0, len(HEADS[0])),
)
def test_broken_heads_are_corrupt_and_nothing_worse(flips: list[tuple[int, int]], cut: int) -> None:
    broken = bytearray(HEADS[0])
    for at, value in flips:
        broken[at] = value
    for data in (bytes(broken), bytes(broken[:cut])):
        for ask in (
            head_bytes,
            lambda head: shifted(head, {1: 5, 2: -5}, 1),
            lambda head: video_samples(head, INIT),
        ):
            try:
                ask(data)
            except Corrupt:
                continue


def test_what_does_not_begin_with_a_box_is_corrupt() -> None:
    with pytest.raises(Corrupt):
        head_bytes(struct.pack(">I4s", 3, b"moof") + bytes(100))


def test_bitrates_do_not_make_another_stream() -> None:
    """Muxers write what they guess into btrt and esds."""
    at = INIT.data.index(b"btrt") + 4
    other = INIT.data[:at] + struct.pack(">III", 1, 2, 3) + INIT.data[at + 12 :]
    assert other != INIT.data
    assert [t.description for t in parse_init(other).tracks] == [t.description for t in INIT.tracks]
    at = INIT.data.index(b"avcC") + 12
    changed = INIT.data[:at] + bytes([INIT.data[at] ^ 1]) + INIT.data[at + 1 :]
    assert parse_init(changed).video.description != INIT.video.description
