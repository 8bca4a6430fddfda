"""The coded loops a simulated camera plays: encoded once with ffmpeg, kept below a cache folder, read into memory.

A loop begins with a keyframe that depends on nothing, has a whole number of GOPs, and its last picture is followed by
its first without a break. `coded_loop` blocks while ffmpeg encodes (about a second for 20 s of 640x360): call it in a
thread.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from config.errors import Invalid, Unavailable
from nvr.simulator_picture import strip_height, strip_row
from nvr.simulator_scenes import SCENES

VideoCodec = Literal["h264", "h265"]

_VERSION = 3  # of what a cached loop looks like: raise it when pictures or coding change
_TIMESCALE = 90_000
_H264_PARAMETER_SETS = (7, 8)
_H264_DROPPED = (6, 9)  # SEI, access unit delimiter: no camera needs them, and they cost a packet each
_H265_PARAMETER_SETS = (32, 33, 34)
_H265_DROPPED = (35, 39, 40)


@dataclass(frozen=True, slots=True)
class LoopOptions:
    """What is in a loop and how it is coded. `scene` counts through `simulator_scenes.SCENES`."""

    codec: VideoCodec = "h264"
    width: int = 640
    height: int = 360
    fps: int = 25
    gop_s: float = 2.0
    bframes: int = 0
    bitrate_kbps: int = 1000
    length_s: float = 20.0
    scene: int = 0

    def __post_init__(self) -> None:
        if self.codec not in ("h264", "h265"):
            raise Invalid(f"codec {self.codec!r} is neither h264 nor h265", field="codec")
        if self.width % 2 or self.height % 2 or self.width < 320 or self.height < 180:
            raise Invalid(f"size {self.width}x{self.height} must be even and at least 320x180", field="size")
        if not 1 <= self.fps <= 60:
            raise Invalid(f"fps {self.fps} is not within 1 to 60", field="fps")
        if not 0 <= self.bframes <= 4:
            raise Invalid(f"bframes {self.bframes} is not within 0 to 4", field="bframes")
        if self.gop_frames < 1 or self.length_s < self.gop_s:
            raise Invalid("the GOP must hold a frame and fit into the loop", field="gop_s")

    @property
    def gop_frames(self) -> int:
        return round(self.gop_s * self.fps)

    @property
    def frames(self) -> int:
        """Pictures in the loop: whole GOPs, as near to `length_s` as they come."""
        return max(1, round(self.length_s * self.fps / self.gop_frames)) * self.gop_frames

    @property
    def key(self) -> str:
        return hashlib.sha256(repr((_VERSION, astuple(self))).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture: its NAL units without start codes; a keyframe carries its parameter sets first.

    `shown` is the picture's place in the loop (the number drawn in it); its place in `CodedLoop.units` is its order of
    coding.
    """

    shown: int
    keyframe: bool
    nals: tuple[bytes, ...]


@dataclass(frozen=True)
class CodedLoop:
    """A loop in memory. `path` is the same loop as MP4, to be repeated or copied by ffmpeg."""

    options: LoopOptions
    path: Path
    units: tuple[AccessUnit, ...]
    parameter_sets: tuple[bytes, ...]

    @cached_property
    def delay_frames(self) -> int:
        """How many frames after its capture the encoder of a real camera could send a picture at the earliest.

        With B-frames a picture is coded before some that are shown earlier, so sending waits for it.
        """
        return max(unit.shown - place for place, unit in enumerate(self.units))


def coded_loop(ffmpeg: str, cache_dir: Path, options: LoopOptions) -> CodedLoop:
    """The loop for `options`, encoded with the binary `ffmpeg` unless `cache_dir` has it. Blocks.

    Raises Unavailable with ffmpeg's words when it cannot encode.
    """
    folder = cache_dir / options.key
    if not (folder / "units").exists():
        _encode_into(ffmpeg, folder, options)
    stream = (folder / "stream").read_bytes()
    listing = (folder / "units").read_text()
    parameter_sets, units = _access_units(stream, listing, options)
    return CodedLoop(options, folder / "loop.mp4", units, parameter_sets)


def _encode_into(ffmpeg: str, folder: Path, options: LoopOptions) -> None:
    """Makes the folder whole or not at all: several simulators may share one cache."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        strip = b"".join(strip_row(number) for number in range(options.frames))
        run_ffmpeg(ffmpeg, _encode_arguments(options, building / "loop.mp4"), strip)
        run_ffmpeg(ffmpeg, _extract_arguments(options, building))
        try:
            building.rename(folder)
        except OSError:  # another process was quicker
            if not (folder / "units").exists():
                raise
    finally:
        shutil.rmtree(building, ignore_errors=True)


def run_ffmpeg(ffmpeg: str, arguments: list[str], stdin: bytes = b"") -> bytes:
    """Runs ffmpeg to its end and gives its standard output; raises Unavailable with its last words. Blocks."""
    command = [ffmpeg, "-hide_banner", "-loglevel", "error", "-y", *arguments]
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    except OSError as error:
        raise Unavailable(f"cannot run {ffmpeg}: {error.strerror}", field="ffmpeg") from error
    if done.returncode != 0:
        raise Unavailable(f"ffmpeg cannot make a camera's pictures: {done.stderr.decode(errors='replace')[-400:]}")
    return done.stdout


def _encode_arguments(options: LoopOptions, target: Path) -> list[str]:
    strip_rows = strip_height(options.height)
    scene = SCENES[options.scene % len(SCENES)]
    graph = (
        f"{scene.graph(options.width, options.height - strip_rows, options.fps)},format=yuv420p,setsar=1[scene];"
        f"[0:v]scale={options.width}:{strip_rows}:flags=neighbor,format=yuv420p,setsar=1[strip];"
        "[scene][strip]vstack=shortest=1[out]"
    )
    return [
        *(
            "-f",
            "rawvideo",
            "-pixel_format",
            "gray",
            "-video_size",
            "40x1",
            "-framerate",
            str(options.fps),
            "-i",
            "pipe:0",
        ),
        *("-filter_complex", graph, "-map", "[out]", "-frames:v", str(options.frames)),
        *_coder_arguments(options, steady=scene.steady),
        *("-video_track_timescale", str(_TIMESCALE), str(target)),
    ]


def _coder_arguments(options: LoopOptions, *, steady: bool) -> list[str]:
    """A steady scene is coded at its bit rate; a scene with calm and busy times at constant quality below it."""
    gop, rate = options.gop_frames, f"{options.bitrate_kbps}k"
    arguments = ["-preset", "ultrafast", "-g", str(gop), "-keyint_min", str(gop), "-bf", str(options.bframes)]
    arguments += ["-b:v", rate] if steady else ["-crf", "27"]
    arguments += ["-maxrate", rate, "-bufsize", rate]
    shape = f"scenecut=0:open-gop=0:b-adapt=0:keyint={gop}:min-keyint={gop}:bframes={options.bframes}"
    if options.codec == "h264":
        return ["-c:v", "libx264", *arguments, "-x264-params", f"{shape}:b-pyramid=none:sliced-threads=0"]
    return ["-c:v", "libx265", "-tag:v", "hvc1", *arguments, "-x265-params", f"{shape}:b-pyramid=0:log-level=error"]


def _extract_arguments(options: LoopOptions, folder: Path) -> list[str]:
    """The loop as Annex B, and beside it a listing of each access unit's times and size."""
    name = "hevc" if options.codec == "h265" else "h264"
    copy = ["-map", "0:v:0", "-c", "copy", "-bsf:v", f"{name}_mp4toannexb"]
    stream = [*copy, "-f", name, str(folder / "stream")]
    return ["-i", str(folder / "loop.mp4"), *stream, *copy, "-f", "framecrc", str(folder / "units")]


def _access_units(
    stream: bytes, listing: str, options: LoopOptions
) -> tuple[tuple[bytes, ...], tuple[AccessUnit, ...]]:
    """Parameter sets and access units from Annex B and the `framecrc` listing (dts, pts and size of each packet)."""
    is_h265 = options.codec == "h265"
    kinds, dropped = (_H265_PARAMETER_SETS, _H265_DROPPED) if is_h265 else (_H264_PARAMETER_SETS, _H264_DROPPED)
    parameter_sets: dict[int, bytes] = {}
    units: list[AccessUnit] = []
    at = 0
    for shown_ticks, size in _listed(listing):
        nals = []
        keyframe = False
        for nal in split_annexb(stream[at : at + size]):
            kind = nal[0] >> 1 & 0x3F if is_h265 else nal[0] & 0x1F
            if kind in kinds:
                parameter_sets.setdefault(kind, nal)
            elif kind not in dropped:
                nals.append(nal)
                keyframe = keyframe or (16 <= kind <= 21 if is_h265 else kind == 5)
        sets = tuple(parameter_sets[kind] for kind in kinds) if keyframe else ()
        units.append(AccessUnit(round(shown_ticks * options.fps / _TIMESCALE), keyframe, (*sets, *nals)))
        at += size
    first = min(unit.shown for unit in units)
    units = [AccessUnit(unit.shown - first, unit.keyframe, unit.nals) for unit in units]
    if sorted(unit.shown for unit in units) != list(range(options.frames)) or not units[0].keyframe:
        raise Unavailable(f"ffmpeg made {len(units)} pictures where {options.frames} in a row were asked for")
    return tuple(parameter_sets[kind] for kind in kinds), tuple(units)


def _listed(listing: str) -> Iterator[tuple[int, int]]:
    """(presentation time in ticks, bytes) of each packet of a `framecrc` listing of one stream."""
    for line in listing.splitlines():
        if line and not line.startswith("#"):
            fields = line.split(",")
            yield int(fields[2]), int(fields[4])


def split_annexb(data: bytes) -> Iterator[bytes]:
    """NAL units of an Annex B byte stream (ITU-T H.264 B.1), without start codes and trailing zeros."""
    at = data.find(b"\0\0\1")
    while at >= 0:
        following = data.find(b"\0\0\1", at + 3)
        nal = data[at + 3 : following if following >= 0 else len(data)].rstrip(b"\0")
        if nal:
            yield nal
        at = following


def default_cache_dir() -> Path:
    """Where loops are kept unless a caller says otherwise: the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "nvr" / "loops"
