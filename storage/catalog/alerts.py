"""Rows of `alert`, the memory of troubles, and of `alert_message`, what is still on its way to people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage.catalog.sqlite import Connection, Row
from storage.trouble import Alert, AlertStep


def _alert(row: Row) -> Alert:
    return Alert(
        row["id"],
        row["kind"],
        row["subject"],
        row["detail"],
        row["since_us"],
        row["times"],
        row["told_us"],
        row["ended_us"],
        row["end_told_us"],
    )


OPEN = "SELECT * FROM alert WHERE end_told_us IS NULL ORDER BY since_us, id"
CLOSED = "SELECT * FROM alert WHERE end_told_us IS NOT NULL AND end_told_us >= :since_us"
LATEST_CLOSED = "SELECT * FROM alert WHERE end_told_us IS NOT NULL ORDER BY end_told_us DESC LIMIT :limit"


def open_rows(db: Connection) -> list[Alert]:
    """Alerts that last, and those whose end was not told yet."""
    return [_alert(row) for row in db.execute(OPEN)]


LASTING = (
    "SELECT * FROM alert WHERE end_told_us IS NULL AND ended_us IS NULL AND kind NOT IN ('recording', 'volume')"
    " ORDER BY since_us, id LIMIT :limit"
)


def lasting_elsewhere(db: Connection, limit: int) -> list[Alert]:
    """Those that last and are told neither by a camera's state nor by a volume's."""
    return [_alert(row) for row in db.execute(LASTING, {"limit": limit})]


def closed_since(db: Connection, since_us: int) -> list[Alert]:
    return [_alert(row) for row in db.execute(CLOSED, {"since_us": since_us})]


def latest_closed(db: Connection, limit: int) -> list[Alert]:
    """Newest first."""
    return [_alert(row) for row in db.execute(LATEST_CLOSED, {"limit": limit})]


def forget_closed(db: Connection, before_us: int) -> None:
    """Drops alerts that were closed before then."""
    db.execute("DELETE FROM alert WHERE end_told_us IS NOT NULL AND end_told_us < :before_us", {"before_us": before_us})


def take(db: Connection, step: AlertStep, at_us: int, messages: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Writes one step and, in the same transaction, what it tells: (place, body) for each place and notice."""
    for alert in step.opened:
        db.execute(
            "INSERT INTO alert (kind, subject, detail, since_us, times)"
            " VALUES (:kind, :subject, :detail, :since_us, :times)",
            {
                "kind": alert.kind,
                "subject": alert.subject,
                "detail": alert.detail,
                "since_us": alert.since_us,
                "times": alert.times,
            },
        )
    for alert_id, detail in step.reworded:
        db.execute("UPDATE alert SET detail = :detail WHERE id = :id", {"detail": detail, "id": alert_id})
    for alert_id in step.ended:
        db.execute("UPDATE alert SET ended_us = :at_us WHERE id = :id", {"at_us": at_us, "id": alert_id})
    for alert_id in step.back:
        db.execute("UPDATE alert SET ended_us = NULL, times = times + 1 WHERE id = :id", {"id": alert_id})
    for alert_id in step.forgotten:
        db.execute("DELETE FROM alert WHERE id = :id", {"id": alert_id})
    for notice in step.notices:
        for alert in (*notice.began, *notice.lasting):
            db.execute("UPDATE alert SET told_us = :at_us WHERE id = :id", {"at_us": at_us, "id": alert.id})
        for alert in notice.ended:
            db.execute("UPDATE alert SET end_told_us = :at_us WHERE id = :id", {"at_us": at_us, "id": alert.id})
    for place, body in messages:
        db.execute(
            "INSERT INTO alert_message (place, body, made_us, attempts, error) VALUES (:place, :body, :made_us, 0, '')",
            {"place": place, "body": json.dumps(dict(body), ensure_ascii=False), "made_us": at_us},
        )


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    id: int
    place: str
    body: dict[str, Any]
    made_us: int
    attempts: int
    error: str


def next_message(db: Connection, place: str) -> QueuedMessage | None:
    """The oldest that has not arrived there."""
    row = db.execute(
        "SELECT * FROM alert_message WHERE place = :place ORDER BY id LIMIT 1", {"place": place}
    ).fetchone()
    if row is None:
        return None
    body = json.loads(row["body"])
    return QueuedMessage(row["id"], row["place"], body, row["made_us"], row["attempts"], row["error"])


def arrived(db: Connection, message_id: int) -> None:
    """It is done with: delivered, or given up."""
    db.execute("DELETE FROM alert_message WHERE id = :id", {"id": message_id})


def failed(db: Connection, message_id: int, error: str) -> None:
    db.execute(
        "UPDATE alert_message SET attempts = attempts + 1, error = :error WHERE id = :id",
        {"error": error, "id": message_id},
    )


def waiting(db: Connection) -> dict[str, tuple[int, str]]:
    """Place -> (messages that have not arrived, why the oldest did not)."""
    rows = db.execute(
        "SELECT place, count(*) AS messages, min(id) AS oldest, error FROM alert_message GROUP BY place ORDER BY place"
    )
    return {row["place"]: (row["messages"], row["error"]) for row in rows}


def drop_other_places(db: Connection, places: Sequence[str]) -> None:
    """Messages to places that the settings name no more."""
    db.execute(
        "DELETE FROM alert_message WHERE place NOT IN (SELECT value FROM json_each(:places))",
        {"places": json.dumps(list(places))},
    )
