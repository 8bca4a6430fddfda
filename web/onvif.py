"""ONVIF: cameras that answer in the network, and the streams that one of them offers."""

from __future__ import annotations

import asyncio
from typing import Protocol

from aiohttp import web

from config.settings import is_loopback
from storage import camera_url
from storage.catalog import camera_hosts
from storage.model import Credentials
from storage.registry.onvif_model import Device, Found
from web import bodies
from web.cameras import milliseconds
from web.keys import CATALOG, SETTINGS
from web.operations import Operation, Reply
from web.probe_schemas import DeviceOut, DevicesOut, DiscoverIn, ProfileOut, StreamsIn, StreamsOut

AT_ONCE = 2
"""Each is a process of its own."""


class Onvif(Protocol):
    async def discover(self, seconds: int, *, allow_loopback: bool) -> list[Found]:
        """Devices that answer within `seconds`, by address; none without a network."""

    async def look_up(self, address: str, credentials: Credentials | None, *, allow_loopback: bool) -> Device:
        """What a device says of itself. `address`: host, host:port or the URL of its device service. Raises Invalid for an
        address that must not be asked or a wrong login, Unavailable for a device that does not answer as it should."""


ONVIF: web.AppKey[Onvif] = web.AppKey("onvif")
TURNS: web.AppKey[asyncio.Semaphore] = web.AppKey("turns of onvif")


def _allow_loopback(request: web.Request) -> bool:
    settings = request.app[SETTINGS]
    return settings.recording.allow_loopback or is_loopback(settings.server.host)


async def discover(request: web.Request) -> web.Response:
    body = await bodies.read(request, DiscoverIn)
    async with request.app[TURNS]:
        found = await request.app[ONVIF].discover(body.seconds, allow_loopback=_allow_loopback(request))
    registered = await request.app[CATALOG].read(camera_hosts.codes)
    items = [
        DeviceOut(
            address=one.address,
            name=one.name,
            model=one.model,
            hardware=one.hardware,
            registered_as=registered.get(one.host),
        )
        for one in found
    ]
    return bodies.answer(DevicesOut(items=items))


async def streams(request: web.Request) -> web.Response:
    body = await bodies.read(request, StreamsIn)
    login: Credentials | None = None
    if body.credentials is not None:
        login = camera_url.check_credentials(body.credentials.username, body.credentials.password)
    async with request.app[TURNS]:
        told = await request.app[ONVIF].look_up(body.address, login, allow_loopback=_allow_loopback(request))
    return bodies.answer(
        StreamsOut(
            make=told.make,
            model=told.model,
            serial=told.serial,
            firmware=told.firmware,
            mac=told.mac,
            clock_offset_ms=milliseconds(told.clock_offset_us),
            profiles=[
                ProfileOut(
                    name=one.name,
                    url=one.url,
                    video_codec=one.video_codec,
                    width=one.width,
                    height=one.height,
                    fps=one.fps,
                )
                for one in told.profiles
            ],
        )
    )


def setup(app: web.Application) -> None:
    app[TURNS] = asyncio.Semaphore(AT_ONCE)


_TAG = "ONVIF"


def operations() -> list[Operation]:
    return [
        Operation(
            "POST",
            "/api/v1/onvif/discover",
            discover,
            _TAG,
            "Find cameras in the server's network",
            {200: Reply("Those that answered, by address.", DevicesOut)},
            body=DiscoverIn,
            problems=(503,),
        ),
        Operation(
            "POST",
            "/api/v1/onvif/streams",
            streams,
            _TAG,
            "Ask a camera what it is and which streams it has",
            {200: Reply("What it says of itself. The URLs carry no login.", StreamsOut)},
            body=StreamsIn,
            problems=(503,),
        ),
    ]
