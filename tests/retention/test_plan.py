"""The plan: what goes, why and in which order, from hours alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.plan import ORDER, Cut, Interval, Plan, VolumeNeed, held, joined, max_cut_us, min_cut_us, plan
from storage.model import HOUR_US, CameraId, Tier, VolumeId
from storage.terms import DAY_US, Terms
from storage.usage import HourUse

NOW = 1_795_000_000_000_000 // HOUR_US * HOUR_US
V1, V2 = VolumeId(1), VolumeId(2)
A, B, C = CameraId(1), CameraId(2), CameraId(3)
SIZE = 60_000
LOCAL, BOTH, REMOTE = Tier.LOCAL, Tier.BOTH, Tier.REMOTE


def hour(
    ago_h: int, camera: CameraId = A, *, volume: VolumeId = V1, tier: Tier = LOCAL, segments: int = 60, size: int = SIZE
) -> HourUse:
    """Footage that started so many hours before NOW."""
    return HourUse(camera, NOW - ago_h * HOUR_US, volume, tier, segments, size)


def days(first: int, last: int, camera: CameraId = A, **more: object) -> list[HourUse]:
    """Every hour from `first` days ago until `last` days ago."""
    return [hour(ago, camera, **more) for ago in range(first * 24, last * 24, -1)]  # type: ignore[arg-type]


def need(size: int, volume: VolumeId = V1) -> VolumeNeed:
    return VolumeNeed(volume, 0, 10**12, size)


def made(
    terms: Terms | Mapping[CameraId, Terms],
    rows: Sequence[HourUse],
    *,
    needs: Sequence[VolumeNeed] = (),
    holds: Mapping[CameraId, Sequence[Interval]] | None = None,
    by_age: bool = True,
) -> Plan:
    of = terms if isinstance(terms, Mapping) else {row.camera_id: terms for row in rows}
    return plan(NOW, of, holds or {}, needs, rows, by_age=by_age)


def told(found: Plan) -> list[tuple[str, int, str, float]]:
    """(kind, camera, reason, how many hours ago the cut is)."""
    return [(cut.kind, cut.camera_id, cut.reason, (NOW - cut.before_us) / HOUR_US) for cut in found.cuts]


# -- by age ------------------------------------------------------------------------------------------------------------


def test_nothing_is_due_before_its_time() -> None:
    assert made(Terms(30, 30), days(30, 0)) == Plan()


def test_what_is_older_than_the_maximum_goes() -> None:
    (cut,) = made(Terms(30, 30), days(32, 0)).cuts
    oldest = NOW - 32 * DAY_US
    assert cut == Cut("delete", A, V1, NOW - 30 * DAY_US, "max_days", cut.segments, cut.bytes, oldest)
    assert 47 * SIZE < cut.bytes <= 48 * SIZE  # the last hour's last segment may reach over the cut


def test_a_camera_without_terms_is_left_alone() -> None:
    assert made({B: Terms(1, 1)}, days(400, 300), needs=[need(10**9)]).cuts == ()


def test_each_volume_and_tier_has_its_own_cut() -> None:
    rows = [*days(32, 31), *days(32, 31, volume=V2), *days(35, 31, tier=REMOTE), *days(34, 33, tier=BOTH)]
    assert sorted((cut.kind, cut.volume_id) for cut in made(Terms(30, 30), rows).cuts) == [
        ("delete", V1),
        ("delete", V2),
        ("delete_remote", V1),
    ]


def test_local_copies_go_at_their_age() -> None:
    rows = [*days(20, 10, tier=BOTH), *days(10, 0)]
    assert told(made(Terms(30, 30, 5, 7), rows)) == [("drop_local", A, "local_days", 7 * 24)]
    assert told(made(Terms(30, 30, 5, None), rows)) == []
    assert told(made(Terms(30, 30, 5, 7), days(20, 0))) == []  # it is not in the store yet


def test_the_oldest_goes_over_a_quota_down_to_the_floor() -> None:
    rows = days(10, 0)
    (cut,) = made(Terms(3, 30, quota_bytes=200 * SIZE), rows).cuts
    assert (cut.kind, cut.reason, cut.bytes) == ("delete", "quota", 40 * SIZE)
    (cut,) = made(Terms(8, 30, quota_bytes=SIZE), rows).cuts
    assert cut.before_us <= NOW - 8 * DAY_US
    assert made(Terms(10, 30, quota_bytes=SIZE), rows).cuts == ()


def test_a_quota_counts_all_volumes_and_not_the_object_store() -> None:
    rows = [*days(4, 2), *days(2, 0, volume=V2), *days(9, 5, tier=REMOTE)]
    (cut,) = made(Terms(1, 30, quota_bytes=90 * SIZE), rows).cuts
    assert (cut.volume_id, cut.bytes) == (V1, 6 * SIZE)


@pytest.mark.parametrize(
    ("end_us", "segments", "due"),
    [(NOW - 30 * DAY_US, 5, True), (NOW - 30 * DAY_US + 1, 1, False), (NOW - 30 * DAY_US + 1, 2, True)],
)
def test_a_piece_goes_by_its_end(end_us: int, segments: int, due: bool) -> None:
    row = HourUse(A, end_us - 60_000_000, V1, LOCAL, segments, SIZE, end_us)
    assert bool(made(Terms(30, 30), [row]).cuts) is due


# -- holds ----------------------------------------------------------------------------------------------------------------


def test_what_is_held_is_never_planned() -> None:
    rows = days(32, 0)
    whole = {A: [(NOW - 40 * DAY_US, NOW + DAY_US)]}
    found = made(Terms(30, 30), rows, holds=whole, needs=[need(5 * SIZE)])
    assert found == Plan(short={V1: 5 * SIZE})


def test_what_is_held_in_part_goes_in_part() -> None:
    start = NOW - 32 * DAY_US
    (cut,) = made(Terms(30, 30), days(32, 31), holds={A: [(start, start + 12 * HOUR_US)]}).cuts
    assert 12 * SIZE <= cut.bytes <= 12.1 * SIZE  # an hour's last segment may reach out of the hold
    assert cut.oldest_us >= start + 11 * HOUR_US


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50))), st.integers(0, 50), st.integers(0, 50))
def test_held_is_the_length_of_what_lies_in_the_intervals(intervals: list[Interval], from_us: int, to_us: int) -> None:
    inside = {at for start, end in intervals for at in range(start, end)}
    assert held(joined(intervals), from_us, to_us) == len(inside & set(range(from_us, max(to_us, from_us + 1))))


# -- when the disk presses ----------------------------------------------------------------------------------------------


def test_the_order_of_shedding() -> None:
    terms = {A: Terms(5, 30, priority=50), B: Terms(5, 30, priority=90), C: Terms(5, 30, 1, priority=10)}
    rows = [*days(31, 0, A), *days(10, 0, B), *days(9, 0, C, tier=BOTH)]
    everything = sum(row.bytes for row in rows)
    found = made(terms, rows, needs=[need(everything)])
    assert [(cut.reason, cut.camera_id) for cut in found.cuts] == [
        ("max_days", A),
        ("offloaded", C),
        ("above_min", A),
        ("above_min", B),
        ("below_min", A),
        ("below_min", B),
    ]
    assert [cut.kind for cut in found.cuts] == ["delete", "drop_local", *["delete"] * 4]


def test_no_more_goes_than_is_needed() -> None:
    terms = Terms(5, 30)
    found = made(terms, days(10, 0), needs=[need(3 * SIZE)])
    (cut,) = found.cuts
    assert (cut.kind, cut.reason, cut.bytes) == ("delete", "above_min", 3 * SIZE)
    assert cut.before_us == NOW - 237 * HOUR_US + 60_000_000


def test_what_is_due_anyway_counts() -> None:
    found = made(Terms(5, 30), days(32, 0), needs=[need(10 * SIZE)])
    assert [cut.reason for cut in found.cuts] == ["max_days"]


def test_the_most_over_its_minimum_goes_first() -> None:
    """B's footage is younger, and further over what was promised for it."""
    terms = {A: Terms(9, 30), B: Terms(1, 30)}
    rows = [*days(10, 0, A), *days(5, 0, B)]
    assert told(made(terms, rows, needs=[need(SIZE)]))[0][1] == B
    found = made(terms, rows, needs=[need(90 * SIZE)])
    assert [(cut.camera_id, cut.reason) for cut in found.cuts] == [(B, "above_min"), (A, "above_min")]


def test_below_the_minimum_the_lowest_class_goes_first_and_all_of_it() -> None:
    terms = {A: Terms(30, 30, priority=90), B: Terms(30, 30, priority=50), C: Terms(30, 30, priority=50)}
    rows = [*days(10, 0, A), *days(3, 0, B), *days(2, 0, C)]
    found = made(terms, rows, needs=[need(30 * SIZE)])
    assert told(found)[0][1:3] == (B, "below_min")
    assert {cut.camera_id for cut in made(terms, rows, needs=[need(120 * SIZE)]).cuts} == {B, C}
    assert {cut.camera_id for cut in made(terms, rows, needs=[need(121 * SIZE)]).cuts} == {A, B, C}


def test_a_volume_sheds_for_itself_alone() -> None:
    """A floor holds on each volume, however much lies above it on another."""
    rows = [*days(10, 5, volume=V2), *days(5, 0)]
    found = made(Terms(5, 30), rows, needs=[need(SIZE)])
    assert [(cut.volume_id, cut.reason) for cut in found.cuts] == [(V1, "below_min")]


def test_the_object_store_gives_no_room() -> None:
    assert made(Terms(5, 30), days(10, 0, tier=REMOTE), needs=[need(7)]) == Plan(short={V1: 7})


def test_a_clock_in_doubt_deletes_nothing_for_its_age() -> None:
    rows = [*days(400, 399), *days(2, 0, B)]
    assert made(Terms(5, 30), rows, by_age=False) == Plan()
    found = made(Terms(5, 30), rows, needs=[need(2 * SIZE)], by_age=False)
    assert told(found)[0][1:3] == (A, "above_min")
    assert found.cuts[0].bytes == 2 * SIZE


def test_the_last_segment_of_an_hour_goes_with_it() -> None:
    """It may end in the next hour: a cut at the full hour would leave it for ever, counted as room."""
    (cut,) = made(Terms(1, 30), [hour(72, segments=1)], needs=[need(1)]).cuts
    assert cut.before_us == NOW - 71 * HOUR_US + 15 * 60_000_000


# -- whatever the input ------------------------------------------------------------------------------------------------

TERMS = st.builds(
    lambda low, more, quota, local, priority: Terms(low, low + more, 1, local, "", quota, priority),
    st.integers(1, 6),
    st.integers(0, 6),
    st.none() | st.integers(0, 20 * SIZE),
    st.none() | st.integers(0, 8),
    st.sampled_from([10, 50, 90]),
)
ROWS = st.lists(
    st.builds(
        hour,
        st.integers(0, 14 * 24),
        st.sampled_from([A, B, C]),
        volume=st.sampled_from([V1, V2]),
        tier=st.sampled_from([LOCAL, LOCAL, BOTH, REMOTE]),
        segments=st.sampled_from([1, 4, 60]),
        size=st.integers(1, 2 * SIZE),
    ),
    max_size=40,
    unique_by=lambda row: (row.camera_id, row.hour_us, row.volume_id, row.tier),
)
HOLDS = st.dictionaries(
    st.sampled_from([A, B, C]),
    st.lists(
        st.tuples(st.integers(0, 15 * 24 * 60), st.integers(1, 3000)).map(
            lambda pair: (NOW - pair[0] * 60_000_000, NOW + (pair[1] - pair[0]) * 60_000_000)
        ),
        max_size=3,
    ),
)
NEEDS = st.lists(st.builds(need, st.integers(0, 60 * SIZE), st.sampled_from([V1, V2])), unique_by=lambda n: n.volume_id)


def gone(rows: Sequence[HourUse], holds: Mapping[CameraId, Sequence[Interval]], cuts: Sequence[Cut]) -> list[HourUse]:
    """What a sweeper takes of rows that are one segment each, an hour long at most."""
    taken = []
    for row in rows:
        for cut in cuts:
            here = (cut.camera_id, cut.volume_id) == (row.camera_id, row.volume_id)
            fits = {
                "delete": row.tier in (LOCAL, BOTH),
                "drop_local": row.tier is BOTH,
                "delete_remote": row.tier is REMOTE,
            }
            if cut.kind == "delete" and cut.reason != "max_days":
                fits["delete"] = row.tier is LOCAL
            free = not held(joined(holds.get(row.camera_id, ())), row.hour_us, row.until_us)
            if here and fits[cut.kind] and row.hour_us >= cut.oldest_us and row.until_us <= cut.before_us and free:
                taken.append(row)
                break
    return taken


def one_segment(rows: Sequence[HourUse]) -> list[HourUse]:
    return [replace(row, segments=1, end_us=row.hour_us + HOUR_US // 2) for row in rows]


@given(st.fixed_dictionaries({A: TERMS, B: TERMS, C: TERMS}), ROWS, HOLDS, NEEDS)
def test_whatever_the_input(
    terms: dict[CameraId, Terms], rows: list[HourUse], holds: dict[CameraId, list[Interval]], needs: list[VolumeNeed]
) -> None:
    rows = one_segment(rows)
    found = plan(NOW, terms, holds, needs, rows)
    assert found == plan(NOW, terms, holds, needs, list(reversed(rows)))  # deterministic
    assert [ORDER.index(cut.reason) for cut in found.cuts] == sorted(ORDER.index(cut.reason) for cut in found.cuts)
    taken = gone(rows, holds, found.cuts)
    left = [row for row in rows if row not in taken]
    for row in taken:
        assert not held(joined(holds.get(row.camera_id, ())), row.hour_us, row.until_us)
    for cut in found.cuts:
        if cut.reason == "max_days":
            assert cut.before_us <= max_cut_us(NOW, terms[cut.camera_id])
        elif cut.reason in ("quota", "above_min") and cut.kind == "delete":
            assert cut.before_us <= min_cut_us(NOW, terms[cut.camera_id])
        elif (
            cut.reason == "below_min"
        ):  # nothing above a floor, and no copy of what the store has, is left on that volume
            for row in left:
                if row.volume_id == cut.volume_id and not held(
                    joined(holds.get(row.camera_id, ())), row.hour_us, row.until_us
                ):
                    assert row.tier is not BOTH
                    assert row.tier is REMOTE or row.until_us > min_cut_us(NOW, terms[row.camera_id])
    for row in left:  # what is due and free is gone
        if row.until_us <= max_cut_us(NOW, terms[row.camera_id]):
            assert held(joined(holds.get(row.camera_id, ())), row.hour_us, row.until_us)
    for one in needs:
        freed = sum(row.bytes for row in taken if row.volume_id == one.volume_id and row.tier is not REMOTE)
        assert freed + found.short.get(one.volume_id, 0) >= one.need_bytes
        if one.volume_id in found.short:  # then nothing is left that could go
            for row in left:
                if row.volume_id == one.volume_id and row.tier is not REMOTE:
                    assert held(joined(holds.get(row.camera_id, ())), row.hour_us, row.until_us)


@given(st.fixed_dictionaries({A: TERMS, B: TERMS, C: TERMS}), ROWS, HOLDS, NEEDS)
def test_planning_and_sweeping_comes_to_an_end(
    terms: dict[CameraId, Terms], rows: list[HourUse], holds: dict[CameraId, list[Interval]], needs: list[VolumeNeed]
) -> None:
    """Each round takes something, or there is nothing to take: no phantom is counted as room again and again."""
    rows = one_segment(rows)
    left = {one.volume_id: one.need_bytes for one in needs}
    for _ in range(2 * len(rows) + 2):
        found = plan(NOW, terms, holds, [need(size, volume) for volume, size in left.items()], rows)
        taken = gone(rows, holds, found.cuts)
        if not taken:
            break
        for row in taken:
            if row.tier is not REMOTE and row.volume_id in left:
                left[row.volume_id] = max(0, left[row.volume_id] - row.bytes)
        aged = {row for row in taken if row.tier is not BOTH or row.until_us <= max_cut_us(NOW, terms[row.camera_id])}
        rows = [replace(row, tier=REMOTE) if row in taken else row for row in rows if row not in aged]
    else:
        raise AssertionError("it does not end")
    assert found.cuts == ()
    assert dict(found.short) == {volume: size for volume, size in left.items() if size > 0}
