"""A past for the demo: a finished run a camera, made by ffmpeg with the recorder's own recipe from the camera's coded loop.

Two differences: it is cut by media time, and without `prft` (which would carry the time of the making). Each file's mtime is
set to the instant it shows, which is all the time model asks for: ingest then dates it like any other.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.errors import Unavailable
from storage.examine import examine, true_durations_us
from storage.model import CameraId, RunId
from storage.paths import SPOOL, parse_spool_name, spool_pattern

MOVFLAGS = "+frag_keyframe+empty_moov+default_base_moof+frag_discont+negative_cts_offsets+skip_trailer"


@dataclass(frozen=True, slots=True)
class Past:
    """One run to be made: `start_us` to `start_us + dur_us`."""

    camera_id: CameraId
    loop: Path
    start_us: int
    dur_us: int
    hevc: bool = False

    @property
    def run_id(self) -> RunId:
        return RunId(self.start_us // 1000)


def command(ffmpeg: Path, volume: Path, past: Past, segment_seconds: int) -> list[str]:
    return [
        *(str(ffmpeg), "-hide_banner", "-nostdin", "-loglevel", "error"),
        *("-stream_loop", "-1", "-i", str(past.loop), "-t", f"{past.dur_us / 1e6:.3f}"),
        *(
            "-map",
            "0:v:0",
            "-c:v",
            "copy",
            "-video_track_timescale",
            "90000",
            *(("-tag:v", "hvc1") if past.hevc else ()),
        ),
        *("-f", "segment", "-segment_time", str(segment_seconds), "-segment_format", "mp4"),
        *("-segment_format_options", f"movflags={MOVFLAGS}:avoid_negative_ts=make_non_negative"),
        spool_pattern(volume, past.camera_id, past.run_id),
    ]


def make(ffmpeg: Path, volume: Path, pasts: Sequence[Past], segment_seconds: int, done: Callable[[int], None]) -> None:
    """Write the files into the volume's spool, dated. Blocking. `done(1)` after each run. Raises Unavailable."""
    for past in pasts:
        result = subprocess.run(
            command(ffmpeg, volume, past, segment_seconds), stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        if result.returncode != 0:
            raise Unavailable(f"the past could not be made: {result.stderr.decode('utf-8', 'replace')[-300:].strip()}")
        _date(volume, past)
        done(1)


def _date(volume: Path, past: Past) -> None:
    names = [name for name in map(parse_spool_name, os.listdir(volume / SPOOL)) if name and name.run_id == past.run_id]
    end_us = past.start_us
    for name in sorted(names, key=lambda name: name.n):
        path = volume / SPOOL / f"{name.camera_id}-{name.run_id}-{name.n:06d}.mp4"
        examined = examine(path, sync=False)
        if examined.init is None:
            continue
        scale = examined.init.video.timescale
        end_us += sum(true_durations_us(examined.fragments, scale, first_of_run=False))
        os.utime(path, ns=(end_us * 1000, end_us * 1000))
