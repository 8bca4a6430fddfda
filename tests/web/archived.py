"""Real footage in a served archive: files as ffmpeg wrote them, brought in by the program's own ingest."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from storage.catalog import runs
from storage.fmp4 import read_fragments, read_init
from storage.model import CameraId, Run, RunId, Segment
from storage.paths import SPOOL, SpoolName, spool_name
from tests.web.served import Served

LAG_US = 80_000  # what tests.web.served tells ingest


def media_end_us(path: Path) -> int:
    """Where the media of a file ends, on the run's own clock."""
    fd = os.open(path, os.O_RDONLY)
    try:
        init = read_init(fd)
        assert init is not None
        fragments, _ = read_fragments(fd, len(init.data), init)
    finally:
        os.close(fd)
    return (fragments[-1].media_start + fragments[-1].dur) * 1_000_000 // init.video.timescale


async def spool(served: Served, path: Path, *, run_id: int, n: int, start_us: int, camera_id: int = 1) -> SpoolName:
    """The file in the spool, its time as if media time 0 had been at `start_us`. The run's row is made where missing."""
    volume = served.volumes.choose(CameraId(camera_id))
    name = SpoolName(CameraId(camera_id), RunId(run_id), n)
    run = Run(RunId(run_id), CameraId(camera_id), "n1", volume.id, start_us)
    await served.catalog.write(lambda db: runs.get(db, run.id) or runs.insert(db, run))
    target = Path(volume.path) / SPOOL / spool_name(*(name.camera_id, name.run_id, name.n))
    shutil.copyfile(path, target)
    at_ns = (start_us + media_end_us(path) + LAG_US) * 1000
    os.utime(target, ns=(at_ns, at_ns))
    return name


async def put_run(
    served: Served, files: Sequence[Path], *, run_id: int, start_us: int, camera_id: int = 1, first_n: int = 0
) -> list[Segment]:
    """A run that has ended: its segments, indexed."""
    made = []
    for n, path in enumerate(files, first_n):
        name = await spool(served, path, run_id=run_id, n=n, start_us=start_us, camera_id=camera_id)
        volume = served.volumes.choose(CameraId(camera_id))
        segment = await served.ingest.take(volume, name, last_of_run=path is files[-1])
        assert segment is not None
        made.append(segment)
    await served.catalog.write(lambda db: runs.end(db, RunId(run_id), made[-1].end_us, "stopped"))
    return made


async def grow(served: Served, path: Path, *, run_id: int, n: int, start_us: int, camera_id: int = 1) -> None:
    """A file that its ffmpeg still writes."""
    from web.keys import FOOTAGE

    name = await spool(served, path, run_id=run_id, n=n, start_us=start_us, camera_id=camera_id)
    growth = served.app[FOOTAGE]._growth  # the server's pass lists the spool; here nothing else does
    growth.add(served.volumes.choose(name.camera_id), name)
