"""Rows of `policy`, `terms` and `terms_pending`: what administrators wrote, what each camera is promised by it, and what waits.

Nothing here decides. Policies are written through `retention.changes`, which looks at a change before it is made; terms are
written by `retention.settle` alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from config.errors import Conflict, NotFound
from storage.catalog.sqlite import Connection, Row, sqlite3
from storage.model import CameraId
from storage.policy_rules import checked
from storage.terms import DEFAULT_PRIORITY, SCOPES, InForce, Pending, Policy, Subject, Terms

DEFAULT = "default"
_COLUMNS = (
    "id, name, scope, target, min_days, max_days, offload_after_days, local_days, storage_class, quota_bytes, priority,"
    " changed_us"
)


def terms_of(row: Row) -> Terms:
    return Terms(
        min_days=row["min_days"],
        max_days=row["max_days"],
        offload_after_days=row["offload_after_days"],
        local_days=row["local_days"],
        storage_class=row["storage_class"],
        quota_bytes=row["quota_bytes"],
        priority=row["priority"],
    )


def terms_values(terms: Terms) -> dict[str, object]:
    return {
        "min_days": terms.min_days,
        "max_days": terms.max_days,
        "offload_after_days": terms.offload_after_days,
        "local_days": terms.local_days,
        "storage_class": terms.storage_class,
        "quota_bytes": terms.quota_bytes,
        "priority": terms.priority,
    }


def _policy(row: Row) -> Policy:
    return Policy(row["id"], row["name"], row["scope"], row["target"], terms_of(row), row["changed_us"])


def as_values(policy: Policy) -> dict[str, object]:
    """Flat, as a row and as the JSON of a change."""
    return {
        "id": policy.id,
        "name": policy.name,
        "scope": policy.scope,
        "target": policy.target,
        **terms_values(policy.terms),
        "changed_us": policy.changed_us,
    }


def listing(db: Connection) -> list[Policy]:
    """All, the most specific scope first, then by target."""
    found = [_policy(row) for row in db.execute(f"SELECT {_COLUMNS} FROM policy")]
    return sorted(found, key=lambda policy: (SCOPES.index(policy.scope), policy.target))


def find(db: Connection, name: str) -> Policy | None:
    row = db.execute(f"SELECT {_COLUMNS} FROM policy WHERE name = :name", {"name": name}).fetchone()
    return None if row is None else _policy(row)


def by_name(db: Connection, name: str) -> Policy:
    """Raises NotFound."""
    found = find(db, name)
    if found is None:
        raise NotFound(f"there is no policy {name!r}", field="name")
    return found


def put(db: Connection, policy: Policy) -> Policy:
    """Make or change it: by its id, which is given anew where it is 0 (a deleted one comes back under its own).

    Raises Invalid, or Conflict where another policy has its name, or its scope and target.
    """
    policy = checked(policy)
    values = as_values(policy) | {"id": policy.id or None}
    try:
        cursor = db.execute(
            "INSERT INTO policy (id, name, scope, target, min_days, max_days, offload_after_days, local_days,"
            " storage_class, quota_bytes, priority, changed_us)"
            " VALUES (:id, :name, :scope, :target, :min_days, :max_days, :offload_after_days, :local_days,"
            " :storage_class, :quota_bytes, :priority, :changed_us)"
            " ON CONFLICT (id) DO UPDATE SET name = excluded.name, scope = excluded.scope, target = excluded.target,"
            " min_days = excluded.min_days, max_days = excluded.max_days,"
            " offload_after_days = excluded.offload_after_days, local_days = excluded.local_days,"
            " storage_class = excluded.storage_class, quota_bytes = excluded.quota_bytes,"
            " priority = excluded.priority, changed_us = excluded.changed_us",
            values,
        )
    except sqlite3.IntegrityError:
        raise _taken(db, policy) from None
    return policy if policy.id else replace(policy, id=int(cursor.lastrowid or 0))


def _taken(db: Connection, policy: Policy) -> Conflict:
    for other in listing(db):
        if (other.scope, other.target) == (policy.scope, policy.target):
            whom = f"{other.scope} {other.target}".rstrip()
            return Conflict(f"the policy {other.name} is for {whom} already: change that one", field="target")
    return Conflict(f"another policy has the name {policy.name}", field="name")


def delete(db: Connection, policy_id: int) -> None:
    db.execute("DELETE FROM policy WHERE id = :id", {"id": policy_id})


def ever(db: Connection) -> bool:
    """Whether there has ever been a policy: AUTOINCREMENT remembers."""
    return db.execute("SELECT 1 FROM sqlite_sequence WHERE name = 'policy' AND seq > 0").fetchone() is not None


def seed(db: Connection, *, default_days: int, at_us: int) -> bool:
    """The first policies of a catalog that never had one: all cameras `default_days`, banks 90, police posts 365 to 548."""
    if ever(db):
        return False
    for name, scope, target, terms in (
        (DEFAULT, "default", "", Terms(default_days, default_days, priority=DEFAULT_PRIORITY)),
        ("bank_atm", "kind", "bank_atm", Terms(90, 90, priority=70)),
        ("police_post", "kind", "police_post", Terms(365, 548, priority=90)),
    ):
        put(db, Policy(0, name, scope, target, terms, at_us))
    return True


def subjects(db: Connection, cameras: frozenset[CameraId] | None = None) -> list[Subject]:
    """Every camera, archived ones too, or only those named."""
    rows = db.execute(
        "SELECT id, code, owner_kind, station, zone, tags FROM camera"
        " WHERE :ids IS NULL OR id IN (SELECT value FROM json_each(:ids))",
        _ids(cameras),
    )
    return [
        Subject(CameraId(row[0]), row[1], row[2], row[3], row[4], tuple(json.loads(row[5])) if row[5] != "[]" else ())
        for row in rows
    ]


def _ids(cameras: frozenset[CameraId] | None) -> dict[str, object]:
    return {"ids": None if cameras is None else json.dumps(sorted(cameras))}


def in_force(db: Connection, cameras: frozenset[CameraId] | None = None) -> dict[CameraId, InForce]:
    """What every camera has been promised, or those named. A policy that is gone has no id."""
    rows = db.execute(
        "SELECT terms.*, policy.id AS living, coalesce(policy.name, terms.policy_name) AS called FROM terms"
        " LEFT JOIN policy ON policy.id = terms.policy_id"
        " WHERE :ids IS NULL OR camera_id IN (SELECT value FROM json_each(:ids))",
        _ids(cameras),
    )
    return {
        CameraId(row["camera_id"]): InForce(
            CameraId(row["camera_id"]), row["living"], row["called"], row["why"], terms_of(row), row["since_us"]
        )
        for row in rows
    }


def pending(db: Connection, cameras: frozenset[CameraId] | None = None) -> dict[CameraId, Pending]:
    """The shorter terms that wait, of every camera or of those named."""
    rows = db.execute(
        "SELECT * FROM terms_pending WHERE :ids IS NULL OR camera_id IN (SELECT value FROM json_each(:ids))",
        _ids(cameras),
    )
    return {
        CameraId(row["camera_id"]): Pending(
            CameraId(row["camera_id"]),
            row["policy_id"],
            row["policy_name"],
            row["why"],
            terms_of(row),
            row["seen_us"],
            row["due_us"],
        )
        for row in rows
    }


def put_in_force(db: Connection, rows: Iterable[InForce]) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO terms (camera_id, policy_id, policy_name, why, min_days, max_days, offload_after_days,"
        " local_days, storage_class, quota_bytes, priority, since_us)"
        " VALUES (:camera_id, :policy_id, :policy_name, :why, :min_days, :max_days, :offload_after_days, :local_days,"
        " :storage_class, :quota_bytes, :priority, :since_us)",
        [
            {
                "camera_id": row.camera_id,
                "policy_id": row.policy_id,
                "policy_name": row.policy_name,
                "why": row.why,
                "since_us": row.since_us,
                **terms_values(row.terms),
            }
            for row in rows
        ],
    )


def put_pending(db: Connection, rows: Iterable[Pending]) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO terms_pending (camera_id, policy_id, policy_name, why, min_days, max_days,"
        " offload_after_days, local_days, storage_class, quota_bytes, priority, seen_us, due_us)"
        " VALUES (:camera_id, :policy_id, :policy_name, :why, :min_days, :max_days, :offload_after_days, :local_days,"
        " :storage_class, :quota_bytes, :priority, :seen_us, :due_us)",
        [
            {
                "camera_id": row.camera_id,
                "policy_id": row.policy_id,
                "policy_name": row.policy_name,
                "why": row.why,
                "seen_us": row.seen_us,
                "due_us": row.due_us,
                **terms_values(row.terms),
            }
            for row in rows
        ],
    )


def drop_pending(db: Connection, cameras: Iterable[CameraId]) -> None:
    db.executemany("DELETE FROM terms_pending WHERE camera_id = :id", [{"id": camera_id} for camera_id in cameras])
