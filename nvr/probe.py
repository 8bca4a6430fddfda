"""What a camera sends: `ffmpeg -i`, its lines read. Audio counts only when audio packets were received, not when announced.

The URL goes through an ffconcat file as in recording: no password in `ps`.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

from config.settings import Settings
from nvr.camera_files import PROBE_PREFIX
from nvr.failure import classify
from nvr.ffmpeg import PROTOCOLS, ffconcat_text
from storage import binary
from storage.camera_url import join
from storage.model import CameraId, Credentials, Probe
from web.keys import ProbeReport

LISTEN_S = 2.5  # one to two keyframe intervals: also what tells whether audio comes
LIMIT_S = 15.0
ORPHAN_S = "30"

_VIDEO = re.compile(r"Stream #\d+:\d+.*?: Video: (\w+).*? (\d{2,5})x(\d{2,5})\b(.*)")
_FPS = re.compile(r"([\d.]+) fps")
_AUDIO = re.compile(r"Stream #\d+:\d+.*?: Audio: (\w+)")
_SIZES = re.compile(r"video:\s*(\d+)\s*[kK]i?B\s+audio:\s*(\d+)\s*[kK]i?B")


def command(ffmpeg: Path, ffconcat: Path) -> list[str]:
    return [
        *(str(ffmpeg), "-hide_banner", "-nostdin", "-loglevel", "info"),
        *("-f", "concat", "-safe", "0", "-protocol_whitelist", PROTOCOLS, "-i", str(ffconcat)),
        # Outputs of their own: a silent audio track would hold the video back in a common one.
        # It ends by itself when a killed server left it behind.
        *("-map", "0:v:0", "-c", "copy", "-t", ORPHAN_S, "-f", "null", "-"),
        *("-map", "0:a:0?", "-c", "copy", "-t", ORPHAN_S, "-f", "null", "-"),
    ]


def parse(stderr: str, returncode: int | None) -> ProbeReport:
    """Pure. Not ok: `cause` and `detail` say why."""
    head, _, _ = stderr.partition("Output #0")
    video = _VIDEO.search(head)
    audio = _AUDIO.search(head)
    sizes = _SIZES.findall(stderr)
    received = max((int(size[0]) for size in sizes), default=0)
    heard = max((int(size[1]) for size in sizes), default=0)
    if video is None or received == 0:
        failure = classify(stderr, returncode=returncode)
        if failure.cause == "unknown" or (video is not None and failure.cause in ("unreachable", "killed")):
            return ProbeReport(False, "no_video", "the camera answers but sends no video")
        return ProbeReport(False, failure.cause, failure.detail)
    fps = _FPS.search(video[4])
    return ProbeReport(
        ok=True,
        cause=None,
        detail=video[0].strip()[:200],
        video_codec=video[1],
        width=int(video[2]),
        height=int(video[3]),
        fps=float(fps[1]) if fps else None,
        audio_codec=audio[1] if audio else "",
        audio_received=audio is not None and heard > 0,
    )


async def probe(ffmpeg: Path, url: str, credentials: Credentials | None, folder: Path | None = None) -> ProbeReport:
    """Connects once, for a few seconds. Never raises for what a camera does."""
    with tempfile.TemporaryDirectory(prefix=PROBE_PREFIX, dir=folder) as made:
        ffconcat = Path(made) / "camera.ffconcat"
        fd = os.open(ffconcat, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(ffconcat_text(join(url, credentials)))
        process = await asyncio.create_subprocess_exec(
            *command(ffmpeg, ffconcat),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            stderr, ended_by_us = await _listen(process)
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return parse(stderr.decode("utf-8", "replace"), None if ended_by_us else process.returncode)


async def _listen(process: asyncio.subprocess.Process) -> tuple[bytes, bool]:
    """(stderr, whether we ended it): LISTEN_S from where packets flow, LIMIT_S in all. At SIGINT it says what came."""
    assert process.stderr is not None
    loop = asyncio.get_running_loop()
    said = b""
    deadline = loop.time() + LIMIT_S
    flowing = interrupted = False
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                block = await process.stderr.read(65536)
        except TimeoutError:
            if interrupted:
                return said, True
            process.send_signal(signal.SIGINT)
            interrupted, deadline = True, loop.time() + 2.0
            continue
        if not block:
            await process.wait()
            return said, interrupted
        said += block
        if not flowing and b"Stream mapping:" in said:
            flowing, deadline = True, min(deadline, loop.time() + LISTEN_S)


def probe_row(camera_id: CameraId, report: ProbeReport, now_us: int) -> Probe:
    return Probe(
        camera_id=camera_id,
        probed_us=now_us,
        video_codec=report.video_codec,
        width=report.width,
        height=report.height,
        fps=report.fps,
        audio_codec=report.audio_codec,
        audio_received=report.audio_received,
        detail=report.detail,
    )


async def probe_url(settings: Settings, url: str, credentials: Credentials | None) -> ProbeReport:
    """For the command line."""
    return await probe(binary.find(settings.recording.ffmpeg), url, credentials)
