"""WS-Discovery: devices of the local network that answer a multicast question. Runs in a child process (`nvr.onvif`): blocking.

The messages are onveef's; the sockets are our own, because its listener keeps no sender and bounds neither the number nor the
origin of answers: an answer counts only from a private address, and the service it names only at that same address.
"""

from __future__ import annotations

import ipaddress
import select
import socket
import time
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any
from urllib.parse import unquote, urlsplit

from config.errors import Invalid
from storage import camera_url
from storage.registry.onvif_model import Found, clean

MULTICAST = ("239.255.255.250", 3702)
MAX_DEVICES = 1000
MAX_ANSWERS = 20_000
MAX_ANSWER_BYTES = 65_535
SENDS = 3
"""UDP is lossy: the question is asked again."""


def discover(seconds: float, allow_loopback: bool, to: tuple[str, int] = MULTICAST) -> list[Found]:
    """By address. `to`: another than the multicast group, for a single device."""
    from onveef import wsdiscovery

    found: dict[str, Found] = {}
    with ExitStack() as stack:
        sockets = [stack.enter_context(one) for one in _sockets(wsdiscovery.local_ipv4_addresses())]
        begun_s = time.monotonic()
        until_s, sent, answers = begun_s + seconds, 0, 0
        while sockets and (now_s := time.monotonic()) < until_s and answers < MAX_ANSWERS:
            if now_s >= begun_s + sent * seconds / (SENDS + 1):
                _ask(sockets, wsdiscovery.build_probe(message_id=f"urn:uuid:{uuid.uuid4()}").encode(), to)
                sent += 1
            next_s = begun_s + sent * seconds / (SENDS + 1) if sent < SENDS else until_s
            ready, _, _ = select.select(sockets, (), (), max(0.0, min(next_s, until_s) - time.monotonic()))
            for one in ready:
                answers += 1
                _take(one, found, allow_loopback)
    return sorted(found.values(), key=lambda device: device.address)


def _sockets(addresses: Sequence[str]) -> list[socket.socket]:
    """One for each interface, and one for what the system chooses."""
    made = []
    for address in ["", *addresses]:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
            if address:
                one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
            one.bind((address, 0))
            one.setblocking(False)
        except OSError:
            one.close()
            continue
        made.append(one)
    return made


def _ask(sockets: Sequence[socket.socket], question: bytes, to: tuple[str, int]) -> None:
    for one in sockets:
        try:
            one.sendto(question, to)
        except OSError:
            continue  # no network, or no way to there from this interface


def _take(one: socket.socket, found: dict[str, Found], allow_loopback: bool) -> None:
    from onveef import wsdiscovery

    try:
        data, (sender, *_) = one.recvfrom(MAX_ANSWER_BYTES)
    except OSError:
        return
    if not may_answer(sender, allow_loopback=allow_loopback):
        return
    for device in wsdiscovery.parse_probe_matches(data.decode("utf-8", "replace")):
        made = _found(device, sender)
        if made is not None and (made.address in found or len(found) < MAX_DEVICES):
            found[made.address] = made


def may_answer(sender: str, *, allow_loopback: bool) -> bool:
    """Only a private address that a camera may have."""
    try:
        address = ipaddress.ip_address(sender)
        camera_url.parse(f"rtsp://{sender}/", allow_loopback=allow_loopback)
    except (ValueError, Invalid):
        return False
    return address.is_private


def _found(device: Any, sender: str) -> Found | None:
    """Its service at the address that the answer came from: whatever else it names is not asked."""
    for text in (device.xaddrs or [device.address])[:16]:
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            continue
        if parts.scheme not in ("http", "https") or parts.hostname != sender:
            continue
        place = f"{sender}:{port}" if port else sender
        path = parts.path if parts.path.isascii() and parts.path.isprintable() else ""
        return Found(
            address=f"{parts.scheme}://{place}{path or '/onvif/device_service'}"[:500],
            host=sender,
            name=clean(unquote(device.name)),
            model=clean(_scope(device.scopes, "model") or unquote(device.hardware)),
            hardware=clean(unquote(device.hardware)),
        )
    return None


def _scope(scopes: Sequence[str], segment: str) -> str:
    """`onvif://www.onvif.org/<segment>/<value>`, percent-encoded."""
    marker = f"/{segment}/"
    return next((unquote(scope.partition(marker)[2]) for scope in scopes if marker in scope), "")
