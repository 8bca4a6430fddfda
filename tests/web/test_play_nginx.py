"""Behind an nginx that sends the footage itself."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.lavfi import recorded
from tests.web.archived import put_run
from tests.web.served import Served, serve

T0_US = 1_795_000_020_000_000
RUN = 1_795_000_020_000
CONFIG = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log; {user}
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass {upstream}; proxy_set_header Host localhost; }}
        location /nvr-media/1/ {{ internal; alias {volume}/; }}
    }}
}}
"""


@asynccontextmanager
async def nginx(served: Served, folder: Path) -> AsyncIterator[str]:
    """Its address. Ended with the block."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    user = "user root;" if os.geteuid() == 0 else ""
    volume = served.volumes.ok()[0].path
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, upstream=served.url, volume=volume, user=user))
    search = os.environ.get("PATH", "") + ":/usr/sbin"
    quiet = asyncio.subprocess.DEVNULL
    child = await asyncio.create_subprocess_exec(
        *["nginx", "-c", str(config)], env={**os.environ, "PATH": search}, stderr=quiet
    )
    try:
        async with asyncio.timeout(10):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                except OSError:
                    assert child.returncode is None, (folder / "error.log").read_text()
                    await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        await child.wait()


@pytest.mark.needs("nginx")
async def test_nginx_sends_closed_segments_itself(tmp_path: Path) -> None:
    async with serve(tmp_path, x_accel_prefix="/nvr-media") as served:
        await served.add("A")
        segments = await put_run(served, recorded(), run_id=RUN, start_us=T0_US)
        path = f"/media/1/{RUN}/1.mp4"
        async with served.session.get(served.url + path) as ours:
            assert ours.headers["X-Accel-Redirect"].startswith("/nvr-media/1/archive/1/2026/")
            assert await ours.read() == b""
        async with nginx(served, tmp_path) as url:
            async with served.session.get(url + path) as got:
                assert got.status == 200
                assert got.headers["Content-Type"] == "video/mp4"
                assert "immutable" in got.headers["Cache-Control"]
                assert "X-Accel-Redirect" not in got.headers
                body = await got.read()
            assert hashlib.sha256(body).digest() == segments[1].sha256
            async with served.session.get(url + path, headers={"Range": "bytes=5-14"}) as got:
                assert (got.status, await got.read()) == (206, body[5:15])
            async with served.session.get(f"{url}/media/1/{RUN}/9.mp4") as got:
                assert got.status == 404
            clip = f"{url}/play/1/clip.mp4?from={T0_US}&to={T0_US + 60_000_000}"
            async with served.session.get(clip) as got:
                assert got.status == 200
                assert len(await got.read()) == int(got.headers["Content-Length"])
