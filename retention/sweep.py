"""The sweeper: the only one that deletes footage. Others give it cuts; it decides file by file what of them may go.

    one transaction: holds read again, due segments out, `deletion` and `garbage` rows in
    -> commit -> cached descriptors closed -> holds read once more -> unlink -> folders flushed -> garbage rows dropped

What has ended by a cut goes, oldest first, but nothing that an active hold touches, that is being served (unless the disk
presses), or that the recorder counts on. A crash between any two steps leaves garbage rows, and `drain_garbage` finishes.
Runs on the event loop; rows through the catalog's writer in small batches, so that ingest never waits long; files in the
pools of their volumes.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import structlog

from config.errors import NvrError
from retention.plan import Cut, Interval, held, joined
from retention.unlink import Step, named, unlink
from storage.catalog import garbage, holds, offloads, segments, sweeping
from storage.catalog.db import Catalog
from storage.catalog.sqlite import Connection
from storage.catalog.sweeping import Range
from storage.clock import Clock, wall_us
from storage.model import HOUR_US, MAX_SEGMENT_US, CameraId, RunId, Segment, Tier, Volume, VolumeId
from storage.moves import file_sha256
from storage.paths import ARCHIVE, archive_path
from storage.volumes import Volumes

log = structlog.get_logger()

BATCH = 100
"""Segments a transaction: 5 to 8 ms of the writer among ten million rows."""
TURN_S = 0.01
"""A transaction over many cameras ends when it has lasted so long."""
REST_MOST_S = 0.05
"""After a transaction the writer has as much time for others as it took."""
RECENT_US = 24 * HOUR_US
"""Cuts that come nearer to now may meet the newest segment of a running recorder."""
DRAIN_AT_ONCE = 200

Key = tuple[RunId, int]


class OpenFiles(Protocol):
    """What the sweeper asks of `storage.files.Files`."""

    def pinned(self) -> set[Key]: ...

    def close(self, run_id: RunId, n: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Swept:
    """What went. `damaged`: local copies that stay because they are not what was recorded."""

    segments: int = 0
    bytes: int = 0
    damaged: int = 0

    def __add__(self, other: Swept) -> Swept:
        return Swept(self.segments + other.segments, self.bytes + other.bytes, self.damaged + other.damaged)


@dataclass(slots=True)
class _Work:
    """A cut, and how far it is made."""

    cut: Cut
    after: tuple[int, int] = (-1, 0)
    done: bool = False

    @property
    def range(self) -> Range:
        return Range(self.cut.camera_id, self.cut.volume_id, _tiers(self.cut), self.cut.oldest_us, self.cut.before_us)


@dataclass(slots=True)
class _Taken:
    """What a transaction took out; `progress`: of each work it looked at, (after, done)."""

    gone: list[Segment] = field(default_factory=list)
    progress: list[tuple[tuple[int, int], bool]] = field(default_factory=list)


def _tiers(cut: Cut) -> tuple[Tier, ...]:
    """Only age deletes what the object store has: for every other reason a local copy goes, or nothing."""
    if cut.kind == "delete_remote":
        return (Tier.REMOTE,)
    if cut.kind == "drop_local":
        return (Tier.BOTH,)
    return (Tier.LOCAL, Tier.BOTH) if cut.reason == "max_days" else (Tier.LOCAL,)


def path_of(segment: Segment) -> str:
    """As `garbage` names it."""
    return f"{ARCHIVE}/{archive_path(segment.camera_id, segment.start_us, segment.run_id, segment.n)}"


class Sweeper:
    """`files` is set when there is a server that serves files. `step` is told of each step: tests die there."""

    def __init__(
        self,
        catalog: Catalog,
        volumes: Volumes,
        *,
        files: OpenFiles | None = None,
        clock: Clock = wall_us,
        step: Step = lambda name: None,
    ) -> None:
        self.files = files
        self._catalog = catalog
        self._volumes = volumes
        self._clock = clock
        self._step = step
        self._locks: dict[VolumeId, asyncio.Lock] = {}
        self._turn = asyncio.Lock()  # of several volumes one at a time has a batch in the writer's queue

    async def sweep(self, cuts: Sequence[Cut], *, pinned_counts: bool) -> Swept:
        """Make them, on each volume in their order. `pinned_counts` False: the disk presses, what is served goes as well.

        Volumes that are away are left out. An error on one volume is logged and ends its part alone.
        """
        by_volume: dict[VolumeId, list[Cut]] = {}
        for cut in cuts:
            by_volume.setdefault(cut.volume_id, []).append(cut)
        swept = await asyncio.gather(*(self._guarded(*item, pinned_counts) for item in sorted(by_volume.items())))
        return sum(swept, Swept())

    async def drain_garbage(self) -> int:
        """At the start, and now and then: finish what a crash or a volume that was away has left. How many files went."""
        return sum(await asyncio.gather(*map(self._drained, self._volumes.readable())))

    async def _drained(self, volume: Volume) -> int:
        try:
            async with self._lock(volume.id):
                return await self._drain(volume) if await self._proven(volume) else 0
        except (OSError, NvrError) as error:
            log.error("garbage stays for now", volume=volume.id, error=str(error))
            return 0

    def _lock(self, volume_id: VolumeId) -> asyncio.Lock:
        return self._locks.setdefault(volume_id, asyncio.Lock())

    async def _guarded(self, volume_id: VolumeId, cuts: Sequence[Cut], pinned_counts: bool) -> Swept:
        try:
            async with self._lock(volume_id):
                return await self._sweep_volume(volume_id, cuts, pinned_counts)
        except (OSError, NvrError) as error:
            log.error("sweep failed", volume=volume_id, error=str(error))
            return Swept()

    async def _sweep_volume(self, volume_id: VolumeId, cuts: Sequence[Cut], pinned_counts: bool) -> Swept:
        volume = next((volume for volume in self._volumes.readable() if volume.id == volume_id), None)
        if volume is not None and not await self._proven(volume):
            volume = None
        total = Swept()
        # Neighbours of one kind share transactions; the order of kinds is the order of shedding.
        works: list[_Work] = []
        for cut, following in zip(cuts, [*cuts[1:], None], strict=True):
            works.append(_Work(cut))
            if following is not None and following.kind == cut.kind:
                continue
            if cut.kind == "delete_remote":
                total += await self._delete(None, works, pinned_counts)
            elif volume is not None:
                make = self._drop_local if cut.kind == "drop_local" else self._delete
                total += await make(volume, works, pinned_counts)
            works = []
        return total

    # -- deleting -------------------------------------------------------------------------------------------------------

    async def _delete(self, volume: Volume | None, works: Sequence[_Work], pinned_counts: bool) -> Swept:
        """`volume` None: rows and objects only."""
        waiting = deque(works)
        drop: list[str] = []
        total = Swept()
        while waiting:
            batch = [waiting[at] for at in range(min(len(waiting), BATCH))]
            take = partial(
                _take, works=batch, pinned=self._pinned(pinned_counts), drop=drop, volume=volume, at_us=self._clock()
            )
            async with self._turn:
                began = time.perf_counter()
                taken = await self._catalog.write(take)
                await asyncio.sleep(min(time.perf_counter() - began, REST_MOST_S))
            self._step("taken")
            drop = []
            for after, done in taken.progress:
                waiting[0].after, waiting[0].done = after, done
                if done:
                    waiting.popleft()
            if volume is not None and taken.gone:
                drop = await self._remove(volume, taken.gone, spare=True)
            total += Swept(len(taken.gone), sum(segment.size_bytes for segment in taken.gone))
        if volume is not None and drop:
            await self._catalog.write(partial(garbage.drop, volume_id=volume.id, paths=drop))
            self._step("dropped")
        return total

    def _pinned(self, pinned_counts: bool) -> set[Key]:
        return self.files.pinned() if pinned_counts and self.files is not None else set()

    async def _remove(self, volume: Volume, gone: Sequence[Segment], *, spare: bool) -> list[str]:
        """Unlink the files of committed deletions; the paths that are done with. What a hold was placed on since the commit
        stays: without row and garbage row it is a file that reconciliation indexes again."""
        if self.files is not None:
            for segment in gone:
                self.files.close(segment.run_id, segment.n)
        self._step("closed")
        kept: set[str] = set()
        if spare:
            held_now = await self._catalog.read(partial(_held_now, cameras={one.camera_id for one in gone}))
            kept = {path_of(one) for one in gone if _is_held(held_now, one.camera_id, one.start_us, one.end_us)}
            for path in sorted(kept):
                log.warning("a hold came before its file was removed: it stays", volume=volume.id, path=path)
        paths = [path for path in map(path_of, gone) if path not in kept]
        return [*kept, *await self._unlink(volume, paths)]

    async def _unlink(self, volume: Volume, paths: Sequence[str]) -> list[str]:
        work = partial(unlink, Path(volume.path), paths, now_us=self._clock(), step=self._step)
        return await asyncio.get_running_loop().run_in_executor(self._volumes.pool(volume.id), work)

    async def _proven(self, volume: Volume) -> bool:
        """The volume shows its own uuid at this moment."""
        work = partial(self._volumes.recheck, volume.id)
        await asyncio.get_running_loop().run_in_executor(self._volumes.pool(volume.id), work)
        return any(one.id == volume.id for one in self._volumes.readable())

    # -- local copies of what the object store has ------------------------------------------------------------------------

    async def _drop_local(self, volume: Volume, works: Sequence[_Work], pinned_counts: bool) -> Swept:
        total = Swept()
        for work in works:
            while not work.done:
                found = await self._catalog.read(partial(sweeping.due, of=work.range, after=work.after, limit=BATCH))
                work.done = len(found) < BATCH
                if found:
                    work.after = (found[-1].start_us, found[-1].run_id)
                pinned = self._pinned(pinned_counts)
                sound, damaged = await self._hashed(volume, [one for one in found if (one.run_id, one.n) not in pinned])
                commit = partial(_condemn_local, some=sound, volume_id=volume.id, at_us=self._clock())
                gone = await self._catalog.write(commit) if sound else []
                self._step("local taken")
                if gone:
                    drop = await self._remove(volume, gone, spare=False)
                    await self._catalog.write(partial(garbage.drop, volume_id=volume.id, paths=drop))
                total += Swept(len(gone), sum(one.size_bytes for one in gone), damaged)
        return total

    async def _hashed(self, volume: Volume, some: Sequence[Segment]) -> tuple[list[Segment], int]:
        """Those whose file is what was recorded, and how many are not: these stay on both sides, for somebody to look at."""
        sound: list[Segment] = []
        damaged = 0
        for segment in some:
            path = Path(volume.path) / path_of(segment)
            try:
                digest = await asyncio.get_running_loop().run_in_executor(
                    self._volumes.pool(volume.id), file_sha256, path
                )
            except FileNotFoundError:
                continue  # reconciliation's
            if digest == segment.sha256:
                sound.append(segment)
            else:
                damaged += 1
                log.error("local copy is not what was recorded: it stays", camera=segment.camera_id, path=str(path))
        return sound, damaged

    # -- what a crash left ------------------------------------------------------------------------------------------------

    async def _drain(self, volume: Volume) -> int:
        total, after = 0, ""
        while True:
            found = await self._catalog.read(
                partial(garbage.listing, volume_id=volume.id, limit=DRAIN_AT_ONCE, after=after)
            )
            if not found:
                return total
            after = found[-1]
            kept = await self._catalog.read(partial(_wanted, volume_id=volume.id, paths=found))
            paths = [path for path in found if path not in kept and named(path) is not None]
            for path in sorted(kept):
                log.warning("garbage that is wanted again stays", volume=volume.id, path=path)
            if self.files is not None:
                for name in filter(None, map(named, paths)):
                    self.files.close(name[2], name[3])
            gone = await self._unlink(volume, paths)
            await self._catalog.write(partial(garbage.drop, volume_id=volume.id, paths=[*kept, *gone]))
            total += len(gone)


def _take(
    db: Connection,
    *,
    works: Sequence[_Work],
    pinned: set[Key],
    drop: Sequence[str],
    volume: Volume | None,
    at_us: int,
) -> _Taken:
    """The one transaction: see the module. Looks at `works` in order until the batch is full or its time is over."""
    began = time.perf_counter()
    if volume is not None and drop:
        garbage.drop(db, volume.id, drop)
    taken = _Taken()
    offloading = sweeping.offloading(db)
    for work in works:
        room = BATCH - len(taken.gone)
        found = sweeping.due(db, work.range, after=work.after, limit=room)
        gone = _may_go(db, work.cut, found, pinned, at_us)
        if gone:
            policy_id = sweeping.policy_of(db, work.cut.camera_id)
            segments.remove(db, gone, reason=work.cut.reason, at_us=at_us, policy_id=policy_id)
            if volume is not None:
                garbage.add(db, volume.id, map(path_of, gone), work.cut.reason, at_us)
            if offloading:
                keys = [(one.run_id, one.n) for one in gone]
                offloads.removed(db, keys, reason=work.cut.reason, at_us=at_us)
            taken.gone += gone
        after = (found[-1].start_us, found[-1].run_id) if found else work.after
        done = len(found) < room
        taken.progress.append((after, done))
        if not done or len(taken.gone) >= BATCH or time.perf_counter() - began > TURN_S:
            break
    return taken


def _may_go(db: Connection, cut: Cut, found: Sequence[Segment], pinned: set[Key], at_us: int) -> list[Segment]:
    if not found:
        return []
    held_now = _held_now(db, {cut.camera_id})
    stays = set(pinned)
    if cut.before_us > at_us - RECENT_US:
        stays |= sweeping.newest_of_open_runs(db, cut.camera_id)
    return [
        one
        for one in found
        if (one.run_id, one.n) not in stays and not _is_held(held_now, one.camera_id, one.start_us, one.end_us)
    ]


def _condemn_local(db: Connection, some: Sequence[Segment], volume_id: VolumeId, at_us: int) -> list[Segment]:
    """Of those whose files were found sound, what may go still: verified in the store, on both sides, not held."""
    held_now = _held_now(db, {one.camera_id for one in some})
    gone = [
        one
        for one in some
        if segments.get(db, one.run_id, one.n) == one
        and offloads.verified(db, one.run_id, one.n)
        and not _is_held(held_now, one.camera_id, one.start_us, one.end_us)
    ]
    sweeping.local_copy_gone(db, gone)
    garbage.add(db, volume_id, map(path_of, gone), "local_copy", at_us)
    return gone


def _held_now(db: Connection, cameras: Iterable[CameraId]) -> dict[CameraId, list[Interval]]:
    return {
        camera_id: joined((hold.start_us, hold.end_us) for hold in holds.active(db, camera_id)) for camera_id in cameras
    }


def _is_held(held_now: dict[CameraId, list[Interval]], camera_id: CameraId, start_us: int, end_us: int) -> bool:
    intervals = held_now.get(camera_id)
    return bool(intervals) and held(intervals or (), start_us, end_us) > 0


def _wanted(db: Connection, volume_id: VolumeId, paths: Sequence[str]) -> set[str]:
    """Garbage that must not be unlinked: its row is back, or a hold may touch it (its end is not known any more; what is
    indexed again for that goes with the next sweep)."""
    names = {path: name for path in paths if (name := named(path)) is not None}
    held_now = _held_now(db, {name[0] for name in names.values()})
    wanted: set[str] = set()
    for path, (camera_id, start_ms, run_id, n) in names.items():
        row = segments.get(db, run_id, n)
        if row is not None:
            if row.tier is not Tier.REMOTE and row.volume_id == volume_id and row.start_us // 1000 == start_ms:
                wanted.add(path)
        elif _is_held(held_now, camera_id, start_ms * 1000, start_ms * 1000 + MAX_SEGMENT_US):
            wanted.add(path)
    return wanted
