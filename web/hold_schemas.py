"""The shapes of holds, and of what retention will take, in the API.

What fields may hold is decided in `storage.catalog.holds`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from storage.catalog.holds import MAX_REASON, MAX_TEXT
from web.params import MAX_US
from web.schemas import FIT, Answer, Body, Id, Time

MAX_CAMERAS = 1000
Said = Annotated[str, Field(min_length=1, max_length=MAX_TEXT, pattern=FIT)]
Why = Annotated[str, Field(min_length=1, max_length=MAX_REASON, pattern=FIT)]
TimeIn = Annotated[
    str | int,
    Field(
        json_schema_extra={
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "integer", "minimum": 0, "maximum": MAX_US},
            ],
        }
    ),
]


class HoldIn(Body):
    """What is to stay, of several cameras, for one case. The interval may reach into the future."""

    case: Annotated[Said, Field(description="The case's own reference.", examples=["FIR 118/2026"])]
    cameras: Annotated[list[Id], Field(min_length=1, max_length=MAX_CAMERAS, description="Ids.")]
    from_: Annotated[TimeIn, Field(alias="from", description="Start, inclusive.")]
    to: Annotated[TimeIn, Field(description="End, exclusive.")]
    reason: Why
    review: Annotated[TimeIn | None, Field(description="When somebody is to look whether it is still needed.")] = None
    by: Annotated[Said, Field(description="Who asks for it, as long as nobody signs in.")] = "web"


class ReleaseIn(Body):
    reason: Annotated[Why, Field(description="Why it need not stay any more.")]
    by: Said = "web"


class HoldOut(Answer):
    """Footage that stays. `bytes`: what it keeps now; holds that overlap keep the same bytes each; null once it is released."""

    id: Id
    case: str
    camera_id: Id
    code: str
    name: str
    name_hi: str
    from_: Annotated[Time, Field(alias="from")]
    to: Time
    reason: str
    created_by: str
    created_at: Time
    review_at: Time | None
    released_at: Time | None
    released_by: str
    release_reason: str
    bytes: int | None


class HoldList(Answer):
    """The holds that were made."""

    items: list[HoldOut]


class HoldPage(Answer):
    items: list[HoldOut]
    next: str | None


class CutOut(Answer):
    """Of a camera on a volume, what ends by `before` will go. `drop_local`: the local copy of what the object store has."""

    camera_id: Id
    code: str
    volume_id: Id
    kind: Literal["delete", "drop_local", "delete_remote"]
    reason: Literal["max_days", "local_days", "quota"]
    before: Time
    oldest: Time
    segments: int
    bytes: int


class StopOut(Answer):
    """A sweep that waits for an answer: so much of what a volume holds would go at once."""

    volume_id: Id
    asked_at: Time
    bytes: int
    of_bytes: int
    oldest: Time
    confirmed_at: Time | None


class PlanPage(Answer):
    """What will go with the next sweep, the most first. `doubt`: why nothing goes, while the clock is not trusted.
    `waits`: volumes of which nothing goes until somebody confirms it. Held footage is in none of it."""

    items: list[CutOut]
    next: str | None
    cameras: int
    segments: int
    bytes: int
    doubt: str
    waits: list[StopOut]
