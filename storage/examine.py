"""Reading one footage file: its init, its complete fragments, its hash, its time. Blocking: run it in the volume's pool."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.errors import Corrupt
from storage import frags
from storage.fmp4 import FragmentBoxes, InitBoxes, read_fragments, read_init
from storage.model import Fragment
from storage.moves import fd_sha256
from storage.timemodel import Stream

PRFT_FROM_SENDER_REPORT = 24  # prft flags: the time came with the media, from the camera's own clock


@dataclass(frozen=True, slots=True)
class Examined:
    """`broken`: why nothing can be played of it. `empty`: it holds no media after its init, and nothing else either."""

    path: Path
    size_bytes: int
    mtime_us: int
    init: InitBoxes | None
    fragments: tuple[FragmentBoxes, ...]
    end_bytes: int  # after the last complete fragment
    sha256: bytes
    broken: str = ""
    empty: bool = False


def examine(path: Path, *, sync: bool) -> Examined:
    """Raises FileNotFoundError and other OSErrors as they are. `sync`: also make the file's bytes durable."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        stat = os.fstat(fd)
        mtime_us = stat.st_mtime_ns // 1000
        init: InitBoxes | None = None
        fragments: list[FragmentBoxes] = []
        end = 0
        broken = ""
        try:
            init = read_init(fd)
        except Corrupt as error:
            broken = error.message
        if init is not None:
            fragments, end = read_fragments(fd, len(init.data), init)
        empty = stat.st_size == 0 or (init is not None and stat.st_size == len(init.data))
        if not broken and not empty and not fragments:
            broken = "its first fragment is not complete" if init is not None else "its ftyp and moov are not complete"
        digest = b"" if empty or broken else fd_sha256(fd)
        if sync and not (empty or broken):
            os.fsync(fd)
        return Examined(path, stat.st_size, mtime_us, init, tuple(fragments), end, digest, broken, empty)
    finally:
        os.close(fd)


def true_durations_us(fragments: Sequence[FragmentBoxes], timescale: int, *, first_of_run: bool) -> list[int]:
    """Media duration of each fragment in microseconds.

    Within a file the next fragment's start tells it exactly; the last one's is the sum of its samples. The first fragment of
    a run can carry nonsense until the first sender report has come (a frame of 9.77 s, one of 11 us): it is given its frames
    times the usual frame duration where it is off by more than half.
    """
    durations = []
    for index, fragment in enumerate(fragments):
        units = fragment.dur
        if index + 1 < len(fragments):
            step = fragments[index + 1].shown_start - fragment.shown_start
            if 0 < step < 2 * units + timescale:
                units = step
        durations.append(units * 1_000_000 // timescale)
    if first_of_run and fragments:
        frame_us = usual_frame_us(fragments, timescale)
        nominal = fragments[0].frames * frame_us
        if frame_us and abs(durations[0] - nominal) > nominal // 2:
            durations[0] = nominal
    return durations


def stream_of(fragments: Sequence[FragmentBoxes], timescale: int, *, audio: str) -> Stream:
    """What the lag of these fragments depends on. The usual fragment tells the reorder delay; a run's first, whose stamps can
    be nonsense, only where there is no other."""
    reorder = statistics.median_high([fragment.reorder for fragment in fragments[1:] or fragments] or [0])
    return Stream(usual_frame_us(fragments, timescale), reorder * 1_000_000 // timescale, audio)


SOUND_WAIT_MOST_US = 200_000  # an AAC packet of 8 kHz lasts 128 ms; more is nonsense in a run's first stamps


def sound_wait_us(last: FragmentBoxes, init: InitBoxes, *, audio: str) -> int:
    """How much later a fragment was written because its sound is coded anew: the keyframe that ends it waits for the audio
    packet of its time, and so does the file. Measured with G.711: the delays of one run differ by 120 ms, less this by 36."""
    if audio != "aac" or init.audio is None or last.audio_start is None:
        return 0
    sound_end_us = (last.audio_start + last.audio_dur) * 1_000_000 // init.audio.timescale
    wait_us = sound_end_us - (last.media_start + last.dur) * 1_000_000 // init.video.timescale
    return wait_us if 0 <= wait_us <= SOUND_WAIT_MOST_US else 0


def usual_frame_us(fragments: Sequence[FragmentBoxes], timescale: int) -> int:
    """Median over the fragments of the mean frame duration; the first fragment is left out where there are others."""
    per_frame = [f.dur * 1_000_000 // (f.frames * timescale) for f in fragments if f.frames]
    return int(statistics.median(per_frame[1:] or per_frame or [0]))


def pack_fragments(
    fragments: Sequence[FragmentBoxes], durations_us: Sequence[int], activity: Sequence[int]
) -> tuple[bytes, bool]:
    """(packed, fits). Where one does not fit, the packed form is clipped and only good for counting: read the boxes."""
    made = []
    passed_us = 0
    for fragment, dur_us, value in zip(fragments, durations_us, activity, strict=True):
        before_ms = (passed_us + 500) // 1000
        passed_us += dur_us
        dur_ms = (passed_us + 500) // 1000 - before_ms
        made.append(Fragment(fragment.offset, fragment.size_bytes, dur_ms, fragment.keyframe, value))
    packed = frags.pack(made)
    if packed is not None:
        return packed, True
    clipped = [
        Fragment(
            f.offset, min(f.size_bytes, frags.MAX_SIZE_BYTES), min(f.dur_ms, frags.MAX_DUR_MS), f.keyframe, f.activity
        )
        for f in made
    ]
    return frags.pack(clipped) or b"", False


def camera_clock_us(
    fragments: Sequence[FragmentBoxes], timescale: int, *, first_of_run: bool
) -> tuple[int, int] | None:
    """(camera wall time, media time in us) of the newest sender-report stamp; never the run's first fragment's."""
    usable = fragments[1:] if first_of_run else fragments
    for fragment in reversed(usable):
        if fragment.prft_flags == PRFT_FROM_SENDER_REPORT and fragment.prft_us is not None:
            return fragment.prft_us, fragment.prft_media * 1_000_000 // timescale
    return None
