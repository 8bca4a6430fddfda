"""What a camera sends: ffmpeg connects to it, its lines are read, and the short film that it records is measured.

Audio counts only when audio packets were received, not when announced. The URL goes through an ffconcat file as in recording:
no password in `ps`.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from config.settings import Settings
from nvr.camera_files import PROBE_PREFIX
from nvr.failure import classify
from nvr.ffmpeg import MOVFLAGS, PROTOCOLS, SETTS, ffconcat_text
from nvr.probe_film import FRAGMENT_US, Film
from storage import binary
from storage.camera_url import join
from storage.model import CameraId, Credentials, Probe
from storage.registry.findings import Seen, findings_of
from storage.registry.measured import Measured
from web.keys import ProbeReport

LISTEN_S = 2.5  # one to two keyframe intervals: also what tells whether audio comes
WHOLE_S = 18.0  # a whole look: until keyframes and clock are known, at most this long from where packets flow
CLOCK_S = 5.0  # a camera that has not told its time by then is not waited for
POLL_S = 0.4
LIMIT_S = 15.0
MAX_SAID_BYTES = 1 << 20
ORPHAN_S = "30"

_VIDEO = re.compile(r"Stream #\d+:\d+.*?: Video: (\w+).*? (\d{2,5})x(\d{2,5})\b(.*)")
_FPS = re.compile(r"([\d.]+) fps")
_AUDIO = re.compile(r"Stream #\d+:\d+.*?: Audio: (\w+)")
_SIZES = re.compile(r"video:\s*(\d+)\s*[kK]i?B\s+audio:\s*(\d+)\s*[kK]i?B")


def command(ffmpeg: Path, ffconcat: Path, film: Path) -> list[str]:
    return [
        *(str(ffmpeg), "-hide_banner", "-nostdin", "-loglevel", "info"),
        *("-f", "concat", "-safe", "0", "-protocol_whitelist", PROTOCOLS, "-i", str(ffconcat)),
        # Outputs of their own: a silent audio track would hold the video back in a common one.
        # It ends by itself when a killed server left it behind. Pictures before the first keyframe count too, and a
        # fragment comes every second, so that a camera with keyframes far apart is measured as well.
        *("-map", "0:v:0", "-c:v", "copy", "-copyinkf:v", "-bsf:v", SETTS, "-t", ORPHAN_S),
        *("-f", "mp4", "-movflags", MOVFLAGS, "-frag_duration", str(FRAGMENT_US)),
        *("-avoid_negative_ts", "make_non_negative", "-flush_packets", "1", "-write_prft", "wallclock", str(film)),
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


async def probe(
    ffmpeg: Path,
    url: str,
    credentials: Credentials | None,
    folder: Path | None = None,
    *,
    whole: bool = False,
    audio: str = "auto",
) -> ProbeReport:
    """Connects once, for a few seconds. Never raises for what a camera does. `whole`: until its keyframes and its clock are
    known, and with findings; else as short as can be."""
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory(prefix=PROBE_PREFIX, dir=folder) as made:
        ffconcat, film = Path(made) / "camera.ffconcat", Film(Path(made) / "film.mp4")
        fd = os.open(ffconcat, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(ffconcat_text(join(url, credentials)))
        process = await asyncio.create_subprocess_exec(
            *command(ffmpeg, ffconcat, film.path),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            listened = await _listen(process, film if whole else None)
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        report = parse(listened.stderr.decode("utf-8", "replace"), None if listened.ended_by_us else process.returncode)
        if not whole:
            return report
        await loop.run_in_executor(None, film.look)
        return with_measured(
            report, url, credentials, audio=audio, measured=film.measured(), clock_offset_us=film.clock_offset_us()
        )


def with_measured(
    report: ProbeReport,
    url: str,
    credentials: Credentials | None,
    *,
    audio: str,
    measured: Measured | None,
    clock_offset_us: int | None,
    has_login: bool = False,
) -> ProbeReport:
    """What was measured beside what the camera announced, and what is to be found of both. `audio`: the camera's setting.
    `has_login`: it has one though `credentials` cannot be read."""
    if not report.ok:
        measured = clock_offset_us = None
    found = findings_of(
        Seen(
            ok=report.ok,
            cause=report.cause,
            detail=report.detail,
            url=url,
            credentials=credentials,
            has_login=has_login,
            video_codec=report.video_codec,
            fps=report.fps,
            audio_codec=report.audio_codec,
            audio_received=report.audio_received,
            audio_recorded=audio != "off",
            measured=measured,
            clock_asked=True,
            clock_offset_us=clock_offset_us,
        )
    )
    if measured is None:
        return replace(report, findings=found)
    return replace(
        report,
        fps=measured.fps or report.fps,
        bitrate_kbps=measured.bitrate_kbps,
        keyframe_s=measured.keyframe_s,
        clock_offset_us=clock_offset_us,
        findings=found,
    )


@dataclass(frozen=True, slots=True)
class _Listened:
    stderr: bytes
    ended_by_us: bool


async def _listen(process: asyncio.subprocess.Process, film: Film | None) -> _Listened:
    """LISTEN_S from where packets flow (with a `film` until it tells enough, WHOLE_S at most), LIMIT_S in all. At SIGINT
    ffmpeg says what came."""
    assert process.stderr is not None
    loop = asyncio.get_running_loop()
    said = b""
    deadline = loop.time() + LIMIT_S
    flowing_s: float | None = None
    interrupted = False
    while True:
        until = deadline if film is None or flowing_s is None or interrupted else min(deadline, loop.time() + POLL_S)
        try:
            async with asyncio.timeout_at(until):
                block = await process.stderr.read(65536)
        except TimeoutError:
            if interrupted:
                return _Listened(said, True)
            if loop.time() < deadline and not await _told(film, loop.time() - (flowing_s or 0.0)):
                continue
            process.send_signal(signal.SIGINT)
            interrupted, deadline = True, loop.time() + 2.0
            continue
        if not block:
            await process.wait()
            return _Listened(said, interrupted)
        said += block
        if len(said) > MAX_SAID_BYTES:  # the head tells of the streams, the tail of the end
            said = said[: MAX_SAID_BYTES // 2] + said[-MAX_SAID_BYTES // 4 :]
        if flowing_s is None and b"Stream mapping:" in said:
            flowing_s = loop.time()
            deadline = flowing_s + WHOLE_S if film is not None else min(deadline, flowing_s + LISTEN_S)


async def _told(film: Film | None, flowing_s: float) -> bool:
    """Enough has come. `flowing_s`: for how long packets have come."""
    if film is None or flowing_s < LISTEN_S:
        return False
    await asyncio.get_running_loop().run_in_executor(None, film.look)
    return film.tells_keyframes() and (film.tells_time() or flowing_s > CLOCK_S)


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
        ok=report.ok,
        cause=report.cause,
        bitrate_kbps=report.bitrate_kbps,
        keyframe_s=report.keyframe_s,
        clock_offset_us=report.clock_offset_us,
        findings=report.findings,
    )


async def probe_url(
    settings: Settings, url: str, credentials: Credentials | None, *, audio: str = "auto"
) -> ProbeReport:
    """For the command line: a whole look."""
    return await probe(binary.find(settings.recording.ffmpeg), url, credentials, whole=True, audio=audio)
