"""The sequence parameter set that a keyframe carries in-band: a camera whose resolution is changed sends another one, while
ffmpeg goes on copying below the old init. Pure.
"""

from __future__ import annotations

import zlib

HEAD_BYTES = 512  # delimiter, parameter sets and SEI come before the picture and are small
_MAX_NALS = 16
_SPS = {"h264": (0x1F, 0, 7), "hevc": (0x3F, 1, 33)}  # mask, shift, type (ITU-T H.264 7.3.1, H.265 7.3.1.2)


def fingerprint(head: bytes, codec: str) -> int:
    """CRC-32 of the first sequence parameter set in the first bytes of a sample (NAL units behind 4-byte lengths); 0 when
    there is none, or none whole."""
    if codec not in _SPS:
        return 0
    mask, shift, wanted = _SPS[codec]
    at = 0
    for _ in range(_MAX_NALS):
        size = int.from_bytes(head[at : at + 4], "big")
        nal = head[at + 4 : at + 4 + size]
        if size == 0 or len(nal) < size:
            return 0
        if nal[0] >> shift & mask == wanted:
            return zlib.crc32(nal) or 1
        at += 4 + size
    return 0
