"""RTSP messages as a camera sees them (RFC 2326): parsing requests, forming responses, Digest (RFC 2617), SDP. Pure."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from nvr.simulator_audio import CodedSound
from nvr.simulator_media import CodedLoop

REALM = "camera"
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_MOST_REQUEST_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Request:
    """Header names are lower case."""

    method: str
    url: str
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        return urlsplit(self.url).path


class BadRequest(Exception):
    """What came is not RTSP; the connection ends."""


def take_request(buffer: bytearray) -> Request | None:
    """Removes one whole request, and any interleaved packets before it, from `buffer`; None until one is complete."""
    while buffer[:1] == b"$":
        if len(buffer) < 4 or len(buffer) < 4 + int.from_bytes(buffer[2:4], "big"):
            return None
        del buffer[: 4 + int.from_bytes(buffer[2:4], "big")]
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > _MOST_REQUEST_BYTES:
            raise BadRequest
        return None
    lines = buffer[:end].decode("utf-8", "replace").split("\r\n")
    first = lines[0].split(" ")
    if len(first) != 3 or not first[2].startswith("RTSP/"):
        raise BadRequest
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        raise BadRequest
    if len(buffer) < end + 4 + int(length):
        return None
    del buffer[: end + 4 + int(length)]
    return Request(first[0], first[1], headers)


def response(status: int, request: Request, headers: Mapping[str, str] | None = None, body: str = "") -> bytes:
    lines = [f"RTSP/1.0 {status} {_REASONS[status]}", f"CSeq: {request.headers.get('cseq', '0')}", "Server: camera"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines.append(f"Content-Length: {len(body.encode())}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def digest_matches(request: Request, nonce: str, user: str, password: str) -> bool:
    """Whether the Authorization header answers the challenge `nonce` (MD5, with or without qop=auth)."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "digest":
        return False
    given = {name.lower(): quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', rest)}
    secret = _md5(f"{user}:{REALM}:{password}")
    subject = _md5(f"{request.method}:{given.get('uri', '')}")
    middle = f"{nonce}"
    if given.get("qop"):
        middle += f":{given.get('nc', '')}:{given.get('cnonce', '')}:{given['qop']}"
    return (
        given.get("username") == user
        and given.get("nonce") == nonce
        and given.get("response") == _md5(f"{secret}:{middle}:{subject}")
    )


def _md5(text: str) -> str:
    """Digest authentication names MD5; nothing here is protected by it."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class TransportChoice:
    """What a SETUP asks for: two interleaved channels (TCP), or two of the client's UDP ports."""

    udp: bool
    pair: tuple[int, int] | None


def read_transport(header: str, *, tcp: bool, udp: bool) -> TransportChoice | None:
    """The first of the transports offered in the header that the camera has; None where there is none (461)."""
    for offer in header.split(","):
        parameters = [part.strip() for part in offer.split(";")]
        if "multicast" in parameters:
            continue
        if parameters[0] == "RTP/AVP/TCP" and tcp:
            return TransportChoice(False, _pair(parameters, "interleaved"))
        ports = _pair(parameters, "client_port")
        if parameters[0] in ("RTP/AVP", "RTP/AVP/UDP") and udp and ports is not None:
            return TransportChoice(True, ports)
    return None


def _pair(parameters: list[str], name: str) -> tuple[int, int] | None:
    for parameter in parameters:
        match = re.fullmatch(name + r"=(\d{1,5})(?:-(\d{1,5}))?", parameter)
        if match:
            first = int(match[1])
            return first, int(match[2]) if match[2] else first + 1
    return None


@dataclass(frozen=True, slots=True)
class Description:
    """What a DESCRIBE tells; `session_id` changes when the camera's pictures change."""

    loop: CodedLoop
    sound: CodedSound | None
    session_id: int = field(default=1)

    def sdp(self) -> str:
        """RFC 4566 with the parameters of RFC 6184 8.1, RFC 7798 7.1 and RFC 3640 4.1."""
        lines = ["v=0", f"o=- {self.session_id} 1 IN IP4 127.0.0.1", "s=Camera", "c=IN IP4 0.0.0.0", "t=0 0"]
        lines += ["a=control:*", "a=range:npt=now-", *_video_lines(self.loop)]
        if self.sound is not None:
            lines += _audio_lines(self.sound)
        return "\r\n".join(lines) + "\r\n"


VIDEO_TYPE = 96
_AUDIO_TYPES = {"aac": 97, "pcmu": 0, "pcma": 8}


def audio_type(sound: CodedSound) -> int:
    return _AUDIO_TYPES[sound.codec]


def _video_lines(loop: CodedLoop) -> list[str]:
    sets = [base64.b64encode(nal).decode() for nal in loop.parameter_sets]
    if loop.options.codec == "h264":
        name, profile = "H264", loop.parameter_sets[0][1:4].hex().upper()
        parameters = f"packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={','.join(sets)}"
    else:
        name = "H265"
        parameters = ";".join(f"sprop-{kind}={value}" for kind, value in zip(("vps", "sps", "pps"), sets, strict=True))
    return [
        f"m=video 0 RTP/AVP {VIDEO_TYPE}",
        f"b=AS:{loop.options.bitrate_kbps}",
        f"a=rtpmap:{VIDEO_TYPE} {name}/90000",
        f"a=fmtp:{VIDEO_TYPE} {parameters}",
        f"a=framerate:{loop.options.fps}",
        "a=control:track1",
    ]


def _audio_lines(sound: CodedSound) -> list[str]:
    kind = audio_type(sound)
    lines = [f"m=audio 0 RTP/AVP {kind}"]
    if sound.codec == "aac":
        lines += [
            f"a=rtpmap:{kind} MPEG4-GENERIC/{sound.rate}/1",
            (
                f"a=fmtp:{kind} streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;"
                f"indexdeltalength=3;config={sound.config.hex()}"
            ),
        ]
    else:
        lines.append(f"a=rtpmap:{kind} {sound.codec.upper()}/{sound.rate}")
    return [*lines, "a=control:track2"]
