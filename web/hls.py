"""HLS media playlists (RFC 8216) over the archive's own files. Pure: slices in, text out.

Every entry is a byte range of a segment's file, and every second one of a file carries an empty query (`0.mp4?`): ffmpeg 9.0.2
joins the requests of entries that follow each other in one URI and then reads on at a wrong offset (seen with nginx as well).
URIs are relative and the same below `/play/{id}/` and `/s/{token}/play/{id}/`.
Within a run nothing separates segments (their `tfdt` runs on); where two entries do not follow each other stands
EXT-X-DISCONTINUITY, and every segment's first entry tells its wall time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate, cycle
from struct import Struct
from typing import NamedTuple

from storage import frags
from storage.model import CameraId, Fragment, InitId, RunId, Segment, SegmentFlag, Slice
from storage.selection import follows

CONTENT_TYPE = "application/vnd.apple.mpegurl"

PER_FRAGMENT_US = 2 * 3600 * 1_000_000
"""Windows up to this length list every fragment; longer ones join fragments, or a day would be 43,200 entries."""
JOINED_MIN_MS = 6_000
JOINED_MAX_MS = 60_000
MIN_TARGET_S = 1


class Rows(NamedTuple):
    """Fragments as the playlist needs them, by columns: milliseconds, bytes, whether each starts with a keyframe."""

    ms: Sequence[int]
    sizes: Sequence[int]
    keyframes: Sequence[int]


InFile = Mapping[tuple[RunId, int], Sequence[Fragment]]
"""Fragments of the segments whose packed list does not hold them (FRAGS_IN_FILE)."""
Leads = Mapping[RunId, int]
"""Microseconds of sound before the first picture of a run: its first entry begins so much earlier, and is so much longer."""
NO_LEADS: Leads = {}


Entry = tuple[int, int, int]
"""(milliseconds from its first sample on, offset in the file, bytes). Plain tuples: an hour has 1,800."""


def vod(
    slices: Sequence[Slice],
    from_us: int,
    to_us: int,
    init_bytes: Mapping[InitId, int],
    in_file: InFile,
    leads: Leads = NO_LEADS,
) -> str:
    """The whole window, to its end. `init_bytes`: the length of each init that occurs."""
    joined = to_us - from_us > PER_FRAGMENT_US
    body: list[str] = []
    longest_ms = 0
    before: Slice | None = None
    for part in slices:
        rows = _whole_row(part, init_bytes, in_file) if joined else None
        entries = [rows] if rows else _entries(part, init_bytes[part.segment.init_id], in_file, joined=joined)
        lead_us = _lead_us(part, leads)
        entries[0] = _lengthened(entries[0], lead_us)
        longest_ms = max(longest_ms, max(entries)[0])
        _head(body, before, part, init_bytes, lead_us)
        _list(body, part.segment, entries, part.first)
        before = part
    head = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-INDEPENDENT-SEGMENTS"]
    head += [f"#EXT-X-TARGETDURATION:{target_s(longest_ms)}", "#EXT-X-MEDIA-SEQUENCE:0"]
    start_us = slices[0].start_us - _lead_us(slices[0], leads) if slices else from_us
    if from_us > start_us:
        head.append(f"#EXT-X-START:TIME-OFFSET={(from_us - start_us) / 1e6:.3f},PRECISE=YES")
    return "\n".join([*head, *body, "#EXT-X-ENDLIST", ""])


def live(
    slices: Sequence[Slice],
    init_bytes: Mapping[InitId, int],
    in_file: InFile,
    *,
    target: int,
    sequence: int,
    discontinuities: int,
    leads: Leads = NO_LEADS,
) -> str:
    """The newest part of what a camera records, an entry a fragment. Without slices: a valid empty playlist.

    `sequence`: the number of the first entry; each fragment of the camera has its own, for ever. `discontinuities`: how many
    came before the first entry.
    """
    body: list[str] = []
    before: Slice | None = None
    independent = True
    for part in slices:
        rows = _rows(part, in_file)
        independent = independent and all(rows.keyframes)
        entries = _split(rows, _first_offset(part, init_bytes, in_file))
        lead_us = _lead_us(part, leads)
        entries[0] = _lengthened(entries[0], lead_us)
        _head(body, before, part, init_bytes, lead_us)
        _list(body, part.segment, entries, part.first)
        before = part
    head = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{target}", f"#EXT-X-MEDIA-SEQUENCE:{sequence}"]
    if discontinuities:
        head.append(f"#EXT-X-DISCONTINUITY-SEQUENCE:{discontinuities}")
    if independent:
        head.append("#EXT-X-INDEPENDENT-SEGMENTS")
    return "\n".join([*head, *body, ""])


def target_s(longest_ms: int) -> int:
    """EXT-X-TARGETDURATION: no entry, rounded, may be longer (RFC 8216 4.3.3.1)."""
    return max(-(-longest_ms // 1000), MIN_TARGET_S)


def longest_ms(slices: Sequence[Slice], in_file: InFile, leads: Leads) -> int:
    return max((max(_rows(part, in_file).ms) for part in slices), default=0) + max(leads.values(), default=0) // 1000


def entry_count(part: Slice) -> int:
    """Fragments of a slice; also of one whose fragments are in the file, since their packed form still counts them."""
    end = frags.count(part.segment.frags) if part.end is None else part.end
    return end - part.first


def media_uri(camera_id: CameraId, run_id: RunId, n: int) -> str:
    return f"../../media/{camera_id}/{run_id}/{n}.mp4"


def _lead_us(part: Slice, leads: Leads) -> int:
    return leads.get(part.segment.run_id, 0) if part.segment.n == 0 and part.first == 0 else 0


def _lengthened(entry: Entry, lead_us: int) -> Entry:
    ms, offset, size = entry
    return ms + lead_us // 1000, offset, size


def _head(body: list[str], before: Slice | None, part: Slice, init_bytes: Mapping[InitId, int], lead_us: int) -> None:
    """What stands before the first entry of a slice."""
    segment = part.segment
    if before is None or not follows(before, part):
        if before is not None:
            body.append("#EXT-X-DISCONTINUITY")
        if before is None or before.segment.init_id != segment.init_id:
            uri = media_uri(segment.camera_id, segment.run_id, segment.n)
            body.append(f'#EXT-X-MAP:URI="{uri}",BYTERANGE="{init_bytes[segment.init_id]}@0"')
    body.append(f"#EXT-X-PROGRAM-DATE-TIME:{_date(part.start_us - lead_us)}")


def _list(body: list[str], segment: Segment, entries: Sequence[Entry], first: int) -> None:
    uri = media_uri(segment.camera_id, segment.run_id, segment.n)
    uris = cycle(
        (uri, uri + "?") if first % 2 == 0 else (uri + "?", uri)
    )  # the same of an entry in every live playlist
    body += [
        f"{_extinf(ms)}\n#EXT-X-BYTERANGE:{size}@{offset}\n{uri}"
        for (ms, offset, size), uri in zip(entries, uris, strict=False)
    ]


@lru_cache(4096)
def _extinf(ms: int) -> str:
    return f"#EXTINF:{ms / 1000:.3f},"


def _date(us: int) -> str:
    """To the millisecond: what players keep of it."""
    minute, ms = divmod((us + 500) // 1000, 60_000)
    return f"{_minute(minute)}:{ms // 1000:02d}.{ms % 1000:03d}Z"


@lru_cache(4096)
def _minute(since_1970: int) -> str:
    return datetime.fromtimestamp(since_1970 * 60, UTC).isoformat()[:16]


def _entries(part: Slice, init_bytes: int, in_file: InFile, *, joined: bool) -> list[Entry]:
    rows = _rows(part, in_file)
    return _join(rows, _first_offset(part, {part.segment.init_id: init_bytes}, in_file), JOINED_MIN_MS if joined else 0)


def _rows(part: Slice, in_file: InFile) -> Rows:
    segment = part.segment
    special = in_file.get((segment.run_id, segment.n))
    if special is not None:
        some = special[part.first : part.end]
        return Rows([f.dur_ms for f in some], [f.size_bytes for f in some], [f.keyframe for f in some])
    packed = segment.frags
    if not part.whole:
        end = len(packed) if part.end is None else part.end * frags.FRAG_BYTES
        packed = packed[part.first * frags.FRAG_BYTES : end]
    columns = _columns(frags.count(packed)).unpack(packed)
    words = columns[1::2]
    return Rows(columns[::2], [word & frags.MAX_SIZE_BYTES for word in words], [word >> 24 & 1 for word in words])


def _first_offset(part: Slice, init_bytes: Mapping[InitId, int], in_file: InFile) -> int:
    segment = part.segment
    start = init_bytes[segment.init_id]
    if part.first == 0:
        return start
    special = in_file.get((segment.run_id, segment.n))
    if special is not None:
        return special[part.first].offset
    return start + frags.total_bytes(segment.frags[: part.first * frags.FRAG_BYTES])


def _split(rows: Rows, offset: int) -> list[Entry]:
    """An entry a fragment."""
    return list(zip(rows.ms, accumulate(rows.sizes, initial=offset), rows.sizes, strict=False))


def _join(rows: Rows, offset: int, at_least_ms: int) -> list[Entry]:
    """Entries that start with a keyframe each and are at least so long, where the slice has that much; the last one may be
    shorter."""
    if at_least_ms == 0 and all(rows.keyframes):
        return _split(rows, offset)
    entries: list[Entry] = []
    ms = size = 0
    for row_ms, row_bytes, keyframe in zip(*rows, strict=True):
        if size and keyframe and (ms >= at_least_ms or ms + row_ms > JOINED_MAX_MS):
            entries.append((ms, offset, size))
            offset += size
            ms = size = 0
        ms += row_ms
        size += row_bytes
    entries.append((ms, offset, size))
    return entries


def _whole_row(part: Slice, init_bytes: Mapping[InitId, int], in_file: InFile) -> Entry | None:
    """A whole segment as one entry; None when it is cut, or too long for one."""
    segment = part.segment
    if not part.whole or (segment.flags and SegmentFlag.FRAGS_IN_FILE in segment.flags):
        return None
    columns = _columns(frags.count(segment.frags)).unpack(segment.frags)
    ms = sum(columns[::2])
    if ms > JOINED_MAX_MS + 5_000:  # ffmpeg cuts at the first keyframe after the minute
        return None
    start = init_bytes[segment.init_id]
    if segment.flags and SegmentFlag.TRUNCATED in segment.flags:
        return (ms, start, sum(word & frags.MAX_SIZE_BYTES for word in columns[1::2]))
    return ms, start, segment.size_bytes - start


@lru_cache(512)
def _columns(count: int) -> Struct:
    return Struct("<" + "HI" * count)
