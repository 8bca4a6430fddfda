"""What an import would do, as plain data: passed from the child process that reads a sheet to the server that writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from config.owner_kinds import OwnerKind
from storage.model import Camera, CameraId, Credentials

Result = Literal["add", "change", "same", "wrong"]


@dataclass(frozen=True, slots=True)
class Problem:
    """`column`: the header as it stands in the sheet. `mend`: what to write instead."""

    column: str
    field: str
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Item:
    row: int
    code: str
    result: Result
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a row asks for. `camera_id` None: a new camera. `changes`: fields of Camera. `login`: of the row, None: it gives
    none."""

    row: int
    code: str
    camera_id: CameraId | None
    changes: dict[str, Any]
    login: Credentials | None


@dataclass(frozen=True, slots=True)
class Known:
    """A registered camera, archived ones too."""

    camera: Camera
    has_login: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """What of the settings counts. `city`: south, west, north, east; empty: anywhere. `update`: whether registered cameras may
    be changed."""

    kinds: Mapping[str, OwnerKind]
    city: tuple[float, ...]
    allow_loopback: bool
    update: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """`wishes`: of the rows that are add or change, and of those that are the same but give a login. Empty once a row is
    wrong."""

    items: tuple[Item, ...]
    wishes: tuple[Wish, ...]
    notes: tuple[str, ...] = ()
