"""`nvr serve` as a process of its own, on a folder of the test: what tests that kill it, restart it and ask it need."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp

from nvr.process import Found, end_recorders, scan
from nvr.simulator_picture import decode_frame_numbers
from storage.catalog.db import connect
from storage.fmp4 import read_init
from storage.model import RunId
from storage.paths import ARCHIVE, SPOOL, parse_spool_name
from tests.nvr.simulated import LOOP

NVR = (sys.executable, "-c", "from nvr.cli import main; main()")
START_S = 30.0
POLL_S = 0.1

T = TypeVar("T")


async def until(look: Callable[[], object], within_s: float, what: str = "") -> Any:
    """The first true answer of `look`, asked again and again; fails after `within_s`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while True:
        answer = look()
        found: Any = await answer if isinstance(answer, Awaitable) else answer
        if found:
            return found
        if loop.time() > deadline:
            raise AssertionError(f"not within {within_s:.0f} s: {what or look}; last seen: {found!r}")
        await asyncio.sleep(POLL_S)


@dataclass
class Served:
    """`folder` holds settings, catalog and volumes; it outlives the server. Leaving the context ends recorders too."""

    folder: Path
    segment_seconds: int = 5
    volumes: Sequence[Path] = ()
    settings: str = ""
    url: str = ""
    said: list[str] = field(default_factory=list)
    _process: asyncio.subprocess.Process | None = None
    _reader: asyncio.Task[None] | None = None
    _session: aiohttp.ClientSession | None = None

    def __post_init__(self) -> None:
        self.volumes = self.volumes or [self.folder / "footage"]

    @property
    def config(self) -> Path:
        return self.folder / "nvr.toml"

    @property
    def database(self) -> Path:
        return self.folder / "nvr.sqlite3"

    @property
    def state_folder(self) -> Path:
        return self.folder / "nvr.sqlite3.run"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
        names = json.dumps([str(volume) for volume in self.volumes])
        self.config.write_text(
            f"[server]\nport = 0\n[storage]\ndatabase = {str(self.database)!r}\nvolumes = {names}\n"
            f"[recording]\nsegment_seconds = {self.segment_seconds}\n{self.settings}"
        )
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()
        await end_recorders(self.volumes)
        assert self._session is not None
        await self._session.close()
        if error is not None:
            print("\n".join(["-- the server said:", *self.said[-60:]]))

    # -- the process -----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Returns when it says where it listens."""
        process = await command(self, "serve")
        self._process = process
        said = len(self.said)
        self._reader = asyncio.create_task(self._read(process))

        def address() -> str:
            lines = (line for line in self.said[said:] if line.startswith("nvr: http"))
            found = next(lines, "").removeprefix("nvr: ")
            assert found or process.returncode is None, self.said
            return found

        self.url = (await until(address, START_S, "the server's address")).rstrip("/")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            self.said.append(line.decode(errors="replace").rstrip())

    async def kill(self) -> None:
        """As by `kill -9`, if it runs."""
        await self._end(signal.SIGKILL)

    async def end(self) -> int:
        """SIGTERM; its exit status."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None or self._reader is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
        async with asyncio.timeout(20):
            await self._reader
            return await process.wait()

    # -- what it tells -----------------------------------------------------------------------------------------------

    async def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        """JSON of an API path; fails on an error status."""
        assert self._session is not None
        async with self._session.request(method, self.url + path, json=body) as answer:
            text = await answer.text()
            assert answer.status < 400, f"{method} {path}: {answer.status} {text}"
            return json.loads(text) if text else None

    async def add(self, code: str, url: str, **more: object) -> int:
        camera = await self.ask("/api/v1/cameras", "POST", {"code": code, "name": code, "url": url, **more})
        return int(camera["id"])

    async def camera(self, camera_id: int) -> dict[str, Any]:
        found: dict[str, Any] = await self.ask(f"/api/v1/cameras/{camera_id}")
        return found

    async def until_state(self, camera_id: int, state: str, cause: str | None = None, within_s: float = 30) -> None:
        async def there() -> bool:
            camera = await self.camera(camera_id)
            self._last = camera
            return camera["state"] == state and (cause is None or camera["cause"] == cause)

        try:
            await until(there, within_s)
        except AssertionError as error:
            said = f"camera {camera_id} is not {state} {cause}: {self._last}; {self.history(camera_id)}"
            raise AssertionError(said) from error

    # -- what it keeps -----------------------------------------------------------------------------------------------

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """From the catalog."""
        with closing(connect(self.database, readonly=True)) as db:
            return [dict(row) for row in db.execute(sql, values)]

    def history(self, camera_id: int) -> list[tuple[str, str | None, str]]:
        """(state, cause, detail), oldest first."""
        found = self.rows("SELECT * FROM camera_state WHERE camera_id = ? ORDER BY since_us", camera_id)
        return [(row["state"], row["cause"], row["detail"]) for row in found]

    def runs(self, camera_id: int) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM run WHERE camera_id = ? ORDER BY id", camera_id)

    def segments(self, camera_id: int) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM segment WHERE camera_id = ? ORDER BY run_id, n", camera_id)

    def recorders(self, camera_id: int | None = None) -> list[Found]:
        """Running ones, whoever started them."""
        return [one for one in scan(self.volumes) if camera_id in (None, one.camera_id)]

    def files(self, run_id: int) -> list[Path]:
        """All footage files of a run, in order, whether archived or still in the spool (a moment later it may be moved)."""
        found: dict[int, Path] = {}
        # The spool is listed first: a file that is moved between the two looks is then seen twice, never not at all.
        for volume in self.volumes:
            for path in (volume / SPOOL).glob(f"*-{run_id}-*.mp4"):
                name = parse_spool_name(path.name)
                if name is not None:
                    found[name.n] = path
        found.update({int(path.stem.rpartition("-")[2]): path for path in self._archived(run_id)})
        return [found[n] for n in sorted(found)]

    def _archived(self, run_id: int) -> list[Path]:
        return [path for volume in self.volumes for path in (volume / ARCHIVE).glob(f"*/*/*/*/*/*-{run_id}-*.mp4")]

    def whole(self, run_id: int, count: int | None = None) -> bytes:
        """The (first `count`) files of a run as one: they share their init. A file moved meanwhile is looked up again."""
        for _ in range(5):
            with ExitStack() as stack, suppress(FileNotFoundError):
                return joined([stack.enter_context(path.open("rb")) for path in self.files(run_id)[:count]])
        raise AssertionError(f"the files of run {run_id} are moved again and again")

    def shown(self, ffmpeg: str, run_id: int) -> list[int]:
        """The numbers in the pictures of a whole run, in order. Blocks."""
        return [number for number, _ in decode_frame_numbers(ffmpeg, self.whole(run_id))]


def joined(files: Sequence[BufferedReader]) -> bytes:
    parts = []
    init = b""
    for file in files:
        data = file.read()
        found = read_init(file.fileno())
        if found is None:
            continue
        if not init:
            init = found.data
            parts.append(init)
        assert found.data == init, f"{file.name} has another init than its run"
        parts.append(data[len(init) :])
    return b"".join(parts)


def faults(numbers: Sequence[int], frames: int = LOOP.frames) -> list[tuple[int, int, int]]:
    """Where pictures are missing, doubled or unreadable: (place, the number before, the number)."""
    pairs = itertools.pairwise(numbers)
    return [(at, a, b) for at, (a, b) in enumerate(pairs, 1) if a < 0 or b < 0 or (b - a) % frames != 1]


async def command(served: Served, *arguments: str) -> asyncio.subprocess.Process:
    """`nvr ...` with the folder's settings."""
    return await asyncio.create_subprocess_exec(
        *(*NVR, *arguments, "--config", str(served.config)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=served.folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("NVR_") or name == "NVR_FFMPEG"},
    )


async def answer(served: Served, *arguments: str) -> tuple[int | None, str, str]:
    """(exit status, standard output, standard error) of a command that ends by itself."""
    process = await command(served, *arguments)
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


def newest_run(served: Served, camera_id: int) -> RunId:
    return RunId(served.runs(camera_id)[-1]["id"])
