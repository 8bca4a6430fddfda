"""What the rows of a sheet would do to the registry, and what is wrong with them, taken together. Pure.

A row is about the camera of its code. An empty cell leaves a field as it is, "-" empties it; a column that the sheet has not is
left alone. Nothing is changed here: `storage.registry.importing` writes what a plan without a wrong row says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from storage.model import Camera
from storage.registry import cells
from storage.registry.check_row import SHOWN, Draft, looked_at
from storage.registry.columns import BY_FIELD, EXAMPLE_CODE
from storage.registry.import_plan import Item, Known, Plan, Result, Rules, Wish
from storage.registry.sheet_read import Sheet

MAX_SHOWN: Final = 40


def plan(sheet: Sheet, known: Iterable[Known], rules: Rules) -> Plan:
    """Of all rows. The template's own example is no camera."""
    registered = {item.camera.code: item for item in known}
    drafts = [
        looked_at(row, sheet.headers, registered, rules)
        for row in sheet.rows
        if cells.typed(row.cells.get("code", "")) != EXAMPLE_CODE
    ]
    _same_codes(drafts)
    _same_urls(drafts, registered)
    _same_places(drafts, registered)
    items = tuple(_item(draft, rules) for draft in drafts)
    if any(item.result == "wrong" for item in items):
        return Plan(items, (), sheet.notes)
    wishes = tuple(
        _wish(draft)
        for draft, item in zip(drafts, items, strict=True)
        if item.result in ("add", "change") or draft.login is not None
    )
    return Plan(items, wishes, sheet.notes)


def _same_codes(drafts: Iterable[Draft]) -> None:
    first: dict[str, Draft] = {}
    for draft in drafts:
        if draft.code and (other := first.setdefault(draft.code, draft)) is not draft:
            draft.wrong("code", f"row {other.row.number} has the same code", "give each camera a code of its own")


def url_key(url: str) -> str:
    """The same for every way to write one address."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{authority.removesuffix(':554' if scheme == 'rtsp' else ':322')}{slash}{path}"


def _same_urls(drafts: Iterable[Draft], registered: Mapping[str, Known]) -> None:
    drafts = [draft for draft in drafts if draft.camera.url and not any(p.field == "url" for p in draft.problems)]
    in_sheet = {draft.code for draft in drafts}
    others = {
        url_key(item.camera.url): code
        for code, item in registered.items()
        if code not in in_sheet and item.camera.archived_us is None
    }
    rows: dict[str, Draft] = {}
    for draft in drafts:
        key = url_key(draft.camera.url)
        twin = rows.setdefault(key, draft)
        told = ""
        if twin is not draft and twin.code != draft.code:
            told = f"row {twin.row.number} ({twin.code}) has the same URL"
        elif key in others:
            told = f"camera {others[key]} has the same URL"
        if told and draft.before is not None and draft.before.url == draft.camera.url:
            draft.notes.append(told)
        elif told:
            draft.wrong(
                "url", told, "each camera has a URL of its own; a recorder gives each of its channels another path"
            )


def _same_places(drafts: Iterable[Draft], registered: Mapping[str, Known]) -> None:
    """To about 1 m, and looking the same way: worth a look, no fault."""
    drafts = list(drafts)
    in_sheet = {draft.code for draft in drafts}
    taken = {
        _place(item.camera): code
        for code, item in registered.items()
        if code not in in_sheet and item.camera.archived_us is None and item.camera.lat is not None
    }
    for draft in drafts:
        camera = draft.camera
        if camera.lat is None:
            continue
        key = _place(camera)
        if key in taken and taken[key] != draft.code and not _stands(draft):
            draft.notes.append(f"stands where {taken[key]} stands and looks the same way")
        taken.setdefault(key, draft.code)


def _place(camera: Camera) -> tuple[float, float, float | None]:
    return round(camera.lat or 0.0, 5), round(camera.lon or 0.0, 5), camera.bearing


def _stands(draft: Draft) -> bool:
    return draft.before is not None and _place(draft.before) == _place(draft.camera)


def _changed(before: Camera, after: Camera) -> dict[str, Any]:
    return {name: getattr(after, name) for name in SHOWN if getattr(after, name) != getattr(before, name)}


def _item(draft: Draft, rules: Rules) -> Item:
    before = draft.before
    changes = {} if before is None else _changed(before, draft.camera)
    if before is not None and changes and not rules.update and not draft.problems:
        told = ", ".join(BY_FIELD[name].en for name in changes)
        draft.wrong("code", f"is registered already, with another {told}", "allow changes, or take the row away")
    if draft.problems:
        return Item(draft.row.number, draft.code[:64], "wrong", tuple(draft.problems), tuple(draft.notes))
    result: Result = "add" if before is None else "change" if changes else "same"
    notes = [*draft.notes, *(_told(name, getattr(before, name), value) for name, value in changes.items())]
    return Item(draft.row.number, draft.code, result, (), tuple(notes))


def _told(name: str, before: Any, after: Any) -> str:
    return f"{BY_FIELD[name].en}: {_short(before)} -> {_short(after)}"


def _short(value: Any) -> str:
    text = ", ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
    return text[:MAX_SHOWN] or "(empty)"


def _wish(draft: Draft) -> Wish:
    before = draft.before
    if before is not None:
        return Wish(draft.row.number, draft.code, before.id, _changed(before, draft.camera), draft.login)
    changes = {name: getattr(draft.camera, name) for name in SHOWN if name != "code"}
    return Wish(draft.row.number, draft.code, None, changes, draft.login)
