"""Policies as a file: CSV as spreadsheets make it, or TOML. Pure.

Reading finds every fault, each with the row and the column, so that a sheet is mended in one go.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from config.errors import Invalid
from storage.policy_rules import checked
from storage.terms import DEFAULT_PRIORITY, Policy, Terms

COLUMNS = (
    "name",
    "scope",
    "target",
    "min_days",
    "max_days",
    "offload_after_days",
    "local_days",
    "storage_class",
    "quota_bytes",
    "priority",
)
TEXTS = ("name", "scope", "target", "storage_class")
NEEDED = ("name", "scope", "max_days")
_UNITS = {
    "": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}


@dataclass(frozen=True, slots=True)
class Row:
    """`place`: `row 3` of a sheet (its head is row 1), `policy 2` of a TOML file."""

    place: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class Fault:
    place: str
    column: str
    message: str

    def __str__(self) -> str:
        named = not self.column or self.message.lstrip("'").startswith(self.column)
        return f"{self.place}, {self.message}" if named else f"{self.place}, {self.column}: {self.message}"


def size_bytes(text: str) -> int:
    """`500GB`, `1.5 TB`, `1000000`. Raises Invalid."""
    match = re.fullmatch(r"([0-9]{1,16}(?:\.[0-9]{1,3})?)\s*([kmgt]i?b)?", text.strip().lower())
    if match is None:
        raise Invalid(f"{text!r} is no size: write bytes, or such as 500GB or 1.5TB")
    return round(float(match[1]) * _UNITS[match[2]]) if match[2] or "." in match[1] else int(match[1])


def read(text: str, *, toml: bool) -> tuple[list[Row], list[Fault]]:
    """The good rows, and what is wrong with the others. Raises Invalid for what is no such file at all."""
    records = _from_toml(text) if toml else _from_csv(text)
    rows: list[Row] = []
    faults: list[Fault] = []
    for place, values in records:
        try:
            rows.append(Row(place, policy_of(values)))
        except Invalid as error:
            faults.append(Fault(place, error.field or "", error.message))
    return rows, faults


def policy_of(values: Mapping[str, Any]) -> Policy:
    """Numbers may be text. What is left out or empty has its default; `min_days` is `max_days` then. Raises Invalid."""
    for column in values:
        if column not in COLUMNS:
            near = difflib.get_close_matches(column, COLUMNS, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(COLUMNS)}"
            raise Invalid(f"{column!r} is not known: {hint}", field=column)
    given: dict[str, Any] = {}
    for column, value in values.items():
        cell = value.strip() if isinstance(value, str) else value
        if cell == "" or cell is None:
            continue
        given[column] = _text(cell, column) if column in TEXTS else _number(cell, column)
    for column in NEEDED:
        if column not in given:
            raise Invalid(f"{column} is missing", field=column)
    policy = Policy(
        0,
        given["name"],
        given["scope"],
        given.get("target", ""),
        Terms(
            min_days=given.get("min_days", given["max_days"]),
            max_days=given["max_days"],
            offload_after_days=given.get("offload_after_days"),
            local_days=given.get("local_days"),
            storage_class=given.get("storage_class", ""),
            quota_bytes=given.get("quota_bytes"),
            priority=given.get("priority", DEFAULT_PRIORITY),
        ),
    )
    if policy.scope == "camera" and policy.target:
        checked(replace(policy, target="1"))  # the catalog knows whether there is a camera of that id or code
        return policy
    return checked(policy)


def _text(value: object, column: str) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{column} is a text", field=column)
    return value


def _number(value: object, column: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        if column == "quota_bytes":
            try:
                return size_bytes(value)
            except Invalid as error:
                raise Invalid(f"{column}: {error.message}", field=column) from None
        if re.fullmatch(r"[0-9]{1,16}", value):
            return int(value)
    raise Invalid(f"{column} is a whole number", field=column)


def _from_csv(text: str) -> list[tuple[str, dict[str, Any]]]:
    head = text.partition("\n")[0]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    records: list[tuple[str, dict[str, Any]]] = []
    columns: list[str] | None = None
    try:
        for number, cells in enumerate(lines, 1):
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = _columns(cells)
                continue
            values: dict[str, Any] = dict(zip(columns, cells, strict=False))
            if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
                values[f"column {len(columns) + 1}"] = "without a head"
            records.append((f"row {number}", values))
    except csv.Error as error:
        raise Invalid(f"line {lines.line_num} is no CSV: {error}") from None
    if columns is None:
        raise Invalid(f"the file is empty: its first row names the columns {', '.join(COLUMNS)}")
    return records


def _columns(cells: Sequence[str]) -> list[str]:
    columns = [cell.strip().lower().replace(" ", "_") for cell in cells]
    while columns and not columns[-1]:
        columns.pop()
    for column in columns:
        if column not in COLUMNS or columns.count(column) > 1:
            what = "twice" if column in COLUMNS else f"which is none of {', '.join(COLUMNS)}"
            raise Invalid(f"row 1 names the column {column!r}, {what}")
    for column in NEEDED:
        if column not in columns:
            raise Invalid(f"row 1 lacks the column {column}")
    return columns


def _from_toml(text: str) -> list[tuple[str, dict[str, Any]]]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"it is no TOML: {error}") from None
    found = document.pop("policy", [])
    if document or not isinstance(found, list) or not all(isinstance(values, dict) for values in found):
        raise Invalid("a TOML file of policies has a [[policy]] for each, and nothing else")
    return [(f"policy {number}", values) for number, values in enumerate(found, 1)]


def written(records: Sequence[tuple[Policy, str]], *, toml: bool) -> str:
    """Policies, each with the target as a person names it, in the form that `read` takes."""
    rows = [_values(policy, target) for policy, target in records]
    if toml:
        return "\n".join(
            "[[policy]]\n"
            + "".join(f"{name} = {_toml(value)}\n" for name, value in row.items() if value not in (None, ""))
            for row in rows
        )
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _values(policy: Policy, target: str) -> dict[str, Any]:
    terms = {name: getattr(policy.terms, name) for name in COLUMNS[3:]}
    return {"name": policy.name, "scope": policy.scope, "target": target, **terms}


def _toml(value: object) -> str:
    # A JSON string of printable characters is a TOML basic string.
    return json.dumps(value, ensure_ascii=False)
