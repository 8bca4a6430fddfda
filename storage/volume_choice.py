"""Which volume a camera records on: weighted rendezvous hashing. Pure.

Each camera has a score for each volume and takes the highest. So every server gives the same answer, cameras spread by weight,
and when a volume comes, goes or changes its weight only those cameras move that it wins or loses.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import TypeVar

from storage.model import CameraId

T = TypeVar("T")

KEPT_CHANGE = 0.25
"""A weight that changes by less stays as it was: nobody moves for what comes and goes."""


def score(uuid: str, camera_id: CameraId, weight: float) -> float:
    """Larger is better. `weight` above 0; twice the weight, twice the cameras."""
    drawn = int.from_bytes(hashlib.sha256(f"{uuid}/{camera_id}".encode()).digest()[:8])
    return -weight / math.log((drawn + 0.5) / 2.0**64)


def steady(before: Mapping[T, float], now: Mapping[T, float]) -> dict[T, float]:
    """New weights, but the old one where it is still about right."""
    return {
        key: before[key] if key in before and abs(weight - before[key]) <= KEPT_CHANGE * before[key] else weight
        for key, weight in now.items()
    }
