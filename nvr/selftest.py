"""The ffmpeg self-test: does this binary keep what the recipe relies on, and how late does it hand frames on?

Our own simulator, whose pictures carry their number and whose clock is ours, is recorded over RTSP with the recorder's own
command: at 10 and 25 frames a second, with and without B-frames, and with G.711 coded anew. Runs in a process of its own
(`python -m nvr.selftest <ffmpeg>`), niced, at leisure after a start; its result is kept per binary.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import structlog

from config.errors import Unavailable
from nvr.ffmpeg import ffconcat_text, record_command
from nvr.lags import Lags, Measurement
from nvr.simulator import CameraOptions, LoopOptions, Simulator, SimulatorOptions
from nvr.simulator_picture import decode_frame_numbers
from storage import binary
from storage.catalog import selftests
from storage.catalog.db import Catalog
from storage.clock import wall_us
from storage.examine import PRFT_FROM_SENDER_REPORT, Examined, examine
from storage.model import CameraId, RunId
from storage.paths import SPOOL

log = structlog.get_logger()

RECORD_S = 15.0
LIMIT_S = 120.0
REST_S = 45.0  # a starting server has better things to do
SEGMENT_S = 2
RUN = RunId(1)
SOURCES = {
    1: CameraOptions(loop=LoopOptions(width=320, height=180, fps=25, gop_s=1.0, bitrate_kbps=300)),
    2: CameraOptions(loop=LoopOptions(width=320, height=180, fps=10, gop_s=1.0, bitrate_kbps=300)),
    3: CameraOptions(loop=LoopOptions(width=320, height=180, fps=25, gop_s=1.0, bitrate_kbps=300, bframes=2)),
    4: CameraOptions(loop=LoopOptions(width=320, height=180, fps=25, gop_s=1.0, bitrate_kbps=300), audio="pcmu"),
}


@dataclass(frozen=True, slots=True)
class Result:
    """`detail`: what does not hold, empty when all does."""

    ok: bool
    detail: str
    lags: str


async def run(ffmpeg: Path) -> Result:
    """About 20 s. Raises Unavailable when nothing could be recorded."""
    with tempfile.TemporaryDirectory(prefix="nvr-selftest-") as made:
        folder = Path(made)
        (folder / SPOOL).mkdir()
        async with Simulator(SimulatorOptions(cameras=len(SOURCES), overrides=SOURCES)) as simulator:
            await _record(ffmpeg, folder, simulator)
            lags: dict[int, int] = {}
            troubles: list[str] = []
            for number in SOURCES:
                paths = sorted((folder / SPOOL).glob(f"{number}-*.mp4"))
                files = [await asyncio.to_thread(examine, path, sync=False) for path in paths]
                troubles += [f"source {number}: {trouble}" for trouble in check(files)]
                lags[number] = await _lag(ffmpeg, files, simulator.camera(number).frame_time_us)
    measured = Measurement(lags[1], lags[2], lags[4])
    expected = lags[1] + 2 * 40_000
    if abs(lags[3] - expected) > 40_000:
        troubles.append(f"with B-frames the lag is {lags[3] // 1000} ms where {expected // 1000} ms were expected")
    return Result(not troubles, "; ".join(troubles), measured.to_json())


async def _record(ffmpeg: Path, folder: Path, simulator: Simulator) -> None:
    processes = []
    for number, options in SOURCES.items():
        ffconcat = folder / f"{number}.ffconcat"
        ffconcat.write_text(ffconcat_text(simulator.url(number)), "utf-8")
        command = record_command(
            CameraId(number),
            RUN,
            ffmpeg_path=ffmpeg,
            volume=folder,
            ffconcat=ffconcat,
            segment_seconds=SEGMENT_S,
            audio="aac" if options.audio != "none" else "off",
            hevc=False,
        )
        processes.append(
            await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        )
    await asyncio.sleep(RECORD_S)
    for process in processes:
        if process.returncode is None:
            process.terminate()
    await asyncio.gather(*(process.wait() for process in processes))


def check(files: list[Examined]) -> list[str]:
    """What recording relies on, held against a run's files. Pure."""
    good = [file for file in files if file.init is not None and file.fragments]
    if len(good) < 4:
        return [f"only {len(good)} files were written"]
    troubles = []
    if len({file.init.data for file in good if file.init is not None}) != 1:
        troubles.append("the files of a run do not share one init")
    ends = [(file.fragments[-1].media_start + file.fragments[-1].dur, file.fragments[0]) for file in good]
    scale = good[0].init.video.timescale if good[0].init is not None else 1
    for (end, _), (_, first) in itertools.pairwise(ends[1:]):
        if abs(first.media_start - end) > scale // 5:
            troubles.append("tfdt does not run on from file to file")
            break
    if not all(file.fragments[0].keyframe for file in good):
        troubles.append("a file does not start with a keyframe")
    if any(fragment.prft_flags != PRFT_FROM_SENDER_REPORT for file in good[1:] for fragment in file.fragments):
        troubles.append("prft does not carry the camera's clock")
    return troubles


async def _lag(ffmpeg: Path, files: list[Examined], frame_time_us: Callable[[int, int], int]) -> int:
    """The smallest time from the capture of a closing keyframe to its file's mtime; the run's first files do not count."""
    lags = []
    for closed, following in itertools.pairwise(files[1:-1]):
        numbers = await asyncio.to_thread(decode_frame_numbers, str(ffmpeg), following.path)
        if numbers and numbers[0][0] >= 0:
            lags.append(closed.mtime_us - frame_time_us(numbers[0][0], closed.mtime_us))
    if not lags:
        raise Unavailable("the self-test recorded nothing that could be dated")
    return min(lags)


async def keep_tested(lags: Lags, catalog: Catalog, ffmpeg: Path) -> None:
    """For the server: test a binary that has no result yet, keep the result, use it. Never raises."""
    name = await asyncio.to_thread(binary.fingerprint, ffmpeg)
    known = await catalog.read(partial(selftests.get, binary=name))
    if known is None:
        await asyncio.sleep(REST_S)
        known = await _in_child(ffmpeg)
        if known is None:
            return
        ok, detail, measured = known
        await catalog.write(
            partial(selftests.put, binary=name, tested_us=wall_us(), ok=ok, detail=detail, lags=measured)
        )
        say = log.info if ok else log.error
        say("ffmpeg self-test", ffmpeg=str(ffmpeg), ok=ok, detail=detail, lags_us=measured)
    lags.take(Measurement.from_json(known[2]))


async def _in_child(ffmpeg: Path) -> tuple[bool, str, str] | None:
    process = await asyncio.create_subprocess_exec(
        *("nice", "-n", "10", sys.executable, "-m", "nvr.selftest", str(ffmpeg)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            out, err = await process.communicate()
        result = Result(**json.loads(out))
    except (TimeoutError, ValueError) as error:
        log.error("the ffmpeg self-test did not end well", error=str(error) or "it took too long")
        return None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, 9)
            await process.wait()
    if err:
        log.debug("self-test", stderr=err.decode("utf-8", "replace")[-500:])
    return result.ok, result.detail, result.lags


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(run(Path(sys.argv[1]))))))
