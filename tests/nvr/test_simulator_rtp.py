"""Packets hold exactly what was put in."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from nvr.simulator_rtp import aac_payload, h264_payloads, h265_payloads, packet_train, sender_report


def h264_nals(payloads: list[bytes]) -> list[bytes]:
    """The NAL units of payloads, put together as RFC 6184 says."""
    nals: list[bytes] = []
    for payload in payloads:
        if payload[0] & 0x1F != 28:
            nals.append(payload)
        elif payload[1] & 0x80:
            nals.append(bytes([payload[0] & 0xE0 | payload[1] & 0x1F]) + payload[2:])
        else:
            nals[-1] += payload[2:]
    return nals


def h265_nals(payloads: list[bytes]) -> list[bytes]:
    """The NAL units of payloads, put together as RFC 7798 says."""
    nals: list[bytes] = []
    for payload in payloads:
        if payload[0] >> 1 & 0x3F != 49:
            nals.append(payload)
        elif payload[2] & 0x80:
            nals.append(bytes([payload[0] & 0x81 | (payload[2] & 0x3F) << 1, payload[1]]) + payload[3:])
        else:
            nals[-1] += payload[3:]
    return nals


h264_nal = st.builds(lambda head, body: bytes([head]) + body, st.sampled_from([0x67, 0x68, 0x65, 0x41]), st.binary())
h265_nal = st.builds(lambda head, body: bytes([head << 1, 1]) + body, st.integers(0, 40), st.binary())


@given(st.lists(h264_nal, min_size=1, max_size=4), st.integers(10, 40))
def test_h264_units_come_back_from_their_fragments(nals: list[bytes], most: int) -> None:
    payloads = h264_payloads(nals, most)
    assert h264_nals(payloads) == nals
    assert max(map(len, payloads)) <= most


@given(st.lists(h265_nal, min_size=1, max_size=4), st.integers(10, 40))
def test_h265_units_come_back_from_their_fragments(nals: list[bytes], most: int) -> None:
    payloads = h265_payloads(nals, most)
    assert h265_nals(payloads) == nals
    assert max(map(len, payloads)) <= most


def test_a_train_counts_on_and_marks_its_last_packet() -> None:
    train = packet_train([b"one", b"three"], 96, 2)
    block = train.stamped(0xFFFF, 2**32 + 7, 99)
    packets = [bytes(block[first:end]) for first, end in train.spans()]
    heads = [struct.unpack("!BBHBBHII", packet[:16]) for packet in packets]
    assert heads == [(0x24, 2, 15, 0x80, 96, 0xFFFF, 7, 99), (0x24, 2, 17, 0x80, 96 | 0x80, 0, 7, 99)]
    assert [packet[16:] for packet in packets] == [b"one", b"three"]
    assert train.payload_bytes == 8


def test_stamping_leaves_the_train_as_it_was() -> None:
    train = packet_train([b"payload"], 96, 0)
    assert train.stamped(1, 2, 3) != train.block == packet_train([b"payload"], 96, 0).block


def test_an_aac_frame_says_its_size() -> None:
    assert aac_payload(b"\x11" * 100) == bytes([0, 16, 100 >> 5, (100 << 3) & 0xFF]) + b"\x11" * 100


def test_a_report_tells_the_cameras_clock() -> None:
    packet = sender_report(7, 1_700_000_000_250_000, 2**32 + 1, 10, 1000)
    version, kind, words, ssrc, seconds, fraction, timestamp, packets, count = struct.unpack_from("!BBHIIIIII", packet)
    assert (version, kind, words, ssrc, timestamp, packets, count) == (0x80, 200, 6, 7, 1, 10, 1000)
    assert (seconds - 2_208_988_800, fraction) == (1_700_000_000, 2**30)
    assert len(packet) % 4 == 0 and packet[28 + 1] == 202
    assert len(packet) == 28 + 4 * (struct.unpack_from("!H", packet, 30)[0] + 1)
