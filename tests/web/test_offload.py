"""What the API and the command line tell of the object store."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from functools import partial
from pathlib import Path

from storage.catalog import offloads
from storage.objects_keys import Keys
from tests.lavfi import recorded
from tests.nvr.served import NVR
from tests.stores import Offload, settings_of
from tests.web.archived import put_run
from tests.web.served import serve

T0_US = 1_795_000_020_000_000
RUN = 1_795_000_020_000


async def test_what_waits_and_what_failed_is_told_and_can_be_tried_again(tmp_path: Path) -> None:
    async with serve(tmp_path) as served:
        await served.add("A")
        segments = await put_run(served, recorded(), run_id=RUN, start_us=T0_US)
        nothing_there = settings_of("http://127.0.0.1:9")
        made = Offload(served.catalog, served.volumes, nothing_there, lambda: Keys("a", "b"))
        await made.promise(1)
        await made.offloader.queue_due()
        (work,) = await made.offloader.claim(1)
        assert await made.offloader.take(work) is None
        made.close()
        total = sum(segment.size_bytes for segment in segments)
        told = await served.get("/api/v1/offload")
        assert told["configured"] is False
        assert told["queued"] == {"segments": 3, "bytes": total}
        assert told["local"] == {"segments": 3, "bytes": total}
        assert (told["failing"], told["remote"]["segments"], told["garbage"]) == (1, 0, 0)
        assert told["errors"][0]["error"].endswith("does not answer: connection refused")
        assert told["errors"][0]["attempts"] == 1
        assert told["oldest_waiting"] == "2026-11-18T11:07:00.000000Z"
        assert told["backlog_age_s"] > 0
        assert await command(tmp_path, "offload", "status", "--json") == {
            name: value
            for name, value in told.items()
            if name
            not in ("waiting_for", "rate_bytes_per_s", "object_lock", "last_error", "last_error_at", "backlog_age_s")
        }
        await command(tmp_path, "offload", "retry", as_json=False)
        again = await served.catalog.write(
            partial(offloads.claim, now_us=T0_US + 10_000_000_000, limit=9, key_of=lambda segment: "k")
        )
        assert len(again) == 3, "at once"


async def command(folder: Path, *arguments: str, as_json: bool = True) -> object:
    env = {**os.environ, "NVR_STORAGE__DATABASE": str(folder / "nvr.sqlite3")}
    child = await asyncio.create_subprocess_exec(
        *NVR, *arguments, cwd=folder, env=env, stdout=asyncio.subprocess.PIPE, stderr=sys.stderr
    )
    said, _ = await child.communicate()
    assert child.returncode == 0
    if not as_json:
        return said
    told = json.loads(said)
    del told["backlog_age_s"]
    return told | {"endpoint": "", "bucket": ""}
