"""What an object says of its segment is what a lost catalog needs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.errors import Corrupt
from storage import object_metadata
from storage.model import Init, InitId, Segment, SegmentFlag, Tier, VolumeId
from storage.object_metadata import Remembered
from storage.storekeys import below, camera_of, key_of
from tests.rows import segment

INIT = Init(InitId(1), b"\x07" * 32, bytes(1000), "h264", "", "avc1.64001f", 160, 120, 90_000)
KEY = key_of("kanpur/cctv", "n1", segment())


def back(of: Segment) -> Remembered:
    metadata = object_metadata.written(of, "KNP-1", INIT)
    assert sum(len(name) + len(value) for name, value in metadata.items()) < 2048, "what AWS takes"
    assert all(text.isascii() for pair in metadata.items() for text in pair)
    return object_metadata.read(key_of("", "n1", of), of.size_bytes, metadata)


@pytest.mark.parametrize("offset_us", [None, 0, -76_000])
def test_a_row_comes_back_as_it_was(offset_us: int | None) -> None:
    row = replace(segment(7, start_s=420), clock_offset_us=offset_us, err_us=20_000, flags=SegmentFlag.TIME_UNCERTAIN)
    found = back(row)
    assert (found.code, found.init_bytes, found.init_sha256) == ("KNP-1", 1000, INIT.sha256)
    catalogs = {"init_id": InitId(0), "volume_id": VolumeId(0), "tier": Tier.REMOTE}
    assert found.segment == replace(row, **catalogs)  # type: ignore[arg-type]


def test_a_list_that_is_too_long_is_read_from_the_boxes() -> None:
    found = back(segment(durations_ms=(100,) * 600))
    assert SegmentFlag.FRAGS_IN_FILE in found.segment.flags


def test_keys_name_node_and_camera() -> None:
    assert KEY.startswith("kanpur/cctv/n1/1/2026/11/18/11/")
    assert camera_of(KEY) == 1
    assert below("", "n1") == "n1/"
    assert camera_of("n1/backup/catalog.sqlite3") is None


@pytest.mark.parametrize("lost", ["sha256", "frag0", "start-us"])
def test_an_object_that_does_not_say_enough_is_told(lost: str) -> None:
    metadata = object_metadata.written(segment(), "KNP-1", INIT)
    del metadata[lost]
    with pytest.raises(Corrupt, match="does not say"):
        object_metadata.read(KEY, 1, metadata)
    with pytest.raises(Corrupt, match="no name"):
        object_metadata.read("n1/else", 1, metadata)
