"""Footage for tests: real files made by ffmpeg with the recording recipe, from a generated picture instead of a camera.

Each is made once a session and kept; treat them as read-only and copy what you change.
"""

from __future__ import annotations

import functools
import subprocess
import tempfile
from pathlib import Path

from storage.binary import find

SETTS = r"setts=pts=if(eq(PTS\,NOPTS)\,0\,PTS):dts=if(eq(DTS\,NOPTS)\,0\,DTS)"
SEGMENT_FORMAT = (
    "movflags=+frag_keyframe+empty_moov+default_base_moof+frag_discont+negative_cts_offsets+skip_trailer"
    ":avoid_negative_ts=make_non_negative:flush_packets=1:write_prft=wallclock"
)


def ffmpeg(*arguments: str) -> None:
    """Run it; its complaints are the assertion's message."""
    done = subprocess.run(
        [str(find()), "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


@functools.cache
def folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="nvr-test-footage-")


@functools.cache
def recorded(
    *,
    codec: str = "h264",
    audio: bool = False,
    b_frames: int = 0,
    seconds: int = 12,
    segment_seconds: int = 4,
    gop_seconds: int = 1,
    fps: int = 10,
    size: str = "160x120",
    media_offset_s: int = 0,
    sound_lead_s: float = 0,
) -> tuple[Path, ...]:
    """The files of one run, in order. Frame k of the run shows its number in `testsrc`'s counter (k / fps seconds).

    `media_offset_s`: the run's media time starts there. `sound_lead_s`: the sound begins so long before the picture, as of a
    camera whose first keyframe is late.
    """
    name = f"{codec}-{audio}-{b_frames}-{seconds}-{segment_seconds}-{gop_seconds}-{fps}-{size}-{media_offset_s}-{sound_lead_s}"
    target = Path(folder().name) / name
    if target.is_dir():  # asked for with the same arguments in another order
        return tuple(sorted(target.glob("[0-9]*.mp4")))
    target.mkdir()
    gop = str(gop_seconds * fps)
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", str(b_frames), "-g", gop, "-keyint_min", gop]
    encoder += ["-sc_threshold", "0", "-x264-params", f"threads=1:open-gop=0:bframes={b_frames}:b-adapt=0"]
    if codec == "hevc":
        encoder = ["-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1"]
        encoder += [
            "-x265-params",
            f"log-level=none:keyint={gop}:min-keyint={gop}:open-gop=0:bframes={b_frames}:pools=1",
        ]
    source = target / "source.mp4"
    inputs = ["-f", "lavfi", "-t", str(seconds), "-i", f"testsrc=size={size}:rate={fps}"]
    if audio:
        length_s = str(seconds + sound_lead_s)
        inputs += ["-f", "lavfi", "-t", length_s, "-i", "sine=frequency=440:sample_rate=16000"]
        encoder += ["-c:a", "aac", "-ac", "1", "-b:a", "32k"]
    ffmpeg(*inputs, *encoder, "-pix_fmt", "yuv420p", str(source))
    tag = ["-tag:v", "hvc1"] if codec == "hevc" else []
    ffmpeg(
        *["-itsoffset", str(media_offset_s + sound_lead_s), "-i", str(source)],
        *["-itsoffset", str(media_offset_s), "-i", str(source)],
        *["-map", "0:v:0", "-map", "1:a:0?", "-c", "copy", *tag, "-max_interleave_delta", "1000000"],
        *["-bsf:v", SETTS, "-f", "segment", "-segment_time", str(segment_seconds), "-segment_format", "mp4"],
        *["-segment_format_options", SEGMENT_FORMAT, str(target / "%06d.mp4")],
    )
    return tuple(sorted(target.glob("[0-9]*.mp4")))
