"""ffmpeg's command line for a recorder: one function from values to arguments. Why each option: docs/design/recording.md.

The camera's URL, with its password, goes into an ffconcat file of mode 0600 instead of the command: `ps` shows no secret.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import ffmpeg  # type: ignore[import-untyped]  # ships no types

from config.errors import Invalid
from storage.model import CameraId, RunId
from storage.paths import parse_spool_pattern, spool_pattern

TIMEOUT_US = 10_000_000  # of a silent TCP connection; ffmpeg takes two to three times as long
CLOCK_SPREAD = 7919  # a prime: cuts of cameras with consecutive ids fall far apart
PROTOCOLS = "file,rtp,srtp,udp,tcp,tls,crypto"
MOVFLAGS = "+frag_keyframe+empty_moov+default_base_moof+frag_discont+negative_cts_offsets+skip_trailer"
# Streams whose first packets carry no time stamp would get a first tfdt of 2^63.
SETTS = r"setts=pts=if(eq(PTS\,NOPTS)\,0\,PTS):dts=if(eq(DTS\,NOPTS)\,0\,DTS)"


def record_command(
    camera_id: CameraId,
    run_id: RunId,
    *,
    ffmpeg_path: Path,
    volume: Path,
    ffconcat: Path,
    segment_seconds: int,
    audio: str,
    hevc: bool,
) -> list[str]:
    """Arguments of one recorder; the spool pattern is the last. `audio`: copy | aac | off.

    Cuts come at wall-clock multiples of `segment_seconds` plus an offset of the camera's own.
    """
    source = ffmpeg.input(
        str(ffconcat),
        hide_banner=None,
        nostdin=None,
        loglevel="warning",
        f="concat",
        safe="0",
        protocol_whitelist=PROTOCOLS,
    )
    streams = [source["v:0"]]
    options: dict[str, str] = {"c:v": "copy", "bsf:v": SETTS}
    if hevc:
        options["tag:v"] = "hvc1"  # Safari and the MSE of browsers refuse hev1
    if audio != "off":
        streams.append(source["a:0?"])
        options |= {"c:a": "copy"} if audio == "copy" else {"c:a": "aac", "ac": "1", "b:a": "48k"}
    output = ffmpeg.output(
        *streams,
        spool_pattern(volume, camera_id, run_id),
        f="segment",
        max_interleave_delta="1000000",
        segment_time=str(segment_seconds),
        segment_atclocktime="1",
        segment_clocktime_offset=str(camera_id * CLOCK_SPREAD % segment_seconds),
        segment_format="mp4",
        segment_format_options=(
            f"movflags={MOVFLAGS}:avoid_negative_ts=make_non_negative:flush_packets=1:write_prft=wallclock"
        ),
        **options,
    )
    return [str(part) for part in ffmpeg.compile(output, cmd=str(ffmpeg_path))]


def ffconcat_text(url: str, *, udp: bool = False) -> str:
    """The file that names a camera's URL, login included. Raises Invalid for what could break out of its quotes."""
    if any(character in url for character in "'\\") or not url.isprintable():
        raise Invalid("percent-encode quotes, backslashes and control characters in a camera's URL", field="url")
    transport = "udp" if udp else "tcp"
    return f"ffconcat version 1.0\nfile '{url}'\noption rtsp_transport {transport}\noption timeout {TIMEOUT_US}\n"


def command_sha256(command: Sequence[str], ffconcat: str) -> bytes:
    """Two recorders with the same value do the same: the command with the run id left out, and the ffconcat file."""
    last = parse_spool_pattern(command[-1])
    if last is None:
        raise ValueError(f"not a record command: {command[-1]}")
    volume, camera_id, _ = last
    parts = [*command[:-1], str(volume), str(camera_id), ffconcat]
    return hashlib.sha256("\0".join(parts).encode()).digest()
