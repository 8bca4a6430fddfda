"""The camera's clock, as the rows of its footage tell it."""

from __future__ import annotations

import pytest

from nvr.probe_recorded import cameras_own
from storage.model import CameraId, InitId, RunId, Segment, SegmentFlag, Tier, VolumeId
from tests.storage.registry.test_findings import INIT, film


def segment(offset_us: int | None) -> Segment:
    return Segment(
        camera_id=CameraId(1),
        start_us=1_000_000_000,
        dur_us=8_000_000,
        run_id=RunId(1),
        n=0,
        frag0=0,
        media_start=0,
        init_id=InitId(1),
        size_bytes=1000,
        tier=Tier.LOCAL,
        volume_id=VolumeId(1),
        flags=SegmentFlag(0),
        err_us=0,
        clock_offset_us=offset_us,
        sha256=b"",
        frags=b"",
    )


@pytest.mark.parametrize(
    ("told_us", "own_us"),
    [
        (-40_000, -40_000),
        (30_000_000, 30_000_000),
        (2_100_000, None),
        (1_900_000, None),
        (2_400_000, 2_400_000),
        (None, None),
    ],
)
def test_an_offset_as_long_as_the_fragments_is_no_clock(told_us: int | None, own_us: int | None) -> None:
    assert cameras_own(segment(told_us), INIT, film(2, 2, 2, 2)) == own_us
