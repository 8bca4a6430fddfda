"""A camera's password is in a file for its ffmpeg, sealed in the catalog, and nowhere that anybody looks."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from nvr.simulator import CameraOptions
from tests.nvr.served import Served, answer, until
from tests.nvr.simulated import LOOP, simulator

pytestmark = pytest.mark.slow

SECRET = "Zwiebelkuchen42"  # no encoding changes it
PASSWORD = f"p@ss/w:rd {SECRET}%"
PATHS = (
    "/api/v1/cameras",
    "/api/v1/cameras?text=C",
    "/api/v1/status",
    "/api/v1/openapi.json",
    "/metrics",
    "/readyz",
    "/",
)
COMMANDS = (
    ("camera", "list"),
    ("camera", "list", "--json"),
    ("check",),
    ("fsck", "--dry-run", "--json"),
    *(("camera", "show", code, *more) for code in ("GOOD", "WRONG", "GONE") for more in ((), ("--json",))),
)


def shown_by_ps() -> set[str]:
    """The command lines of all processes that show the secret."""
    found = set()
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                text = Path("/proc", entry, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:  # it has ended
                continue
            if SECRET in text:
                found.add(text)
    return found


@asynccontextmanager
async def watched_processes() -> AsyncIterator[set[str]]:
    """Meanwhile, also those that live for a moment."""
    found: set[str] = set()

    async def look() -> None:
        while True:
            found.update(await asyncio.to_thread(shown_by_ps))
            await asyncio.sleep(0.05)

    watcher = asyncio.create_task(look())
    try:
        yield found
    finally:
        watcher.cancel()


async def spoken(served: Served, method: str, path: str, body: object = None) -> str:
    """Everything a client gets: status, headers, body."""
    async with aiohttp.ClientSession() as session, session.request(method, served.url + path, json=body) as got:
        return f"{got.status} {dict(got.headers)} {await got.text()}"


async def test_a_cameras_password_is_nowhere_to_be_seen(loops: Path, tmp_path: Path) -> None:
    options = CameraOptions(LOOP, user="admin", password=PASSWORD)
    async with (
        simulator(loops, options, cameras=2) as cameras,
        Served(tmp_path, segment_seconds=1) as served,
        watched_processes() as seen,
    ):
        wrong = cameras.url(2).replace("admin:", "admin:not-the-")
        gone = f"rtsp://admin:{SECRET}@127.0.0.1:9/none"
        ids = [await served.add("GOOD", cameras.url(1)), await served.add("WRONG", wrong)]
        added = await spoken(served, "POST", "/api/v1/cameras", {"code": "GONE", "url": gone})
        ids.append(int(json.loads(added[added.index('{"id"') :])["id"]))
        assert all(SECRET in url for url in (cameras.url(1), wrong, gone))
        await served.until_state(ids[0], "recording", within_s=60)
        await served.until_state(ids[1], "failed", "unauthorized", within_s=60)
        await served.until_state(ids[2], "failed", "refused", within_s=60)
        await until(lambda: len(served.segments(ids[0])) > 2, 40, "segments")

        answers = [added]
        answers += [await spoken(served, "GET", path) for path in PATHS]
        for camera_id in ids:
            answers.append(await spoken(served, "GET", f"/api/v1/cameras/{camera_id}"))
            answers.append(
                await spoken(served, "GET", f"/api/v1/cameras/{camera_id}/timeline?from=0&to=4000000000000000")
            )
            answers.append(await spoken(served, "PATCH", f"/api/v1/cameras/{camera_id}", {"station": "Kotwali"}))
        answers.append(await spoken(served, "POST", "/api/v1/cameras", {"code": "GOOD", "url": gone}))  # a code taken
        answers.append(
            await spoken(served, "POST", "/api/v1/cameras", {"code": "X", "url": f"http://a:{SECRET}@10.0.0.1/"})
        )
        answers.append(
            await spoken(served, "POST", "/api/v1/cameras", {"code": "X", "url": f"rtsp://a:{SECRET}@[bad/"})
        )
        answers.append(await spoken(served, "POST", "/api/v1/cameras/probe", {"url": gone}))
        answers.append(await spoken(served, "POST", "/api/v1/cameras/probe", {"url": wrong}))
        assert [text for text in answers if SECRET in text] == []
        assert [text[:3] for text in answers if text.startswith("5")] == []

        for words in COMMANDS:
            status, out, err = await answer(served, *words)
            assert SECRET not in out + err, words
            assert status in (0, 1)
        await cameras.refuse()
        await served.until_state(ids[0], "failed", "refused", within_s=90)
        assert seen == set()
        # what asks from the command line shows what was typed there, and no more
        status, out, err = await answer(served, "camera", "probe", gone)
        assert (status, SECRET in out + err) == (1, False)
        status, out, err = await answer(served, "camera", "add", "X", "--url", f"http://a:{SECRET}@10.0.0.1/")
        assert (status, SECRET in out + err) == (1, False)

        log = (served.state_folder / f"{ids[0]}.log").read_text(errors="replace")
        assert "Connection refused" in log  # its ffmpeg had much to say about a URL

        await served.end()
        assert [line for line in served.said if SECRET in line] == []
        assert files_that_show_it(tmp_path) == {"ffconcat"}


def files_that_show_it(folder: Path) -> set[str]:
    """Which kinds do; only files that nobody but their owner may read are among them."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_file() and SECRET.encode() in path.read_bytes():
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
            found.add(kind_of(path.relative_to(folder)))
    return found


def kind_of(path: Path) -> str:
    return "ffconcat" if path.suffix == ".ffconcat" else str(path)
