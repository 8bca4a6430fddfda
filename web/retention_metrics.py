"""Metrics of retention: oldest footage against what was promised, the room on the volumes. Pure, as web.metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client.core import GaugeMetricFamily, Metric

from retention.forecast import Forecast
from retention.keeper import Facts, Keeper
from retention.volume_keeper import VolumeStanding
from storage.model import VolumeId


@dataclass(frozen=True, slots=True)
class RetentionSnapshot:
    facts: Facts = field(default_factory=Facts)
    standings: Sequence[VolumeStanding] = ()
    forecasts: Sequence[Forecast] = ()
    shedding: frozenset[VolumeId] = frozenset()
    held_back: int = 0

    @classmethod
    def of(cls, keeper: Keeper) -> RetentionSnapshot:
        return cls(keeper.facts, keeper.standings(), keeper.facts.forecasts, keeper.shedding(), len(keeper.held_back()))


def families(found: RetentionSnapshot, now_us: int) -> Iterable[Metric]:
    yield from _camera_metrics(found.facts, now_us)
    yield from _volume_metrics(found)
    yield GaugeMetricFamily(
        "nvr_cameras_held_back", "Cameras that may not record because only held footage is left", value=found.held_back
    )


def _camera_metrics(facts: Facts, now_us: int) -> Iterable[Metric]:
    oldest = GaugeMetricFamily(
        "nvr_oldest_footage_age_seconds", "Age of the start of the oldest footage", labels=["camera"]
    )
    for camera_id, oldest_us in facts.oldest_us.items():
        oldest.add_metric([str(camera_id)], max(0.0, (now_us - oldest_us) / 1_000_000))
    promised = GaugeMetricFamily("nvr_promised_days", "Days in force", labels=["camera", "bound"])
    for camera_id, terms in facts.terms.items():
        promised.add_metric([str(camera_id), "min"], terms.terms.min_days)
        promised.add_metric([str(camera_id), "max"], terms.terms.max_days)
    return oldest, promised


def _volume_metrics(found: RetentionSnapshot) -> Iterable[Metric]:
    rate = _volumes("nvr_volume_write_bytes_per_second", "What is written there, over the last minute and a half")
    full = _volumes("nvr_volume_time_to_full_seconds", "Until it is full at that rate, if nothing were deleted")
    need = _volumes("nvr_volume_need_bytes", "What must go now to have enough free")
    short = _volumes("nvr_volume_short_bytes", "What must go and is held")
    shedding = _volumes("nvr_volume_shedding", "1 while footage younger than its minimum goes")
    for standing in found.standings:
        label = [str(standing.volume_id)]
        need.add_metric(label, standing.need_bytes)
        short.add_metric(label, standing.short_bytes)
        shedding.add_metric(label, standing.volume_id in found.shedding)
        if standing.rate is not None:
            rate.add_metric(label, standing.rate)
        if standing.time_to_full_s is not None:
            full.add_metric(label, standing.time_to_full_s)
    breaks = _volumes("nvr_volume_promise_breaks_days", "Until it breaks a promise at the rate of the last day")
    for forecast in found.forecasts:
        if forecast.breaks_in_days is not None:
            breaks.add_metric([str(forecast.volume_id)], forecast.breaks_in_days)
    held = _counted("nvr_volume_held_bytes", "Held footage", found.facts.held_bytes)
    garbage = _counted("nvr_volume_garbage_files", "Deleted files that wait to be removed", found.facts.garbage)
    return rate, full, need, short, shedding, breaks, held, garbage


def _volumes(name: str, says: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, says, labels=["volume"])


def _counted(name: str, says: str, counts: Mapping[VolumeId, int]) -> GaugeMetricFamily:
    family = _volumes(name, says)
    for volume_id, count in counts.items():
        family.add_metric([str(volume_id)], count)
    return family
