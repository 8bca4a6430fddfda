"""The shapes of the daily register: bodies, answers, and registers made into them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from config.owner_kinds import OwnerKind
from storage.camera_rules import MAX_TEXT
from storage.clock import rfc3339
from storage.coverage.classes import CLASSES
from storage.registry.register import Faulty, Line, Note, Register, Target
from storage.registry.register_text import Sums
from web.params import rfc3339_or_none
from web.schemas import BY, FIT, Answer, Body, Id, Text, Time

DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
TARGET_KIND = r"^(\*|[a-z][a-z0-9_]{0,31})$"
NOTED_KIND = r"^(\*|[a-z][a-z0-9_]{0,31})?$"
MAX_COUNT = 1_000_000
MAX_TARGETS = 1000
MAX_REMARKS = 2000

Day = Annotated[str, Field(pattern=DAY, description="In the site's zone.", examples=["2026-11-23"])]
Words = Annotated[str, Field(max_length=MAX_REMARKS, pattern=FIT)]
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Seconds = Annotated[float, Field(ge=0)]


class TargetIn(Body):
    """`wanted` or `all`; neither takes the target away."""

    owner_kind: Annotated[str, Field(pattern=TARGET_KIND, description='"*": of the whole city.')]
    station: Text = ""
    wanted: Count | None = None
    all: bool = False
    all_known: Annotated[Count | None, Field(description="With `all`: how many there are, counted by hand.")] = None


class TargetsIn(Body):
    """Those to set; all others stay."""

    items: Annotated[list[TargetIn], Field(max_length=MAX_TARGETS)]
    by: Annotated[Text, Field(description="Who sets them, as long as nobody signs in.")] = BY


class TargetOut(Answer):
    """`number`: what a share is told of; null where nobody counted how many "all" are, and then there is no share."""

    owner_kind: str
    station: str
    wanted: int | None
    all: bool
    all_known: int | None
    number: int | None
    by: str
    at: Time


class Targets(Answer):
    items: list[TargetOut]


class NoteIn(Body):
    """What was done about a kind of owner, or its cameras at a station, and remarks. Both empty: nothing was noted."""

    day: Day
    owner_kind: Annotated[
        str, Field(pattern=NOTED_KIND, description='"*": the whole city; "": cameras without a kind.')
    ]
    station: Text = ""
    action: Words = ""
    remarks: Words = ""
    by: Annotated[Text, Field(description="Who writes it, as long as nobody signs in.")] = BY


class NoteOut(Answer):
    day: Day
    owner_kind: str
    station: str
    action: str
    remarks: str
    by: str
    at: Time


class SignIn(Body):
    """`seen`: the `digest` of the register that was looked at; a register that has changed since is not signed."""

    day: Day
    by: Annotated[str, Field(min_length=1, max_length=MAX_TEXT, pattern=FIT, description="The nodal officer's name.")]
    remarks: Words = ""
    seen: Annotated[str | None, Field(pattern=r"^[0-9a-f]{16}$")] = None


class LineOut(Answer):
    """A kind of owner, one of its stations, or ("*") the whole city. `share`: linked over the target's number. `proposed`: the
    note of an earlier day, where this day has none. `faulty_days`: of the camera that is faulty longest."""

    owner_kind: str
    name: str
    name_hi: str
    station: str
    target: TargetOut | None
    installed: int
    linked: int
    recording: int
    faulty: int
    faulty_days: int
    expected_s: Seconds
    recorded_s: Seconds
    coverage: float | None
    share: float | None
    note: NoteOut | None
    proposed: NoteOut | None


class KindLineOut(LineOut):
    stations: list[LineOut]


class FaultyOut(Answer):
    """Linked, and silent (`recording` false) or with less than half of the time recorded."""

    camera_id: Id
    code: str
    name: str
    name_hi: str
    owner_kind: str
    station: str
    owner: str
    contact: str
    cause: Annotated[str, Field(description=f"Class of cause: {', '.join(CLASSES)}.")]
    recording: bool
    coverage: float
    since: Time
    days: int


class RegisterOut(Answer):
    """A day. `kept`: its numbers are those that were kept after its end. Signed, it never changes."""

    day: Day
    from_: Annotated[Time, Field(alias="from")]
    to: Time
    taken: Annotated[Time, Field(description="As of when its numbers are.")]
    kept: bool
    signed: Time | None
    signed_by: str
    remarks: str
    digest: Annotated[str, Field(description="Of all that a signature is for: counts, targets, notes.")]
    total: LineOut
    items: Annotated[list[KindLineOut], Field(description="By kind of owner.")]
    faulty: Annotated[list[FaultyOut], Field(description="The longest first.")]


class ProgressDay(Answer):
    day: Day
    signed: bool
    target: int | None
    installed: int
    linked: int
    recording: int
    faulty: int
    coverage: float | None


class Progress(Answer):
    """Days that were kept, in order. A day that nobody kept is left out."""

    owner_kind: str
    items: list[ProgressDay]


def shown_target(target: Target) -> TargetOut:
    return TargetOut(
        owner_kind=target.owner_kind,
        station=target.station,
        wanted=target.wanted,
        all=target.is_all,
        all_known=target.all_known,
        number=target.number,
        by=target.made_by,
        at=rfc3339(target.changed_us),
    )


def shown_note(note: Note) -> NoteOut:
    return NoteOut(
        day=note.day,
        owner_kind=note.owner_kind,
        station=note.station,
        action=note.action,
        remarks=note.remarks,
        by=note.made_by,
        at=rfc3339(note.changed_us),
    )


def shown(register: Register, kinds: Mapping[str, OwnerKind]) -> RegisterOut:
    return RegisterOut(
        day=register.day,
        from_=rfc3339(register.from_us),
        to=rfc3339(register.to_us),
        taken=rfc3339(register.taken_us),
        kept=register.kept,
        signed=rfc3339_or_none(register.signed_us),
        signed_by=register.signed_by,
        remarks=register.remarks,
        digest=register.digest,
        total=LineOut(**_line(register.total, kinds)),
        items=[
            KindLineOut(**_line(line, kinds), stations=[LineOut(**_line(one, kinds)) for one in line.stations])
            for line in register.lines
        ],
        faulty=[_faulty(one) for one in register.faulty],
    )


def _line(line: Line, kinds: Mapping[str, OwnerKind]) -> dict[str, Any]:
    kind = kinds.get(line.owner_kind)
    return {
        "owner_kind": line.owner_kind,
        "name": kind.name if kind else line.owner_kind,
        "name_hi": kind.name_hi if kind else line.owner_kind,
        "station": line.station,
        "target": shown_target(line.target) if line.target else None,
        "installed": line.installed,
        "linked": line.linked,
        "recording": line.recording,
        "faulty": line.faulty,
        "faulty_days": line.faulty_days,
        "expected_s": line.expected_us / 1e6,
        "recorded_s": line.recorded_us / 1e6,
        "coverage": line.coverage,
        "share": line.share,
        "note": shown_note(line.note) if line.note else None,
        "proposed": shown_note(line.proposed) if line.proposed else None,
    }


def _faulty(one: Faulty) -> FaultyOut:
    return FaultyOut(
        camera_id=one.camera_id,
        code=one.code,
        name=one.name,
        name_hi=one.name_hi,
        owner_kind=one.owner_kind,
        station=one.station,
        owner=one.owner,
        contact=one.contact,
        cause=one.cause,
        recording=one.recording,
        coverage=one.coverage,
        since=rfc3339(one.since_us),
        days=one.days,
    )


def shown_day(day: str, sums: Sums, *, signed: bool) -> ProgressDay:
    return ProgressDay(
        day=day,
        signed=signed,
        target=sums.target,
        installed=sums.installed,
        linked=sums.linked,
        recording=sums.recording,
        faulty=sums.faulty,
        coverage=sums.recorded_us / sums.expected_us if sums.expected_us else None,
    )
