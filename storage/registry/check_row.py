"""One row of a sheet against the camera of its code: what it changes, what is wrong with it and how to mend it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Literal

from config.errors import Invalid
from storage import camera_url
from storage.camera_rules import AUDIO, checked
from storage.model import Camera, CameraId, Credentials
from storage.registry import cells
from storage.registry.columns import BY_FIELD
from storage.registry.import_plan import Known, Problem, Rules
from storage.registry.sheet_read import SheetRow

_EMPTY: Final = {item.name: item.default for item in fields(Camera)}
SAME_DEGREES: Final = 1e-9
SHOWN: Final = tuple(name for name in BY_FIELD if name in _EMPTY)
"""The fields of a camera that a sheet may hold."""


@dataclass(slots=True)
class Draft:
    """A row while it is looked at."""

    row: SheetRow
    code: str
    known: Known | None
    headers: Mapping[str, str]
    camera: Camera
    login: Credentials | None = None
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def wrong(self, name: str, what: str, mend: str = "") -> None:
        column = BY_FIELD.get(name)
        shown = self.headers.get(name) or (self.headers.get("place") if name in ("lat", "lon") else None)
        self.problems.append(
            Problem(
                shown or (column.en if column else name),
                name,
                what,
                mend or (f"write {column.holds.rpartition('needed: ')[2]}" if column else ""),
            )
        )

    @property
    def before(self) -> Camera | None:
        return None if self.known is None else self.known.camera


def looked_at(row: SheetRow, headers: Mapping[str, str], registered: Mapping[str, Known], rules: Rules) -> Draft:
    code = cells.typed(row.cells.get("code", ""))
    known = registered.get(code)
    start = known.camera if known else Camera(CameraId(0), code or "-", "", "", "")
    draft = Draft(row, code, known, headers, start)
    for name, fault in row.faults.items():
        draft.wrong(name, fault, "write the value itself")
    if not code:
        draft.wrong("code", "is missing", "give each camera a code of its own")
    if known is not None and known.camera.archived_us is not None:
        draft.wrong("code", "belongs to an archived camera", "bring that camera back first, or give another code")
    _read_fields(draft, rules)
    _read_place(draft, rules)
    _read_url(draft, rules)
    _check(draft)
    return draft


def _given(draft: Draft, name: str) -> str | None:
    """The cell's text; "" where it says that there is nothing; None where it leaves the field as it is."""
    raw = draft.row.cells.get(name)
    if raw is None or name in draft.row.faults:
        return None
    if cells.empties(raw):
        return ""
    return cells.typed(raw) or None


def _read_fields(draft: Draft, rules: Rules) -> None:
    readers: dict[str, Callable[[str], Any]] = {
        "owner_kind": lambda text: _kind(text, draft, rules),
        "covers": cells.covers,
        "tags": cells.tags,
        "bearing": lambda text: _near(_turned(cells.number(text, "bearing")), draft, "bearing"),
        "fov": lambda text: _near(cells.number(text, "fov"), draft, "fov"),
        "mac": lambda text: text.replace(".", "").replace(" ", ""),
        "audio": str.lower,
        "enabled": lambda text: cells.yes(text, "enabled"),
    }
    changes: dict[str, Any] = {}
    for name in draft.headers:
        if name in ("code", "url", "lat", "lon", "place", "username", "password"):
            continue
        text = _given(draft, name)
        if text is None:
            continue
        try:
            changes[name] = _emptied(name) if text == "" else readers.get(name, str)(text)
        except Invalid as error:
            draft.wrong(name, error.message, _options(name, rules))
    draft.camera = replace(draft.camera, **changes)


def _emptied(name: str) -> Any:
    return "" if name == "name" else _EMPTY[name]


def _turned(degrees: float) -> float:
    """360 is north too."""
    return 0.0 if degrees == 360 else degrees


def _near(value: float, draft: Draft, name: str) -> float:
    """The registered number, where the sheet's is the same to the 15 digits that spreadsheets keep."""
    before = getattr(draft.before, name, None)
    return before if before is not None and abs(before - value) < SAME_DEGREES else value


def _kind(text: str, draft: Draft, rules: Rules) -> str:
    if draft.before is not None and text == draft.before.owner_kind:
        return text
    return cells.owner_kind(text, rules.kinds)


def _options(name: str, rules: Rules) -> str:
    if name == "owner_kind":
        return f"write one of: {', '.join(rules.kinds)}"
    if name == "audio":
        return f"write one of: {', '.join(AUDIO)}"
    return ""


def _read_place(draft: Draft, rules: Rules) -> None:
    texts = {"lat": _given(draft, "lat"), "lon": _given(draft, "lon")}
    both = _given(draft, "place")
    try:
        if both == "":
            texts = {"lat": "", "lon": ""}
        elif both is not None:
            texts["lat"], texts["lon"] = cells.pair(both)
    except Invalid as error:
        draft.wrong("place", error.message)
        return
    found: dict[str, Any] = {}
    axes: tuple[Literal["lat", "lon"], ...] = ("lat", "lon")
    for axis in axes:
        text = texts[axis]
        if text is None:
            continue
        try:
            found[axis] = None if text == "" else _near(cells.angle(text, axis), draft, axis)
        except Invalid as error:
            draft.wrong(axis, error.message)
            return
    draft.camera = replace(draft.camera, **found)
    lat, lon = draft.camera.lat, draft.camera.lon
    unmoved = draft.before is not None and (lat, lon) == (draft.before.lat, draft.before.lon)
    if found and lat is not None and lon is not None and not unmoved:
        _in_city(draft, lat, lon, rules.city)


def _in_city(draft: Draft, lat: float, lon: float, city: tuple[float, ...]) -> None:
    if not city or within(lat, lon, city):
        return
    keep = replace(draft.camera, lat=None, lon=None)  # one fault is told once
    if within(lon, lat, city):
        draft.wrong(
            "lat",
            f"latitude and longitude are swapped ({lat:g}, {lon:g})",
            f"write latitude {lon:g}, longitude {lat:g}",
        )
    else:
        south, west, north, east = city
        draft.wrong(
            "lat",
            f"the place {lat:g}, {lon:g} lies outside of the city",
            f"the city lies between latitude {south:g} and {north:g}, longitude {west:g} and {east:g} (registry.city)",
        )
    draft.camera = keep


def within(lat: float, lon: float, city: tuple[float, ...]) -> bool:
    south, west, north, east = city
    return south <= lat <= north and west <= lon <= east


def _read_url(draft: Draft, rules: Rules) -> None:
    text, before = _given(draft, "url"), draft.before
    inside: Credentials | None = None
    if text and not (before is not None and text == before.url):
        try:
            parsed = camera_url.parse(text, allow_loopback=rules.allow_loopback)
        except Invalid as error:
            draft.wrong("url", error.message, "write rtsp://host[:port]/path")
            return
        draft.camera, inside = replace(draft.camera, url=parsed.url), parsed.credentials
    elif not text and not draft.camera.url:
        draft.wrong("url", "is missing: a new camera needs one", "write rtsp://host[:port]/path")
        return
    _read_login(draft, inside)
    if before is not None and draft.login is None and draft.known is not None and draft.known.has_login:
        _login_stays(draft, before)


def _read_login(draft: Draft, inside: Credentials | None) -> None:
    username, password = _given(draft, "username") or "", _given(draft, "password") or ""
    if not username and not password:
        draft.login = inside
        return
    try:
        draft.login = camera_url.check_credentials(username, password)
    except Invalid as error:
        draft.wrong(error.field or "username", error.message)
        return
    if inside is not None and inside != draft.login:
        draft.wrong("url", "holds another login than the columns for it", "give user and password in one place")


def _login_stays(draft: Draft, before: Camera) -> None:
    """A stored password is never sent to another host than it was given for."""
    after = draft.camera.url
    if camera_url.host_of(after) != camera_url.host_of(before.url) or (
        before.url.startswith("rtsps:") and not after.startswith("rtsps:")
    ):
        draft.wrong("url", "leads to another host than before", "give user and password of that host too")


def _check(draft: Draft) -> None:
    """`checked`, again for each field that is at fault, so that one look finds all."""
    start = draft.before or Camera(CameraId(0), "-", "", "", "")
    for _ in SHOWN:
        try:
            draft.camera = checked(draft.camera)
            return
        except Invalid as error:
            name = error.field or "code"
            if name != "code" or draft.code:
                draft.wrong(name, error.message)
            kept: dict[str, Any] = (
                {"lat": None, "lon": None} if name in ("lat", "lon") else {name: getattr(start, name)}
            )
            draft.camera = replace(draft.camera, **kept)
