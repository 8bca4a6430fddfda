"""Inside a fragment: its samples' times, and moving it to another media time. Pure, on bytes.

`head` means everything of a fragment before its media: the prft, the moof and the header of the mdat.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config.errors import Corrupt
from storage.fmp4 import InitBoxes, TrackInfo

_HEADER = struct.Struct(">I4s")
_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")
_U64_MOD = 1 << 64
_MAX_BOXES = 16
MAX_SAMPLES = 1 << 16  # of one fragment: 43 minutes at 25 a second


@dataclass(frozen=True, slots=True)
class Sample:
    """Times in the track's time scale. `pts` is the time at which it is shown."""

    dts: int
    pts: int
    dur: int
    size_bytes: int


def head_bytes(data: bytes | bytearray) -> int | None:
    """The head's length; None when `data` does not hold all of it. Raises Corrupt where a fragment does not begin."""
    at = 0
    for _ in range(_MAX_BOXES):
        if at + 16 > len(data):
            return None
        size, kind = _HEADER.unpack_from(data, at)
        head = 8
        if size == 1:
            size, head = _U64.unpack_from(data, at + 8)[0], 16
        if size < head:
            break
        if kind == b"mdat":
            return at + head
        at += size
    raise Corrupt("a fragment does not begin where its index says")


def shifted(head: bytes, shifts: Mapping[int, int], sequence: int) -> bytearray:
    """The head with each track's tfdt moved by `shifts[track_id]` units, the prft's media time with it, and the moof numbered.

    Same length; nothing else differs. Raises Corrupt for a broken head.
    """
    made = bytearray(head)
    try:
        for kind, start, end in _boxes(made, 0, len(made)):
            if kind == b"prft":
                _move_prft(made, start, shifts)
            elif kind == b"moof":
                for inner, inner_start, inner_end in _boxes(made, start, end):
                    if inner == b"mfhd":
                        _U32.pack_into(made, inner_start + 4, sequence & 0xFFFFFFFF)
                    elif inner == b"traf":
                        _move_traf(made, inner_start, inner_end, shifts)
    except struct.error as error:
        raise Corrupt("a fragment's boxes are broken") from error
    return made


def video_samples(head: bytes | bytearray, init: InitBoxes) -> list[Sample]:
    """In the order of decoding. Raises Corrupt for a broken head."""
    samples: list[Sample] = []
    try:
        for kind, start, end in _boxes(head, 0, len(head)):
            if kind != b"moof":
                continue
            for inner, inner_start, inner_end in _boxes(head, start, end):
                if inner == b"traf":
                    samples += _samples(head, inner_start, inner_end, init.video)
    except (struct.error, IndexError) as error:
        raise Corrupt("a fragment's boxes are broken") from error
    return samples


def _boxes(data: bytes | bytearray, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start of the content, end). The mdat ends the head: only its header is there."""
    at = start
    while at + 8 <= end:
        size, kind = _HEADER.unpack_from(data, at)
        if kind == b"mdat":
            return
        if size < 8 or at + size > end:
            raise Corrupt("a fragment's boxes are broken")
        yield kind, at + 8, at + size
        at += size


def _move_prft(made: bytearray, start: int, shifts: Mapping[int, int]) -> None:
    """Producer reference time, ISO 14496-12 8.16.5: its media time is the track's."""
    shift = shifts.get(_U32.unpack_from(made, start + 4)[0], 0)
    if made[start]:
        _move(made, start + 16, shift)


def _move_traf(made: bytearray, start: int, end: int, shifts: Mapping[int, int]) -> None:
    shift = 0
    for kind, inner, _ in _boxes(made, start, end):
        if kind == b"tfhd":
            shift = shifts.get(_U32.unpack_from(made, inner + 4)[0], 0)
        elif kind == b"tfdt":
            if made[inner]:
                _move(made, inner + 4, shift)
            else:
                _U32.pack_into(made, inner + 4, _U32.unpack_from(made, inner + 4)[0] + shift & 0xFFFFFFFF)


def _move(made: bytearray, at: int, shift: int) -> None:
    _U64.pack_into(made, at, (_U64.unpack_from(made, at)[0] + shift) % _U64_MOD)


def _samples(data: bytes | bytearray, start: int, end: int, track: TrackInfo) -> list[Sample]:
    """8.8.7, 8.8.8, 8.8.12: of one traf; nothing when it is another track's."""
    samples: list[Sample] = []
    dts = 0
    dur, size = track.default_duration, track.default_size
    for kind, inner, inner_end in _boxes(data, start, end):
        word = _U32.unpack_from(data, inner)[0]
        at = inner + 4
        if kind == b"tfhd":
            if _U32.unpack_from(data, at)[0] != track.track_id:
                return []
            at += 4 + (8 if word & 0x1 else 0) + (4 if word & 0x2 else 0)
            if word & 0x8:
                dur = _U32.unpack_from(data, at)[0]
                at += 4
            if word & 0x10:
                size = _U32.unpack_from(data, at)[0]
        elif kind == b"tfdt":
            dts = (_U64 if word >> 24 else _U32).unpack_from(data, at)[0]
        elif kind == b"trun":
            count = _U32.unpack_from(data, at)[0]
            at += 4 + (4 if word & 0x1 else 0) + (4 if word & 0x4 else 0)
            names = [bit for bit in (0x100, 0x200, 0x400, 0x800) if word & bit]
            if at + 4 * len(names) * count > inner_end or count > MAX_SAMPLES:
                raise Corrupt("a fragment's boxes are broken")
            for _ in range(count):
                found = dict(zip(names, struct.unpack_from(f">{len(names)}I", data, at), strict=True))
                at += 4 * len(names)
                offset = found.get(0x800, 0)
                if offset >> 31:
                    offset -= 1 << 32  # version 1 offsets are signed; ffmpeg means them so in version 0 as well
                length = found.get(0x100, dur)
                samples.append(Sample(dts, dts + offset, length, found.get(0x200, size)))
                dts += length
    return samples
