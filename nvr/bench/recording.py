"""Benches of recording: cost over bare ffmpeg, lost frames, memory, the live edge, a cold start, players beside recorders."""

from __future__ import annotations

import asyncio
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import urljoin

from config.errors import Unavailable
from nvr.bench import rig
from nvr.bench.report import Figure, percentile, say
from nvr.ffmpeg import ffconcat_text, record_command
from storage import binary
from storage.examine import examine
from storage.fmp4 import FragmentBoxes
from storage.model import CameraId, RunId
from storage.paths import parse_archive_name, parse_spool_name


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="nvr-bench-") as made:
        yield Path(made)


# -- cost ------------------------------------------------------------------------------------------------------------------


class Bare:
    """The same commands without us."""

    def __init__(self, root: Path, urls: list[str]) -> None:
        self._root = root
        self._urls = urls
        self._processes: list[asyncio.subprocess.Process] = []

    async def start(self) -> None:
        (self._root / "spool").mkdir(parents=True)
        ffmpeg = binary.find()
        for number, url in enumerate(self._urls, 1):
            ffconcat = self._root / f"{number}.ffconcat"
            ffconcat.write_text(ffconcat_text(url), "utf-8")
            arguments = record_command(
                CameraId(number),
                RunId(1),
                ffmpeg_path=ffmpeg,
                volume=self._root,
                ffconcat=ffconcat,
                segment_seconds=60,
                audio="off",
                hevc=False,
            )
            quiet = asyncio.subprocess.DEVNULL
            self._processes.append(
                await asyncio.create_subprocess_exec(*arguments, stdin=quiet, stdout=quiet, stderr=quiet)
            )

    def cpu_s(self) -> float:
        return rig.cpu_s([process.pid for process in self._processes])

    async def end(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.terminate()
        await asyncio.gather(*(process.wait() for process in self._processes))


async def cpu(*, cameras: int = 25, rounds: int = 3, seconds: float = 120.0, kbps: int = 1500) -> list[Figure]:
    """Server and recorders over bare recorders, both at the same time from one simulator; rounds swap the cameras."""
    ratios = []
    shares = []
    async with rig.simulated(2 * cameras, kbps=kbps) as port:
        for turn in range(rounds):
            halves = [range(1, cameras + 1), range(cameras + 1, 2 * cameras + 1)]
            ours, theirs = (rig.urls(port, halves[(turn + side) % 2]) for side in (0, 1))
            with folder() as root:
                rig.register(root, ours)
                bare = Bare(root / "bare", theirs)
                async with rig.served(root) as server:
                    await bare.start()
                    try:
                        await server.until_recording(cameras, 90)
                        await asyncio.sleep(15)
                        before = server.cpu_s(), bare.cpu_s(), rig.cpu_s([server.process.pid])
                        await asyncio.sleep(seconds)
                        after = server.cpu_s(), bare.cpu_s(), rig.cpu_s([server.process.pid])
                    finally:
                        await bare.end()
            ratios.append((after[0] - before[0]) / (after[1] - before[1]))
            shares.append((after[2] - before[2]) / (after[1] - before[1]))
            say(f"cpu round {turn + 1}: {ratios[-1]:.3f} (the server's own share {shares[-1]:.3f})")
    detail = f"{cameras} cameras of {kbps / 1000:g} Mbit/s, {rounds} rounds of {seconds:.0f} s, median; " + ", ".join(
        f"{ratio:.3f}" for ratio in ratios
    )
    return [Figure("CPU under nvr over bare ffmpeg", statistics.median(ratios), "", 1.08, detail=detail)]


# -- frames ----------------------------------------------------------------------------------------------------------------


def lost_frames(volume: Path, *, fps: int) -> tuple[int, int, int]:
    """(frames lost, frames recorded, runs) by media time: a frame that is not there leaves a hole of its length."""
    files: dict[RunId, list[tuple[int, Path]]] = {}
    for path in [*volume.glob("archive/*/*/*/*/*/*.mp4"), *volume.glob("spool/*.mp4")]:
        name = parse_archive_name(path.name) or parse_spool_name(path.name)
        if name is not None:
            files.setdefault(name.run_id, []).append((name.n, path))
    lost = recorded = 0
    for parts in files.values():
        fragments: list[FragmentBoxes] = []
        scale = 90_000
        for _, path in sorted(parts):
            examined = examine(path, sync=False)
            if examined.init is not None:
                scale = examined.init.video.timescale
                fragments += examined.fragments
        fragments = fragments[1:]  # before the first sender report stamps can be nonsense
        if len(fragments) < 2:
            continue
        length = fragments[-1].media_start - fragments[0].media_start
        frames = sum(fragment.frames for fragment in fragments[:-1])
        recorded += frames
        lost += abs(round(length * fps / scale) - frames)
    return lost, recorded, len(files)


async def frames(*, cameras: int = 150, seconds: float = 600.0, kbps: int = 1000) -> list[Figure]:
    """Many real RTSP cameras for a while: is any frame missing?"""
    async with rig.simulated(cameras, kbps=kbps) as port:
        with folder() as root:
            rig.register(root, rig.urls(port, range(1, cameras + 1)))
            async with rig.served(root) as server:
                took = await server.until_recording(cameras, 240)
                say(f"{cameras} cameras record after {took:.0f} s")
                await asyncio.sleep(seconds)
                memory = server.rss_bytes() / 1e6
                restarts = _counter(await server.text("/metrics"), "nvr_recorder_restarts_total")
            lost, recorded, runs = lost_frames(server.volume, fps=25)
    detail = f"{recorded} frames, {runs} runs, {restarts:.0f} restarts, server {memory:.0f} MB"
    return [Figure(f"frames lost, {cameras} cameras for {seconds / 60:.0f} min", lost, "frames", 0, detail=detail)]


def _counter(metrics: str, name: str) -> float:
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? ([0-9.e+]+)$", metrics, re.MULTILINE))


# -- a hundred cameras: cold start, memory, the live edge --------------------------------------------------------------------


async def hundred(*, cameras: int = 100, kbps: int = 1000) -> list[Figure]:
    """From cold to all recording; the server's memory then; how old footage is when it can be played."""
    async with rig.simulated(cameras, kbps=kbps) as port:
        with folder() as root:
            ids = rig.register(root, rig.urls(port, range(1, cameras + 1)))
            async with rig.served(root) as server:
                cold_s = await server.until_recording(cameras, 120)
                say(f"cold start {cold_s:.1f} s")
                ages = await _live_ages(server, ids[0], 40.0)
                await asyncio.sleep(60)
                memory = server.rss_bytes() / 1e6
    how = f"probing included, {kbps / 1000:g} Mbit/s each"
    return [
        Figure(f"{cameras} cameras from cold, all recording", cold_s, "s", 30, detail=how),
        Figure(
            f"server memory with {cameras} cameras", memory, "MB", 150, detail="resident, two minutes after the start"
        ),
        Figure(
            "footage can be played after its capture",
            max(ages),
            "s",
            3.5,
            detail=f"2 s GOP: a fragment's age from its first frame when the playlist lists it, largest of {len(ages)}",
        ),
    ]


async def _live_ages(server: rig.Served, camera_id: CameraId, seconds: float) -> list[float]:
    """Age of each new fragment's *first* frame at the moment the live playlist shows it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    ages: list[float] = []
    known: set[float] = set()
    while loop.time() < deadline:
        playlist = await server.text(f"/play/{camera_id}/live.m3u8?window_s=30")
        wall_s = time.time()
        at_s = None
        for line in playlist.splitlines():
            if line.startswith("#EXT-X-PROGRAM-DATE-TIME:"):
                at_s = datetime.fromisoformat(line.partition(":")[2]).timestamp()
            elif line.startswith("#EXTINF:") and at_s is not None:
                length_s = float(line[8:].rstrip(","))
                start, at_s = round(at_s, 1), at_s + length_s
        if at_s is not None and start not in known:
            if known:
                ages.append(wall_s - start)
            known.add(start)
        await asyncio.sleep(0.05)
    if not ages:
        raise Unavailable("the live playlist did not move")
    return ages


# -- players beside recorders ------------------------------------------------------------------------------------------------


async def players(*, cameras: int = 50, count: int = 50, seconds: float = 120.0, kbps: int = 2000) -> list[Figure]:
    """HLS players at the footage's own pace while as many cameras record."""
    async with rig.simulated(cameras, kbps=kbps) as port:
        with folder() as root:
            ids = rig.register(root, rig.urls(port, range(1, cameras + 1)))
            async with rig.served(root) as server:
                await server.until_recording(cameras, 120)
                await asyncio.sleep(70)  # there is a past to play
                results = await asyncio.gather(
                    *(_play(server, ids[number % len(ids)], seconds) for number in range(count))
                )
            lost, recorded, _ = lost_frames(server.volume, fps=25)
    starved = sum(1 for late, _ in results if late)
    waits = [wait for _, some in results for wait in some]
    detail = f"{len(waits)} ranges, p99 {percentile(waits, 0.99) * 1000:.0f} ms, longest {max(waits) * 1000:.0f} ms"
    return [
        Figure(
            f"players starved, {count} at {kbps / 1000:g} Mbit/s beside {cameras} recorders",
            starved,
            "",
            0,
            detail=detail,
        ),
        Figure("frames lost meanwhile", lost, "frames", 0, detail=f"of {recorded}"),
    ]


async def _play(server: rig.Served, camera_id: CameraId, seconds: float) -> tuple[bool, list[float]]:
    """(starved, time to fetch each range). A player with 6 s in its buffer that takes what it has at the footage's pace."""
    loop = asyncio.get_running_loop()
    base = f"{server.url}/play/{camera_id}/"
    waits: list[float] = []
    began = loop.time()
    bought_s = 0.0  # footage fetched so far
    starved = False
    done: set[tuple[str, int]] = set()
    while loop.time() < began + seconds:
        playlist = await server.text(f"/play/{camera_id}/live.m3u8?window_s=120")
        length_s, offset, size, fresh = 0.0, 0, 0, False
        for line in playlist.splitlines():
            if line.startswith("#EXTINF:"):
                length_s = float(line[8:].rstrip(","))
            elif line.startswith("#EXT-X-BYTERANGE:"):
                size, offset = (int(part) for part in line.partition(":")[2].split("@"))
            elif line and not line.startswith("#") and (line, offset) not in done:
                done.add((line, offset))
                fresh = True
                asked = loop.time()
                headers = {"Range": f"bytes={offset}-{offset + size - 1}"}
                target = urljoin(base, line)
                async with server.http.get(target, headers=headers) as answer:
                    starved |= len(await answer.read()) != size
                waits.append(loop.time() - asked)
                bought_s += length_s
                ahead_s = bought_s - (loop.time() - began)
                starved |= ahead_s < 0
                if ahead_s > 6:
                    await asyncio.sleep(ahead_s - 6)
        if not fresh:
            await asyncio.sleep(1.0)
    return starved, waits


QUICK = {
    "cpu": {"cameras": 5, "rounds": 1, "seconds": 20.0},
    "frames": {"cameras": 10, "seconds": 20.0},
    "hundred": {"cameras": 10},
    "players": {"cameras": 5, "count": 5, "seconds": 15.0},
}
