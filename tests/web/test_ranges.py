"""Which bytes a request gets: RFC 9110 13 and 14, as a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.ranges import Wanted, wanted

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("headers", "status", "start", "end"),
    [
        ({}, 200, 0, 1000),
        ({"Range": "bytes=0-0"}, 206, 0, 1),
        ({"Range": "bytes=0-999"}, 206, 0, 1000),
        ({"Range": "bytes=10-"}, 206, 10, 1000),
        ({"Range": "bytes=-10"}, 206, 990, 1000),
        ({"Range": "bytes=-5000"}, 206, 0, 1000),
        ({"Range": "bytes=990-5000"}, 206, 990, 1000),
        ({"Range": "BYTES = 1-2"}, 200, 0, 1000),
        ({"Range": "Bytes=1-2"}, 206, 1, 3),
        ({"Range": "bytes=1000-"}, 416, 0, 0),
        ({"Range": "bytes=-0"}, 416, 0, 0),
        ({"Range": "bytes=5-4"}, 200, 0, 1000),
        ({"Range": "bytes=a-b"}, 200, 0, 1000),
        ({"Range": "bytes=-"}, 200, 0, 1000),
        ({"Range": "bytes=0-1,5-6"}, 200, 0, 1000),
        ({"Range": "lines=0-1"}, 200, 0, 1000),
        ({"Range": "bytes=0-1", "If-Range": ETAG}, 206, 0, 2),
        ({"Range": "bytes=0-1", "If-Range": '"other"'}, 200, 0, 1000),
        ({"Range": "bytes=0-1", "If-Range": 'W/"abc"'}, 200, 0, 1000),
        ({"Range": "bytes=0-1", "If-Range": "Mon, 23 Nov 2026 00:00:00 GMT"}, 200, 0, 1000),
        ({"If-None-Match": ETAG}, 304, 0, 0),
        ({"If-None-Match": 'W/"abc"'}, 304, 0, 0),
        ({"If-None-Match": '"x", "abc"'}, 304, 0, 0),
        ({"If-None-Match": "*"}, 304, 0, 0),
        ({"If-None-Match": '"x"', "Range": "bytes=0-1"}, 206, 0, 2),
        ({"If-Match": ETAG}, 200, 0, 1000),
        ({"If-Match": '"x"'}, 412, 0, 0),
        ({"If-Match": 'W/"abc"'}, 412, 0, 0),
    ],
)
def test_what_a_get_wants(headers: dict[str, str], status: int, start: int, end: int) -> None:
    assert wanted("GET", headers, 1000, ETAG) == Wanted(status, start, end)


def test_a_head_is_told_of_the_whole() -> None:
    assert wanted("HEAD", {"Range": "bytes=0-1"}, 1000, ETAG) == Wanted(200, 0, 1000)


def test_what_has_no_etag_is_never_unchanged_and_resumes_nothing() -> None:
    assert wanted("GET", {"If-None-Match": ETAG}, 1000, None).status == 200
    assert wanted("GET", {"Range": "bytes=5-6", "If-Range": ETAG}, 1000, None).status == 200
    assert wanted("GET", {"Range": "bytes=5-6"}, 1000, None) == Wanted(206, 5, 7)


@given(st.text(max_size=40), st.integers(0, 10_000))
def test_any_range_header_is_answered(header: str, size: int) -> None:
    found = wanted("GET", {"Range": "bytes=" + header}, size, ETAG)
    assert found.status in (200, 206, 416)
    assert 0 <= found.start <= found.end <= size
    assert found.status != 206 or found.size_bytes > 0
