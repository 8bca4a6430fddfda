"""No password leaves by a text."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.redact import masked, redact, redact_values

TABLE = [
    ("rtsp://admin:geheim@10.1.2.3:554/main", "rtsp://***@10.1.2.3:554/main"),
    ("rtsp://admin@10.1.2.3/main", "rtsp://***@10.1.2.3/main"),
    ("rtsp://10.1.2.3/main", "rtsp://10.1.2.3/main"),
    ("rtsps://a:b@[::1]:322/x", "rtsps://***@[::1]:322/x"),
    ("RTSP://a:b@host/x", "RTSP://***@host/x"),
    ("http://u:p@h/a and https://v:q@i/b", "http://***@h/a and https://***@i/b"),
    ("rtsp://u:p@ss/w:rd@h/x", "rtsp://***@h/x"),
    ("rtsp://u:it's\"<quoted>@h/x", "rtsp://***@h/x"),
    ("Error opening 'rtsp://u:p@h/x': refused", "Error opening 'rtsp://***@h/x': refused"),
    ("?url=rtsp%3A%2F%2Fu%3Ap%40h%2Fx", "?url=rtsp%3A%2F%2F***@h%2Fx"),
    ("?url=rtsp%253A%252F%252Fu%253Ap%2540h", "?url=rtsp%253A%252F%252F***@h"),
    ("rtsp://h/user=admin&password=geheim&channel=1", "rtsp://h/user=admin&password=***&channel=1"),
    (
        "rtsp://h/user=admin_password=geheim_channel=1_stream=0.sdp",
        "rtsp://h/user=admin_password=***_channel=1_stream=0.sdp",
    ),
    ("rtsp://h/s?pwd=geheim", "rtsp://h/s?pwd=***"),
    ("Authorization: Basic Zm9v\r\nCSeq: 2", "Authorization: ***\r\nCSeq: 2"),
    ('authorization: Digest username="u", response="1f"', "authorization: ***"),
    ("{'Authorization': 'Basic Zm9v'}", "{'Authorization': ***"),
    ("Cookie: session=1", "Cookie: ***"),
    ("mail operator@example.org about it", "mail operator@example.org about it"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_what_is_told_instead(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"Impossible to open 'rtsp://u:p@h/x'\n", b"Impossible to open 'rtsp://***@h/x'\n"),
        (b"rtsp://u:p@ss/w:rd@h/x", b"rtsp://***********@h/x"),
        (b"rtsp://h/s?pwd=geheim&channel=1", b"rtsp://h/s?pwd=******&channel=1"),
        (b"rtsp://h/x\xff\x00\xc2\x85 is well\r\n", b"rtsp://h/x\xff\x00\xc2\x85 is well\r\n"),
    ],
)
def test_what_a_file_holds_instead(text: bytes, expected: bytes) -> None:
    assert masked(text) == expected


SECRET = st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1, max_size=30).map(
    lambda text: f"Qx{text}Qy"
)
AROUND = st.text(max_size=40)


@given(SECRET, AROUND, AROUND)
def test_no_password_survives_in_a_url(secret: str, before: str, after: str) -> None:
    assert secret not in redact(f"{before} rtsp://user:{secret}@10.0.0.1/main {after}")
    assert "***@10.0.0.1/main" in redact(f"{before} rtsp://user:{secret}@10.0.0.1/main {after}")


@given(SECRET, st.binary(max_size=40), st.binary(max_size=40))
def test_a_masked_file_has_no_password_and_its_length(secret: str, before: bytes, after: bytes) -> None:
    text = before + f" rtsp://user:{secret}@10.0.0.1/main ".encode() + after
    assert secret.encode() not in masked(text)
    assert b"*@10.0.0.1/main" in masked(text)
    assert len(masked(text)) == len(text)


@given(SECRET, AROUND)
def test_no_password_survives_in_an_encoded_url(secret: str, before: str) -> None:
    url = f"rtsp://user:{quote(secret, safe='')}@10.0.0.1/main"
    for text in (url, quote(url, safe=""), quote(quote(url, safe=""), safe="")):
        for spelling in (secret, quote(secret, safe="")):
            assert spelling not in redact(f"{before} {text}")


@given(st.lists(SECRET, min_size=2, max_size=4))
def test_no_password_survives_among_several_urls(secrets: list[str]) -> None:
    told = redact(" ".join(f"rtsp://user:{secret}@10.0.0.1/main" for secret in secrets))
    assert not any(secret in told for secret in secrets)


@given(st.text())
def test_redacting_twice_is_redacting_once(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize("text", ["a://" * 20_000, "rtsp%3A%2F%2F" * 8_000, "a." * 50_000, "pass=" * 20_000])
def test_a_long_text_takes_no_long_time(text: str) -> None:
    before = time.process_time()
    redact(text)
    assert time.process_time() - before < 5


def test_values_are_redacted_however_deep() -> None:
    found = redact_values({"a": ["rtsp://u:p@h", {"b": OSError("cannot open rtsp://u:p@h")}], "n": 1, "f": None})
    assert found == {"a": ["rtsp://***@h", {"b": "cannot open rtsp://***@h"}], "n": 1, "f": None}
