"""When uploads may begin and when failed ones are tried again."""

from __future__ import annotations

import random
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from retention.offload_times import StoreBackoff, again_us, within

KANPUR = "Asia/Kolkata"


def at(text: str) -> int:
    return int(datetime.fromisoformat(f"2026-11-24T{text}:00").replace(tzinfo=ZoneInfo(KANPUR)).timestamp() * 1e6)


@pytest.mark.parametrize(
    "hours, open_at, closed_at",
    [
        ("22:00-06:00", ("22:00", "23:59", "00:00", "05:59"), ("06:00", "12:00", "21:59")),
        ("01:30-05:00", ("01:30", "04:59"), ("01:29", "05:00", "23:00")),
        ("", ("00:00", "12:00"), ()),
        ("08:00-08:00", ("07:59", "08:00"), ()),
    ],
)
def test_hours_are_those_of_the_site(hours: str, open_at: tuple[str, ...], closed_at: tuple[str, ...]) -> None:
    assert all(within(hours, KANPUR, at(text)) for text in open_at)
    assert not any(within(hours, KANPUR, at(text)) for text in closed_at)


def test_a_segment_is_tried_again_for_ever_and_never_more_than_an_hour_apart() -> None:
    source = random.Random(1)
    for attempts in range(1, 200):
        waits = [again_us(attempts, source) / 1e6 for _ in range(20)]
        assert max(waits) <= min(3600, 10 * 2 ** min(attempts - 1, 20))
        assert min(waits) >= max(waits) / 2 - 1e-6 or attempts < 200
        assert len(set(waits)) > 1, "with jitter"


def test_uploads_that_fail_together_count_as_one() -> None:
    backoff = StoreBackoff()
    for _ in range(4):
        backoff.failed(1_000_000)
    assert backoff.failures == 1
    assert 0.4 < backoff.wait_s(1_000_000) <= 1
    now_us = backoff.closed_until_us
    for _ in range(20):
        backoff.failed(now_us)
        now_us = backoff.closed_until_us
    assert backoff.wait_s(now_us) == 0
    backoff.failed(now_us)
    assert backoff.wait_s(now_us) <= 300
    backoff.succeeded()
    assert (backoff.failures, backoff.wait_s(now_us)) == (0, 0)
