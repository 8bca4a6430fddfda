"""A small city around a bus stand, with real footage between nine and ten in the evening: for the tests of the Find page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from math import cos, radians, sin
from pathlib import Path
from zoneinfo import ZoneInfo

from storage.catalog import cameras
from storage.clock import wall_us
from storage.model import Camera, CameraId
from tests.web.archived import put_run
from tests.web.served import Served

HOME = ZoneInfo("Asia/Kolkata")
LAT, LON = 26.4553, 80.3430
METRES_A_DEGREE = 111_195
S = 1_000_000
SITE = "Jhakarkati bus stand"
GATES = 6
"""So many cameras stand at the bus stand itself, within 100 m; the others farther and farther off, to 5 km."""
KINDS = ("shop", "bank_atm", "petrol_pump", "smart_city", "municipal", "police_post")
COVERS = (("entrance",), ("exit",), ("road_side",), ("public_area", "road_side"))


def nine() -> datetime:
    """Nine in the evening of the day before yesterday: over, whatever the time is."""
    return (datetime.now(HOME) - timedelta(days=2)).replace(hour=21, minute=0, second=0, microsecond=0)


def us(moment: datetime) -> int:
    return int(moment.timestamp()) * S


def place(number: int) -> tuple[float, float]:
    """Ever farther off, round and round."""
    metres = 15 * number if number <= GATES else 100 + 50 * (number - GATES) * 1.12 ** (number - GATES)
    turn = radians(77 * number)
    return (
        round(LAT + metres * cos(turn) / METRES_A_DEGREE, 6),
        round(LON + metres * sin(turn) / (METRES_A_DEGREE * cos(radians(LAT))), 6),
    )


def camera(number: int, begin: datetime) -> Camera:
    lat, lon = place(number)
    gate = number <= GATES
    return Camera(
        id=CameraId(0),
        code=f"KNP-{number:04}",
        name=f"Gate {number}" if gate else f"Crossing {number}",
        name_hi=f"द्वार {number}" if gate else f"चौराहा {number}",
        url=f"rtsp://10.0.0.{number}/x",
        node="n1",
        owner_kind="bus_stand" if gate else KINDS[number % len(KINDS)],
        site=SITE if gate else "",
        station="Kotwali" if number % 2 else "Collectorganj",
        zone="East",
        covers=COVERS[number % len(COVERS)],
        lat=lat,
        lon=lon,
        bearing=float(number * 47 % 360),
        fov=70.0,
        enabled=number != 5,
        created_us=us(begin) - 3600 * S,
    )


@dataclass(frozen=True, slots=True)
class Recording:
    """Of the camera of that number, from so many seconds after nine."""

    number: int
    from_s: float
    files: Sequence[Path]


async def build(served: Served, recordings: Sequence[Recording], *, count: int = 30) -> datetime:
    """Registers `count` cameras, whose ids are their numbers, and records. Returns nine o'clock."""
    begin = nine()
    for number in range(1, count + 1):
        await served.catalog.write(partial(cameras.add, camera=camera(number, begin)))
    for n, one in enumerate(recordings):
        start_us = us(begin) + round(one.from_s * S)
        await put_run(served, one.files, run_id=wall_us() // 1000 + n, start_us=start_us, camera_id=one.number)
    return begin
