"""Rows of `policy_change`: every change of a policy, with what it was told to delete. Kept for ever."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from config.errors import NotFound
from storage.catalog.policies import as_values
from storage.catalog.sqlite import Connection, Row
from storage.terms import DAY_US, Policy, Terms


@dataclass(frozen=True, slots=True)
class Change:
    """A row of `policy_change`. `before` None: it was made; `after` None: it was deleted. `due_us`: when what it shortens comes
    into force, None where it shortens nothing. `newer`: a later change of the same policy that was not cancelled."""

    id: int
    at_us: int
    policy_id: int
    before: Policy | None
    after: Policy | None
    preview: dict[str, Any]
    due_us: int | None
    in_force_us: int | None
    cancelled_us: int | None
    made_by: str
    cancelled_by: str = ""
    newer: int | None = None

    @property
    def name(self) -> str:
        policy = self.after or self.before
        assert policy is not None
        return policy.name

    @property
    def status(self) -> str:
        """cancelled | in_force | superseded | pending."""
        if self.cancelled_us is not None:
            return "cancelled"
        if self.due_us is None or self.in_force_us is not None:
            return "in_force"
        return "pending" if self.newer is None else "superseded"


def _from_json(text: str | None) -> Policy | None:
    if text is None:
        return None
    values = json.loads(text)
    named = {name: values.pop(name) for name in ("id", "name", "scope", "target", "changed_us")}
    return Policy(terms=Terms(**values), **named)


def add(db: Connection, change: Change) -> Change:
    """Its id is given anew."""
    cursor = db.execute(
        "INSERT INTO policy_change (at_us, policy_id, before, after, preview, due_us, made_by)"
        " VALUES (:at_us, :policy_id, :before, :after, :preview, :due_us, :made_by)",
        {
            "at_us": change.at_us,
            "policy_id": change.policy_id,
            "before": None if change.before is None else json.dumps(as_values(change.before), ensure_ascii=False),
            "after": None if change.after is None else json.dumps(as_values(change.after), ensure_ascii=False),
            "preview": json.dumps(change.preview),
            "due_us": change.due_us,
            "made_by": change.made_by,
        },
    )
    return replace(change, id=int(cursor.lastrowid or 0))


_CHANGES = (
    "SELECT *, (SELECT min(later.id) FROM policy_change AS later WHERE later.policy_id = policy_change.policy_id"
    " AND later.id > policy_change.id AND later.cancelled_us IS NULL) AS newer FROM policy_change"
)


def _change(row: Row) -> Change:
    return Change(
        id=row["id"],
        at_us=row["at_us"],
        policy_id=row["policy_id"],
        before=_from_json(row["before"]),
        after=_from_json(row["after"]),
        preview=json.loads(row["preview"]),
        due_us=row["due_us"],
        in_force_us=row["in_force_us"],
        cancelled_us=row["cancelled_us"],
        made_by=row["made_by"],
        cancelled_by=row["cancelled_by"],
        newer=row["newer"],
    )


def get(db: Connection, change_id: int) -> Change:
    """Raises NotFound."""
    row = db.execute(f"{_CHANGES} WHERE id = :id", {"id": change_id}).fetchone()
    if row is None:
        raise NotFound(f"there is no change {change_id}", field="change_id")
    return _change(row)


def listing(db: Connection, *, before_id: int | None = None, limit: int) -> list[Change]:
    """The newest first, those below an id."""
    rows = db.execute(
        f"{_CHANGES} WHERE :before IS NULL OR id < :before ORDER BY id DESC LIMIT :limit",
        {"before": before_id, "limit": limit},
    )
    return [_change(row) for row in rows]


def cancel(db: Connection, change_id: int, *, by: str, at_us: int) -> None:
    db.execute(
        "UPDATE policy_change SET cancelled_us = :at_us, cancelled_by = :by WHERE id = :id",
        {"id": change_id, "at_us": at_us, "by": by},
    )


_WAITING = (
    "due_us IS NOT NULL AND in_force_us IS NULL AND cancelled_us IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM policy_change AS later WHERE later.policy_id = policy_change.policy_id"
    " AND later.id > policy_change.id AND later.cancelled_us IS NULL)"
)


def to_date(db: Connection, now_us: int) -> bool:
    """Whether `date` would write."""
    found = db.execute(
        f"SELECT 1 FROM policy_change WHERE {_WAITING} AND (due_us <= :now OR due_us > :now + :day) LIMIT 1",
        {"now": now_us, "day": DAY_US},
    )
    return found.fetchone() is not None


def date(db: Connection, now_us: int) -> None:
    """With a trusted clock: what is due is in force; what was made under another clock is due a day from now."""
    values = {"now": now_us, "day": DAY_US}
    db.execute(f"UPDATE policy_change SET in_force_us = :now WHERE {_WAITING} AND due_us <= :now", values)
    db.execute(f"UPDATE policy_change SET due_us = :now + :day WHERE {_WAITING} AND due_us > :now + :day", values)
