"""How long footage stays: policies, the terms they give a camera, holds. Plain values; no I/O.

A *policy* says how long the footage of some cameras stays. *Terms* are what one camera has been promised. What an administrator
edits are policies (and the cameras they fit); what is obeyed are the terms in force, which an edit shortens only a day later.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.model import CameraId

DAY_US = 86_400_000_000
MAX_DAYS = 3650
DEFAULT_PRIORITY = 50

SCOPES = ("camera", "tag", "station", "zone", "kind", "default")
"""Whom a policy is for, the most specific first: a camera's id, a tag, a station, a zone, a kind of owner, all."""


@dataclass(frozen=True, slots=True)
class Terms:
    """`max_days`: footage older goes. `min_days`: footage younger goes only when the disk leaves no choice, in the order of
    `priority` (0 to 100, the lowest first). `offload_after_days`: copied to the object store at that age, None never.
    `local_days`: the local copy of what is there goes at that age, None when the disk needs the room. `quota_bytes`: of this
    camera on all volumes, None without.
    """

    min_days: int
    max_days: int
    offload_after_days: int | None = None
    local_days: int | None = None
    storage_class: str = ""
    quota_bytes: int | None = None
    priority: int = DEFAULT_PRIORITY


@dataclass(frozen=True, slots=True)
class Policy:
    """`target` names whom, within `scope` (one of SCOPES); empty for `default`. No two policies have the same of both."""

    id: int
    name: str
    scope: str
    target: str
    terms: Terms
    changed_us: int = 0


@dataclass(frozen=True, slots=True)
class Subject:
    """What of a camera decides which policy it gets."""

    id: CameraId
    code: str
    kind: str
    station: str
    zone: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InForce:
    """What a camera has been promised now. `why`: the policy's scope and target in words."""

    camera_id: CameraId
    policy_id: int | None  # None: the policy is gone, its promise is still kept
    policy_name: str
    why: str
    terms: Terms
    since_us: int


@dataclass(frozen=True, slots=True)
class Pending:
    """Shorter terms that an edit gave a camera; in force at `due_us` and not before."""

    camera_id: CameraId
    policy_id: int | None
    policy_name: str
    why: str
    terms: Terms
    seen_us: int
    due_us: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Footage of a camera that must stay: [start_us, end_us), the future included, until somebody releases it for a reason."""

    id: int
    case_ref: str
    camera_id: CameraId
    start_us: int
    end_us: int
    reason: str
    created_by: str
    created_us: int
    review_us: int | None = None
    released_us: int | None = None
    released_by: str = ""
    release_reason: str = ""
