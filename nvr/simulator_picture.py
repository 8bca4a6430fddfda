"""The frame number inside a simulated camera's picture: how it is drawn, and how a test reads it back.

A strip of 40 blocks lies along the bottom edge, 2/45 of the picture high (8 rows of 180). From the left: one white and
one black block (the reference levels), 32 bits of the number, high bit first, then 6 check bits. At 320x180 a block is
8 x 8 pixels, which survives coarse coding; proportions, not pixels, define the strip, so a scaled picture can be read
too. Pure functions, but for `decode_frame_numbers`, which runs ffmpeg and blocks.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from config.errors import Invalid

BLOCKS = 40
_NUMBER_BITS = 32
_CHECK_BITS = 6
_CHECK_POLYNOMIAL = 0b1000011  # x^6 + x + 1
_LEAST_CONTRAST = 64  # of 255, between the two reference blocks
_REDUCED = (160, 4)  # what decode_frame_numbers asks ffmpeg for: 4 x 4 pixels a block


def strip_height(height: int) -> int:
    """Rows the strip takes at the bottom of a picture of `height` rows; always even."""
    return max(8, height * 2 // 45 // 2 * 2)


def _check(number: int) -> int:
    """CRC-6 of a 32-bit number."""
    rest = number << _CHECK_BITS
    for bit in range(_NUMBER_BITS + _CHECK_BITS - 1, _CHECK_BITS - 1, -1):
        if rest >> bit & 1:
            rest ^= _CHECK_POLYNOMIAL << (bit - _CHECK_BITS)
    return rest


def strip_row(number: int) -> bytes:
    """The 40 gray values, 0 or 255, that stand for `number` (0 to 2^32 - 1)."""
    word = (number << _CHECK_BITS) | _check(number)
    bits = (word >> shift & 1 for shift in range(_NUMBER_BITS + _CHECK_BITS - 1, -1, -1))
    return bytes((255, 0, *(255 * bit for bit in bits)))


def read_frame_number(gray: bytes, width: int, height: int) -> int | None:
    """The number in a decoded picture of one byte a pixel, rows from the top; None where none can be read safely."""
    if width < BLOCKS or len(gray) < width * height:
        return None
    rows = strip_height(height) if height > _REDUCED[1] else height
    top = height - rows
    middle = range(top + rows // 4, max(top + rows // 4 + 1, height - rows // 4))
    return _number([_level(gray, width, middle, block) for block in range(BLOCKS)])


def _level(gray: bytes, width: int, rows: range, block: int) -> float:
    """Mean brightness of the middle half of a block: its edges are blurred by the coder."""
    left, right = width * block / BLOCKS, width * (block + 1) / BLOCKS
    quarter = (right - left) / 4
    first, last = (int(left + quarter), max(int(left + quarter) + 1, int(right - quarter)))
    return sum(sum(gray[row * width + first : row * width + last]) for row in rows) / (len(rows) * (last - first))


def _number(levels: Sequence[float]) -> int | None:
    white, black = levels[0], levels[1]
    contrast = white - black
    if contrast < _LEAST_CONTRAST:
        return None
    word = 0
    for level in levels[2:]:
        share = (level - black) / contrast
        if 0.35 < share < 0.65:
            return None
        word = word << 1 | (share >= 0.65)
    number = word >> _CHECK_BITS
    return number if _check(number) == word & ((1 << _CHECK_BITS) - 1) else None


def decode_frame_numbers(
    ffmpeg: str, source: str | Path | bytes, *, input_args: Sequence[str] = ()
) -> list[tuple[int, float]]:
    """(frame number, presentation time in seconds) of each picture of `source`, in presentation order. Blocks.

    `source` is a path, a URL or the bytes of a file; times are the file's own (`-copyts`), so they run on through the
    files of one run. A picture whose number cannot be read is given as -1. Raises Invalid with ffmpeg's last lines when
    nothing can be decoded.
    """
    with tempfile.TemporaryDirectory(prefix="nvr-decode-") as folder:
        listing = Path(folder) / "frames"
        name = str(source)
        if isinstance(source, bytes):
            name = os.path.join(folder, "source")
            Path(name).write_bytes(source)
        width, height = _REDUCED
        strip = "trunc(ih*2/45/2)*2"
        graph = (
            f"[0:v:0]crop=iw:max(8\\,{strip}):0:ih-max(8\\,{strip}),scale={width}:{height}:flags=area,"
            "format=gray,split[picture][time]"
        )
        command = [ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error", "-copyts", *input_args, "-i", name]
        command += [
            "-filter_complex",
            graph,
            "-map",
            "[picture]",
            "-fps_mode",
            "passthrough",
            "-f",
            "rawvideo",
            "pipe:1",
        ]
        command += ["-map", "[time]", "-fps_mode", "passthrough", "-f", "framecrc", str(listing)]
        done = subprocess.run(command, capture_output=True, check=False)
        times = _presentation_times(listing.read_text() if listing.exists() else "")
    if not times:
        raise Invalid(f"ffmpeg decoded no picture: {done.stderr.decode(errors='replace')[-400:]}")
    size = width * height
    pictures = (done.stdout[at : at + size] for at in range(0, len(done.stdout), size))
    numbers = (read_frame_number(picture, width, height) for picture in pictures)
    return [(-1 if number is None else number, time) for number, time in zip(numbers, times, strict=False)]


def _presentation_times(framecrc: str) -> list[float]:
    """Presentation times in seconds from ffmpeg's `framecrc` listing."""
    base = Fraction(1)
    times = []
    for line in framecrc.splitlines():
        if line.startswith("#tb 0:"):
            base = Fraction(line.split(":")[1].strip())
        elif line and not line.startswith("#"):
            times.append(float(int(line.split(",")[2]) * base))
    return times
