"""ONVIF: which cameras answer in the network, and what streams one of them offers. Our own interface; onveef does the work.

It runs in a child process each time: XML from strangers is read there, within bounds of time and memory, and nothing of it is
imported by the server. The address is given by a person, so the rules for cameras' URLs hold (`storage.camera_url`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from config.errors import Invalid
from nvr import onvif_device, onvif_discovery
from storage import camera_url
from storage.child import in_child
from storage.model import Credentials
from storage.registry.onvif_model import Device, Found

MEMORY_BYTES = 256 << 20
LOOK_UP_S = 30.0
MORE_S = 15.0
"""For the start and the end of the child process, on a busy machine."""

_PLAIN = re.compile(r"[^/?#@\s]+")


class Onveef:
    """`web.onvif.Onvif`, by onveef."""

    async def discover(self, seconds: int, *, allow_loopback: bool) -> list[Found]:
        return await in_child(
            onvif_discovery.discover,
            float(seconds),
            allow_loopback,
            limit_s=seconds + MORE_S,
            memory_bytes=MEMORY_BYTES,
        )

    async def look_up(self, address: str, credentials: Credentials | None, *, allow_loopback: bool) -> Device:
        service = service_url(address, allow_loopback=allow_loopback)
        login = (credentials.username, credentials.password) if credentials else ("", "")
        return await in_child(
            onvif_device.look_up,
            service.url,
            *login,
            allow_loopback,
            limit_s=LOOK_UP_S + MORE_S,
            memory_bytes=MEMORY_BYTES,
        )


@dataclass(frozen=True, slots=True)
class Service:
    url: str


def service_url(address: str, *, allow_loopback: bool, field: str = "address") -> Service:
    """The URL of a device's service. Raises Invalid (naming `field`) for what is none, and for hosts that a camera's URL must
    not name either; a login has no place in it."""
    text = address.strip()
    if "://" not in text:
        if not _PLAIN.fullmatch(text):
            raise Invalid(f"{field}: give a host, a host:port, or the http:// URL of the device", field=field)
        text = f"http://{text}/onvif/device_service"
    scheme, _, rest = text.partition("://")
    if scheme.lower() not in ("http", "https"):
        raise Invalid(f"{field}: an ONVIF device is asked by http:// or https://", field=field)
    if "@" in rest:
        raise Invalid(f"{field}: give user and password apart from the address", field=field)
    # Judged as a camera's URL is: characters, spelling of the host, and where it must not lead.
    camera_url.parse(f"rtsp://{rest}", allow_loopback=allow_loopback, field=field)
    parts = urlsplit(text)
    path = parts.path if parts.path not in ("", "/") else "/onvif/device_service"
    return Service(f"{scheme.lower()}://{parts.netloc.lower()}{path}{f'?{parts.query}' if parts.query else ''}")
