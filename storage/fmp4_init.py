"""The init of a fragmented MP4: ftyp and moov, its tracks and their RFC 6381 names."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from config.errors import Corrupt

_HEADER = struct.Struct(">I4s")
_U32 = struct.Struct(">I")
_MAX_INIT_BYTES = 4 << 20
_MAX_TOP_BOXES = 16
_MPEG4_AUDIO = 0x40  # object type indication, ISO 14496-1 table 5


@dataclass(frozen=True, slots=True)
class TrackInfo:
    track_id: int
    kind: str  # video | audio
    timescale: int  # per second
    codec: str  # h264 | hevc | aac | the four characters of another
    codecs: str  # RFC 6381
    width: int
    height: int
    default_duration: int  # trex
    default_size: int
    default_flags: int
    description: bytes  # what decodes it, of the stsd box: equal descriptions can be joined in one file


@dataclass(frozen=True, slots=True)
class InitBoxes:
    """`data` is ftyp + moov, byte for byte. Exactly one track is video; of further audio tracks the first counts."""

    data: bytes
    tracks: tuple[TrackInfo, ...]

    @property
    def video(self) -> TrackInfo:
        return next(track for track in self.tracks if track.kind == "video")

    @property
    def audio(self) -> TrackInfo | None:
        return next((track for track in self.tracks if track.kind == "audio"), None)

    @property
    def codecs(self) -> str:
        return ",".join(track.codecs for track in self.tracks)

    def track(self, track_id: int) -> TrackInfo | None:
        for track in self.tracks:
            if track.track_id == track_id:
                return track
        return None


def read_init(fd: int) -> InitBoxes | None:
    """None while ftyp and moov are not complete. Raises Corrupt for what can never become an init with one video track."""
    offset = 0
    for index in range(_MAX_TOP_BOXES):
        header = os.pread(fd, 16, offset)
        if len(header) < 8:
            return None
        size, kind = _HEADER.unpack_from(header)
        if index == 0 and kind != b"ftyp":
            raise Corrupt("it does not start with an ftyp box")
        if size < 8 or offset + size > _MAX_INIT_BYTES:
            raise Corrupt("its first boxes make no sense")
        if kind in (b"moof", b"mdat"):
            raise Corrupt("it has media before any moov")
        offset += size
        if kind == b"moov":
            data = os.pread(fd, offset, 0)
            return parse_init(data) if len(data) == offset else None
    raise Corrupt("it has no moov box")


def parse_init(data: bytes) -> InitBoxes:
    """Raises Corrupt unless `data` is ftyp + moov with one video track."""
    try:
        tracks = _tracks(data)
    except (struct.error, IndexError) as error:
        raise Corrupt("its moov box is broken") from error
    if sum(track.kind == "video" for track in tracks) != 1:
        raise Corrupt("its moov box has not exactly one video track")
    return InitBoxes(data, tracks)


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start of the content, end) of the boxes in data[start:end]. Raises Corrupt for a size that makes no sense."""
    at = start
    while at + 8 <= end:
        size, kind = _HEADER.unpack_from(data, at)
        if size < 8 or at + size > end:
            raise Corrupt("its moov box is broken")
        yield kind, at + 8, at + size
        at += size


def _find(data: bytes, start: int, end: int, *path: bytes) -> tuple[int, int] | None:
    for kind, inner, inner_end in boxes(data, start, end):
        if kind == path[0]:
            return (inner, inner_end) if len(path) == 1 else _find(data, inner, inner_end, *path[1:])
    return None


def _tracks(data: bytes) -> tuple[TrackInfo, ...]:
    moov = _find(data, 0, len(data), b"moov")
    if moov is None:
        raise Corrupt("it has no moov box")
    defaults: dict[int, tuple[int, int, int]] = {}
    mvex = _find(data, *moov, b"mvex")
    if mvex is None:
        raise Corrupt("it is not fragmented")
    for kind, start, end in boxes(data, *mvex):
        if kind == b"trex" and end - start >= 24:
            track_id, _, duration, size, flags = struct.unpack_from(">5I", data, start + 4)
            defaults[track_id] = (duration, size, flags)
    made = []
    for kind, start, end in boxes(data, *moov):
        if kind == b"trak" and (track := _track(data, start, end, defaults)) is not None:
            made.append(track)
    return tuple(made)


def _track(data: bytes, start: int, end: int, defaults: dict[int, tuple[int, int, int]]) -> TrackInfo | None:
    tkhd = _find(data, start, end, b"tkhd")
    mdhd = _find(data, start, end, b"mdia", b"mdhd")
    hdlr = _find(data, start, end, b"mdia", b"hdlr")
    stsd = _find(data, start, end, b"mdia", b"minf", b"stbl", b"stsd")
    if tkhd is None or mdhd is None or hdlr is None or stsd is None:
        return None
    kind = {b"vide": "video", b"soun": "audio"}.get(data[hdlr[0] + 8 : hdlr[0] + 12])
    if kind is None:
        return None
    # Version 1 of both boxes has 64-bit creation and modification times before the field.
    track_id = _U32.unpack_from(data, tkhd[0] + (20 if data[tkhd[0]] else 12))[0]
    timescale = _U32.unpack_from(data, mdhd[0] + (20 if data[mdhd[0]] else 12))[0]
    if timescale == 0:
        raise Corrupt("a track of it has the time scale 0")
    entry = next(boxes(data, stsd[0] + 8, stsd[1]), None)
    if entry is None:
        raise Corrupt("a track of it has no sample description")
    codec, codecs, width, height = _video_entry(data, *entry) if kind == "video" else _audio_entry(data, *entry)
    return TrackInfo(
        track_id,
        kind,
        timescale,
        codec,
        codecs,
        width,
        height,
        *defaults.get(track_id, (0, 0, 0)),
        _description(data, *entry, head=78 if kind == "video" else 28),
    )


def _description(data: bytes, kind: bytes, start: int, end: int, *, head: int) -> bytes:
    """A sample entry without what only informs: the coder's name (ISO 14496-12 12.1.3) and the bit rates of its btrt box.

    Two runs of one camera differ in them when ffmpeg was upgraded in between, and decode alike.
    """
    fields = data[start : start + head]
    if head == 78:
        fields = fields[:42] + fields[74:]
    parts = [kind, fields]
    parts += [
        data[b_start - 8 : b_end] for b_kind, b_start, b_end in boxes(data, start + head, end) if b_kind != b"btrt"
    ]
    return b"".join(parts)


def _without_bitrates(stsd: bytes) -> bytes:
    """The same with btrt (ISO 14496-12 8.5.2) and the three rates of esds set to 0: muxers write guesses there."""
    made = bytearray(stsd)
    for kind, start, end in boxes(stsd, 16, len(stsd)):
        children = start + (28 if kind == b"mp4a" else 78)
        for inner, inner_start, inner_end in boxes(stsd, children, end) if children < end else ():
            if inner == b"btrt":
                made[inner_start:inner_end] = bytes(inner_end - inner_start)
            elif inner == b"esds":
                at = inner_start + 4 + _decoder_config(stsd[inner_start + 4 : inner_end])
                made[at + 2 : at + 13] = bytes(11)
    return bytes(made[: len(stsd)])


def _video_entry(data: bytes, kind: bytes, start: int, end: int) -> tuple[str, str, int, int]:
    """VisualSampleEntry, ISO 14496-12 12.1.3, and the codec's configuration (ISO 14496-15)."""
    width, height = struct.unpack_from(">HH", data, start + 24)
    name = kind.decode("latin-1")
    if kind in (b"avc1", b"avc3") and (found := _find(data, start + 78, end, b"avcC")) is not None:
        return "h264", f"{name}.{data[found[0] + 1 : found[0] + 4].hex()}", width, height
    if kind in (b"hvc1", b"hev1") and (found := _find(data, start + 78, end, b"hvcC")) is not None:
        return "hevc", f"{name}.{_hevc_profile(data[found[0] : found[1]])}", width, height
    return name.strip().lower(), name, width, height


def _hevc_profile(config: bytes) -> str:
    """ISO 14496-15 annex E.3: profile, compatibility flags bit-reversed, tier and level, constraints without trailing zeros."""
    first, compatibility, constraints, level = struct.unpack_from(">BI6sB", config, 1)
    space = ("", "A", "B", "C")[first >> 6]
    reverse = int(f"{compatibility:032b}"[::-1], 2)
    parts = [f"{space}{first & 31}", f"{reverse:X}", f"{'H' if first >> 5 & 1 else 'L'}{level}"]
    return ".".join(parts + [f"{byte:X}" for byte in constraints.rstrip(b"\0")])


def _audio_entry(data: bytes, kind: bytes, start: int, end: int) -> tuple[str, str, int, int]:
    """AudioSampleEntry; of mp4a the object type of its esds (ISO 14496-1 7.2.6)."""
    name = kind.decode("latin-1")
    if kind == b"mp4a" and (found := _find(data, start + 28, end, b"esds")) is not None:
        object_type, audio_type = _esds(data[found[0] + 4 : found[1]])
        if object_type == _MPEG4_AUDIO:
            return "aac", f"mp4a.40.{audio_type}", 0, 0
        return "mp4a", f"mp4a.{object_type:02X}", 0, 0
    return name.strip().lower(), name, 0, 0


def _esds(descriptor: bytes) -> tuple[int, int]:
    """(object type indication, MPEG-4 audio object type). Raises IndexError for a short one."""
    at = _decoder_config(descriptor)
    object_type = descriptor[at]
    if object_type != _MPEG4_AUDIO:
        return object_type, 0
    at = _descriptor(descriptor, at + 13, 0x05)
    audio_type = descriptor[at] >> 3
    if audio_type == 31:  # an escape: six more bits
        audio_type = 32 + ((descriptor[at] & 7) << 3 | descriptor[at + 1] >> 5)
    return object_type, audio_type


def _decoder_config(descriptor: bytes) -> int:
    """Where the DecoderConfigDescriptor's content starts: object type, stream type, buffer size, two bit rates."""
    at = _descriptor(descriptor, 0, 0x03)
    flags = descriptor[at + 2]
    at += 3 + 2 * (flags >> 7 & 1) + 2 * (flags >> 5 & 1)
    if flags >> 6 & 1:
        at += 1 + descriptor[at]
    return _descriptor(descriptor, at, 0x04)


def _descriptor(data: bytes, at: int, tag: int) -> int:
    """Where the content of a descriptor starts: after its tag and its length of one to four bytes."""
    if data[at] != tag:
        raise Corrupt("an audio description of it is broken")
    at += 1
    for _ in range(4):
        at += 1
        if not data[at - 1] & 0x80:
            break
    return at
