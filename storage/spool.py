"""The spools: the truth about what is not yet indexed. The pass lists them; watchdog only makes it quick.

A file is complete when a higher n of its run exists or its ffmpeg is gone. ffmpeg closes n before it opens n+1, so the
creation of n+1 is the hint that n can be indexed. Hints may be lost; the pass decides.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import structlog
from watchdog.events import FileCreatedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from config.errors import NvrError
from storage.growth import Growth
from storage.ingest import Ingest
from storage.model import FileGrowth, Run, RunId, Volume, VolumeId
from storage.paths import SPOOL, SpoolName, parse_spool_name
from storage.volumes import Volumes

log = structlog.get_logger()


class _Created(FileSystemEventHandler):
    """Runs on watchdog's thread; hands names to the loop."""

    def __init__(self, hint: Callable[[str], None]) -> None:
        self._hint = hint

    def on_created(self, event: FileSystemEvent) -> None:
        self._hint(os.path.basename(os.fsdecode(event.src_path)))


class Spool:
    """`live_runs`: the runs whose ffmpeg is alive, asked at each use."""

    def __init__(
        self, volumes: Volumes, ingest: Ingest, growth: Growth, *, live_runs: Callable[[], set[RunId]]
    ) -> None:
        self._volumes = volumes
        self._ingest = ingest
        self._growth = growth
        self.live_runs = live_runs
        self._observer: BaseObserver | None = None
        self._watched: set[VolumeId] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.unknown_names: dict[VolumeId, int] = {}

    def watch(self) -> None:
        """Start the hints for every volume that is there and not watched yet."""
        loop = asyncio.get_running_loop()
        for volume in self._volumes.readable():
            if volume.id in self._watched:
                continue
            if self._observer is None:
                self._observer = Observer()
                self._observer.start()
            self._watched.add(volume.id)

            def hint(name: str, volume: Volume = volume) -> None:
                loop.call_soon_threadsafe(self._created, volume, name)

            try:
                self._observer.schedule(_Created(hint), str(Path(volume.path) / SPOOL), event_filter=[FileCreatedEvent])
            except OSError as error:  # no inotify watch left: the pass alone then, up to 10 s later
                log.warning("spool not watched", volume=volume.id, error=str(error))

    async def close(self) -> None:
        if self._observer is not None:
            self._observer.stop()
            await asyncio.get_running_loop().run_in_executor(None, self._observer.join)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _created(self, volume: Volume, text: str) -> None:
        name = parse_spool_name(text)
        if name is None:
            return
        self._growth.add(volume, name)
        if name.n > 0:
            before = SpoolName(name.camera_id, name.run_id, name.n - 1)
            task = asyncio.create_task(self._take(volume, before))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _take(self, volume: Volume, name: SpoolName) -> None:
        try:
            await self._ingest.take(volume, name, last_of_run=False)
        except (OSError, NvrError) as error:  # the pass comes to it
            log.info("file not indexed yet", volume=volume.id, camera=name.camera_id, n=name.n, error=str(error))
        else:
            self._growth.drop(name)

    async def listing(self, volume: Volume) -> list[SpoolName]:
        """The footage files of a spool. Raises OSError."""
        folder = Path(volume.path) / SPOOL
        listed = await asyncio.get_running_loop().run_in_executor(self._volumes.pool(volume.id), _names, folder)
        names = [name for name in listed if name is not None]
        self.unknown_names[volume.id] = len(listed) - len(names)
        return names

    async def sweep(self, volume: Volume) -> list[FileGrowth]:
        """The pass over one volume: index what is complete, look at what grows. Raises OSError when the volume is away."""
        # Asked before the listing and after it: a run that ends in between has its last file taken by the next pass, and the
        # first file of one that starts in between is not taken from under its ffmpeg.
        live = self.live_runs()
        names = await self.listing(volume)
        live = live | self.live_runs()
        self._growth.listed(volume, names)
        growth = await self._growth.look_all(volume)
        await self._ingest.take_all(volume, names, live=live)
        return [grown for grown in growth if grown.run_id in live]

    async def run_ended(self, run: Run) -> None:
        """Index all that is left of a run whose ffmpeg is gone, before the camera's next run starts. On a volume that is away
        or hangs it waits for the pass."""
        volume = self._volumes.get(run.volume_id)
        if volume.state not in ("ok", "full"):
            return
        names = [name for name in await self.listing(volume) if name.run_id == run.id]
        await self._ingest.take_all(volume, names, live=set())
        for name in names:
            self._growth.drop(name)
        self._ingest.forget(run.id)


def _names(folder: Path) -> list[SpoolName | None]:
    """An entry each; None for what is no footage file, by its name or by what it is."""
    with os.scandir(folder) as entries:
        return [parse_spool_name(entry.name) if entry.is_file(follow_symlinks=False) else None for entry in entries]
