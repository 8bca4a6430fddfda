"""One RTSP connection to the simulator: requests, Digest sign-in, and the ways packets leave (TCP interleaved, UDP)."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Protocol

from nvr.simulator_camera import CHANNELS, Parcel, SimulatedCamera
from nvr.simulator_messages import (
    REALM,
    BadRequest,
    Description,
    Request,
    TransportChoice,
    digest_matches,
    read_transport,
    response,
    take_request,
)
from nvr.simulator_rtp import FRAMING, framed

_MOST_WAITING_BYTES = 8 << 20  # a client that reads no faster loses pictures, as at a camera
_PATH = re.compile(r"/cam/(\d{1,6})/?(?:track([12])/?)?")
_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN"


class Host(Protocol):
    """What a connection needs of the simulator."""

    sessions: set[Session]
    udp: tuple[socket.socket, ...]  # for RTP and RTCP

    def find(self, number: int) -> SimulatedCamera | None:
        """The camera with a number, if there is one."""


class Session(asyncio.Protocol):
    """Speaks for one camera once a SETUP has named it. Satisfies `Receiver`."""

    def __init__(self, host: Host) -> None:
        self.report_due_s = 0.0
        self.played_s = 0.0
        self.pictures_dropped = 0
        self._host = host
        self._buffer = bytearray()
        self._nonce = secrets.token_hex(16)
        self._session_id = secrets.token_hex(4)
        self._camera: SimulatedCamera | None = None
        self._tracks: dict[int, TransportChoice] = {}
        self._transport: asyncio.Transport | None = None

    # -- connection ------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._host.sessions.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._host.sessions.discard(self)
        self._leave()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            while (request := take_request(self._buffer)) is not None:
                self._answer(request)
        except BadRequest:
            self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        """RST instead of FIN: SO_LINGER with no time."""
        if self._transport is not None:
            raw = self._transport.get_extra_info("socket")
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()

    def _leave(self) -> None:
        if self._camera is not None:
            self._camera.detach(self)

    # -- requests --------------------------------------------------------------------------------------------------

    def _answer(self, request: Request) -> None:
        match = _PATH.fullmatch(request.path)
        camera = self._host.find(int(match[1])) if match else None
        if camera is None:
            self._write(response(404, request))
        elif camera.faults.stall:
            pass
        elif camera.faults.refuse:
            self.reset()
        elif camera.faults.status is not None and camera.faults.status != 401:
            self._write(response(camera.faults.status, request))
        elif not self._signed_in(camera, request):
            challenge = f'Digest realm="{REALM}", nonce="{self._nonce}"'
            self._write(response(401, request, {"WWW-Authenticate": challenge}))
        else:
            self._serve(camera, int(match[2] or 0) if match else 0, request)

    def _signed_in(self, camera: SimulatedCamera, request: Request) -> bool:
        if camera.faults.status == 401:
            return False
        if camera.options.user is None or request.method == "OPTIONS":
            return True
        return digest_matches(request, self._nonce, camera.options.user, camera.options.password)

    def _serve(self, camera: SimulatedCamera, track_number: int, request: Request) -> None:
        match request.method:
            case "OPTIONS":
                self._write(response(200, request, {"Public": _METHODS}))
            case "DESCRIBE":
                description = Description(camera.described.loop, camera.sound)
                headers = {"Content-Type": "application/sdp", "Content-Base": _base(request.url)}
                self._write(response(200, request, headers, description.sdp()))
            case "SETUP":
                self._set_up(camera, track_number, request)
            case "PLAY":
                self._play(camera, request)
            case "PAUSE" | "TEARDOWN":
                self._leave()
                self._write(response(200, request, {"Session": self._session_id}))
            case "GET_PARAMETER" | "SET_PARAMETER":
                self._write(response(200, request, {"Session": self._session_id}))
            case _:
                self._write(response(405, request, {"Allow": _METHODS}))

    def _set_up(self, camera: SimulatedCamera, track_number: int, request: Request) -> None:
        track = max(track_number, 1) - 1
        if track == 1 and camera.sound is None:
            self._write(response(404, request))
            return
        allowed = camera.options.transports
        choice = read_transport(request.headers.get("transport", ""), tcp=allowed != "udp", udp=allowed != "tcp")
        if choice is None:
            self._write(response(461, request))
            return
        if choice.pair is None:
            choice = TransportChoice(choice.udp, (2 * track, 2 * track + 1))
        self._camera = camera
        self._tracks[track] = choice
        headers = {"Session": f"{self._session_id};timeout=60", "Transport": self._transport_header(choice)}
        self._write(response(200, request, headers))

    def _transport_header(self, choice: TransportChoice) -> str:
        first, second = choice.pair or (0, 1)
        if not choice.udp:
            return f"RTP/AVP/TCP;unicast;interleaved={first}-{second}"
        ports = "-".join(str(end.getsockname()[1]) for end in self._host.udp)
        return f"RTP/AVP;unicast;client_port={first}-{second};server_port={ports}"

    def _play(self, camera: SimulatedCamera, request: Request) -> None:
        if not self._tracks or camera is not self._camera:
            self._write(response(455, request))
            return
        camera.detach(self)
        camera.settle()
        headers = {"Session": self._session_id, "Range": "npt=now-"}
        if camera.options.rtp_info:
            headers["RTP-Info"] = ",".join(self._rtp_info(camera, _base(request.url), track) for track in self._tracks)
        self._write(response(200, request, headers))
        camera.attach(self)

    def _rtp_info(self, camera: SimulatedCamera, base: str, track: int) -> str:
        sequence, timestamp = camera.rtp_state(track)
        return f"url={base}track{track + 1};seq={sequence};rtptime={timestamp}"

    # -- packets ---------------------------------------------------------------------------------------------------

    def deliver(self, parcels: Sequence[Parcel], drop: Callable[[], bool] | None) -> None:
        """All of a turn's packets in one write (TCP), or one datagram each (UDP)."""
        chunks: list[bytes | bytearray] = []
        for parcel in parcels:
            choice = self._tracks.get(parcel.track)
            if choice is None or choice.pair is None:
                continue
            if choice.udp:
                self._send_datagrams(parcel, choice.pair[0], drop)
            elif drop is None and choice.pair[0] == CHANNELS[parcel.track]:
                chunks.append(parcel.block)
            else:
                chunks.append(_rewritten(parcel, choice.pair[0], drop))
        if chunks and self._transport is not None and not self._transport.is_closing():
            if self._transport.get_write_buffer_size() > _MOST_WAITING_BYTES:
                self.pictures_dropped += 1
            else:
                self._transport.write(chunks[0] if len(chunks) == 1 else b"".join(chunks))

    def _send_datagrams(self, parcel: Parcel, port: int, drop: Callable[[], bool] | None) -> None:
        block = memoryview(parcel.block)
        for first, end in parcel.train.spans():
            if drop is None or not drop():
                self._datagram(0, block[first + FRAMING : end], port)

    def _datagram(self, which: int, packet: bytes | memoryview, port: int) -> None:
        """A full buffer or a client that has gone loses the packet, as the network would."""
        if self._transport is not None:
            peer = self._transport.get_extra_info("peername")
            with contextlib.suppress(OSError):
                self._host.udp[which].sendto(packet, (peer[0], port))

    def report(self, track: int, packet: bytes) -> None:
        choice = self._tracks.get(track)
        if choice is None or choice.pair is None:
            return
        if choice.udp:
            self._datagram(1, packet, choice.pair[1])
        else:
            self._write(framed(choice.pair[1], packet))

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


def _base(url: str) -> str:
    return url.split("?")[0].rstrip("/") + "/"


def _rewritten(parcel: Parcel, channel: int, drop: Callable[[], bool] | None) -> bytes:
    """The block with another channel, without the packets that are lost."""
    block = bytearray(parcel.block)
    kept = []
    for first, end in parcel.train.spans():
        block[first + 1] = channel
        if drop is None or not drop():
            kept.append(block[first:end])
    return b"".join(kept)
