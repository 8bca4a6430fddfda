"""Playlists, line by line."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from storage.model import RunId, Segment, SegmentFlag, Slice
from storage.selection import select
from tests.rows import INITS, T0_US, fragments, segment
from web import hls

S = 1_000_000
H = 3600 * S
OLD, NEW = 1_795_000_000_000, 1_795_000_000_001


def slices(segments: list[Segment], from_s: float = 0, to_s: float = 3600) -> list[Slice]:
    return select(segments, T0_US + int(from_s * S), T0_US + int(to_s * S), fragments)


def vod(segments: list[Segment], from_s: float = 0, to_s: float = 3600) -> list[str]:
    text = hls.vod(slices(segments, from_s, to_s), T0_US + int(from_s * S), T0_US + int(to_s * S), INITS, {})
    assert text.endswith("\n")
    return text.splitlines()


def entries(lines: list[str]) -> list[tuple[float, int, int, str]]:
    found = []
    for at, line in enumerate(lines):
        if line.startswith("#EXTINF:"):
            match = re.fullmatch(r"#EXT-X-BYTERANGE:([0-9]+)@([0-9]+)", lines[at + 1])
            assert match
            found.append((float(line[8:-1]), int(match[1]), int(match[2]), lines[at + 2]))
    return found


def test_a_short_window_in_full() -> None:
    run = 1_795_000_020_000
    files = [segment(n, start_s=4.0 * n, durations_ms=[2000, 2000]) for n in (0, 1)]
    assert vod(files, 3, 8) == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-TARGETDURATION:2",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-START:TIME-OFFSET=1.000,PRECISE=YES",
        f'#EXT-X-MAP:URI="../../media/1/{run}/0.mp4",BYTERANGE="1000@0"',
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-18T11:07:02.000Z",
        "#EXTINF:2.000,",
        "#EXT-X-BYTERANGE:101@1100",
        f"../../media/1/{run}/0.mp4?",
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-18T11:07:04.000Z",
        "#EXTINF:2.000,",
        "#EXT-X-BYTERANGE:100@1000",
        f"../../media/1/{run}/1.mp4",
        "#EXTINF:2.000,",
        "#EXT-X-BYTERANGE:101@1100",
        f"../../media/1/{run}/1.mp4?",
        "#EXT-X-ENDLIST",
    ]


def test_no_start_tag_when_the_window_begins_with_the_first_entry_or_in_a_gap() -> None:
    assert not any("EXT-X-START" in line for line in vod([segment()], 2, 60))
    assert not any("EXT-X-START" in line for line in vod([segment(start_s=30)], 0, 60))


def test_another_run_is_a_discontinuity_and_needs_a_map_only_for_another_init() -> None:
    same = vod([segment(run=OLD), segment(run=NEW, start_s=70)])
    assert sum(line.startswith("#EXT-X-MAP") for line in same) == 1
    other = vod([segment(run=OLD), segment(run=NEW, start_s=70, init=2)])
    at = other.index("#EXT-X-DISCONTINUITY")
    assert other[at + 1] == f'#EXT-X-MAP:URI="../../media/1/{NEW}/0.mp4",BYTERANGE="1500@0"'
    assert other[at + 2] == "#EXT-X-PROGRAM-DATE-TIME:2026-11-18T11:08:10.000Z"
    assert same.count("#EXT-X-DISCONTINUITY") == other.count("#EXT-X-DISCONTINUITY") == 1


def test_a_missing_file_of_a_run_is_a_discontinuity() -> None:
    assert vod([segment(n, start_s=60 * n) for n in (0, 1, 2)]).count("#EXT-X-DISCONTINUITY") == 0
    assert vod([segment(n, start_s=60 * n) for n in (0, 2)]).count("#EXT-X-DISCONTINUITY") == 1


def test_every_segments_first_entry_tells_its_wall_time() -> None:
    lines = vod([segment(n, start_s=60.25 * n) for n in range(3)])
    dates = [line.split(":", 1)[1] for line in lines if line.startswith("#EXT-X-PROGRAM-DATE-TIME")]
    assert dates == ["2026-11-18T11:07:00.000Z", "2026-11-18T11:08:00.250Z", "2026-11-18T11:09:00.500Z"]


def test_two_hours_list_every_fragment_and_more_join_them() -> None:
    files = [segment(n, start_s=60 * n) for n in range(121)]
    assert len(entries(vod(files, 0, 7200))) == 3600
    joined = entries(vod(files, 1, 7202))
    assert {d for d, *_ in joined[:-1]} == {60.0}
    assert all(d >= 6 for d, *_ in joined[:-1]) and all(d <= 65 for d, *_ in joined)
    assert joined[20][1:3] == (sum(100 + i for i in range(30)), 1000)


def test_long_segments_are_split_into_entries_of_at_most_a_minute() -> None:
    files = [segment(n, start_s=300 * n, durations_ms=[2000] * 150) for n in range(30)]
    joined = entries(vod(files, 0, 9000))
    assert all(6 <= d <= 60 for d, *_ in joined)
    assert sum(d for d, *_ in joined) == 9000


def test_a_killed_recorders_file_is_listed_up_to_its_last_complete_fragment() -> None:
    import dataclasses

    whole = segment(0)
    cut_off = dataclasses.replace(whole, size_bytes=whole.size_bytes + 777, flags=SegmentFlag.TRUNCATED)
    (entry,) = entries(vod([cut_off], 0, 9000))
    assert entry[1] == whole.size_bytes - 1000


def test_entries_begin_with_keyframes_even_where_fragments_do_not() -> None:
    keys = [i % 3 == 0 for i in range(30)]
    lines = vod([segment(keyframes=keys)], 7, 60)
    found = entries(lines)
    assert [d for d, *_ in found] == [6.0] * 9
    assert found[0][2] == 1000 + 100 + 101 + 102


def test_target_duration_is_the_longest_entry_rounded_up() -> None:
    assert "#EXT-X-TARGETDURATION:3" in vod([segment(durations_ms=[2000, 2040, 10])])
    assert "#EXT-X-TARGETDURATION:1" in vod([segment(durations_ms=[200] * 30)])


def test_a_runs_first_entry_begins_with_its_sound() -> None:
    run = 1_795_000_020_000
    files = [segment(n, start_s=60 * n) for n in range(2)]
    text = hls.vod(slices(files), T0_US + S, T0_US + 120 * S, INITS, {}, {RunId(run): 1_250_000})
    lines = text.splitlines()
    dates = [line.split(":", 1)[1] for line in lines if line.startswith("#EXT-X-PROGRAM-DATE-TIME")]
    assert dates == ["2026-11-18T11:06:58.750Z", "2026-11-18T11:08:00.000Z"]
    assert [d for d, *_ in entries(lines)][:3] == [3.25, 2.0, 2.0]
    assert "#EXT-X-START:TIME-OFFSET=2.250,PRECISE=YES" in lines
    assert "#EXT-X-TARGETDURATION:4" in lines
    text = hls.vod(slices(files, 10), T0_US + 10 * S, T0_US + 120 * S, INITS, {}, {RunId(run): 1_250_000})
    assert {d for d, *_ in entries(text.splitlines())} == {2.0}


def test_live_numbers_its_entries_and_never_ends() -> None:
    parts = slices([segment(n, start_s=60 * n) for n in range(3)], 50, 180)
    text = hls.live(parts, INITS, {}, target=3, sequence=25, discontinuities=4)
    lines = text.splitlines()
    assert lines[:6] == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:3",
        "#EXT-X-MEDIA-SEQUENCE:25",
        "#EXT-X-DISCONTINUITY-SEQUENCE:4",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    assert len(entries(lines)) == sum(hls.entry_count(part) for part in parts) == 65
    assert "ENDLIST" not in text and "PLAYLIST-TYPE" not in text


def test_entries_that_follow_each_other_have_different_uris() -> None:
    found = entries(vod([segment(n, start_s=60 * n) for n in range(2)], 1, 120))
    assert all(before[3] != after[3] for before, after in pairwise(found))


def test_live_without_footage_is_an_empty_playlist() -> None:
    assert hls.live([], INITS, {}, target=2, sequence=0, discontinuities=0).splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:2",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]


@given(
    durations=st.lists(st.tuples(st.integers(1, 30_000), st.booleans()), min_size=1, max_size=40),
    hours=st.sampled_from([1, 3]),
)
def test_entries_tile_a_slice_whatever_its_fragments(durations: list[tuple[int, bool]], hours: int) -> None:
    keys = [True, *(key for _, key in durations[1:])]
    one = segment(durations_ms=[ms for ms, _ in durations], keyframes=keys)
    part = Slice(one, 0, None, one.start_us, one.end_us)
    found = entries(hls.vod([part], T0_US, T0_US + hours * H, INITS, {}).splitlines())
    at = 1000
    for _, size, offset, _ in found:
        assert offset == at
        at += size
    assert at == one.size_bytes
    assert round(sum(d for d, *_ in found) * 1000) == sum(ms for ms, _ in durations)
