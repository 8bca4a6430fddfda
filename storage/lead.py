"""How long before its first picture a run has sound.

A recorder drops video up to the first keyframe, but sound is kept from the start: the first fragment of a run may begin with a
second or two of sound alone. Players count a fragment's time from its first sample, of whichever track.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from config.errors import NvrError
from storage.clip_source import boxes_of
from storage.files import Files
from storage.fmp4 import parse_init
from storage.footage import Footage
from storage.model import RunId, Segment, Slice

KEPT = 4096
MOST_US = 30_000_000
"""More is no lead but a time that cannot be true."""


class Leads:
    """Read once a run, from the head of its first fragment. Used from the event loop."""

    def __init__(self, footage: Footage, files: Files) -> None:
        self._footage = footage
        self._files = files
        self._kept: OrderedDict[RunId, int] = OrderedDict()

    async def of(self, slices: Iterable[Slice]) -> dict[RunId, int]:
        """In microseconds, for the runs whose very first fragment is among the slices; those without any are left out."""
        found = {}
        for part in slices:
            if part.segment.n == 0 and part.first == 0:
                lead_us = await self._lead_us(part.segment)
                if lead_us:
                    found[part.segment.run_id] = lead_us
        return found

    async def _lead_us(self, segment: Segment) -> int:
        init = await self._footage.init(segment.init_id)
        if not init.audio_codec:
            return 0
        known = self._kept.get(segment.run_id)
        if known is not None:
            return known
        boxes = parse_init(init.data)
        try:
            first = (await self._footage.fragments(segment))[0]
            head = await boxes_of(self._files, segment, first, boxes)
        except NvrError:
            return 0  # its file is not at hand: the playlist is still good, and says by its entry what is missing
        lead_us = 0
        if boxes.audio is not None and head.audio_start is not None:
            video_us = head.media_start * 1_000_000 // boxes.video.timescale
            lead_us = video_us - head.audio_start * 1_000_000 // boxes.audio.timescale
        self._kept[segment.run_id] = lead_us = lead_us if 0 < lead_us <= MOST_US else 0
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return lead_us
