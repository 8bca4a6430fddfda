"""RTP packets made once and stamped cheaply: packetising of H.264 (RFC 6184), HEVC (RFC 7798), AAC (RFC 3640) and G.711
(RFC 3551), and RTCP sender reports (RFC 3550 6.4.1). Pure functions over bytes.

A `PacketTrain` is every packet of one access unit, each behind its four bytes of RTSP interleaved framing (RFC 2326
10.12), in one block of bytes. Sending it to a TCP client is a copy, one 10-byte patch a packet, and one write; a UDP
client gets the slices without the framing.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

FRAMING = 4
_RTP_HEADER = 12
_STAMP = struct.Struct("!HII")  # sequence number, time stamp, SSRC: bytes 2 to 12 of an RTP header
_NTP_EPOCH_S = 2_208_988_800  # 1970 in seconds since 1900


@dataclass(frozen=True, slots=True)
class PacketTrain:
    """`starts`: offsets of each packet's framing bytes in `block`. `payload_bytes` is what a sender report counts."""

    block: bytes
    starts: tuple[int, ...]
    payload_bytes: int

    def stamped(self, sequence: int, timestamp: int, ssrc: int) -> bytearray:
        """A copy of the block with the first packet numbered `sequence` and the following ones counted on."""
        block = bytearray(self.block)
        for start in self.starts:
            _STAMP.pack_into(block, start + FRAMING + 2, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
            sequence += 1
        return block

    def spans(self) -> zip[tuple[int, int]]:
        """(first, end) offsets of each packet, framing included."""
        return zip(self.starts, (*self.starts[1:], len(self.block)), strict=True)


def packet_train(payloads: Sequence[bytes], payload_type: int, channel: int) -> PacketTrain:
    """Payloads of one access unit as packets; the last one carries the marker bit."""
    parts, starts, at = [], [], 0
    for number, payload in enumerate(payloads):
        marker = 0x80 if number == len(payloads) - 1 else 0
        size = _RTP_HEADER + len(payload)
        parts.append(struct.pack("!BBHBBHII", 0x24, channel, size, 0x80, marker | payload_type, 0, 0, 0) + payload)
        starts.append(at)
        at += FRAMING + size
    return PacketTrain(b"".join(parts), tuple(starts), sum(map(len, payloads)))


def h264_payloads(nals: Sequence[bytes], most_bytes: int) -> list[bytes]:
    """Single NAL unit packets, and FU-A fragments where a unit is longer than `most_bytes` (RFC 6184 5.6, 5.8)."""
    payloads = []
    for nal in nals:
        if len(nal) <= most_bytes:
            payloads.append(nal)
            continue
        indicator, kind = nal[0] & 0xE0 | 28, nal[0] & 0x1F
        for part, first, last in _split(nal, 1, most_bytes - 2):
            payloads.append(bytes((indicator, first << 7 | last << 6 | kind)) + part)
    return payloads


def h265_payloads(nals: Sequence[bytes], most_bytes: int) -> list[bytes]:
    """Single NAL unit packets, and fragmentation units (RFC 7798 4.4.1, 4.4.3)."""
    payloads = []
    for nal in nals:
        if len(nal) <= most_bytes:
            payloads.append(nal)
            continue
        header, kind = bytes((nal[0] & 0x81 | 49 << 1, nal[1])), nal[0] >> 1 & 0x3F
        for part, first, last in _split(nal, 2, most_bytes - 3):
            payloads.append(header + bytes((first << 7 | last << 6 | kind,)) + part)
    return payloads


def _split(nal: bytes, start: int, size: int) -> list[tuple[bytes, bool, bool]]:
    """(part, is the first, is the last) of a NAL unit behind its header of `start` bytes."""
    places = range(start, len(nal), size)
    return [(nal[at : at + size], at == start, at + size >= len(nal)) for at in places]


def aac_payload(frame: bytes) -> bytes:
    """One raw AAC frame in AAC-hbr form: 16 bits of header length, 13 bits of size, 3 of index (RFC 3640 3.3.6)."""
    return struct.pack("!HH", 16, len(frame) << 3) + frame


def sender_report(
    ssrc: int, ntp_us: int, timestamp: int, packets: int, payload_bytes: int, cname: str = "camera"
) -> bytes:
    """A compound packet of sender report and CNAME. `ntp_us` is microseconds since 1970 as the camera believes it."""
    seconds, rest_us = divmod(ntp_us, 1_000_000)
    report = struct.pack(
        "!BBHIIIIII",
        *(0x80, 200, 6, ssrc, (seconds + _NTP_EPOCH_S) & 0xFFFFFFFF, (rest_us << 32) // 1_000_000),
        *(timestamp & 0xFFFFFFFF, packets & 0xFFFFFFFF, payload_bytes & 0xFFFFFFFF),
    )
    item = bytes((1, len(cname))) + cname.encode("ascii")
    item += b"\0" * (4 - len(item) % 4)
    return report + struct.pack("!BBHI", 0x81, 202, 1 + len(item) // 4, ssrc) + item


def framed(channel: int, packet: bytes) -> bytes:
    """A packet behind its interleaved framing."""
    return struct.pack("!BBH", 0x24, channel, len(packet)) + packet
