"""The sound of a simulated camera: a short coded loop of AAC or G.711, made with ffmpeg and kept in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from config.errors import Corrupt, Invalid
from nvr.simulator_media import run_ffmpeg

AudioCodec = Literal["aac", "pcmu", "pcma", "none"]

_AAC_FRAME_SAMPLES = 1024
_AAC_RATE = 16_000
_G711_RATE = 8_000
_G711_FRAME_SAMPLES = 320  # 40 ms a packet
_SECONDS = 8.0
_TONES = "aevalsrc=0.2*sin(2*PI*(300+40*floor(mod(t\\,8)))*t)*lt(mod(t\\,1)\\,0.3):s={rate}:d={seconds}"


@dataclass(frozen=True, slots=True)
class CodedSound:
    """Frames of `frame_samples` samples each at `rate` samples a second; `config` is AAC's AudioSpecificConfig."""

    codec: AudioCodec
    rate: int
    frame_samples: int
    frames: tuple[bytes, ...]
    config: bytes = b""


def coded_sound(ffmpeg: str, cache_dir: Path, codec: AudioCodec) -> CodedSound:
    """The loop for a codec, kept below `cache_dir`. Blocks while ffmpeg encodes; raises Unavailable when it cannot."""
    if codec not in ("aac", "pcmu", "pcma"):
        raise Invalid(f"audio {codec!r} is none of aac, pcmu, pcma, none", field="audio")
    rate = _AAC_RATE if codec == "aac" else _G711_RATE
    coder = {
        "aac": ["aac", "-b:a", "32k", "-f", "adts"],
        "pcmu": ["pcm_mulaw", "-f", "mulaw"],
        "pcma": ["pcm_alaw", "-f", "alaw"],
    }
    source = _TONES.format(rate=rate, seconds=_SECONDS)
    arguments = ["-f", "lavfi", "-i", source, "-ac", "1", "-c:a", *coder[codec], "pipe:1"]
    path = cache_dir / f"{codec}-{hashlib.sha256(repr(arguments).encode()).hexdigest()[:16]}.audio"
    if path.exists():
        data = path.read_bytes()
    else:
        data = run_ffmpeg(ffmpeg, arguments)
        cache_dir.mkdir(parents=True, exist_ok=True)
        _write_whole(path, data)
    if codec == "aac":
        config, frames = _split_adts(data)
        return CodedSound(codec, rate, _AAC_FRAME_SAMPLES, frames, config)
    whole = len(data) // _G711_FRAME_SAMPLES * _G711_FRAME_SAMPLES
    pieces = tuple(data[at : at + _G711_FRAME_SAMPLES] for at in range(0, whole, _G711_FRAME_SAMPLES))
    return CodedSound(codec, rate, _G711_FRAME_SAMPLES, pieces)


def _write_whole(path: Path, data: bytes) -> None:
    building = path.with_suffix(f".{id(data)}")
    building.write_bytes(data)
    building.replace(path)


def _split_adts(data: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """(AudioSpecificConfig, raw frames) of an ADTS stream (ISO 13818-7 6.2)."""
    frames = []
    at = 0
    config = b""
    while at + 7 <= len(data):
        if data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0:
            raise Corrupt("ffmpeg's AAC output is not an ADTS stream")
        profile, rate_index = data[at + 2] >> 6, data[at + 2] >> 2 & 0xF
        channels = (data[at + 2] & 1) << 2 | data[at + 3] >> 6
        size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        config = ((profile + 1) << 11 | rate_index << 7 | channels << 3).to_bytes(2, "big")
        header = 7 if data[at + 1] & 1 else 9
        frames.append(data[at + header : at + size])
        at += size
    return config, tuple(frames)
