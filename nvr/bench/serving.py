"""Benches of serving footage: ranges against nginx, an hour's clip against cat, stills."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.errors import Unavailable
from nvr.bench import rig
from nvr.bench.report import Figure, percentile, say
from nvr.past import Past, make
from nvr.simulator_media import LoopOptions, coded_loop, default_cache_dir
from storage import binary
from storage.catalog import cameras, runs
from storage.catalog.db import connect, transaction
from storage.clock import rfc3339, wall_us
from storage.model import Run
from storage.volumes import register

HOUR_US = 3_600_000_000
CLIENTS = 16
RANGE_BYTES = 500_000
BUFFER_BYTES = 1 << 20

QUICK = {"ranges": {"rounds": 1, "seconds": 2.0}, "clip": {"rounds": 1, "minutes": 10}, "still": {"count": 20}}


@dataclass(frozen=True, slots=True)
class Archive:
    """A server with a finished hour of one camera."""

    server: rig.Served
    camera_id: int
    from_us: int
    to_us: int

    def window(self) -> str:
        return f"from={rfc3339(self.from_us)}&to={rfc3339(self.to_us)}"

    async def files(self) -> list[tuple[str, Path]]:
        """(URL path, file) of each closed segment."""
        items = await self.server.get(f"/api/v1/cameras/{self.camera_id}/segments?{self.window()}&limit=1000")
        found = sorted(self.server.volume.glob("archive/*/*/*/*/*/*.mp4"))
        by_name = {tuple(int(part) for part in path.stem.split("-")[1:]): path for path in found}
        return [(item["url"], by_name[(item["run_id"], item["n"])]) for item in items["items"]]


@asynccontextmanager
async def archive(*, minutes: int, kbps: int) -> AsyncIterator[Archive]:
    """`minutes` of 2 s GOPs that ended an hour ago, ingested by the server that serves them."""
    with tempfile.TemporaryDirectory(prefix="nvr-bench-") as made:
        folder = Path(made)
        (camera_id,) = rig.register(folder, ["rtsp://127.0.0.1:9/none"])
        end_us = wall_us() - HOUR_US
        start_us = end_us - minutes * 60_000_000
        ffmpeg = binary.find()
        loop = await asyncio.to_thread(coded_loop, str(ffmpeg), default_cache_dir(), LoopOptions(bitrate_kbps=kbps))
        past = Past(camera_id, loop.path, start_us, end_us - start_us)
        with closing(connect(folder / "nvr.sqlite3")) as db, transaction(db):
            volume = register(db, folder / "footage")
            cameras.update(db, camera_id, enabled=False)
            run = Run(past.run_id, camera_id, "n1", volume.id, start_us, ended_us=end_us, end_reason="disabled")
            runs.insert(db, run)
        await asyncio.to_thread(make, ffmpeg, folder / "footage", [past], 60, lambda step: None)
        async with rig.served(folder) as server:
            found = Archive(server, camera_id, start_us, end_us)
            for _ in range(300):
                if not any(server.volume.glob("spool/*.mp4")):
                    break
                await asyncio.sleep(0.2)
            yield found


@contextmanager
def pinned(pid: int, cores: set[int]) -> Iterator[None]:
    """Server and clients on cores of their own: the ratio is of the servers, not of the scheduler."""
    before = os.sched_getaffinity(pid)
    os.sched_setaffinity(pid, cores & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(pid, before)


class Reader(threading.Thread):
    """A keep-alive client: random ranges of one URL until told to stop. Threads: recv_into runs without the GIL."""

    def __init__(self, port: int, path: str, size_bytes: int, until: float) -> None:
        super().__init__(daemon=True)
        self._port, self._path, self._size, self._until = port, path, size_bytes, until
        self.bytes = 0
        self.error = ""

    def run(self) -> None:
        try:
            self._read()
        except OSError as error:
            self.error = str(error)

    def _read(self) -> None:
        buffer = bytearray(BUFFER_BYTES)
        source = random.Random(self.name)
        with socket.create_connection(("127.0.0.1", self._port)) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            while time.monotonic() < self._until:
                start = source.randrange(self._size - RANGE_BYTES)
                sock.sendall(
                    f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
                    f"Range: bytes={start}-{start + RANGE_BYTES - 1}\r\n\r\n".encode()
                )
                left = self._head(sock, buffer)
                while left > 0:
                    got = sock.recv_into(buffer, min(left, BUFFER_BYTES))
                    if not got:
                        raise ConnectionError("closed in the middle of a range")
                    left -= got
                self.bytes += RANGE_BYTES

    def _head(self, sock: socket.socket, buffer: bytearray) -> int:
        """Reads the answer's head; how much of the body is still to come."""
        got = 0
        while (end := buffer.find(b"\r\n\r\n", 0, got)) < 0:
            more = sock.recv_into(memoryview(buffer)[got:])
            if not more:
                raise ConnectionError("closed in the head")
            got += more
        if not buffer.startswith(b"HTTP/1.1 206"):
            raise ConnectionError(bytes(buffer[:80]).decode("latin-1"))
        return RANGE_BYTES - (got - end - 4)


def throughput(port: int, path: str, size_bytes: int, seconds: float) -> float:
    """Bytes a second of CLIENTS readers."""
    until = time.monotonic() + seconds
    readers = [Reader(port, path, size_bytes, until) for _ in range(CLIENTS)]
    began = time.monotonic()
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    if errors := {reader.error for reader in readers if reader.error}:
        raise Unavailable(f"reading ranges of {path}: {', '.join(errors)}")
    return sum(reader.bytes for reader in readers) / (time.monotonic() - began)


NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


async def ranges(*, rounds: int = 5, seconds: float = 4.0) -> list[Figure]:
    """Random ranges of one warm file: ours over one nginx worker's, in turns, each server alone on one core."""
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        raise Unavailable("this bench compares with nginx: apt-get install nginx-light")
    async with archive(minutes=2, kbps=4000) as footage:
        url, file = max(await footage.files(), key=lambda one: one[1].stat().st_size)
        size = file.stat().st_size
        file.read_bytes()
        with tempfile.TemporaryDirectory(prefix="nvr-bench-nginx-") as folder:
            port = rig.free_port()
            config = Path(folder) / "nginx.conf"
            # As root its worker would be another user, who may not read the footage.
            user = "user root;" if os.geteuid() == 0 else ""
            config.write_text(user + NGINX.format(folder=folder, port=port, root=file.parent), "utf-8")
            nginx = subprocess.Popen([program, "-c", str(config), "-p", folder])  # noqa: ASYNC220
            try:
                await rig.until_open(port, nginx)
                worker = int(subprocess.check_output(["pgrep", "-P", str(nginx.pid)]).split()[0])  # noqa: ASYNC221
                with pinned(footage.server.process.pid, {0}), pinned(worker, {0}), pinned(0, {1}):
                    found = []
                    for turn in range(rounds):
                        ours = await asyncio.to_thread(throughput, footage.server.port, url, size, seconds)
                        theirs = await asyncio.to_thread(throughput, port, "/" + file.name, size, seconds)
                        found.append((ours / theirs, ours, theirs))
                        say(f"ranges round {turn + 1}: {ours / 1e9:.2f} over {theirs / 1e9:.2f} GB/s")
            finally:
                rig.end(nginx)
    ratio, ours, theirs = sorted(found)[len(found) // 2]
    detail = f"{ours / 1e9:.2f} against {theirs / 1e9:.2f} GB/s, {CLIENTS} clients, {rounds} rounds, median"
    return [Figure("random 500 kB ranges over one nginx worker", ratio, "", 0.45, most=False, detail=detail)]


def fetch(port: int, path: str) -> tuple[float, float, int]:
    """(seconds to the first byte of the answer, to its last, bytes of the body)."""
    buffer = bytearray(BUFFER_BYTES)
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        began = time.monotonic()
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        got = sock.recv_into(buffer)
        first = time.monotonic() - began
        if not buffer.startswith(b"HTTP/1.1 200"):
            raise Unavailable(bytes(buffer[:got]).decode("latin-1"))
        total = got - buffer.find(b"\r\n\r\n") - 4
        while got := sock.recv_into(buffer):
            total += got
        return first, time.monotonic() - began, total


def cat(files: Sequence[Path]) -> tuple[float, int]:
    """(seconds, bytes) of `cat` of the files into a TCP socket, read as `fetch` reads."""
    buffer = bytearray(BUFFER_BYTES)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reader = socket.create_connection(listener.getsockname())
        writer, _ = listener.accept()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        with reader:
            began = time.monotonic()
            process = subprocess.Popen(["cat", *map(str, files)], stdout=writer.fileno())
            writer.close()
            total = 0
            while got := reader.recv_into(buffer):
                total += got
            took = time.monotonic() - began
            process.wait()
            return took, total


async def clip(*, rounds: int = 5, minutes: int = 60) -> list[Figure]:
    """One MP4 of an hour: first byte, and throughput over `cat` of the same files into a socket, in turns."""
    async with archive(minutes=minutes, kbps=2000) as footage:
        files = [path for _, path in await footage.files()]
        path = f"/play/{footage.camera_id}/clip.mp4?{footage.window()}"
        await asyncio.to_thread(cat, files)
        firsts, ratios = [], []
        for turn in range(rounds):
            first, took, size = await asyncio.to_thread(fetch, footage.server.port, path)
            plain, plain_size = await asyncio.to_thread(cat, files)
            firsts.append(first * 1000)
            ratios.append((size / took) / (plain_size / plain))
            say(f"clip round {turn + 1}: {size / took / 1e9:.2f} over {plain_size / plain / 1e9:.2f} GB/s")
    how = f"{minutes} min, {size / 1e6:.0f} MB, {rounds} rounds"
    return [
        Figure(f"clip.mp4 of {minutes} min, first byte", max(firsts), "ms", 50, detail=f"largest; {how}"),
        Figure(
            "clip.mp4 over cat into a socket", statistics.median(ratios), "", 0.5, most=False, detail=f"median; {how}"
        ),
    ]


async def still(*, count: int = 200) -> list[Figure]:
    """Pictures at random instants of an hour: asked for the first time, and again."""
    async with archive(minutes=30, kbps=2000) as footage:
        source = random.Random(3)
        times = [source.randrange(footage.from_us, footage.to_us - 4_000_000) for _ in range(count)]
        paths = [f"/play/{footage.camera_id}/frame.jpg?at={at}&width=640" for at in times]
        await asyncio.to_thread(fetch, footage.server.port, f"/play/{footage.camera_id}/frame.jpg?at={footage.from_us}")
        cold = [(await asyncio.to_thread(fetch, footage.server.port, path))[1] * 1000 for path in paths]
        warm = [(await asyncio.to_thread(fetch, footage.server.port, path))[1] * 1000 for path in paths]
    how = f"{count} random instants, 640 pixels wide"
    return [
        Figure("still, uncached, p95", percentile(cold, 0.95), "ms", 150, detail=how),
        Figure("still, cached, p95", percentile(warm, 0.95), "ms", 10, detail=how),
    ]
