"""A catalog with policies, cameras and footage: one segment an hour, as far back as a test wants."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from retention.changes import Edit, make, prepare
from storage.catalog import cameras, policies, segments
from storage.catalog.db import connect, transaction
from storage.catalog.db import prepare as prepare_catalog
from storage.catalog.policy_changes import Change
from storage.catalog.sqlite import Connection
from storage.model import HOUR_US, Camera, CameraId, RunId, Tier, VolumeId
from storage.terms import DAY_US, Policy, Terms
from tests import rows

NOW = 1_795_000_000_000_000 // HOUR_US * HOUR_US
SEGMENT_BYTES = 1_000_000
_FEW = tuple([2000] * 4)


@contextmanager
def catalog(folder: Path) -> Iterator[Connection]:
    """With the policies that a new catalog gets."""
    path = folder / "nvr.sqlite3"
    prepare_catalog(path)
    db = connect(path)
    try:
        with transaction(db):
            policies.seed(db, default_days=30, at_us=NOW)
        yield db
    finally:
        db.close()


def camera(db: Connection, code: str, **fields: object) -> CameraId:
    made = Camera(CameraId(0), code, code, "rtsp://10.0.0.5/x", "n1", created_us=1)
    return cameras.add(db, replace(made, **fields)).id  # type: ignore[arg-type]


def footage(
    db: Connection,
    camera_id: CameraId,
    days: float,
    *,
    volume: int = 1,
    tier: Tier = Tier.LOCAL,
    until_us: int = NOW,
    size_bytes: int = SEGMENT_BYTES,
) -> None:
    """A segment in each hour of the last `days`."""
    one = rows.segment(durations_ms=_FEW)
    start_us = until_us - round(days * DAY_US)
    for n, at_us in enumerate(range(start_us, until_us, HOUR_US)):
        segments.insert(
            db,
            replace(
                one,
                camera_id=camera_id,
                start_us=at_us,
                run_id=RunId(start_us // 1000 + camera_id),
                n=n,
                volume_id=VolumeId(volume),
                tier=tier,
                size_bytes=size_bytes,
            ),
        )


def policy(name: str, scope: str, target: str, days: int, **terms: object) -> Edit:
    return Edit(name, Policy(0, name, scope, target, replace(Terms(days, days), **terms)))  # type: ignore[arg-type]


def edit(db: Connection, *edits: Edit, now_us: int = NOW, confirm: bool = False) -> list[Change]:
    """Looked at and made, as with a trusted clock."""
    prepared = prepare(db, edits, now_us)
    with transaction(db):
        return make(db, prepared, now_us=now_us, trusted=True, by="anita", confirm=confirm)
