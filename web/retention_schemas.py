"""The shapes of what the API says of retention. What fields may hold is decided in `storage.policy_rules`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from storage.camera_rules import MAX_TEXT
from storage.policy_rules import MAX_PRIORITY, MAX_QUOTA_BYTES, MIN_QUOTA_BYTES, NAME, STORAGE_CLASS
from storage.terms import DEFAULT_PRIORITY, MAX_DAYS
from web.schemas import FIT, Answer, Body, Id, Time

Scope = Literal["camera", "tag", "station", "zone", "kind", "default"]
Days = Annotated[int, Field(ge=1, le=MAX_DAYS)]
Age = Annotated[int | None, Field(ge=0, le=MAX_DAYS)]
Name = Annotated[str, Field(pattern=NAME, examples=["bank_atm"])]


class PolicyFields(Body):
    """Whom a policy is for, and how long their footage stays."""

    scope: Scope
    target: Annotated[
        str,
        Field(
            max_length=MAX_TEXT,
            pattern=FIT,
            description="The tag, station, zone or kind of owner, or the camera's id or code; empty for the default.",
        ),
    ] = ""
    min_days: Annotated[Days, Field(description="Younger footage goes only where the disk leaves no choice.")]
    max_days: Annotated[Days, Field(description="Older footage goes.")]
    offload_after_days: Annotated[Age, Field(description="Copied to the object store at that age; null: never.")] = None
    local_days: Annotated[
        Age, Field(description="The local copy of what is in the object store goes at that age; null: when needed.")
    ] = None
    storage_class: Annotated[str, Field(pattern=STORAGE_CLASS)] = ""
    quota_bytes: Annotated[
        int | None,
        Field(ge=MIN_QUOTA_BYTES, le=MAX_QUOTA_BYTES, description="Of a camera, on all volumes; null: none."),
    ] = None
    priority: Annotated[int, Field(ge=0, le=MAX_PRIORITY, description="The lowest goes first.")] = DEFAULT_PRIORITY


class PolicyIn(PolicyFields):
    """A policy to make, or to put in the place of the one of that name."""

    confirm: Annotated[bool, Field(description="Also where more than a fifth of a volume's footage would go.")] = False


class EditIn(Body):
    """What would be done to the policy of that name; null deletes it."""

    name: Name
    policy: PolicyFields | None


class PreviewIn(Body):
    """Edits to look at together, without making them."""

    edits: Annotated[list[EditIn], Field(min_length=1, max_length=200)]


class TermsOut(Answer):
    min_days: int
    max_days: int
    offload_after_days: int | None
    local_days: int | None
    storage_class: str
    quota_bytes: int | None
    priority: int


class StatedPolicy(TermsOut):
    """A policy as it stands, or stood before or after a change."""

    id: Id
    name: str
    scope: Scope
    target: str
    changed_at: Time


class PolicyOut(StatedPolicy):
    """`camera_code`: of the camera that a policy for one camera is for. `cameras`: for how many it decides."""

    camera_code: str | None
    cameras: int


class PolicyList(Answer):
    items: list[PolicyOut]
    next: None = None


class PromiseOut(TermsOut):
    """What a camera is promised. `policy_id` is null where the policy is gone and its promise is still kept."""

    policy_id: Id | None
    policy: str
    why: Annotated[str, Field(examples=["kind bank_atm"])]
    since: Time


class LossOut(Answer):
    """Footage that goes, without what is held. `oldest`: the start of its oldest hour."""

    segments: int
    bytes: int
    oldest: Time | None


class WaitingOut(TermsOut):
    """Shorter terms that are not in force yet. `due_at` is null until a trusted clock has seen them."""

    policy_id: Id | None
    policy: str
    why: str
    seen_at: Time
    due_at: Time | None
    loses: LossOut


class CameraTermsOut(Answer):
    """`policy` and `why`: which policy decides now. `in_force` is null until the server has looked at a new camera."""

    camera_id: Id
    code: str
    name: str
    name_hi: str
    archived_at: Time | None
    policy: str | None
    why: str | None
    in_force: PromiseOut | None
    pending: WaitingOut | None


class CameraTermsPage(Answer):
    items: list[CameraTermsOut]
    next: str | None


class ShareOut(Answer):
    """What goes of a volume's footage (`of_bytes`)."""

    volume_id: Id
    segments: int
    bytes: int
    of_bytes: int
    share: float


class NumbersOut(Answer):
    """What a change does: how many cameras change, how many of them to less, and what goes for it. `bytes` counts footage
    once, `remote_bytes` what of it is in the object store."""

    cameras: int
    shortened: int
    segments: int
    bytes: int
    remote_bytes: int
    oldest: Time | None
    volumes: list[ShareOut]


class AfterOut(TermsOut):
    policy: str
    why: str


class EffectOut(Answer):
    camera_id: Id
    code: str
    before: PromiseOut | None
    after: AfterOut | None
    shortens: bool
    loses: LossOut


class PreviewOut(NumbersOut):
    """`effects`: the cameras that lose most first, at most `limit`. Losses are as of `due_at`, a day ahead; null where
    nothing is shortened."""

    due_at: Time | None
    needs_confirm: bool
    effects: list[EffectOut]


class ChangeOut(Answer):
    """`status`: `pending` waits until `due_at` (null until a trusted clock has seen it) and can be cancelled; `superseded`: the
    policy was changed again before."""

    id: Id
    at: Time
    made_by: str
    policy: str
    before: StatedPolicy | None
    after: StatedPolicy | None
    status: Literal["pending", "in_force", "superseded", "cancelled"]
    due_at: Time | None
    in_force_at: Time | None
    cancelled_at: Time | None
    cancelled_by: str
    preview: NumbersOut


class ChangePage(Answer):
    items: list[ChangeOut]
    next: str | None


class WrittenOut(Answer):
    """`change` is null where everything was so already."""

    change: ChangeOut | None
    preview: PreviewOut
