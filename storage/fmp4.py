"""Reading fragmented MP4 (ISO 14496-12) as ffmpeg's mov muxer writes it: the init and the fragments of a file.

Reads through a descriptor by `os.pread`, box headers only, never media bytes, so the file may grow meanwhile. Pure parsing
besides: no state. Bytes that make no sense end the reading; only an init that is none raises Corrupt.

Blocking: run it in the volume's pool.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from storage.fmp4_init import InitBoxes, TrackInfo, parse_init, read_init

__all__ = ["FragmentBoxes", "InitBoxes", "TrackInfo", "fragments_of", "parse_init", "read_fragments", "read_init"]

Pread = Callable[[int, int], bytes]
"""As os.pread without the descriptor: (count, offset)."""

_HEADER = struct.Struct(">I4s")
_I32_MAX = (1 << 31) - 1
_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")

_AHEAD_BYTES = 4096  # a prft, a moof of 2 s and the mdat header: one read
_MAX_MOOF_BYTES = 16 << 20  # some 10^6 samples; more is nonsense
_MAX_IN_FRONT = 16  # boxes before a moof
_IN_FRONT = frozenset({b"styp", b"sidx", b"free", b"skip", b"emsg", b"uuid"})
_NTP_1970_S = 2_208_988_800
_NON_SYNC = 0x10000  # sample_is_non_sync_sample, 8.8.3.1


@dataclass(frozen=True, slots=True)
class FragmentBoxes:
    """One complete moof + mdat with what stands before it. Offsets in bytes from the start of the file.

    Media times and durations in the track's own time scale. `dur` is the sum of the video samples' durations.
    """

    offset: int
    size_bytes: int  # of the whole: prft, moof, mdat and any styp, sidx or free in front
    moof_offset: int
    moof_size: int
    mdat_offset: int
    media_start: int  # tfdt of the video track
    dur: int
    audio_start: int | None
    audio_dur: int
    frames: int  # video samples
    keyframe: bool  # the first video sample is one
    key_bytes: int  # the first video sample
    inter_bytes: int  # all other video samples
    prft_us: int | None  # wall time since 1970
    prft_media: int
    prft_flags: int  # 24: an RTCP sender report gave it
    keyframe_offset: int  # of the first video sample's bytes
    reorder: int = (
        0  # how long the camera holds a picture back to code B-frames: largest composition offset, less the first
    )
    lead: int = 0  # composition offset of the first video sample

    @property
    def shown_start(self) -> int:
        """When the first picture is shown, in media time. Mostly the tfdt; but where the first stamps of a B-frame camera are
        nonsense, ffmpeg counts a run's first file a frame off against its pictures (seen with 9.0.2, in one run of three)."""
        return self.media_start + (self.lead if abs(self.lead) <= self.dur else 0)

    @property
    def end(self) -> int:
        return self.offset + self.size_bytes


class _Prft(NamedTuple):
    us: int | None = None
    media: int = 0
    flags: int = 0


class _Traf(NamedTuple):
    """What one track has in a moof. `data_offset` from the start of the moof unless `absolute`."""

    start: int
    dur: int
    samples: int
    sync: bool
    first_bytes: int
    all_bytes: int
    data_offset: int
    absolute: bool
    reorder: int
    lead: int


class _Nonsense(Exception):
    """Not a fragment: the reading ends here."""


def read_fragments(
    fd: int, offset: int, init: InitBoxes, *, at_most: int | None = None
) -> tuple[list[FragmentBoxes], int]:
    """The complete fragments from `offset` on, and where the next one will start.

    Never raises for what the bytes say: it ends before the first box that is incomplete or makes no sense.
    """
    return fragments_of(partial(os.pread, fd), os.fstat(fd).st_size, offset, init, at_most=at_most)


def fragments_of(
    pread: Pread, end: int, offset: int, init: InitBoxes, *, at_most: int | None = None
) -> tuple[list[FragmentBoxes], int]:
    """As `read_fragments`, of whatever can be read as a file of `end` bytes."""
    found: list[FragmentBoxes] = []
    ahead = _AHEAD_BYTES
    while at_most is None or len(found) < at_most:
        try:
            fragment = _read_fragment(pread, offset, end, init, ahead)
        except (_Nonsense, struct.error, IndexError):
            break
        if fragment is None:
            break
        found.append(fragment)
        offset = fragment.offset + fragment.size_bytes
        ahead = max(_AHEAD_BYTES, fragment.mdat_offset - fragment.offset + 1024)
    return found, offset


def _read_fragment(pread: Pread, start: int, end: int, init: InitBoxes, ahead: int) -> FragmentBoxes | None:
    """None: not complete yet."""
    prft = _Prft()
    buffer = pread(min(ahead, end - start) if end > start else 0, start)
    base = offset = start  # `base`: where the buffer starts
    for _ in range(_MAX_IN_FRONT):
        at = offset - base
        if at + 16 > len(buffer):
            base, at = offset, 0
            buffer = pread(min(ahead, max(end - offset, 0)), offset)
            if len(buffer) < 16:
                return None
        size, kind = _HEADER.unpack_from(buffer, at)
        head = 8
        if size == 1:
            size = _U64.unpack_from(buffer, at + 8)[0]
            head = 16
        if size < head:
            raise _Nonsense
        if kind == b"moof":
            if size > _MAX_MOOF_BYTES:
                raise _Nonsense
            if offset + size + 8 > end:
                return None
            if at + size + 16 > len(buffer):
                base, at = offset, 0
                buffer = pread(size + 16, offset)
            return _fragment(buffer, at, head, size, start, offset, end, init, prft)
        if offset + size > end:
            if kind != b"prft" and kind not in _IN_FRONT:
                raise _Nonsense
            return None
        if kind == b"prft":
            prft = _parse_prft(buffer, at + head, at + size)
        elif kind not in _IN_FRONT:
            raise _Nonsense
        offset += size
    raise _Nonsense


def _parse_prft(buffer: bytes, at: int, end: int) -> _Prft:
    """Producer reference time, 8.16.5."""
    if end - at < 20 or end > len(buffer):
        return _Prft()
    version_flags, _track, ntp = struct.unpack_from(">IIQ", buffer, at)
    if version_flags >> 24:
        if end - at < 24:
            return _Prft()
        media = _U64.unpack_from(buffer, at + 16)[0]
    else:
        media = _U32.unpack_from(buffer, at + 16)[0]
    us = ((ntp >> 32) - _NTP_1970_S) * 1_000_000 + ((ntp & 0xFFFFFFFF) * 1_000_000 >> 32)
    return _Prft(us, media, version_flags & 0xFFFFFF)


def _fragment(
    buffer: bytes, at: int, head: int, size: int, start: int, moof_offset: int, end: int, init: InitBoxes, prft: _Prft
) -> FragmentBoxes | None:
    """`buffer[at:]` holds the moof of `size` bytes and the header of the box after it."""
    after = at + size
    mdat_size, kind = _HEADER.unpack_from(buffer, after)
    mdat_head = 8
    if mdat_size == 1:
        if moof_offset + size + 16 > end:
            return None
        mdat_size = _U64.unpack_from(buffer, after + 8)[0]
        mdat_head = 16
    if kind != b"mdat" or mdat_size < mdat_head:
        raise _Nonsense
    mdat_offset = moof_offset + size
    fragment_end = mdat_offset + mdat_size
    if fragment_end > end:
        return None
    video: _Traf | None = None
    audio: _Traf | None = None
    at += head
    while at + 8 <= after:
        box_size, kind = _HEADER.unpack_from(buffer, at)
        if box_size < 8 or at + box_size > after:
            raise _Nonsense
        if kind == b"traf":
            track, traf = _parse_traf(buffer, at + 8, at + box_size, init)
            if track is not None and track.kind == "video":
                video = video or traf
            elif track is not None:
                audio = audio or traf
        at += box_size
    if video is None or video.samples == 0:
        raise _Nonsense
    keyframe_offset = video.data_offset if video.absolute else moof_offset + video.data_offset
    if keyframe_offset < mdat_offset + mdat_head or keyframe_offset + video.all_bytes > fragment_end:
        raise _Nonsense
    return FragmentBoxes(
        start,
        fragment_end - start,
        moof_offset,
        size,
        mdat_offset,
        video.start,
        video.dur,
        audio.start if audio else None,
        audio.dur if audio else 0,
        video.samples,
        video.sync,
        video.first_bytes,
        video.all_bytes - video.first_bytes,
        prft.us,
        prft.media,
        prft.flags,
        keyframe_offset,
        video.reorder,
        video.lead,
    )


def _parse_traf(buffer: bytes, at: int, end: int, init: InitBoxes) -> tuple[TrackInfo | None, _Traf]:
    """8.8.6 to 8.8.12. A track that the init does not know counts for nothing."""
    track: TrackInfo | None = None
    dur = size = flags = 0
    base = -1
    start = total_dur = samples = first_bytes = all_bytes = 0
    sync = False
    data_offset = -1
    lead = highest = 0
    while at + 8 <= end:
        box_size, kind = _HEADER.unpack_from(buffer, at)
        box_end = at + box_size
        if box_size < 12 or box_end > end:
            raise _Nonsense
        word = _U32.unpack_from(buffer, at + 8)[0]
        if kind == b"trun":
            run_dur, run_samples, run_bytes, run_first, run_flags, run_offset, offsets = _parse_trun(
                buffer, at + 12, box_end, word, dur, size, flags
            )
            if samples == 0 and run_samples:
                first_bytes, sync, data_offset = run_first, not run_flags & _NON_SYNC, run_offset
                lead = highest = offsets[0]
            total_dur += run_dur
            samples += run_samples
            all_bytes += run_bytes
            highest = max(highest, *offsets)
        elif kind == b"tfdt":
            start = (_U64 if word >> 24 else _U32).unpack_from(buffer, at + 12)[0]
        elif kind == b"tfhd":
            track = init.track(_U32.unpack_from(buffer, at + 12)[0])
            if track is not None:
                dur, size, flags = track.default_duration, track.default_size, track.default_flags
            at += 16
            if word & 0x1:
                base = _U64.unpack_from(buffer, at)[0]
                at += 8
            if word & 0x2:
                at += 4
            if word & 0x8:
                dur = _U32.unpack_from(buffer, at)[0]
                at += 4
            if word & 0x10:
                size = _U32.unpack_from(buffer, at)[0]
                at += 4
            if word & 0x20:
                flags = _U32.unpack_from(buffer, at)[0]
            if at > box_end:
                raise _Nonsense
        at = box_end
    absolute = base >= 0
    return track, _Traf(
        start,
        total_dur,
        samples,
        sync,
        first_bytes,
        all_bytes,
        base + data_offset if absolute else data_offset,
        absolute,
        highest - lead,
        lead,
    )


def _parse_trun(
    buffer: bytes, at: int, end: int, word: int, dur: int, size: int, flags: int
) -> tuple[int, int, int, int, int, int, tuple[int, int]]:
    """(duration, samples, bytes, first sample's bytes, first sample's flags, data offset, its first and largest composition
    offsets)."""
    count = _U32.unpack_from(buffer, at)[0]
    at += 4
    data_offset = 0
    if word & 0x1:
        data_offset = struct.unpack_from(">i", buffer, at)[0]
        at += 4
    first_flags: int | None = None
    if word & 0x4:
        first_flags = _U32.unpack_from(buffer, at)[0]
        at += 4
    fields = (word >> 8 & 1) + (word >> 9 & 1) + (word >> 10 & 1) + (word >> 11 & 1)
    if at + 4 * fields * count > end:
        raise _Nonsense
    if not count:
        return 0, 0, 0, 0, 0, data_offset, (0, 0)
    values = struct.unpack_from(f">{fields * count}I", buffer, at) if fields else ()
    column = 0
    total_dur, total_size, first_size = dur * count, size * count, size
    if word & 0x100:
        total_dur = sum(values[::fields])
        column = 1
    if word & 0x200:
        total_size, first_size = sum(values[column::fields]), values[column]
        column += 1
    if first_flags is None:
        first_flags = values[column] if word & 0x400 else flags
    offsets = (0, 0)
    if word & 0x800:  # the last column; signed from version 1 on, and nothing sensible is that large in version 0
        signed = [value if value <= _I32_MAX else value - (1 << 32) for value in values[fields - 1 :: fields]]
        offsets = signed[0], max(signed)
    return total_dur, count, total_size, first_size, first_flags, data_offset, offsets
