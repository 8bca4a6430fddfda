"""When a volume breaks a promise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.forecast import CameraUse, Kept, forecast
from storage.model import CameraId, VolumeId
from storage.terms import Terms

VOLUME = VolumeId(1)
GB = 10**9


def use(
    camera_id: int = 1,
    *,
    rate_gb: float = 20,
    keep: int = 30,
    most: int = 0,
    priority: int = 50,
    kept: list[Kept] | None = None,
) -> CameraUse:
    terms = Terms(keep, max(keep, most), priority=priority)
    return CameraUse(CameraId(camera_id), terms, rate_gb * GB, tuple(kept or ()))


def full_days(count: int, gb: float = 20, held_gb: float = 0) -> list[Kept]:
    return [Kept(age, int(gb * GB), int(held_gb * GB)) for age in range(count)]


@pytest.mark.parametrize(
    ("capacity_gb", "cameras", "days"),
    [
        (700, [use()], None),  # 600 GB are needed for good
        (600, [use()], None),
        (500, [use()], 25),
        (590, [use()], 29.5),
        (500, [use(rate_gb=0)], None),
        (0, [], None),
        (700, [use(), use(2)], 17.5),
        (600, [use(kept=full_days(30))], None),  # in balance: as much goes as comes
        (100, [use(kept=full_days(30))], 0.0),  # broken already
        (450, [use(rate_gb=10, kept=full_days(30))], 0.0),
        (610, [use(rate_gb=40, kept=full_days(30))], 0.5),  # twice the rate from now on
        (600, [use(rate_gb=0, keep=5, kept=full_days(30))], None),  # footage beyond the minimum goes first
    ],
)
def test_days_until_a_promise_breaks(capacity_gb: float, cameras: list[CameraUse], days: float | None) -> None:
    found = forecast(VOLUME, int(capacity_gb * GB), cameras)
    assert found.breaks_in_days == (None if days is None else pytest.approx(days, abs=1e-6))


def test_held_footage_takes_the_room_of_what_comes() -> None:
    """Each day 20 GB come, and 20 GB become too old, of which 2 stay: 10 GB of room last for five days."""
    found = forecast(VOLUME, 610 * GB, [use(kept=full_days(30, held_gb=2))])
    assert found.breaks_in_days == pytest.approx(5)
    assert found.needed_bytes == 660 * GB


def test_the_lowest_priority_breaks_first_and_only_who_writes_counts() -> None:
    cameras = [use(1, priority=90), use(2, priority=50), use(3, priority=50), use(4, priority=10, rate_gb=0)]
    found = forecast(VOLUME, 900 * GB, cameras)
    assert found.breaks_in_days == pytest.approx(15)
    assert found.breaks_first == (2, 3)
    assert forecast(VOLUME, 9000 * GB, cameras).breaks_first == ()


def test_a_volume_is_full_before_it_breaks_what_was_promised() -> None:
    found = forecast(VOLUME, 800 * GB, [use(most=60)])
    assert found.breaks_in_days is None
    assert found.full_in_days == pytest.approx(40)


USES = st.lists(
    st.builds(
        CameraUse,
        st.integers(1, 50).map(CameraId),
        st.builds(Terms, st.integers(1, 60), st.integers(60, 90), priority=st.integers(0, 100)),
        st.floats(0, 1e11),
        st.lists(st.builds(Kept, st.integers(0, 90), st.integers(0, 10**11), st.just(0)), max_size=5).map(tuple),
    ),
    max_size=5,
    unique_by=lambda use: use.camera_id,
)


@given(st.integers(0, 10**13), st.integers(0, 10**13), USES)
def test_more_room_never_breaks_sooner(capacity: int, more: int, cameras: list[CameraUse]) -> None:
    small, large = (forecast(VOLUME, size, cameras) for size in (capacity, capacity + more))
    assert (small.breaks_in_days is not None) or large.breaks_in_days is None
    if large.breaks_in_days is not None and small.breaks_in_days is not None:
        assert small.breaks_in_days <= large.breaks_in_days + 1e-6
        assert set(small.breaks_first) <= {one.camera_id for one in cameras}
    if small.full_in_days is not None and small.breaks_in_days is not None:
        assert small.full_in_days <= small.breaks_in_days + 1e-6
