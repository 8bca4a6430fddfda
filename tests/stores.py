"""What tests of the object store share: clients, an offloader over a node, footage that went up."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from config.settings import OffloadSettings, Settings
from nvr.bench.seaweed import Seaweed
from retention.offload import Offloader
from retention.offload_upload import Step
from storage.catalog import offloads, policies, segments
from storage.catalog.db import Catalog
from storage.catalog.offload_counts import Backlog, backlog
from storage.clock import wall_us
from storage.model import CameraId, Segment, Tier
from storage.objects import Objects
from storage.objects_keys import Keys
from storage.terms import InForce, Terms
from storage.volumes import Volumes

OFFLOAD_AT_ONCE = Terms(min_days=30, max_days=30, offload_after_days=0)


def settings_of(endpoint: str, **offload: Any) -> Settings:
    """Each call names a prefix of its own, so that tests share a bucket without meeting."""
    values = {"endpoint": endpoint, "bucket": "footage", "prefix": f"test/{uuid.uuid4().hex[:12]}", **offload}
    return Settings(offload=OffloadSettings(**values))


def keys_of(store: Seaweed) -> Callable[[], Keys]:
    return lambda: Keys(store.key, store.secret)


@dataclass
class Offload:
    """An offloader that tests drive step by step; nothing runs by itself."""

    catalog: Catalog
    volumes: Volumes
    settings: Settings
    keys: Callable[[], Keys]
    step: Step = lambda name: None
    read_s: float = 5.0
    objects: Objects = field(init=False)
    offloader: Offloader = field(init=False)

    def __post_init__(self) -> None:
        self.objects = Objects(self.settings.offload, self.keys, read_s=self.read_s)
        self.offloader = Offloader(self.catalog, self.volumes, self.objects, self.settings, step=self.step)

    async def promise(self, camera_id: int, terms: Terms = OFFLOAD_AT_ONCE) -> None:
        row = InForce(CameraId(camera_id), None, "test", "all", terms, 1)
        await self.catalog.write(partial(policies.put_in_force, rows=[row]))

    async def upload_due(self, limit: int = 100) -> int:
        """Queue what is due and upload what may be tried now; how many segments are in the store afterwards that were not."""
        await self.offloader.queue_due()
        done = 0
        for work in await self.offloader.claim(limit):
            made = await self.offloader.take(work)
            if made is not None:
                await self.offloader.finish([made])
                done += 1
        return done

    async def all_up(self, camera_id: int, found: Sequence[Segment]) -> list[Segment]:
        """These segments, uploaded and verified."""
        await self.promise(camera_id)
        await self.upload_due()
        rows = [await self.row(segment) for segment in found]
        assert all(row.tier is Tier.BOTH for row in rows), await self.catalog.read(partial(_errors))
        return rows

    async def row(self, segment: Segment) -> Segment:
        found = await self.catalog.read(partial(segments.get, run_id=segment.run_id, n=segment.n))
        assert found is not None
        return found

    async def backlog(self) -> Backlog:
        return await self.catalog.read(backlog)

    async def place(self, segment: Segment) -> offloads.Place:
        found = await self.catalog.read(partial(offloads.place, run_id=segment.run_id, n=segment.n))
        assert found is not None
        return found

    async def retry_now(self) -> None:
        """All that waits may be tried now."""
        await self.catalog.write(offloads.retry)

    async def make_remote(self, found: Sequence[Segment]) -> None:
        """As the sweeper leaves them: the file is gone, the tier says so."""
        await self.catalog.write(partial(segments.set_tier, changed=found, tier=Tier.REMOTE))

    def close(self) -> None:
        self.objects.close()


def _errors(db: Any) -> list[str]:
    from storage.catalog.offload_counts import failures

    return [failure.error for failure in failures(db, 10)]


def days_ago_us(days: float) -> int:
    return wall_us() - int(days * 86_400_000_000)
