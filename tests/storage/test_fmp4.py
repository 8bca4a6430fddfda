"""The box reader, on files that ffmpeg wrote, on files cut off anywhere, and on nonsense."""

from __future__ import annotations

import os
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import Corrupt
from storage.binary import find
from storage.fmp4 import FragmentBoxes, InitBoxes, parse_init, read_fragments, read_init
from tests.lavfi import recorded


@contextmanager
def opened(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def opened_bytes(data: bytes) -> Iterator[int]:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        yield file.fileno()


def read(data: bytes) -> tuple[InitBoxes | None, list[FragmentBoxes], int]:
    with opened_bytes(data) as fd:
        init = read_init(fd)
        if init is None:
            return None, [], 0
        return init, *read_fragments(fd, len(init.data), init)


def frames_by_ffmpeg(path: Path) -> int:
    command = [str(find()), "-nostdin", "-hide_banner", "-loglevel", "error", "-i", str(path)]
    command += ["-map", "0:v", "-c", "copy", "-f", "framecrc", "-"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert not done.stderr
    return sum(not line.startswith(b"#") for line in done.stdout.splitlines())


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


FIRST = recorded(audio=True, b_frames=2)[0]
DATA = FIRST.read_bytes()


def test_reads_the_tracks_of_an_init() -> None:
    with opened(FIRST) as fd:
        init = read_init(fd)
    assert init is not None
    assert init.data == DATA[: len(init.data)]
    assert DATA[len(init.data) + 4 : len(init.data) + 8] == b"prft"
    video, audio = init.tracks
    assert (video.kind, video.codec, video.width, video.height) == ("video", "h264", 160, 120)
    assert (audio.kind, audio.codec, audio.codecs, audio.timescale) == ("audio", "aac", "mp4a.40.2", 16000)
    assert init.video is video and init.audio is audio
    assert init.codecs == f"{video.codecs},mp4a.40.2"
    assert video.codecs.startswith("avc1.") and len(video.codecs) == 11
    assert parse_init(init.data) == init


def test_names_hevc_as_rfc_6381_says() -> None:
    with opened(recorded(codec="hevc")[0]) as fd:
        init = read_init(fd)
    assert init is not None
    assert (init.video.codec, init.audio) == ("hevc", None)
    assert init.codecs.startswith("hvc1.1.6.L")


@pytest.mark.parametrize(
    "files",
    [recorded(), recorded(audio=True, b_frames=2), recorded(codec="hevc"), recorded(codec="hevc", b_frames=2)],
    ids=["h264", "h264 with b-frames and audio", "hevc", "hevc with b-frames"],
)
def test_fragments_tile_the_files_and_hold_every_frame(files: tuple[Path, ...]) -> None:
    expected_start = None
    frames = 0
    for path in files:
        with opened(path) as fd:
            init = read_init(fd)
            assert init is not None
            fragments, end = read_fragments(fd, len(init.data), init)
        assert end == path.stat().st_size
        offset = len(init.data)
        for fragment in fragments:
            assert fragment.offset == offset
            offset = fragment.end
            assert fragment.keyframe
            assert fragment.prft_us is not None
            assert 0 < fragment.key_bytes < fragment.size_bytes
            assert fragment.mdat_offset < fragment.keyframe_offset < fragment.end
            if expected_start is not None:
                assert fragment.media_start == expected_start
            expected_start = fragment.media_start + fragment.dur
        assert sum(fragment.frames for fragment in fragments) == frames_by_ffmpeg(path)
        frames += sum(fragment.frames for fragment in fragments)
    assert frames == 120


def test_audio_runs_on_beside_the_video() -> None:
    _, fragments, _ = read(DATA)
    for one, other in pairwise(fragments):
        assert one.audio_start is not None and one.audio_start + one.audio_dur == other.audio_start


def test_the_keyframe_lies_where_it_says() -> None:
    _, fragments, _ = read(DATA)
    for fragment in fragments:
        sample = DATA[fragment.keyframe_offset : fragment.keyframe_offset + fragment.key_bytes]
        kinds = []
        while sample:  # length-prefixed NAL units: the last is the IDR slice (5)
            size = int.from_bytes(sample[:4], "big")
            kinds.append(sample[4] & 31)
            sample = sample[4 + size :]
        assert kinds[-1] == 5


def test_a_growing_file_shows_its_complete_fragments_only() -> None:
    init, whole, _ = read(DATA)
    assert init is not None and len(whole) == 4
    cuts = {0, 7, 8, 30, len(init.data) - 1, len(init.data), len(DATA) - 1}
    cuts |= {f.offset + n for f in whole for n in (0, 1, 8, 31, 32, 40, 200)} | {f.end - 1 for f in whole}
    for cut in sorted(cuts):
        found_init, found, end = read(DATA[:cut])
        if cut < len(init.data):
            assert found_init is None
        else:
            assert found == [fragment for fragment in whole if fragment.end <= cut]
            assert end == (found[-1].end if found else len(init.data))


def test_goes_on_where_it_ended() -> None:
    init, whole, end = read(DATA)
    assert init is not None
    with opened_bytes(DATA) as fd:
        assert read_fragments(fd, whole[1].end, init) == (whole[2:], end)
        assert read_fragments(fd, end, init) == ([], end)


def test_boxes_in_front_belong_to_the_fragment() -> None:
    init, whole, _ = read(DATA)
    assert init is not None
    first = whole[0]
    front = box(b"styp", b"msdh" * 2) + box(b"free", b"\0" * 5000) + box(b"sidx", b"\0" * 40)
    _, found, end = read(init.data + front + DATA[first.offset : first.end])
    assert len(found) == 1 and end == found[0].end
    assert (found[0].offset, found[0].size_bytes) == (len(init.data), len(front) + first.size_bytes)
    assert (found[0].dur, found[0].frames, found[0].prft_us) == (first.dur, first.frames, first.prft_us)


def test_reads_64_bit_box_sizes() -> None:
    init, whole, _ = read(DATA)
    assert init is not None
    first = whole[0]
    moof = bytearray(DATA[first.offset : first.mdat_offset])
    at = moof.find(b"trun")
    while at >= 0:  # the larger header moves the media on
        struct.pack_into(">i", moof, at + 12, struct.unpack_from(">i", moof, at + 12)[0] + 8)
        at = moof.find(b"trun", at + 4)
    mdat = DATA[first.mdat_offset + 8 : first.end]
    data = init.data + moof + struct.pack(">I4sQ", 1, b"mdat", 16 + len(mdat)) + mdat
    _, found, end = read(data)
    assert end == len(data)
    assert (found[0].frames, found[0].keyframe_offset) == (first.frames, first.keyframe_offset + 8)


def test_reads_several_truns_defaults_and_32_bit_times() -> None:
    """A moof as another muxer may write it: version 0 boxes, sizes and durations by default, two truns."""
    with opened(recorded()[0]) as fd:
        init = read_init(fd)
    assert init is not None
    tfhd = box(b"tfhd", struct.pack(">IIIII", 0x20038, 1, 512, 10, 0x1010000))
    tfdt = box(b"tfdt", struct.pack(">II", 0, 4_000_000_000))
    keyframe = box(b"trun", struct.pack(">IIiI", 0x5, 1, 0, 0x2000000))
    others = box(b"trun", struct.pack(">III", 0x100, 3, 500) + struct.pack(">II", 500, 512))
    size = 8 + len(box(b"mfhd", bytes(8))) + 8 + len(tfhd + tfdt + keyframe + others)
    keyframe = box(b"trun", struct.pack(">IIiI", 0x5, 1, size + 8, 0x2000000))
    moof = box(b"moof", box(b"mfhd", bytes(8)) + box(b"traf", tfhd + tfdt + keyframe + others))
    prft = box(b"prft", struct.pack(">IIQI", 0, 1, (2_208_988_800 + 7) << 32 | 1 << 31, 77))
    _, found, end = read(init.data + prft + moof + box(b"mdat", b"x" * 40))
    assert end == len(init.data) + len(prft) + len(moof) + 48
    only = found[0]
    assert (only.media_start, only.dur, only.frames) == (4_000_000_000, 512 + 1512, 4)
    assert (only.keyframe, only.key_bytes, only.inter_bytes) == (True, 10, 30)
    assert (only.prft_us, only.prft_media, only.prft_flags) == (7_500_000, 77, 0)


def test_keeps_a_first_time_stamp_of_2_to_the_63() -> None:
    init, whole, _ = read(DATA)
    assert init is not None
    at = DATA.index(b"tfdt", whole[0].offset) + 8
    _, found, _ = read(DATA[:at] + (2**63).to_bytes(8, "big") + DATA[at + 8 :])
    assert found[0].media_start == 2**63


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"RIFF....AVI LIST", "ftyp"),
        (box(b"ftyp", b"isom") + box(b"moof"), "before any moov"),
        (box(b"ftyp", b"isom") + box(b"moov"), "not fragmented"),
        (box(b"ftyp", b"isom") + box(b"moov", box(b"mvex")), "one video track"),
        (box(b"ftyp", b"isom") + struct.pack(">I4s", 3, b"moov"), "no sense"),
        (box(b"ftyp", b"isom") + struct.pack(">I4s", 2**31, b"moov"), "no sense"),
        (b"".join(box(b"ftyp", b"isom") for _ in range(40)), "no moov"),
    ],
)
def test_says_why_a_file_is_no_footage(data: bytes, why: str) -> None:
    with pytest.raises(Corrupt, match=why):
        read(data)


@given(cut=st.integers(0, len(DATA)))
def test_cut_off_anywhere_it_reads_what_is_complete(cut: int) -> None:
    init, found, end = read(DATA[:cut])
    assert end <= cut
    assert init is None or end == (found[-1].end if found else len(init.data))


@settings(max_examples=400)
@given(flips=st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(0, 255)), min_size=1, max_size=12))
def test_flipped_bytes_never_crash_it(flips: list[tuple[int, int]]) -> None:
    data = bytearray(DATA)
    for at, value in flips:
        data[at] = value
    _tolerates(bytes(data))


_INIT, _WHOLE, _ = read(DATA)
assert _INIT is not None
HEADERS = [*range(len(_INIT.data)), *(n for f in _WHOLE for n in range(f.offset, f.mdat_offset + 8))]


@settings(max_examples=600)
@given(flips=st.lists(st.tuples(st.sampled_from(HEADERS), st.integers(0, 255)), min_size=1, max_size=4))
def test_flipped_header_bytes_never_crash_it(flips: list[tuple[int, int]]) -> None:
    data = bytearray(DATA)
    for at, value in flips:
        data[at] = value
    _tolerates(bytes(data))


@given(st.binary(max_size=400))
def test_any_bytes_never_crash_it(data: bytes) -> None:
    _tolerates(data)
    _tolerates(_INIT.data + data if _INIT else data)


def _tolerates(data: bytes) -> None:
    try:
        init, found, end = read(data)
    except Corrupt:
        return
    assert end <= len(data)
    offset = len(init.data) if init else 0
    for fragment in found:
        assert fragment.offset == offset
        offset = fragment.end
        assert fragment.mdat_offset < fragment.keyframe_offset <= fragment.end - fragment.key_bytes
