"""Asking one ONVIF device, by onveef. Runs in a child process (`nvr.onvif`): blocking.

The password goes out only as a digest (WS-UsernameToken, HTTP Digest), never plainly. No redirect is followed, no proxy used;
an answer may have a megabyte; entities are refused (defusedxml); every URL that the device names leads to the host that was
asked.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from config.errors import Invalid, NvrError, Unavailable
from storage import camera_url
from storage.clock import wall_us
from storage.registry.onvif_model import MAX_PROFILES, Device, Profile, clean

T = TypeVar("T")

CALL_S = 5.0
MAX_ANSWER_BYTES = 1 << 20
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-]?[0-9A-Fa-f]{2}){5}")
_CODECS = {"H264": "h264", "H265": "hevc", "HEVC": "hevc", "JPEG": "mjpeg", "MPEG4": "mpeg4"}


def look_up(service_url: str, username: str, password: str, allow_loopback: bool) -> Device:
    """Raises Invalid where the login is refused, Unavailable for whatever else the device does."""
    import httpx
    from onveef import OnvifClient

    logging.getLogger("httpx").setLevel(logging.WARNING)
    # Cameras certify themselves: their certificates prove nothing, and the password crosses as a digest anyhow.
    with (
        httpx.Client(timeout=CALL_S, verify=False, follow_redirects=False, trust_env=False) as http,
        OnvifClient(
            service_url,
            username=username,
            password=password,
            timeout_s=CALL_S,
            retries=0,
            http_auth="digest",
            max_response_bytes=MAX_ANSWER_BYTES,
            http_client=http,
        ) as client,
    ):
        return _told(_device, client, allow_loopback)


def _told(ask: Callable[[Any, bool], T], client: Any, allow_loopback: bool) -> T:
    from onveef import OnvifAuthError, OnvifError

    try:
        return ask(client, allow_loopback)
    except OnvifAuthError:
        raise Invalid("the device refuses this user or password", field="credentials", cause="unauthorized") from None
    except OnvifError as error:
        raise Unavailable(f"the device does not answer as ONVIF devices do: {_why(error)}") from None


def _why(error: Exception) -> str:
    """In our own words where possible: what a stranger sent is cut short."""
    from onveef import OnvifTimeoutError

    if isinstance(error, OnvifTimeoutError):
        return f"nothing came within {CALL_S:g} s"
    return clean(error)


def _device(client: Any, allow_loopback: bool) -> Device:
    from onveef import OnvifError

    clock_offset_us = None
    with suppress(OnvifError, NvrError):  # the one question that needs no login; some refuse it all the same
        clock_offset_us = _clock_offset_us(client.get_system_date_time(), wall_us())
    facts = client.get_device_information()
    if not facts:
        raise Unavailable("what answers at this address is no ONVIF device: check the address and its port")
    mac = ""
    with suppress(OnvifError):
        mac = _mac(client.get_network_interfaces())
    profiles = []
    for profile in client.get_profiles()[:MAX_PROFILES]:
        if not profile.get("video_encoder"):
            continue
        with suppress(OnvifError, Invalid):  # one of many that leads nowhere
            profiles.append(_profile(client, profile, allow_loopback))
    return Device(
        make=clean(facts.get("Manufacturer")),
        model=clean(facts.get("Model")),
        serial=clean(facts.get("SerialNumber")),
        firmware=clean(facts.get("FirmwareVersion")),
        mac=mac,
        clock_offset_us=clock_offset_us,
        profiles=tuple(profiles),
    )


def _profile(client: Any, profile: dict[str, Any], allow_loopback: bool) -> Profile:
    """Raises Invalid for a stream whose URL a camera must not have."""
    encoder = profile["video_encoder"]
    uri = client.get_stream_uri(profile_token=profile["token"])
    encoding = clean(encoder.get("encoding"))
    return Profile(
        name=clean(profile.get("name")) or clean(profile["token"]),
        url=camera_url.parse(uri, allow_loopback=allow_loopback).url,
        video_codec=_CODECS.get(encoding.upper(), encoding.lower()),
        width=_whole(encoder.get("width")),
        height=_whole(encoder.get("height")),
        fps=_rate(encoder),
    )


def _whole(value: object) -> int:
    text = str(value or "")
    return int(text) if re.fullmatch(r"[0-9]{1,5}", text) else 0


def _rate(encoder: dict[str, Any]) -> float | None:
    rate = encoder.get("fps_limit")
    return float(rate) if isinstance(rate, int) and 0 < rate <= 1000 else None


def _mac(interfaces: list[dict[str, Any]]) -> str:
    """Of the first interface that is switched on and has one, as aa:bb:cc:dd:ee:ff."""
    for one in sorted(interfaces, key=lambda interface: not interface.get("enabled")):
        text = clean(one.get("hardware_address"))
        if _MAC.fullmatch(text):
            digits = re.sub("[^0-9a-f]", "", text.lower())
            return ":".join(digits[at : at + 2] for at in range(0, 12, 2))
    return ""


def _clock_offset_us(told: dict[str, Any], now_us: int) -> int | None:
    utc = told.get("UTCDateTime")
    if not isinstance(utc, dict):
        return None
    try:
        at = datetime(utc["year"], utc["month"], utc["day"], utc["hour"], utc["minute"], utc["second"], tzinfo=UTC)
    except (KeyError, TypeError, ValueError):
        return None
    return int(at.timestamp() * 1_000_000) - now_us
