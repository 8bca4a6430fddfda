"""Which camera URLs are taken, and where their login goes."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Invalid
from storage import camera_url
from storage.model import Credentials


@pytest.mark.parametrize(
    ("given_url", "kept", "login"),
    [
        ("rtsp://10.0.0.5/stream1", "rtsp://10.0.0.5/stream1", None),
        ("RTSP://Cam-7.Example.org:554/a?b=c", "rtsp://cam-7.example.org:554/a?b=c", None),
        ("rtsps://[2001:db8::7]:322/x", "rtsps://[2001:db8::7]:322/x", None),
        ("rtsp://admin:p%40ss%2F1@10.0.0.5/x", "rtsp://10.0.0.5/x", Credentials("admin", "p@ss/1")),
        ("rtsp://admin:p@ss:1@10.0.0.5:8554/x", "rtsp://10.0.0.5:8554/x", Credentials("admin", "p@ss:1")),
        ("rtsp://admin@10.0.0.5", "rtsp://10.0.0.5", Credentials("admin", "")),
        ("rtsp://@10.0.0.5/x", "rtsp://10.0.0.5/x", None),
        ("rtsp://10.0.0.5?channel=1", "rtsp://10.0.0.5?channel=1", None),
        (
            "rtsp://10.0.0.5/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp",
            "rtsp://10.0.0.5/user={username}_password={password}_channel=1_stream=0.sdp",
            Credentials("admin", "tlJwpbo6"),
        ),
        (
            "rtsp://10.0.0.5/live?pwd=s%2Fx&ch=1&usr=me",
            "rtsp://10.0.0.5/live?pwd={password}&ch=1&usr={username}",
            Credentials("me", "s/x"),
        ),
    ],
)
def test_keeps_the_url_without_its_login(given_url: str, kept: str, login: Credentials | None) -> None:
    parsed = camera_url.parse(given_url, allow_loopback=False)
    assert parsed.url == kept
    assert (parsed.credentials and (parsed.credentials.username, parsed.credentials.password)) == (
        login and (login.username, login.password)
    )
    assert camera_url.parse(kept, allow_loopback=False).url == kept


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.5/x",
        "https://10.0.0.5/x",
        "file:///etc/passwd",
        "/etc/passwd",
        "rtsp:",
        "rtsp:/10.0.0.5",
        "rtsp://",
        "rtsp:///x",
        "rtp://10.0.0.5",
        "rtsp://user:pw@/x",
        "rtsp://:554/x",
        "rtsp://10.0.0.5:0/x",
        "rtsp://10.0.0.5:65536/x",
        "rtsp://10.0.0.5:x/",
        "rtsp://a_b..c/x",
        "rtsp://10.0.0.256/x",
        "rtsp://1.2.3.4.5/x",
        "rtsp://[::g]/x",
        "rtsp://[10.0.0.1]/x",
        "rtsp://::1/x",
        "rtsp://10.0.0.5/a#b",
        "rtsp://-a/x",
        "rtsp://10.0.0.5/%0a",
        "rtsp://10.0.0.5/%7F",
        "rtsp://10.0.0.5/%zz",
        r"rtsp://10.0.0.5/\x",
        "rtsp://10.0.0.5/{x}",
        "rtsp://admin:12/ss@10.0.0.5/x",
        "rtsp://admin:1#2@10.0.0.5/x",
        "rtsp://a:%0A@10.0.0.5/x",
        "rtsp://a:%ff@10.0.0.5/x",
        "rtsp://224.0.0.1/x",
        "rtsp://239.255.255.250/x",
        "rtsp://[ff02::1]/x",
        "rtsp://255.255.255.255/x",
        "rtsp://250.1.1.1/x",
        "rtsp://169.254.169.254/x",
        "rtsp://[fe80::1]/x",
        "rtsp://[fe80::1%25eth0]/x",
        "rtsp://[::ffff:169.254.169.254]/x",
        "rtsp://2852039166/x",
        "rtsp://0xa9fea9fe/x",
        "rtsp://0xA9.254.169.0376/x",
        "rtsp://169.254.43518/x",
        "rtsp://169.254.169.254./x",
        "rtsp://[64:ff9b::a9fe:a9fe]/x",
        "rtsp://[2002:a9fe:a9fe::]/x",
        "rtsp://[::a9fe:a9fe]/x",
        "rtsp://0.0.0.0/x",
        "rtsp://0/x",
        "rtsp://[::]/x",
        "rtsp://0.1.2.3/x",
        "rtsp://127.0.0.1/x",
        "rtsp://127.1/x",
        "rtsp://2130706433/x",
        "rtsp://0x7f.1/x",
        "rtsp://0177.0.0.1/x",
        "rtsp://[::1]/x",
        "rtsp://[::ffff:127.0.0.1]/x",
        "rtsp://localhost/x",
        "rtsp://LOCALHOST./x",
        "rtsp://cam.localhost/x",
        "rtsp://ip6-localhost/x",
    ],
)
def test_refuses(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        camera_url.parse(url, allow_loopback=False)
    assert refused.value.field == "url"


@pytest.mark.parametrize(
    "url", ["rtsp://10.0.0.5/a b", "rtsp://10.0.0.5/a\nfile x", "rtsp://कैमरा/x", "rtsp://１２７.0.0.1/"]
)
def test_refuses_blanks_line_ends_and_other_scripts(url: str) -> None:
    with pytest.raises(Invalid, match="percent-encode"):
        camera_url.parse(url, allow_loopback=True)


def test_refuses_a_url_that_is_too_long() -> None:
    with pytest.raises(Invalid, match="1024"):
        camera_url.parse("rtsp://10.0.0.5/" + "x" * 1024, allow_loopback=False)


@pytest.mark.parametrize("url", ["rtsp://127.0.0.1:8554/1", "rtsp://localhost/1", "rtsp://[::1]/1"])
def test_takes_loopback_where_that_is_allowed(url: str) -> None:
    assert camera_url.check(url, allow_loopback=True) == url


def test_no_message_holds_the_password() -> None:
    for url in ("rtsp://admin:geheim@224.0.0.1/", "rtsp://admin:geheim/1@10.0.0.5/", "rtsp://admin:geheim#1@10.0.0.5/"):
        with pytest.raises(Invalid) as refused:
            camera_url.parse(url, allow_loopback=False)
        assert "geheim" not in str(refused.value)
        assert "geheim" not in repr(refused.value.extra)


@given(
    st.text(st.characters(blacklist_categories=["C", "Z"]), max_size=20), st.text(max_size=20).filter(str.isprintable)
)
def test_what_join_makes_parses_back(username: str, password: str) -> None:
    if not username and not password:
        return
    login = Credentials(username, password)
    for kept in ("rtsp://10.0.0.5:554/x?y=1", "rtsp://10.0.0.5/user={username}_password={password}_channel=1"):
        parsed = camera_url.parse(camera_url.join(kept, login), allow_loopback=False)
        assert parsed.url == kept
        assert parsed.credentials is not None
        if "{" not in kept:
            assert (parsed.credentials.username, parsed.credentials.password) == (username, password)


@given(st.text(max_size=60))
def test_never_fails_otherwise(text: str) -> None:
    for url in (text, "rtsp://" + text):
        with suppress(Invalid):
            camera_url.parse(url, allow_loopback=False)
