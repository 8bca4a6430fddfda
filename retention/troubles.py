"""What of the keeper's people must be told: promises about to break, footage that goes too early, disks full of held footage.

Each look answers the troubles of its kind as they are now, from memory.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from retention.keeper import Keeper
from storage.trouble import Trouble
from storage.volumes import Volumes

PROMISE_DAYS = 7.0
"""So long before a promise breaks somebody can still buy a disk."""

Look = Callable[[], Awaitable[Iterable[Trouble] | None]]


class RetentionLooks:
    def __init__(self, keeper: Keeper, volumes: Volumes) -> None:
        self._keeper = keeper
        self._volumes = volumes

    def all(self) -> Mapping[str, Look]:
        return {"promise": self.promise, "shedding": self.shedding, "held_full": self.held_full}

    async def promise(self) -> Iterable[Trouble]:
        return [
            Trouble(
                "promise",
                str(self._volumes.path(one.volume_id)),
                f"within {one.breaks_in_days:.1f} days footage of {len(one.breaks_first):,} cameras will have to go before its"
                f" time: all promises need {one.needed_bytes / 1e9:,.0f} GB, there is room for"
                f" {one.capacity_bytes / 1e9:,.0f} GB",
            )
            for one in self._keeper.facts.forecasts
            if one.breaks_in_days is not None and one.breaks_in_days < PROMISE_DAYS
        ]

    async def shedding(self) -> Iterable[Trouble]:
        said = "footage younger than its minimum is being deleted: add a volume, or promise less"
        return [Trouble("shedding", str(self._volumes.path(key)), said) for key in sorted(self._keeper.shedding())]

    async def held_full(self) -> Iterable[Trouble]:
        """Of every volume that needs room and has no footage that may go."""
        stopped = len(self._keeper.held_back())
        cameras = f", and {stopped:,} camera{' has' if stopped == 1 else 's have'} stopped" if stopped else ""
        return [
            Trouble(
                "held_full",
                str(self._volumes.path(one.volume_id)),
                f"{one.short_bytes / 1e9:,.1f} GB more are needed and no footage is left that may go{cameras}: release holds,"
                " or add a volume",
            )
            for one in self._keeper.standings()
            if one.short_bytes
        ]
