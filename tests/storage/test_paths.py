"""File names: made and read by one module."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import paths
from storage.model import CameraId, RunId, SegmentFlag
from tests.rows import T0_US, segment

ids = st.integers(1, 10**15)
numbers = st.integers(0, 10**9)


@given(ids, ids, numbers)
def test_spool_names_come_back(camera: int, run: int, n: int) -> None:
    name = paths.spool_name(CameraId(camera), RunId(run), n)
    assert paths.parse_spool_name(name) == paths.SpoolName(CameraId(camera), RunId(run), n)


@given(ids, st.integers(0, 4_000_000_000_000_000), ids, numbers)
def test_archive_names_come_back_to_the_millisecond(camera: int, start_us: int, run: int, n: int) -> None:
    path = paths.archive_path(CameraId(camera), start_us, RunId(run), n)
    assert paths.parse_archive_name(path.rsplit("/", 1)[1]) == paths.ArchiveName(start_us // 1000, RunId(run), n)
    assert path.startswith(paths.hour_folder(CameraId(camera), start_us) + "/")


@given(ids, ids, st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1))
def test_the_pattern_of_a_recorder_tells_its_volume_camera_and_run(camera: int, run: int, folder: str) -> None:
    root = Path("/mnt") / folder
    pattern = paths.spool_pattern(root, CameraId(camera), RunId(run))
    assert paths.parse_spool_pattern(pattern) == (root, camera, run)


def test_an_archive_path_is_by_the_utc_hour() -> None:
    path = paths.archive_path(CameraId(7), T0_US + 250_000, RunId(1_795_000_019_000), 3)
    assert path == "7/2026/11/18/11/1795000020250-1795000019000-000003.mp4"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "1-2-3.mp4",
            "0-2-000003.mp4",
            "1-2-000003.mp4.tmp",
            "1-2-000003.mp4\n",
            "-1-2-000003.mp4",
            "1-2-00000a.mp4",
        ),
        *("1-02-000003.mp4", "1-2-000003.MP4", "../1-2-000003.mp4", "1-2-0000000000003.mp4", "١-2-000003.mp4"),
    ],
)
def test_other_names_are_none_of_ours(name: str) -> None:
    assert paths.parse_spool_name(name) is None


@pytest.mark.parametrize(
    "argument", ["", "out.mp4", "/v/spool/1-2-000001.mp4", "/v/1-2-%06d.mp4", "spool/1-2-%06d.mp4"]
)
def test_other_arguments_are_no_recorders_pattern(argument: str) -> None:
    assert paths.parse_spool_pattern(argument) is None


def test_a_segment_lies_in_the_spool_while_it_grows_and_in_the_archive_after() -> None:
    closed, growing = segment(4), segment(4, flags=SegmentFlag.GROWING)
    assert paths.segment_path("/v", growing) == Path("/v/spool/1-1795000020000-000004.mp4")
    assert paths.segment_path("/v", closed).parent == Path("/v/archive/1/2026/11/18/11")
