"""The number in a picture is read back, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.simulator_picture import BLOCKS, read_frame_number, strip_height, strip_row


def picture(number: int, width: int, height: int) -> bytearray:
    """A gray picture with the strip as it is drawn before coding."""
    row = bytes(strip_row(number)[x * BLOCKS // width] for x in range(width))
    rows = strip_height(height)
    return bytearray(bytes([90]) * (width * (height - rows)) + row * rows)


@given(st.integers(0, 2**32 - 1), st.sampled_from([(320, 180), (640, 360), (704, 576), (1280, 720), (1920, 1080)]))
def test_reads_what_was_drawn(number: int, size: tuple[int, int]) -> None:
    assert read_frame_number(bytes(picture(number, *size)), *size) == number


@given(st.integers(0, 2**32 - 1), st.integers(2, BLOCKS - 1))
def test_never_reads_a_number_with_one_block_wrong(number: int, block: int) -> None:
    gray = picture(number, 320, 180)
    for row in range(180 - strip_height(180), 180):
        for x in range(block * 8, block * 8 + 8):
            gray[row * 320 + x] ^= 0xFF
    assert read_frame_number(bytes(gray), 320, 180) is None


@pytest.mark.parametrize("low, high", [(16, 235), (40, 200), (0, 255)])
def test_reads_through_another_range_of_brightness(low: int, high: int) -> None:
    gray = bytes(low + value * (high - low) // 255 for value in picture(123_456, 320, 180))
    assert read_frame_number(gray, 320, 180) == 123_456


def test_reads_none_from_a_picture_without_a_strip() -> None:
    assert read_frame_number(bytes([128]) * (320 * 180), 320, 180) is None


def test_reads_none_from_half_a_picture() -> None:
    assert read_frame_number(bytes(picture(5, 320, 180)[: 320 * 90]), 320, 180) is None
