"""Asking the running server for something, from the command line, and waiting for its answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from config.errors import NvrError, Unavailable
from config.settings import Settings
from nvr.cli_base import catalog_for_reading, catalog_for_writing
from storage.catalog import jobs
from storage.clock import wall_us

POLL_S = 0.2
SERVER_TAKES_S = 15.0  # it looks for jobs each second


def ask_server(settings: Settings, kind: str, args: Mapping[str, Any], doing: str) -> dict[str, Any]:
    """Its result. Raises what went wrong there, and Unavailable when it does not take the job. `doing`: told meanwhile."""
    with catalog_for_writing(settings) as db:
        job_id = jobs.add(db, kind, args, wall_us())
    asked = time.monotonic()
    with catalog_for_reading(settings) as db, Console(stderr=True).status(f"the server is {doing}"):
        while True:
            job = jobs.get(db, job_id)
            if job is None:
                raise Unavailable("the job is gone from the catalog: was a backup restored?")
            if job.error is not None:
                raise NvrError(job.error)
            if job.done_us is not None:
                return dict(job.result)
            if job.started_us is None and time.monotonic() - asked > SERVER_TAKES_S:
                raise Unavailable(
                    f"the server has not begun within {SERVER_TAKES_S:.0f} s; it will once it can: job {job_id}"
                )
            time.sleep(POLL_S)
