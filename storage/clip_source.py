"""Where a clip's layout and bytes come from: rows, and the boxes at the edges of its pieces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from config.errors import Corrupt
from storage import frags
from storage.clip import Clip, Edges, Piece, lay_out, pieces
from storage.files import Files, Source
from storage.fmp4 import FragmentBoxes, InitBoxes, fragments_of, parse_init
from storage.fmp4_edit import head_bytes
from storage.footage import Footage
from storage.model import Fragment, InitId, RunId, Segment, SegmentFlag, Slice

IN_THREAD_OVER = 120  # segments: laying out two hours takes some 10 ms
_HEAD_AHEAD = 4096


async def plan(footage: Footage, files: Files, slices: Sequence[Slice], *, keep_gaps: bool) -> Clip:
    """Reads two fragment heads a piece. Raises Conflict (`mixed_streams`), NotFound and Unavailable (a file), Corrupt."""
    inits: dict[InitId, InitBoxes] = {}
    special: dict[tuple[RunId, int], list[Fragment]] = {}
    for segment in (part.segment for part in slices):
        if segment.init_id not in inits:
            inits[segment.init_id] = parse_init((await footage.init(segment.init_id)).data)
        if SegmentFlag.FRAGS_IN_FILE in segment.flags:
            special[(segment.run_id, segment.n)] = await footage.fragments(segment)

    def fragments(segment: Segment) -> Sequence[Fragment]:
        known = special.get((segment.run_id, segment.n))
        return known if known is not None else list(frags.unpack(segment.frags, len(inits[segment.init_id].data)))

    made = pieces(slices, lambda part: inits[part.segment.init_id])
    edges = [await _edges(files, piece, fragments) for piece in made]
    work = partial(lay_out, made, edges, fragments, keep_gaps=keep_gaps)
    return await asyncio.to_thread(work) if len(slices) > IN_THREAD_OVER else work()


async def _edges(files: Files, piece: Piece, fragments: Callable[[Segment], Sequence[Fragment]]) -> Edges:
    first, last = piece.slices[0], piece.slices[-1]
    opening = await boxes_of(files, first.segment, fragments(first.segment)[first.first], piece.init)
    of_last = fragments(last.segment)
    closing = await boxes_of(
        files, last.segment, of_last[(len(of_last) if last.end is None else last.end) - 1], piece.init
    )
    return Edges(
        opening.media_start,
        closing.media_start + closing.dur,
        opening.audio_start,
        None if closing.audio_start is None else closing.audio_start + closing.audio_dur,
    )


async def boxes_of(files: Files, segment: Segment, fragment: Fragment, init: InitBoxes) -> FragmentBoxes:
    """A fragment's boxes, as they are in the file. Raises Corrupt when they are not what the index says."""
    async with files.open(segment) as file:
        work = partial(fragments_of, file.pread, file.size_bytes, fragment.offset, init, at_most=1)
        found, _ = await asyncio.get_running_loop().run_in_executor(file.pool, work)
    if not found or found[0].size_bytes != fragment.size_bytes:
        raise Corrupt(f"segment {segment.n} of run {segment.run_id} is not as it was indexed")
    return found[0]


async def head(file: Source, fragment: Fragment) -> bytes:
    """A fragment's bytes before its media. Raises Corrupt when they are not what the index says."""
    ahead = _HEAD_AHEAD
    while True:
        data = await file.read(fragment.offset, min(ahead, fragment.size_bytes))
        size = head_bytes(data)
        if size is not None:
            return data[:size]
        if ahead >= fragment.size_bytes:
            raise Corrupt(f"a fragment of segment {file.key[1]} of run {file.key[0]} is not as it was indexed")
        ahead *= 8
