"""What an administrator must be told of: troubles as they are now, and alerts, their memory. Plain values; no I/O."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = (
    "recording",  # a camera's footage has stopped; the subject is its code
    "volume",  # missing, foreign, full, read-only, slow; the subject is its path
    "promise",  # footage will not stay as long as was promised
    "shedding",  # footage younger than its minimum is being deleted
    "held_full",  # only held footage is left: cameras stop, class by class
    "sweep",  # more would go at once than without asking
    "clock",  # the clock is not trusted: nothing is deleted by age
    "offload",  # the object store is behind
    "hold_quota",  # a volume holds more than a tenth for cases
)
"""In the order of their weight: pages list them so."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong now. `kind` is one of KINDS, `subject` what it is about; both together say which it is.

    `detail`: one sentence without a full stop, for people.
    """

    kind: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Alert:
    """A trouble that was seen. `told_us`: when people were last told, None: not yet. `ended_us`: since when it is gone.
    `end_told_us`: its end was told, and the row is closed. `times`: how often it came, where it comes and goes.
    """

    id: int
    kind: str
    subject: str
    detail: str
    since_us: int
    times: int = 1
    told_us: int | None = None
    ended_us: int | None = None
    end_told_us: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to people: what of one kind began, lasts still, has ended."""

    kind: str
    began: tuple[Alert, ...] = ()
    lasting: tuple[Alert, ...] = ()
    ended: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertStep:
    """What one look changes in the catalog, and what people are told. Numbers are ids of alerts."""

    opened: tuple[Alert, ...] = ()  # new rows; their ids are still 0
    reworded: tuple[tuple[int, str], ...] = ()
    ended: tuple[int, ...] = ()
    back: tuple[int, ...] = ()  # they had ended, and people were not told yet
    forgotten: tuple[int, ...] = ()  # they ended before people were told
    notices: tuple[Notice, ...] = ()

    @property
    def empty(self) -> bool:
        return self == AlertStep()
