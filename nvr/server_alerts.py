"""What a running server is asked for its troubles, and who is told of them: the wiring of `nvr.alerts`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from zoneinfo import ZoneInfo

import structlog

from config.errors import Invalid
from config.settings import Settings
from nvr import troubles
from nvr.alert_senders import Sender, senders
from nvr.alert_words import Place
from nvr.alerts import Alerts
from nvr.fleet import Fleet
from nvr.troubles import Look, Troubles
from retention.clock import ClockTrust
from retention.holds import over_quota
from retention.keeper import Keeper
from retention.offload import Offloader
from storage.catalog import offload_counts, stops
from storage.catalog.db import Catalog
from storage.catalog.offload_counts import Backlog
from storage.clock import mono_us, wall_us
from storage.model import VolumeId
from storage.terms import DAY_US
from storage.trouble import Trouble
from storage.volumes import Volumes

log = structlog.get_logger()

COUNT_US = 600_000_000
"""The queue of the object store is counted as often: that reads all of it."""


class ServerLooks:
    """The looks that need parts of the server."""

    def __init__(self, settings: Settings, fleet: Fleet, volumes: Volumes) -> None:
        self._settings = settings
        self._fleet = fleet
        self._volumes = volumes
        self._zone = ZoneInfo(settings.server.timezone)
        self._began_us = mono_us()

    async def recording(self) -> Iterable[Trouble] | None:
        """None until every camera had its turn to start and two segments' time: a restart is no outage of the city."""
        if not self._fleet.started() or mono_us() - self._began_us < self._grace_us():
            return None
        return await troubles.recording(self._fleet.healths(), self._zone)

    def _grace_us(self) -> int:
        recording = self._settings.recording
        starts_s = self._fleet.size() / recording.start_per_second
        return round((troubles.SILENT_SEGMENTS * recording.segment_seconds + starts_s) * 1e6)

    async def volumes(self) -> Iterable[Trouble]:
        return list(troubles.volumes(self._volumes.all()))


class KeepingLooks:
    """What the parts that keep and delete footage are asked: sweeps that wait, holds, the clock, the object store."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        volumes: Volumes,
        keeper: Keeper,
        clock: ClockTrust,
        offloader: Offloader | None,
    ) -> None:
        self._settings = settings
        self._catalog = catalog
        self._volumes = volumes
        self._keeper = keeper
        self._clock = clock
        self._offloader = offloader
        self._counted_us: int | None = None
        self._late_us = 0

    def all(self) -> Mapping[str, Look]:
        looks = {"sweep": self.sweep, "hold_quota": self.hold_quota, "clock": self.clock}
        return looks if self._offloader is None else looks | {"offload": self.offload}

    def _paths(self) -> dict[VolumeId, str]:
        return {volume.id: volume.path for volume in self._volumes.all()}

    async def sweep(self) -> Iterable[Trouble]:
        return list(troubles.sweeps(await self._catalog.read(stops.listing), self._paths()))

    async def hold_quota(self) -> Iterable[Trouble]:
        paths = self._paths()
        totals = {key: there.total_bytes for key in paths if (there := self._volumes.space(key)) is not None}
        return list(troubles.held(over_quota(self._keeper.facts.held_bytes, totals), paths))

    async def clock(self) -> Iterable[Trouble]:
        return list(troubles.clock(self._clock.doubt_now, self._settings.server.node))

    async def offload(self) -> Iterable[Trouble]:
        assert self._offloader is not None
        standing = self._offloader.standing()
        failing = standing.last_error or "it does not answer" if standing.waiting_for == "store" else ""
        if self._counted_us is None or mono_us() - self._counted_us > COUNT_US:
            self._counted_us = mono_us()
            self._late_us = self._late(await self._catalog.read(offload_counts.backlog))
        return list(troubles.offload(self._settings.offload.bucket, failing, self._late_us))

    def _late(self, queue: Backlog) -> int:
        """How much longer the oldest waits than the most patient policy says."""
        ages = [row.terms.offload_after_days for row in self._keeper.facts.terms.values()]
        days = max((age for age in ages if age is not None), default=None)
        return 0 if queue.oldest_us is None or days is None else wall_us() - queue.oldest_us - days * DAY_US


def places(settings: Settings) -> list[Sender]:
    """A wrong password file is no reason not to record: it is logged, and `nvr alert test` tells it too."""
    try:
        return senders(settings.alerts)
    except Invalid as error:
        log.error("alerts go nowhere", error=error.message)
        return []


def alerts_of(
    settings: Settings,
    catalog: Catalog,
    fleet: Fleet,
    volumes: Volumes,
    url: Callable[[], str],
    more: Mapping[str, Look] = MappingProxyType({}),
) -> Alerts:
    """`url`: where the pages are. `more`: looks of other parts."""
    looks = ServerLooks(settings, fleet, volumes)
    zone = ZoneInfo(settings.server.timezone)
    return Alerts(
        catalog,
        Troubles({"recording": looks.recording, "volume": looks.volumes, **more}).survey,
        places(settings),
        lambda: Place(settings.server.name, settings.server.node, zone, url()),
    )
