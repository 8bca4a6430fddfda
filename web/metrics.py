"""The metrics that are read when somebody asks. Labelled by camera at most, never by segment or user.

Pure: from a snapshot taken on the loop to metric families, made in a thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from storage.coverage.days import Covered
from storage.model import CameraId
from web.keys import CameraTotals
from web.retention_metrics import RetentionSnapshot, families
from web.schemas import VolumeOut


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`restarts`: by cause; `ingest`: by what happened to a file (`bytes` counts bytes)."""

    now_us: int
    cameras: Sequence[CameraTotals]
    restarts: Mapping[str, int]
    ingest: Mapping[str, int]
    volumes: Sequence[VolumeOut]
    retention: RetentionSnapshot = field(default_factory=RetentionSnapshot)
    coverage: Mapping[CameraId, Covered] = field(default_factory=dict)  # over the last 24 h


class SnapshotCollector(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterable[Metric]:
        yield from _camera_metrics(self._snapshot)
        yield from _fleet_metrics(self._snapshot)
        yield from _coverage_metrics(self._snapshot.coverage)
        yield from _volume_metrics(self._snapshot.volumes)
        yield from families(self._snapshot.retention, self._snapshot.now_us)


def _camera_metrics(snapshot: Snapshot) -> Iterable[Metric]:
    recorded = CounterMetricFamily(
        "nvr_recorded_seconds", "Seconds of footage since the server started", labels=["camera"]
    )
    expected = CounterMetricFamily(
        "nvr_expected_seconds", "Seconds that should have been recorded since the server started", labels=["camera"]
    )
    age = GaugeMetricFamily("nvr_newest_footage_age_seconds", "Age of the end of the newest footage", labels=["camera"])
    for camera in snapshot.cameras:
        label = [str(camera.camera_id)]
        recorded.add_metric(label, camera.recorded_s)
        expected.add_metric(label, camera.expected_s)
        if camera.newest_us is not None:
            age.add_metric(label, max(0.0, (snapshot.now_us - camera.newest_us) / 1_000_000))
    return recorded, expected, age


def _fleet_metrics(snapshot: Snapshot) -> Iterable[Metric]:
    restarts = CounterMetricFamily("nvr_run_restarts", "Runs that ended without being asked to", labels=["cause"])
    for cause, count in snapshot.restarts.items():
        restarts.add_metric([cause], count)
    files = CounterMetricFamily("nvr_ingest_files", "Closed files by what became of them", labels=["result"])
    for result, count in snapshot.ingest.items():
        if result != "bytes":
            files.add_metric([result], count)
    stored = CounterMetricFamily("nvr_ingest_bytes", "Bytes of indexed footage", value=snapshot.ingest.get("bytes", 0))
    return restarts, files, stored


def _coverage_metrics(coverage: Mapping[CameraId, Covered]) -> Iterable[Metric]:
    """A camera of which nothing was expected has no ratio."""
    ratio = GaugeMetricFamily(
        "nvr_coverage_ratio", "Recorded over expected seconds of the last 24 hours", labels=["camera"]
    )
    missing = GaugeMetricFamily(
        "nvr_missing_seconds", "Seconds missing in the last 24 hours, by class of cause", labels=["camera", "cause"]
    )
    for camera_id, one in coverage.items():
        if one.expected_us:
            ratio.add_metric([str(camera_id)], one.coverage)
        for name, lost_us in one.causes.items():
            missing.add_metric([str(camera_id), name], lost_us / 1_000_000)
    return ratio, missing


def _volume_metrics(volumes: Sequence[VolumeOut]) -> Iterable[Metric]:
    usable = GaugeMetricFamily("nvr_volume_ok", "1 while footage can be written there", labels=["volume"])
    free = GaugeMetricFamily("nvr_volume_free_bytes", "Free bytes", labels=["volume"])
    total = GaugeMetricFamily("nvr_volume_total_bytes", "Size of the file system", labels=["volume"])
    for volume in volumes:
        label = [str(volume.id)]
        usable.add_metric(label, volume.state == "ok")
        if volume.free_bytes is not None and volume.total_bytes is not None:
            free.add_metric(label, volume.free_bytes)
            total.add_metric(label, volume.total_bytes)
    return usable, free, total
