"""Times, windows and ids as URLs carry them."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Invalid
from storage.clock import rfc3339
from web import params

AT_US = 1_795_438_800_123_456  # 2026-11-23T13:00:00.123456Z


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T13:00:00.123456Z",
        "2026-11-23t13:00:00.123456z",
        "2026-11-23 13:00:00.123456+00:00",
        "2026-11-23T18:30:00.123456+05:30",
        "2026-11-23T18:30:00.123456 05:30",
        "2026-11-23T05:00:00.123456-08:00",
        "2026-11-23T13:00:00.123456999Z",
        "1795438800123456",
    ],
)
def test_reads_every_way_to_write_a_time(text: str) -> None:
    assert params.parse_time(text, "at") == AT_US


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-23",
        "2026-11-23T13:00:00",
        "2026-11-23T13:00Z",
        "2026-02-30T13:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T13:00:60Z",
        "2026-11-23T13:00:00+24:00",
        "2026-11-23T13:00:00+05:60",
        "2026-11-23T13:00:00.Z",
        "1969-12-31T23:59:59Z",
        "2100-01-01T00:00:01Z",
        "9999-12-31T23:59:59-23:59",
        "0000-01-01T00:00:00Z",
        "-1",
        "1795438800123456.0",
        "1e15",
        "99999999999999999",
        "٢٠٢٦",
        "2026-11-23T13:00:00Z\n",
        "2026-11-23T13:00:00Zx",
    ],
)
def test_refuses_what_is_no_time_and_names_the_parameter(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        params.parse_time(text, "from")
    assert refused.value.field == "from"


@given(st.integers(0, params.MAX_US))
def test_reads_back_what_answers_say(at_us: int) -> None:
    assert params.parse_time(rfc3339(at_us), "at") == at_us


@given(st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 - bounds are naive
def test_agrees_with_datetime(at: datetime) -> None:
    offset = at.utcoffset()
    if offset is None or offset.total_seconds() % 60:
        return  # RFC 3339 has no seconds in an offset
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert params.parse_time(at.isoformat(), "at") == round((at - epoch).total_seconds() * 1e6)


@given(st.text(max_size=40))
def test_never_fails_otherwise(text: str) -> None:
    with suppress(Invalid):
        assert 0 <= params.parse_time(text, "at") <= params.MAX_US


def test_a_plus_that_came_as_a_blank_is_a_plus() -> None:
    request = make_mocked_request("GET", "/x?from=2026-11-23T18:30:00+05:30&to=2026-11-23T18:30:01%2B05:30")
    assert params.window(request) == (1_795_438_800_000_000, 1_795_438_801_000_000)


@pytest.mark.parametrize(
    ("query", "field"),
    [("", "from"), ("from=1", "to"), ("from=2&to=2", "to"), ("from=3&to=2", "to"), ("from=x&to=2", "from")],
)
def test_a_window_has_both_ends_in_order(query: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        params.window(make_mocked_request("GET", f"/x?{query}"))
    assert refused.value.field == field


def test_a_cursor_comes_back_as_it_was_given() -> None:
    for values in ((1, 2), ("KNP-1",), ("द्वार", 5)):
        request = make_mocked_request("GET", f"/x?cursor={params.as_cursor(*values)}")
        assert params.cursor(request) == list(values)
    assert params.cursor(make_mocked_request("GET", "/x")) is None


@given(st.text("ABCDabcd0123-_=W10", max_size=40))
def test_a_cursor_of_somebody_else_is_refused(text: str) -> None:
    with suppress(Invalid):
        assert isinstance(params.cursor(make_mocked_request("GET", f"/x?cursor={text}")), list)
