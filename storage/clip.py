"""A window as one MP4 file that exists nowhere: its bytes are laid out from rows and read when they are sent. Pure.

```
ftyp + moov (with the whole duration in mvex/mehd)   sidx (every fragment)   fragments, as they lie in the segments' files
```

Coded bytes are untouched. Of each fragment's head only the media times (tfdt, prft) and the number of the moof differ, by
shifts that are constant for a piece: fragments of one run that follow each other. So sizes are known before any is read.
"""

from __future__ import annotations

import hashlib
import struct
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple

from config.errors import Conflict
from storage import frags
from storage.clock import rfc3339
from storage.fmp4 import InitBoxes
from storage.fmp4_init import boxes
from storage.model import Fragment, Segment, SegmentFlag, Slice
from storage.selection import follows

FORMAT_VERSION = 1
"""Part of every ETag: raise it when the same rows would give other bytes."""
MAX_REFERENCES = 65_535  # reference_count of a sidx has 16 bits
_MAX_U32 = (1 << 32) - 1
_SIDX_BYTES = 40  # without its references

Fragments = Callable[[Segment], Sequence[Fragment]]
Shifts = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Edges:
    """Media times at the two ends of a piece, from the boxes of its first and last fragment; each track in its time scale."""

    video_start: int
    video_end: int
    audio_start: int | None
    audio_end: int | None


@dataclass(frozen=True, slots=True)
class Piece:
    """Slices of one run that follow each other without a hole."""

    slices: tuple[Slice, ...]
    init: InitBoxes


@dataclass(frozen=True, slots=True)
class ClipPart:
    """What one segment gives: its bytes [offset, offset + size_bytes) are the clip's from `clip_offset` on."""

    part: Slice
    offset: int
    size_bytes: int
    clip_offset: int
    clip_time_s: float
    shifts: Shifts  # track id -> units
    sequence: int  # number of its first moof


@dataclass(frozen=True, slots=True)
class Clip:
    """`etag` with quotes; None while the bytes may still change (a growing segment is in it)."""

    header: bytes
    parts: tuple[ClipPart, ...]
    size_bytes: int
    duration_s: float
    etag: str | None

    def between(self, start: int, end: int) -> Iterator[ClipPart]:
        """The parts that hold any of the clip's bytes [start, end)."""
        first = bisect_right(self.parts, start, key=lambda part: part.clip_offset) - 1
        for part in self.parts[max(first, 0) :]:
            if part.clip_offset >= end:
                return
            if part.clip_offset + part.size_bytes > start:
                yield part


def pieces(slices: Sequence[Slice], init_of: Callable[[Slice], InitBoxes]) -> list[Piece]:
    """Raises Conflict (`mixed_streams`) when one moov cannot describe all of them; `windows` lists what works."""
    groups: list[list[Slice]] = []
    for part in slices:
        if groups and follows(groups[-1][-1], part):
            groups[-1].append(part)
        else:
            groups.append([part])
    made = [Piece(tuple(group), init_of(group[0])) for group in groups]
    _refuse_mixed(made)
    return made


def _refuse_mixed(made: Sequence[Piece]) -> None:
    windows: list[list[int]] = []
    last: object = None
    for piece in made:
        kind = _kind(piece.init)
        if windows and kind == last:
            windows[-1][1] = piece.slices[-1].end_us
        else:
            windows.append([piece.slices[0].start_us, piece.slices[-1].end_us])
        last = kind
    if len(windows) > 1:
        raise Conflict(
            "the camera's streams changed within this window, and one MP4 holds only one kind: ask for the parts that work",
            code="mixed_streams",
            windows=[{"from": rfc3339(from_us), "to": rfc3339(to_us)} for from_us, to_us in windows],
        )


def _kind(init: InitBoxes) -> object:
    """Equal for inits whose fragments one moov can describe."""
    return tuple(
        (t.track_id, t.kind, t.timescale, t.description, t.default_duration, t.default_size, t.default_flags)
        for t in init.tracks
    )


def lay_out(made: Sequence[Piece], edges: Sequence[Edges], fragments: Fragments, *, keep_gaps: bool) -> Clip:
    """The clip of at least one piece; `edges` as many. `fragments` is asked for every segment.

    `keep_gaps`: a hole of wall time between pieces stays a hole in the clip's time; else they follow each other at once.
    A month is 1.3 million fragments: none of them is kept.
    """
    init = made[0].init
    scale = init.video.timescale
    shifts = _shifts(made, edges, keep_gaps=keep_gaps)
    end, audio_end = _ends(init, edges[-1], shifts[-1])
    duration_s = max(end / scale, audio_end)
    movie = _with_duration(init.data, duration_s)
    references = _References(sum(_count(part, fragments) for piece in made for part in piece.slices))
    parts: list[ClipPart] = []
    at, sequence = len(movie) + references.size_bytes, 1
    for piece, shift in zip(made, shifts, strict=True):
        latest = 0
        for part in piece.slices:
            rows = _rows(part, fragments(part.segment), shift[init.video.track_id], scale, latest)
            size = sum(row.size_bytes for row in rows)
            references.add(rows)
            parts.append(ClipPart(part, rows[0].offset, size, at, rows[0].start / scale, shift, sequence))
            latest = rows[-1].start
            at += size
            sequence += len(rows)
    header = movie + references.sidx(init, end)
    growing = any(part.segment.growing for piece in made for part in piece.slices)
    return Clip(header, tuple(parts), at, duration_s, None if growing else _etag(init, parts))


def _shifts(made: Sequence[Piece], edges: Sequence[Edges], *, keep_gaps: bool) -> list[dict[int, int]]:
    """For each piece, what to add to each track's media times. The clip starts at 0, and no track ever steps back."""
    video, audio = made[0].init.video, made[0].init.audio
    shifts: list[dict[int, int]] = []
    start_us = made[0].slices[0].start_us
    video_end = audio_end = lead = 0
    for index, (piece, edge) in enumerate(zip(made, edges, strict=True)):
        shift = video_end - edge.video_start
        if audio is not None and edge.audio_start is not None:
            shift = max(shift, _scaled(audio_end - edge.audio_start, audio.timescale, video.timescale))
        if index == 0:
            lead = shift + edge.video_start  # sound that begins before the picture
        elif keep_gaps:
            wall = (piece.slices[0].start_us - start_us) * video.timescale // 1_000_000
            shift = max(shift, lead + wall - edge.video_start)
        shifts.append({video.track_id: shift})
        video_end = edge.video_end + shift
        if audio is not None:
            audio_shift = _scaled(shift, video.timescale, audio.timescale)
            shifts[-1][audio.track_id] = audio_shift
            if edge.audio_end is not None:
                audio_end = max(audio_end, edge.audio_end + audio_shift)
    return shifts


def _scaled(units: int, of: int, to: int) -> int:
    """Rounded up: moving on by a tick is harmless, stepping back is not."""
    return -(-units * to // of)


def _ends(init: InitBoxes, edge: Edges, shift: Shifts) -> tuple[int, float]:
    """(end of the video in its units, end of the audio in seconds)."""
    end = edge.video_end + shift[init.video.track_id]
    if init.audio is None or edge.audio_end is None:
        return end, 0.0
    return end, (edge.audio_end + shift[init.audio.track_id]) / init.audio.timescale


class _Row(NamedTuple):
    """A fragment in the clip's time, in the video's time scale."""

    offset: int
    size_bytes: int
    start: int
    keyframe: bool


def _count(part: Slice, fragments: Fragments) -> int:
    end = part.end
    if end is None:
        in_file = SegmentFlag.FRAGS_IN_FILE in part.segment.flags
        end = len(fragments(part.segment)) if in_file else frags.count(part.segment.frags)
    return end - part.first


def _rows(part: Slice, fragments: Sequence[Fragment], shift: int, scale: int, latest: int) -> list[_Row]:
    """The fragments of a slice. `latest`: where the one before them starts."""
    rows: list[_Row] = []
    passed_ms = 0
    base = part.segment.media_start + shift
    for index, fragment in enumerate(fragments):
        if part.end is not None and index >= part.end:
            break
        if index >= part.first:
            # Milliseconds are rounded, and times that cannot be true occur: never step back.
            latest = max(latest, base + passed_ms * scale // 1000)
            rows.append(_Row(fragment.offset, fragment.size_bytes, latest, fragment.keyframe))
        passed_ms += fragment.dur_ms
    return rows


class _References:
    """The segment index, ISO 14496-12 8.16.3: a row for each of `count` fragments, else for so many of them at a time that a
    sidx can hold it."""

    def __init__(self, count: int) -> None:
        self._step = max(1, -(-count // MAX_REFERENCES))
        self._rows = -(-count // self._step)
        self._seen = 0
        self._sizes, self._starts, self._keyframes = array("Q"), array("q"), bytearray()

    @property
    def size_bytes(self) -> int:
        """Of the box."""
        return _SIDX_BYTES + 12 * self._rows

    def add(self, rows: Sequence[_Row]) -> None:
        for row in rows:
            if self._seen % self._step:
                self._sizes[-1] += row.size_bytes
            else:
                self._sizes.append(row.size_bytes)
                self._starts.append(row.start)
                self._keyframes.append(row.keyframe)
            self._seen += 1

    def sidx(self, init: InitBoxes, end: int) -> bytes:
        """Version 1: it stands right before the first fragment. Each row lasts until the next one starts, the last until
        `end`."""
        content = struct.pack(">IIIQQHH", 1 << 24, init.video.track_id, init.video.timescale, 0, 0, 0, self._rows)
        ends = chain(islice(self._starts, 1, None), [end])
        content += b"".join(
            struct.pack(">III", size & 0x7FFFFFFF, min(max(until - start, 0), _MAX_U32), 0x90000000 if keyframe else 0)
            for size, start, until, keyframe in zip(self._sizes, self._starts, ends, self._keyframes, strict=True)
        )
        return _box(b"sidx", content)


def _with_duration(data: bytes, duration_s: float) -> bytes:
    """The init with the movie's duration: mehd (8.8.2) first in mvex, in the units of mvhd."""
    made = []
    for kind, start, end in boxes(data, 0, len(data)):
        content = data[start:end]
        if kind == b"moov":
            timescale = _movie_timescale(content)
            mehd = _box(b"mehd", struct.pack(">IQ", 1 << 24, round(duration_s * timescale)))
            inner = []
            for inner_kind, inner_start, inner_end in boxes(content, 0, len(content)):
                body = content[inner_start:inner_end]
                inner.append(_box(inner_kind, mehd + body if inner_kind == b"mvex" else body))
            content = b"".join(inner)
        made.append(_box(kind, content))
    return b"".join(made)


def _movie_timescale(moov: bytes) -> int:
    for kind, start, _ in boxes(moov, 0, len(moov)):
        if kind == b"mvhd":
            return int(struct.unpack_from(">I", moov, start + (20 if moov[start] else 12))[0])
    return 1000


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _etag(init: InitBoxes, parts: Sequence[ClipPart]) -> str:
    """Of what decides the bytes, and of nothing else: not the tier, the path or the time of a file."""
    digest = hashlib.sha256(struct.pack(">I", FORMAT_VERSION) + hashlib.sha256(init.data).digest())
    for part in parts:
        segment = part.part.segment
        shift = ",".join(f"{track}:{units}" for track, units in sorted(part.shifts.items()))
        key = f"{segment.run_id}/{segment.n}/{part.offset}/{part.size_bytes}/{shift};"
        digest.update(key.encode())
    return f'"{digest.hexdigest()[:40]}"'
