"""A small ONVIF device on 127.0.0.1: SOAP answers from files, WS-UsernameToken checked as a camera does, faults on command."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

ANSWERS = Path(__file__).parent / "onvif_answers"
NEEDS_NO_LOGIN = ("GetSystemDateAndTime", "GetServices", "GetCapabilities")

BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "lollollollollollollollol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><Manufacturer>&d;</Manufacturer></s:Body></s:Envelope>"""
ENTITY = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><Manufacturer>&f;</Manufacturer></s:Body></s:Envelope>"""


@dataclass
class OnvifDevice:
    """`instead`: an operation answers with this body; `redirect`: every request is sent there; `stream`: what GetStreamUri
    tells; `elsewhere`: the host that its own services are told to be at. `asked`: operations in order; `bodies`: what came."""

    user: str = "admin"
    password: str = "Ganga#2026"
    clock_off_s: float = 0.0
    stream: str = "rtsp://127.0.0.1:554/Streaming/Channels/101"
    elsewhere: str = ""
    redirect: str = ""
    instead: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.text()
        self.bodies.append(body)
        found = re.search(r"<(?:s:|soap:|env:|\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)", body)
        operation = found[1] if found else ""
        self.asked.append(operation)
        if self.redirect:
            return web.Response(status=307, headers={"Location": self.redirect})
        if operation in self.instead:
            return _soap(self.instead[operation])
        if operation not in NEEDS_NO_LOGIN and not self._signed_in(body):
            return _soap((ANSWERS / "NotAuthorized.xml").read_text("utf-8"), status=400)
        path = ANSWERS / f"{operation}.xml"
        if not path.is_file():
            return web.Response(status=500, text="no such operation")
        return _soap(self._filled(path.read_text("utf-8")))

    def _filled(self, text: str) -> str:
        now = datetime.now(UTC) + timedelta(seconds=self.clock_off_s)
        base = f"http://{self.elsewhere or self.address}"
        values = {"service": f"{base}/onvif/device_service", "media": f"{base}/onvif/media", "stream": self.stream}
        values |= {name: str(getattr(now, name)) for name in ("year", "month", "day", "hour", "minute", "second")}
        return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], text)

    def _signed_in(self, body: str) -> bool:
        """UsernameToken Profile 1.0: Base64(SHA-1(nonce + created + password))."""
        parts = {
            name: match[1] if (match := re.search(rf"<(?:\w+:)?{name}(?:\s[^>]*)?>([^<]*)<", body)) else ""
            for name in ("Username", "Password", "Nonce", "Created")
        }
        digest = hashlib.sha1(base64.b64decode(parts["Nonce"]) + (parts["Created"] + self.password).encode()).digest()
        return parts["Username"] == self.user and parts["Password"] == base64.b64encode(digest).decode()


def _soap(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="application/soap+xml")


@asynccontextmanager
async def serving(device: OnvifDevice) -> AsyncIterator[OnvifDevice]:
    app = web.Application()
    app.router.add_post("/{path:.*}", device.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    device.port = runner.addresses[0][1]
    try:
        yield device
    finally:
        await runner.cleanup()
