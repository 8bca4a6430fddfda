"""Which volume a camera goes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model import CameraId
from storage.volume_choice import KEPT_CHANGE, score, steady

CAMERAS = [CameraId(number) for number in range(1, 2001)]


def placed(weights: Mapping[str, float]) -> dict[CameraId, str]:
    return {camera: max(weights, key=lambda uuid: score(uuid, camera, weights[uuid])) for camera in CAMERAS}


@pytest.mark.parametrize(
    "weights",
    [{"a": 1.0, "b": 1.0}, {"a": 1.0, "b": 3.0}, {"a": 4e12, "b": 8e12, "c": 12e12}, {"a": 1.0, "b": 1e6}],
    ids=["equal", "one to three", "three disks", "a million to one"],
)
def test_cameras_spread_by_weight(weights: dict[str, float]) -> None:
    counts = Counter(placed(weights).values())
    for uuid, weight in weights.items():
        share = weight / sum(weights.values())
        assert abs(counts[uuid] / len(CAMERAS) - share) < 0.04


def test_a_volume_that_goes_moves_only_its_own_cameras() -> None:
    before = placed({"a": 1.0, "b": 2.0, "c": 3.0})
    after = placed({"a": 1.0, "c": 3.0})
    assert all(after[camera] == where for camera, where in before.items() if where != "b")


def test_a_volume_that_comes_takes_its_share_and_moves_nobody_else() -> None:
    before = placed({"a": 1.0, "b": 1.0})
    after = placed({"a": 1.0, "b": 1.0, "c": 2.0})
    moved = [camera for camera in CAMERAS if after[camera] != before[camera]]
    assert all(after[camera] == "c" for camera in moved)
    assert abs(len(moved) / len(CAMERAS) - 0.5) < 0.04


def test_a_weight_that_changes_a_little_moves_few() -> None:
    before = placed({"a": 1.0, "b": 1.0, "c": 1.0})
    after = placed({"a": 1.3, "b": 1.0, "c": 1.0})
    assert sum(after[camera] != before[camera] for camera in CAMERAS) / len(CAMERAS) < 0.1


WEIGHTS = st.dictionaries(st.sampled_from("abc"), st.floats(1, 1e15), max_size=3)


@given(WEIGHTS, WEIGHTS)
def test_a_weight_stays_until_it_is_clearly_another(before: dict[str, float], now: dict[str, float]) -> None:
    made = steady(before, now)
    assert made.keys() == now.keys()
    for key, weight in made.items():
        assert weight in (now[key], before.get(key))
        assert abs(weight - now[key]) <= KEPT_CHANGE * max(weight, now[key])
    assert steady(made, now) == made
