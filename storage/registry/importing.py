"""A sheet becomes cameras: read and checked in a child process, written in one transaction.

`looked_at` is for `storage.child`; `known`, `with_logins` and `write` run on a connection of the catalog. What retention must
do around `write` is `retention.imported`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from config.errors import Conflict, NvrError
from storage import camera_url
from storage.catalog import cameras, logins
from storage.catalog.sqlite import Connection
from storage.model import Camera, CameraId, Credentials
from storage.registry import check_rows, sheet_read
from storage.registry.import_plan import Item, Known, Plan, Problem, Rules, Wish

NOT_ALLOWED: Final = Problem(
    "Password", "password", "another login is registered", "allow changes, or leave user and password empty"
)


def looked_at(data: bytes, media_type: str, registered: Sequence[Known], rules: Rules) -> Plan:
    """Raises Invalid for a file that cannot be read at all."""
    return check_rows.plan(sheet_read.read(data, media_type), registered, rules)


def known(db: Connection) -> list[Known]:
    """Every camera, archived ones too, by id."""
    with_login = logins.marks(db)
    return [Known(cameras.get(db, camera_id), camera_id in with_login) for camera_id in sorted(cameras.ids(db))]


def registered(db: Connection) -> list[Camera]:
    """By code, archived ones left out."""
    everyone = (cameras.get(db, camera_id) for camera_id in cameras.ids(db))
    return sorted((camera for camera in everyone if camera.archived_us is None), key=lambda camera: camera.code)


def with_logins(db: Connection, plan: Plan, *, update: bool) -> Plan:
    """The plan, knowing which rows give another login than the stored one: those change the camera. A plan of `looked_at` does
    not know, for no login leaves this process."""
    new_login = {wish.row: _new_login(db, wish) for wish in plan.wishes if wish.camera_id is not None}
    if not update and any(new_login.values()):
        items = tuple(_refused(item) if new_login.get(item.row) else item for item in plan.items)
        return Plan(items, (), plan.notes)
    items = tuple(_noted(item) if new_login.get(item.row) else item for item in plan.items)
    wishes = [wish if new_login.get(wish.row, True) else replace(wish, login=None) for wish in plan.wishes]
    return Plan(
        items, tuple(wish for wish in wishes if wish.camera_id is None or wish.changes or wish.login), plan.notes
    )


def _new_login(db: Connection, wish: Wish) -> bool:
    if wish.login is None or wish.camera_id is None:
        return False
    return stored_login(db, wish.camera_id) != wish.login


def stored_login(db: Connection, camera_id: CameraId) -> Credentials | None:
    """None also for one that cannot be read any more: it is another than any given."""
    try:
        return cameras.credentials(db, camera_id)
    except NvrError:
        return None


def _refused(item: Item) -> Item:
    return replace(item, result="wrong", problems=(*item.problems, NOT_ALLOWED))


def _noted(item: Item) -> Item:
    return replace(item, result="change", notes=(*item.notes, "Login: another one"))


def write(
    db: Connection, plan: Plan, *, by: str, node: str, now_us: int, progress: Callable[[int], None] = lambda done: None
) -> list[CameraId]:
    """All that the plan wishes, in the caller's transaction; which cameras were added or changed. `by`: who or what, for their
    history. `progress`: is told how many are done. Raises Conflict where somebody else was quicker."""
    made = []
    for done, wish in enumerate(plan.wishes, 1):
        made.append(
            _added(db, wish, by, node, now_us) if wish.camera_id is None else _changed(db, wish.camera_id, wish, by)
        )
        progress(done)
    return made


def _added(db: Connection, wish: Wish, by: str, node: str, now_us: int) -> CameraId:
    camera = Camera(id=CameraId(0), code=wish.code, node=node, created_us=now_us, **wish.changes)
    return cameras.add(db, camera, wish.login, by=by).id


def _changed(db: Connection, camera_id: CameraId, wish: Wish, by: str) -> CameraId:
    before = cameras.get(db, camera_id)
    url = wish.changes.get("url", before.url)
    if before.archived_us is not None:
        raise Conflict(f"camera {before.code} was archived meanwhile: import the sheet again", field="code")
    if wish.login is None and camera_url.host_of(url) != camera_url.host_of(before.url) and logins.has(db, camera_id):
        raise Conflict(f"camera {before.code} was given a login meanwhile: import the sheet again", field="credentials")
    if wish.changes:
        cameras.update(db, camera_id, by=by, **wish.changes)
    if url != before.url:
        cameras.forget_probe(db, camera_id)
    if wish.login is not None:
        cameras.set_credentials(db, camera_id, wish.login)
    return camera_id
