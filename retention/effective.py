"""Which policy a camera gets, and why. Pure.

The most specific one: camera > tag > station > zone > kind > default. A camera may have several tags: among equals the longest
wins (`max_days`, then `min_days`, then the larger quota), then the first by name: the answer never depends on an order of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from storage.model import CameraId
from storage.terms import Policy, Subject, Terms

NO_QUOTA = 1 << 62


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the policies as they stand give a camera. `why`: scope and target in words."""

    policy_id: int
    policy_name: str
    why: str
    terms: Terms


Index = Mapping[tuple[str, str], Policy]


def index(policies: Iterable[Policy]) -> Index:
    """By scope and target, which no two share."""
    return {(policy.scope, policy.target): policy for policy in policies}


def wanted_by(policies: Iterable[Policy], subjects: Iterable[Subject]) -> dict[CameraId, Wanted]:
    """For every camera that any policy fits."""
    by_target = index(policies)
    found = {}
    for subject in subjects:
        policy = fitting(by_target, subject)
        if policy is not None:
            found[subject.id] = Wanted(policy.id, policy.name, why(policy, subject), policy.terms)
    return found


def fitting(by_target: Index, subject: Subject) -> Policy | None:
    """None where not even a default exists."""
    for keys in _keys(subject):
        fits = [by_target[key] for key in keys if key in by_target]
        if fits:
            return min(fits, key=_longest_first)
    return None


def _keys(subject: Subject) -> Iterator[list[tuple[str, str]]]:
    """What a policy for this camera may be for, the most specific first. An empty station is nobody's."""
    yield [("camera", str(subject.id))]
    yield [("tag", tag) for tag in subject.tags if tag]
    for scope, target in (("station", subject.station), ("zone", subject.zone), ("kind", subject.kind)):
        yield [(scope, target)] if target else []
    yield [("default", "")]


def _longest_first(policy: Policy) -> tuple[int, int, int, str]:
    terms = policy.terms
    quota = NO_QUOTA if terms.quota_bytes is None else terms.quota_bytes
    return (-terms.max_days, -terms.min_days, -quota, policy.name)


def why(policy: Policy, subject: Subject) -> str:
    """`kind bank_atm`, `camera KNP-0412`, `default`."""
    if policy.scope == "camera":
        return f"camera {subject.code}"
    return f"{policy.scope} {policy.target}".rstrip()
