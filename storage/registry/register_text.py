"""A register as the texts that a row of `register_day` keeps, and back. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from config.errors import Corrupt
from storage.registry.register import WHOLE_CITY, Faulty, Line, Note, Register, Target


@dataclass(frozen=True, slots=True)
class Sums:
    """What progress over time is told from. `target`: the number that a share is of, None without one."""

    target: int | None
    installed: int
    linked: int
    recording: int
    faulty: int
    expected_us: int
    recorded_us: int


def pack(register: Register) -> str:
    """All but when it was taken and who signed: those are columns of their own."""
    told = asdict(register)
    for name in ("taken_us", "kept", "signed_us", "signed_by", "remarks"):
        del told[name]
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def unpack(text: str, **columns: Any) -> Register:
    """Raises Corrupt."""
    try:
        told = json.loads(text)
        return Register(
            **{name: told[name] for name in ("day", "from_us", "to_us")},
            lines=tuple(_line(one) for one in told["lines"]),
            total=_line(told["total"]),
            faulty=tuple(Faulty(**one) for one in told["faulty"]),
            **columns,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"a register that was kept cannot be read: {error}") from error


def _line(told: Mapping[str, Any]) -> Line:
    values = dict(told)
    values["target"] = Target(**told["target"]) if told["target"] else None
    values["note"] = Note(**told["note"]) if told["note"] else None
    values["proposed"] = Note(**told["proposed"]) if told["proposed"] else None
    values["stations"] = tuple(_line(one) for one in told["stations"])
    return Line(**values)


def pack_sums(register: Register) -> str:
    made = {line.owner_kind: asdict(sums_of(line)) for line in (*register.lines, register.total)}
    return json.dumps(made, ensure_ascii=False, separators=(",", ":"))


def sums_of(line: Line) -> Sums:
    return Sums(
        target=line.target.number if line.target else None,
        installed=line.installed,
        linked=line.linked,
        recording=line.recording,
        faulty=line.faulty,
        expected_us=line.expected_us,
        recorded_us=line.recorded_us,
    )


def unpack_sums(text: str, kind: str = WHOLE_CITY) -> Sums | None:
    """Of a kind of owner; None where the day had no line of it. Raises Corrupt."""
    try:
        told = json.loads(text).get(kind)
        return None if told is None else Sums(**told)
    except (ValueError, TypeError, AttributeError) as error:
        raise Corrupt(f"the sums of a register that was kept cannot be read: {error}") from error
