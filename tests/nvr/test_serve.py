"""`nvr serve`, `nvr stop` and `nvr demo` as processes: how they end, what they leave, what they say when they cannot start."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from config.settings import Settings
from nvr.demo import PORTS_TRIED, DemoOptions, free_port, settings_for
from nvr.process import Found, end_recorders, scan
from tests.nvr.served import Served, answer, until
from tests.nvr.simulated import simulator
from tests.nvr.typed import NVR, ROOT, nvr


@pytest.fixture
def taken_port() -> Iterator[int]:
    """Somebody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def alive(recorders: list[Found]) -> dict[int, int]:
    """Camera -> process."""
    return {int(one.camera_id): one.pid for one in recorders}


async def recording(served: Served, camera_ids: list[int]) -> None:
    for camera_id in camera_ids:
        await served.until_state(camera_id, "recording", within_s=60)


# -- the server --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_sigterm_leaves_the_recorders_and_says_how_to_end_them(loops: Path, tmp_path: Path) -> None:
    async with simulator(loops, cameras=2) as cameras, Served(tmp_path) as served:
        ids = [await served.add(f"C{n}", cameras.url(n)) for n in (1, 2)]
        await recording(served, ids)
        before = alive(served.recorders())
        assert before.keys() == set(ids)
        assert await served.end() == 0
        assert served.said[-1] == (
            "nvr: SIGTERM: the server has ended, 2 recorders go on (nvr stop --recorders ends them)"
        )
        assert alive(served.recorders()) == before
        status, out, err = await answer(served, "stop")
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert "nvr stop --recorders" in err
        assert alive(served.recorders()) == before
        assert await answer(served, "stop", "--recorders") == (0, "2 recorders ended\n", "")
        assert served.recorders() == []
        assert await answer(served, "stop", "--recorders") == (0, "0 recorders ended\n", "")


@pytest.mark.slow
async def test_another_url_for_one_camera_touches_no_other(loops: Path, tmp_path: Path) -> None:
    async with simulator(loops, cameras=4) as cameras, Served(tmp_path) as served:
        ids = [await served.add(f"C{n}", cameras.url(n)) for n in (1, 2, 3)]
        await recording(served, ids)
        before = alive(served.recorders())
        await served.ask(f"/api/v1/cameras/{ids[1]}", "PATCH", {"url": cameras.url(4)})

        def replaced() -> bool:
            return alive(served.recorders()).get(ids[1], before[ids[1]]) != before[ids[1]]

        await until(replaced, 40, "a new recorder for the second camera")
        await recording(served, ids)
        after = alive(served.recorders())
        assert after.keys() == before.keys()
        assert {camera_id for camera_id in ids if after[camera_id] != before[camera_id]} == {ids[1]}
        assert [len(served.runs(camera_id)) for camera_id in ids] == [1, 2, 1]
        assert served.runs(ids[1])[0]["end_reason"] == "parameters_changed"


@pytest.mark.slow
async def test_other_words_about_a_camera_restart_nothing(loops: Path, tmp_path: Path) -> None:
    async with simulator(loops, cameras=2) as cameras, Served(tmp_path) as served:
        ids = [await served.add(f"C{n}", cameras.url(n)) for n in (1, 2)]
        await recording(served, ids)
        before = alive(served.recorders())
        await served.ask(f"/api/v1/cameras/{ids[0]}", "PATCH", {"station": "Kotwali", "name": "Gate"})
        await served.ask(f"/api/v1/cameras/{ids[1]}", "PATCH", {"enabled": False})
        await until(lambda: alive(served.recorders()).keys() == {ids[0]}, 40, "the second camera's recorder has ended")
        assert alive(served.recorders()) == {ids[0]: before[ids[0]]}


async def test_a_port_that_is_taken_is_told_in_one_line(tmp_path: Path, taken_port: int) -> None:
    (tmp_path / "nvr.toml").write_text(
        f'[server]\nport = {taken_port}\n[storage]\ndatabase = "nvr.sqlite3"\nvolumes = ["footage"]\n'
    )
    status, out, err = await nvr(tmp_path, "serve")
    errors = [line for line in err.splitlines() if line.startswith("nvr: ")]
    assert (status, out) == (1, "")
    assert errors == [
        f"nvr: cannot listen on 127.0.0.1:{taken_port}: Address already in use; set server.port to a free one"
    ]
    assert err.splitlines()[-1] == errors[0]
    assert scan([tmp_path / "footage"]) == []


# -- the demo ----------------------------------------------------------------------------------------------------------


async def test_the_demo_takes_no_other_port_than_the_one_asked_for(tmp_path: Path, taken_port: int) -> None:
    status, out, err = await nvr(tmp_path, "demo", "--port", str(taken_port), "--data", "here")
    assert (status, out) == (1, "")
    assert err == f"nvr: port {taken_port} is taken: name another with --port\n"
    assert os.listdir(tmp_path) == []


def test_a_port_nobody_asked_for_may_be_another(taken_port: int) -> None:
    assert taken_port < free_port("127.0.0.1", taken_port, asked=False) < taken_port + PORTS_TRIED


def test_the_demo_reads_no_settings_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nvr.toml").write_text(
        '[storage]\ndatabase = "/srv/city/nvr.sqlite3"\n[recording]\nsegment_seconds = 5\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NVR_CONFIG", str(tmp_path / "nvr.toml"))
    settings = settings_for(DemoOptions(1, 0, tmp_path / "demo", 8080, False), 8081)
    assert settings.storage.database == tmp_path / "demo/nvr.sqlite3"
    assert settings.recording.segment_seconds == Settings().recording.segment_seconds


@asynccontextmanager
async def demo_in(folder: Path, data: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """(the running demo, its address)."""
    process = await asyncio.create_subprocess_exec(
        *(*NVR, "demo", "--cameras", "1", "--history", "0", "--data", data),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process, await address(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await end_recorders([folder / data / "footage"])


async def address(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(120):
        async for line in process.stdout:
            if found := re.search(r"http://\S+", line.decode()):
                return found[0]
    raise AssertionError("the demo ended without telling its address")


@pytest.mark.slow
async def test_two_demos_find_ports_and_end_what_they_began(tmp_path: Path) -> None:
    (tmp_path / "nvr.toml").write_text("any other command would refuse this\n")
    volumes = [tmp_path / "here/footage", tmp_path / "there/footage"]
    async with demo_in(tmp_path, "here") as (first, url), demo_in(tmp_path, "there") as (second, other_url):
        ports = [int(found.rstrip("/").rpartition(":")[2]) for found in (url, other_url)]
        assert ports[0] != ports[1] and all(8080 <= port < 8080 + PORTS_TRIED for port in ports)
        await until(lambda: {one.volume for one in scan(volumes)} == set(volumes), 60, "a recorder each")
        async with aiohttp.ClientSession() as session, session.get(url + "healthz") as got:
            assert await got.json() == {"status": "ok"}
        for process in (first, second):
            process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            assert [await process.wait() for process in (first, second)] == [0, 0]
        assert scan(volumes) == []
