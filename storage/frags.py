"""The packed fragment list of a segment: 6 bytes a fragment, little endian.

```
bits  0..15  duration in milliseconds
     16..39  size in bytes
     40      starts with a keyframe
     41..47  activity, 0 to 127
```

Durations are differences of rounded sums, so their total is the segment's media duration to half a millisecond.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence

from storage.model import Fragment

FRAG_BYTES = 6
_PAIR = struct.Struct("<HI")
MAX_SIZE_BYTES = (1 << 24) - 1
MAX_DUR_MS = (1 << 16) - 1


def pack(fragments: Sequence[Fragment]) -> bytes | None:
    """None when a fragment does not fit (the segment then gets the flag FRAGS_IN_FILE and its boxes are read instead)."""
    if any(f.size_bytes > MAX_SIZE_BYTES or not 0 <= f.dur_ms <= MAX_DUR_MS for f in fragments):
        return None
    return b"".join(_PAIR.pack(f.dur_ms, f.size_bytes | f.keyframe << 24 | f.activity << 25) for f in fragments)


def count(packed: bytes) -> int:
    return len(packed) // FRAG_BYTES


def unpack(packed: bytes, first_offset: int) -> Iterator[Fragment]:
    """`first_offset`: where the first fragment starts in the file: the length of the init."""
    offset = first_offset
    for dur_ms, word in _PAIR.iter_unpack(packed):
        size = word & MAX_SIZE_BYTES
        yield Fragment(offset, size, dur_ms, bool(word >> 24 & 1), word >> 25)
        offset += size


def unpack_raw(packed: bytes) -> Iterable[tuple[int, int]]:
    """(dur_ms, word) pairs with `word = size | keyframe << 24 | activity << 25`: for loops where a tuple each is too slow."""
    return _PAIR.iter_unpack(packed)


def total_ms(packed: bytes) -> int:
    return sum(dur_ms for dur_ms, _ in _PAIR.iter_unpack(packed))


def total_bytes(packed: bytes) -> int:
    return sum(word & MAX_SIZE_BYTES for _, word in _PAIR.iter_unpack(packed))
