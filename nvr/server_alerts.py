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
from storage.catalog.db import Catalog
from storage.clock import mono_us
from storage.trouble import Trouble
from storage.volumes import Volumes

log = structlog.get_logger()


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
