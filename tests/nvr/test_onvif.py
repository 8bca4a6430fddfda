"""ONVIF against a small device: what is learned, and what a hostile or broken one cannot do."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from config.errors import Invalid, Unavailable
from nvr import onvif_discovery
from nvr.onvif import Onveef, service_url
from storage.model import Credentials
from storage.registry.onvif_model import Device, Found, Profile, clean
from tests.nvr.onvif_device import ANSWERS, BOMB, ENTITY, OnvifDevice, serving

LOGIN = Credentials("admin", "Ganga#2026")


async def look_up(device: OnvifDevice, login: Credentials | None = LOGIN) -> Device:
    return await Onveef().look_up(device.address, login, allow_loopback=True)


async def test_a_device_tells_what_it_is_and_its_streams() -> None:
    async with serving(OnvifDevice(clock_off_s=-3600.0)) as device:
        found = await look_up(device)
    assert (found.make, found.model, found.serial) == ("Gangotri Optics", "GO-DM-4MP", "GO2024031100417")
    assert (found.firmware, found.mac) == ("5.7.12 build 240311", "02:00:5e:10:00:41")
    url = "rtsp://127.0.0.1:554/Streaming/Channels/101"
    assert found.profiles == (
        Profile("mainStream", url, "h264", 2560, 1440, 25.0),
        Profile("subStream", url, "mjpeg", 640, 360, None),
    )
    assert found.clock_offset_us is not None and -3_700_000_000 < found.clock_offset_us < -3_500_000_000


async def test_the_password_crosses_the_network_as_a_digest_only() -> None:
    async with serving(OnvifDevice()) as device:
        await look_up(device)
    assert not [body for body in device.bodies if LOGIN.password in body]
    assert [body for body in device.bodies if "PasswordDigest" in body]


async def test_a_wrong_password_is_refused_by_name_and_not_told() -> None:
    async with serving(OnvifDevice()) as device:
        with pytest.raises(Invalid, match="refuses this user or password") as caught:
            await look_up(device, Credentials("admin", "geheim-falsch"))
    assert caught.value.extra["cause"] == "unauthorized"
    assert "geheim" not in str(caught.value)


async def test_no_password_is_tried_where_none_is_given() -> None:
    async with serving(OnvifDevice()) as device:
        with pytest.raises(Invalid, match="refuses"):
            await look_up(device, None)
    assert not [body for body in device.bodies if "UsernameToken" in body]


@pytest.mark.parametrize("body", [BOMB, ENTITY, "<html>It works!</html>", "", "\x00\xff", "<s:Envelope"])
async def test_what_is_no_answer_is_said_to_be_none(body: str) -> None:
    async with serving(OnvifDevice(instead={"GetDeviceInformation": body})) as device:
        with pytest.raises(Unavailable) as caught:
            await look_up(device)
    assert len(str(caught.value)) < 400


async def test_a_huge_answer_is_cut_off() -> None:
    async with serving(OnvifDevice(instead={"GetDeviceInformation": "<a>" + "x" * (3 << 20)})) as device:
        with pytest.raises(Unavailable, match="cap"):
            await look_up(device)


async def test_a_redirect_is_not_followed() -> None:
    async with serving(OnvifDevice()) as other, serving(OnvifDevice()) as device:
        device.redirect = f"http://{other.address}/onvif/device_service"
        with pytest.raises(Unavailable, match="redirect"):
            await look_up(device)
    assert other.asked == []


async def test_its_services_are_asked_at_the_address_that_was_given() -> None:
    """It names its own idea of its address, or an address that we must not ask: neither is followed."""
    async with serving(OnvifDevice()) as other, serving(OnvifDevice()) as device:
        device.elsewhere = other.address
        found = await look_up(device)
    assert len(found.profiles) == 2
    assert other.asked == []


@pytest.mark.parametrize("stream", ["file:///etc/passwd", "http://127.0.0.1/x", "rtsp://127.0.0.1/a b", ""])
async def test_a_stream_that_no_camera_may_have_is_left_out(stream: str) -> None:
    async with serving(OnvifDevice(stream=stream)) as device:
        found = await look_up(device)
    assert found.profiles == ()


async def test_a_stream_elsewhere_is_looked_for_at_the_device() -> None:
    async with serving(OnvifDevice(stream="rtsp://admin:Ganga%232026@169.254.169.254:554/latest")) as device:
        found = await look_up(device)
    assert {profile.url for profile in found.profiles} == {"rtsp://127.0.0.1:554/latest"}


async def test_a_device_that_is_away_is_said_to_be_away() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable):
            await Onveef().look_up(f"127.0.0.1:{free.getsockname()[1]}", LOGIN, allow_loopback=True)


async def test_a_device_that_never_answers_is_given_up() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unavailable, match="within"):
            await Onveef().look_up(f"127.0.0.1:{port}", LOGIN, allow_loopback=True)


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("10.0.0.64", "http://10.0.0.64/onvif/device_service"),
        (" 10.0.0.64:8000 ", "http://10.0.0.64:8000/onvif/device_service"),
        ("cam-4.kanpur.example", "http://cam-4.kanpur.example/onvif/device_service"),
        ("HTTPS://10.0.0.64/onvif/device_service", "https://10.0.0.64/onvif/device_service"),
        ("http://10.0.0.64:80/", "http://10.0.0.64:80/onvif/device_service"),
    ],
)
def test_an_address_in_its_forms(address: str, url: str) -> None:
    assert service_url(address, allow_loopback=False).url == url


@pytest.mark.parametrize(
    "address",
    [
        *(
            "",
            "http://",
            "10.0.0.64/onvif",
            "ftp://10.0.0.64/",
            "http://admin:x@10.0.0.64/",
            "127.0.0.1",
            "localhost:80",
        ),
        *("169.254.169.254", "http://0.0.0.0/", "2130706433", "http://[::1]/", "http://239.255.255.250/", "a b"),
        *("http://10.0.0.64/\r\nHost: x", "http://10.0.0.64/#x", "http://10.0.0.64:99999/"),
    ],
)
def test_an_address_that_is_not_asked(address: str) -> None:
    with pytest.raises(Invalid) as caught:
        service_url(address, allow_loopback=False)
    assert caught.value.field == "address"


# -- discovery ---------------------------------------------------------------------------------------------------------


@contextmanager
def answering(*xaddrs: str) -> Iterator[tuple[str, int]]:
    """A device that answers one question with one message for each of `xaddrs`."""
    text = (ANSWERS / "ProbeMatches.xml").read_text("utf-8")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind(("127.0.0.1", 0))
        ours.settimeout(20)

        def answer() -> None:
            question, sender = ours.recvfrom(65535)
            relates = re.search(rb"MessageID>([^<]+)<", question)
            assert relates is not None
            ours.sendto(b"<not xml", sender)
            for one in xaddrs:
                ours.sendto(text.format(relates=relates[1].decode(), xaddrs=one).encode(), sender)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield ours.getsockname()
        finally:
            thread.join()


def test_a_device_of_the_network_is_found_with_its_names() -> None:
    with answering("http://[fe80::1]/onvif http://127.0.0.1:8000/onvif/device_service") as place:
        found = onvif_discovery.discover(1.0, True, place)
    address = "http://127.0.0.1:8000/onvif/device_service"
    assert found == [Found(address, "127.0.0.1", "Gangotri Dome", "GO-DM-4MP", "GO-DM-4MP")]


def test_a_device_that_names_another_address_is_not_believed() -> None:
    with answering("http://10.9.9.9/onvif/device_service", "http://169.254.169.254/", "javascript:alert(1)") as place:
        assert onvif_discovery.discover(1.0, True, place) == []


def test_an_answer_from_a_place_where_no_camera_may_be_does_not_count() -> None:
    with answering("http://127.0.0.1/onvif/device_service") as place:
        assert onvif_discovery.discover(1.0, False, place) == []


@pytest.mark.parametrize(
    ("sender", "counts"),
    [
        *(("10.0.0.64", True), ("192.168.1.20", True), ("172.16.4.4", True), ("8.8.8.8", False), ("127.0.0.1", False)),
        *(("169.254.10.10", False), ("0.0.0.0", False), ("nonsense", False)),
    ],
)
def test_who_may_answer(sender: str, counts: bool) -> None:
    assert onvif_discovery.may_answer(sender, allow_loopback=False) is counts


async def test_a_search_ends_where_nobody_answers() -> None:
    assert isinstance(await Onveef().discover(1, allow_loopback=False), list)


def test_a_strangers_words_become_one_line() -> None:
    assert clean("A\nB\x00C\u202e" + "x" * 500) == ("A B C " + "x" * 500)[:200]
    assert clean(None) == ""
