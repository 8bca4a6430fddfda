"""What a policy's fields may hold. One place for the API, the command line, files of policies and the catalog. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from config.errors import Invalid
from storage.camera_rules import KIND, MAX_TAG, MAX_TEXT, unfit
from storage.terms import MAX_DAYS, SCOPES, Policy, Terms

NAME: Final = r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"
"""It stands in URLs, so it does not begin with a dot."""
STORAGE_CLASS: Final = r"^[A-Z0-9_]{0,32}$"
MIN_QUOTA_BYTES: Final = 1_000_000
MAX_QUOTA_BYTES: Final = (1 << 53) - 1
MAX_PRIORITY: Final = 100


def checked(policy: Policy) -> Policy:
    """The policy as it is kept: its target trimmed. Raises Invalid naming the field."""
    if not re.fullmatch(NAME[1:-1], policy.name):
        raise Invalid(
            "name has 1 to 64 of the characters A-Z a-z 0-9 . _ - and does not begin with a dot", field="name"
        )
    if policy.scope not in SCOPES:
        raise Invalid(f"scope is one of {', '.join(SCOPES)}", field="scope")
    _terms(policy.terms)
    return replace(policy, target=_target(policy.scope, policy.target.strip()))


def _target(scope: str, target: str) -> str:
    if scope == "default":
        if target:
            raise Invalid("target is left out for the scope default: it is for all cameras", field="target")
        return target
    if not target:
        raise Invalid(f"target is missing: name the {scope} that it is for", field="target")
    if len(target) > (MAX_TAG if scope == "tag" else MAX_TEXT) or unfit(target):
        raise Invalid("target is too long or is no valid text", field="target")
    if scope == "kind" and not re.fullmatch(KIND[1:-1], target):
        raise Invalid("target: a kind of owner is a word of a-z 0-9 _ that starts with a letter", field="target")
    if scope == "camera" and not re.fullmatch(r"[1-9][0-9]{0,15}", target):
        raise Invalid("target: a camera is named by its id", field="target")
    return target


def _terms(terms: Terms) -> None:
    _within(terms.min_days, 1, MAX_DAYS, "min_days")
    _within(terms.max_days, 1, MAX_DAYS, "max_days")
    if terms.min_days > terms.max_days:
        raise Invalid(f"min_days ({terms.min_days}) is more than max_days ({terms.max_days})", field="min_days")
    _within(terms.priority, 0, MAX_PRIORITY, "priority")
    if terms.quota_bytes is not None:
        _within(terms.quota_bytes, MIN_QUOTA_BYTES, MAX_QUOTA_BYTES, "quota_bytes")
    if not re.fullmatch(STORAGE_CLASS[1:-1], terms.storage_class):
        raise Invalid("storage_class is a word of A-Z 0-9 _, such as STANDARD_IA", field="storage_class")
    if terms.offload_after_days is not None:
        _within(terms.offload_after_days, 0, MAX_DAYS, "offload_after_days")
        if terms.offload_after_days > terms.max_days:
            raise Invalid(
                "offload_after_days is more than max_days: nothing would be offloaded", field="offload_after_days"
            )
    if terms.local_days is not None:
        _within(terms.local_days, 0, MAX_DAYS, "local_days")
        if terms.offload_after_days is None:
            raise Invalid(
                "local_days needs offload_after_days: without a second copy the local one stays", field="local_days"
            )


def _within(value: int, low: int, high: int, field: str) -> None:
    if not low <= value <= high:
        raise Invalid(f"{field} is a whole number from {low} to {high}", field=field)
