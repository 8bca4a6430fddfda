"""A plain RTSP client over TCP for tests: keeps every packet with the time it came."""

from __future__ import annotations

import asyncio
import hashlib
import re
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

_NTP_EPOCH_S = 2_208_988_800


@dataclass(frozen=True, slots=True)
class Packet:
    """An RTP packet; `at_us` is the wall time of its arrival."""

    sequence: int
    timestamp: int
    ssrc: int
    marker: bool
    payload: bytes
    at_us: int


@dataclass(frozen=True, slots=True)
class Report:
    """An RTCP sender report; `camera_us` is its NTP time as microseconds since 1970."""

    camera_us: int
    timestamp: int
    packets: int
    at_us: int


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str


class RtspClient:
    """`async with RtspClient(url) as client: await client.play()`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = str(parts.hostname), int(parts.port or 554)
        self.user, self.password = unquote(parts.username or ""), unquote(parts.password or "")
        self.url = f"rtsp://{self.host}:{self.port}{parts.path}"
        self.video: list[Packet] = []
        self.audio: list[Packet] = []
        self.reports: list[Report] = []
        self.ended: BaseException | None = None
        self._answers: asyncio.Queue[Answer] = asyncio.Queue()
        self._news = asyncio.Event()
        self._cseq = 0
        self._authorization = ""

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self.host, self.port)
        self._task = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._writer.close()
        await asyncio.gather(self._writer.wait_closed(), return_exceptions=True)

    async def ask(self, method: str, path: str = "", **headers: str) -> Answer:
        """One request and its answer; a Digest challenge is answered once."""
        answer = await self._ask(method, path, headers)
        if answer.status == 401 and self.user and not self._authorization:
            nonce = re.findall(r'nonce="([^"]+)"', answer.headers["www-authenticate"])[0]
            self._authorization = nonce
            answer = await self._ask(method, path, headers)
        return answer

    async def _ask(self, method: str, path: str, headers: dict[str, str]) -> Answer:
        self._cseq += 1
        lines = [f"{method} {self.url}{path} RTSP/1.0", f"CSeq: {self._cseq}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if self._authorization:
            lines.append(f"Authorization: {self._digest(method, self.url + path)}")
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        return await asyncio.wait_for(self._answers.get(), 5)

    def _digest(self, method: str, uri: str) -> str:
        nonce = self._authorization
        first = hashlib.md5(f"{self.user}:camera:{self.password}".encode()).hexdigest()
        second = hashlib.md5(f"{method}:{uri}".encode()).hexdigest()
        proof = hashlib.md5(f"{first}:{nonce}:{second}".encode()).hexdigest()
        return f'Digest username="{self.user}", realm="camera", nonce="{nonce}", uri="{uri}", response="{proof}"'

    async def play(self, *, audio: bool = False) -> Answer:
        """SETUP of the tracks and PLAY; the answer to PLAY."""
        for number in range(2 if audio else 1):
            channels = f"RTP/AVP/TCP;unicast;interleaved={2 * number}-{2 * number + 1}"
            answer = await self.ask("SETUP", f"/track{number + 1}", Transport=channels)
            assert answer.status == 200, answer
        return await self.ask("PLAY", Session=answer.headers["session"].split(";")[0])

    async def until(self, wanted: Callable[[RtspClient], object], seconds: float = 8.0) -> None:
        """Waits for packets until `wanted` says yes; fails after `seconds`."""
        async with asyncio.timeout(seconds):
            while not wanted(self):
                self._news.clear()
                await self._news.wait()

    async def _read(self) -> None:
        try:
            while True:
                first = await self._reader.readexactly(1)
                await (self._read_packet() if first == b"$" else self._read_answer(first))
                self._news.set()
        except (OSError, asyncio.IncompleteReadError) as error:
            self.ended = error
            self._news.set()

    async def _read_packet(self) -> None:
        channel, size = struct.unpack("!BH", await self._reader.readexactly(3))
        data = await self._reader.readexactly(size)
        at_us = time.time_ns() // 1000
        if channel % 2:
            seconds, fraction, timestamp, packets = struct.unpack_from("!IIII", data, 8)
            camera_us = (seconds - _NTP_EPOCH_S) * 1_000_000 + (fraction * 1_000_000 >> 32)
            if channel == 1:
                self.reports.append(Report(camera_us, timestamp, packets, at_us))
            return
        _, kind, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", data)
        packet = Packet(sequence, timestamp, ssrc, bool(kind & 0x80), data[12:], at_us)
        (self.audio if channel else self.video).append(packet)

    async def _read_answer(self, first: bytes) -> None:
        head = (first + await self._reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        self._answers.put_nowait(Answer(int(lines[0].split()[1]), headers, body.decode()))


def pictures(packets: list[Packet]) -> list[Packet]:
    """The last packet of each picture."""
    return [packet for packet in packets if packet.marker]


def steps(packets: list[Packet]) -> set[int]:
    """Differences of RTP time from picture to picture."""
    return {(b.timestamp - a.timestamp) % 2**32 for a, b in pairwise(pictures(packets))}


def missing(packets: list[Packet]) -> int:
    """Packets that the sequence numbers say are lost."""
    return sum((b.sequence - a.sequence - 1) % 65_536 for a, b in pairwise(packets))
