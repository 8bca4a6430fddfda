"""Retention over HTTP: policies, what changing them would do, changes that wait, and what each camera is promised."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

from aiohttp import web

from retention import changes
from retention.changes import Edit, Effect, Preview
from retention.effective import wanted_by
from retention.loss import Loss
from retention.settle import UNDATED_US, clock_trusted
from retention.terms_page import CameraTerms, Wish, page
from storage.camera_rules import unfit
from storage.catalog import policies, policy_changes
from storage.catalog.policy_changes import Change
from storage.catalog.sqlite import Connection
from storage.clock import rfc3339, wall_us
from storage.policy_rules import NAME
from storage.terms import InForce, Pending, Policy, Terms
from web import bodies, params
from web.keys import CATALOG, KEEPER
from web.operations import CURSOR, LIMIT, Operation, Parameter, Reply, path_id
from web.params import rfc3339_or_none
from web.retention_schemas import (
    AfterOut,
    CameraTermsOut,
    CameraTermsPage,
    ChangeOut,
    ChangePage,
    EffectOut,
    LossOut,
    NumbersOut,
    PolicyFields,
    PolicyIn,
    PolicyList,
    PolicyOut,
    PreviewIn,
    PreviewOut,
    PromiseOut,
    StatedPolicy,
    WaitingOut,
    WrittenOut,
)
from web.schemas import FIT

BY = "web"
"""Who made a change: nobody signs in yet."""


def _due(due_us: int | None) -> str | None:
    return None if due_us is None or due_us >= UNDATED_US else rfc3339(due_us)


def _stated(policy: Policy) -> dict[str, Any]:
    return {
        "id": policy.id,
        "name": policy.name,
        "scope": policy.scope,
        "target": policy.target,
        "changed_at": rfc3339(policy.changed_us),
        **asdict(policy.terms),
    }


def _stated_or_none(policy: Policy | None) -> StatedPolicy | None:
    return None if policy is None else StatedPolicy(**_stated(policy))


def _promise(row: InForce | None) -> PromiseOut | None:
    if row is None:
        return None
    return PromiseOut(
        policy_id=row.policy_id,
        policy=row.policy_name,
        why=row.why,
        since=rfc3339(row.since_us),
        **asdict(row.terms),
    )


def _loss(lost: Loss) -> LossOut:
    return LossOut(segments=lost.segments, bytes=lost.bytes, oldest=rfc3339_or_none(lost.oldest_us))


def _waiting(row: Pending | None, lost: Loss) -> WaitingOut | None:
    if row is None:
        return None
    return WaitingOut(
        policy_id=row.policy_id,
        policy=row.policy_name,
        why=row.why,
        seen_at=rfc3339(row.seen_us),
        due_at=_due(row.due_us),
        loses=_loss(lost),
        **asdict(row.terms),
    )


def _effect(effect: Effect) -> EffectOut:
    after = effect.after
    return EffectOut(
        camera_id=effect.camera_id,
        code=effect.code,
        before=_promise(effect.before),
        after=None if after is None else AfterOut(policy=after.policy_name, why=after.why, **asdict(after.terms)),
        shortens=effect.shortens,
        loses=_loss(effect.loss),
    )


def _preview(preview: Preview, limit: int) -> PreviewOut:
    return PreviewOut(
        **preview.summary(),
        due_at=rfc3339_or_none(preview.due_us),
        needs_confirm=preview.needs_confirm,
        effects=[_effect(effect) for effect in preview.effects[:limit]],
    )


def _change(change: Change) -> ChangeOut:
    return ChangeOut(
        id=change.id,
        at=rfc3339(change.at_us),
        made_by=change.made_by,
        policy=change.name,
        before=_stated_or_none(change.before),
        after=_stated_or_none(change.after),
        status=change.status,  # type: ignore[arg-type]  # one of the four
        due_at=_due(change.due_us),
        in_force_at=rfc3339(change.at_us) if change.due_us is None else rfc3339_or_none(change.in_force_us),
        cancelled_at=rfc3339_or_none(change.cancelled_us),
        cancelled_by=change.cancelled_by,
        preview=NumbersOut(**change.preview),
    )


def _listing(db: Connection) -> list[PolicyOut]:
    found, subjects = policies.listing(db), policies.subjects(db)
    counts: dict[str, int] = {}
    for want in wanted_by(found, subjects).values():
        counts[want.policy_name] = counts.get(want.policy_name, 0) + 1
    codes = {str(subject.id): subject.code for subject in subjects}
    return [
        PolicyOut(
            **_stated(policy),
            camera_code=codes.get(policy.target) if policy.scope == "camera" else None,
            cameras=counts.get(policy.name, 0),
        )
        for policy in found
    ]


async def listing(request: web.Request) -> web.Response:
    return bodies.answer(PolicyList(items=await request.app[CATALOG].read(_listing)))


def _policy(name: str, fields: PolicyFields) -> Policy:
    terms = {field: getattr(fields, field) for field in Terms.__slots__}
    return Policy(0, name, fields.scope, fields.target, Terms(**terms))


async def preview(request: web.Request) -> web.Response:
    limit = params.limit(request)
    body = await bodies.read(request, PreviewIn)
    edits = [Edit(edit.name, _policy(edit.name, edit.policy) if edit.policy else None) for edit in body.edits]
    prepared = await request.app[CATALOG].read(partial(changes.prepare, edits=edits, now_us=wall_us()))
    return bodies.answer(_preview(prepared.preview, limit))


async def put(request: web.Request) -> web.Response:
    body = await bodies.read(request, PolicyIn)
    name = request.match_info["name"]
    return await _make(request, Edit(name, _policy(name, body)), confirm=body.confirm)


async def delete(request: web.Request) -> web.Response:
    confirm = params.flag(request, "confirm", default=False)
    return await _make(request, Edit(request.match_info["name"], None), confirm=confirm)


async def _make(request: web.Request, edit: Edit, *, confirm: bool) -> web.Response:
    """Looked at by a reader, which may take a second, then written at once, if nothing changed in between."""
    now_us = wall_us()
    prepared = await request.app[CATALOG].read(partial(changes.prepare, edits=[edit], now_us=now_us))

    def write(db: Connection) -> list[Change]:
        trusted = clock_trusted(db)
        return changes.make(db, prepared, now_us=now_us, trusted=trusted, by=BY, confirm=confirm)

    made = await request.app[CATALOG].write(write) if prepared.pairs else []
    request.app[KEEPER].ask()
    answer = WrittenOut(
        change=_change(made[0]) if made else None, preview=_preview(prepared.preview, params.DEFAULT_LIMIT)
    )
    return bodies.answer(answer)


async def changes_listing(request: web.Request) -> web.Response:
    limit, before_id = params.limit(request), _before(request)
    found = await request.app[CATALOG].read(partial(policy_changes.listing, before_id=before_id, limit=limit + 1))
    following = params.as_cursor(found[limit - 1].id) if len(found) > limit else None
    return bodies.answer(ChangePage(items=[_change(change) for change in found[:limit]], next=following))


def _before(request: web.Request) -> int | None:
    cursor = params.cursor(request)
    if cursor is None:
        return None
    if len(cursor) != 1 or type(cursor[0]) is not int or not 0 < cursor[0] <= params.MAX_ID:
        raise params.bad_cursor()
    return cursor[0]


async def cancel(request: web.Request) -> web.Response:
    change_id = params.number(request, "change_id", "change")

    def write(db: Connection) -> Change:
        trusted = clock_trusted(db)
        return changes.cancel(db, change_id, now_us=wall_us(), trusted=trusted, by=BY)

    cancelled = await request.app[CATALOG].write(write)
    request.app[KEEPER].ask()
    return bodies.answer(_change(cancelled))


def _terms(item: CameraTerms) -> CameraTermsOut:
    return CameraTermsOut(
        camera_id=item.camera.id,
        code=item.camera.code,
        name=item.camera.name,
        name_hi=item.camera.name_hi,
        archived_at=rfc3339_or_none(item.camera.archived_us),
        policy=item.wanted.policy_name if item.wanted else None,
        why=item.wanted.why if item.wanted else None,
        in_force=_promise(item.in_force),
        pending=_waiting(item.pending, item.loss),
    )


async def cameras(request: web.Request) -> web.Response:
    limit, after = params.limit(request), _after(request)
    wish = Wish(
        text=params.text(request, "text") or "",
        pending=params.flag(request, "pending", default=None),
        policy=params.text(request, "policy"),
        archived=params.flag(request, "archived", default=False),
    )
    found = await request.app[CATALOG].read(partial(page, wish=wish, after=after, limit=limit + 1))
    following = params.as_cursor(found[limit - 1].camera.code) if len(found) > limit else None
    return bodies.answer(CameraTermsPage(items=[_terms(item) for item in found[:limit]], next=following))


def _after(request: web.Request) -> str:
    cursor = params.cursor(request)
    if cursor is None:
        return ""
    if len(cursor) != 1 or not isinstance(cursor[0], str) or unfit(cursor[0]):
        raise params.bad_cursor()
    return cursor[0]


_TAG = "Retention"
_NAME = Parameter("name", "path", {"type": "string", "pattern": NAME}, "The policy's name.", required=True)
_FLAG = {"type": "boolean"}
_TEXT = {"type": "string", "maxLength": params.MAX_TEXT, "pattern": FIT}


def operations() -> list[Operation]:
    return [
        Operation(
            "GET",
            "/api/v1/retention/policies",
            listing,
            _TAG,
            "All policies, the most specific first",
            {200: Reply("All of them, on one page.", PolicyList)},
        ),
        Operation(
            "PUT",
            "/api/v1/retention/policies/{name}",
            put,
            _TAG,
            "Make or change a policy",
            {200: Reply("It is so. What it shortens comes into force a day later.", WrittenOut)},
            parameters=(_NAME,),
            body=PolicyIn,
            problems=(409,),
        ),
        Operation(
            "DELETE",
            "/api/v1/retention/policies/{name}",
            delete,
            _TAG,
            "Delete a policy",
            {
                200: Reply(
                    "It is gone; its cameras get what fits them next, a day later where that is less.", WrittenOut
                )
            },
            parameters=(
                _NAME,
                Parameter("confirm", "query", _FLAG, "Also where more than a fifth of a volume's footage would go."),
            ),
            problems=(409,),
        ),
        Operation(
            "POST",
            "/api/v1/retention/preview",
            preview,
            _TAG,
            "What edits of policies would do",
            {200: Reply("Cameras, bytes, the oldest footage that goes, the share of each volume.", PreviewOut)},
            parameters=(LIMIT,),
            body=PreviewIn,
            problems=(404, 409),
        ),
        Operation(
            "GET",
            "/api/v1/retention/changes",
            changes_listing,
            _TAG,
            "Changes of policies, the newest first",
            {200: Reply("A page.", ChangePage)},
            parameters=(LIMIT, CURSOR),
        ),
        Operation(
            "POST",
            "/api/v1/retention/changes/{change_id}/cancel",
            cancel,
            _TAG,
            "Take a change back whose shorter terms still wait",
            {200: Reply("The policy is as it was before.", ChangeOut)},
            parameters=(path_id("change_id", "The change."),),
            problems=(409,),
        ),
        Operation(
            "GET",
            "/api/v1/retention/cameras",
            cameras,
            _TAG,
            "What each camera is promised, why, and what waits",
            {200: Reply("A page, by code.", CameraTermsPage)},
            parameters=(
                Parameter("text", "query", _TEXT, "Words, each of which occurs in the camera's, as in its list."),
                Parameter("pending", "query", _FLAG, "Only those with something that waits, or only those without."),
                Parameter("policy", "query", _TEXT, "Only those for which the policy of that name decides."),
                Parameter("archived", "query", _FLAG, "The archived ones instead."),
                LIMIT,
                CURSOR,
            ),
        ),
    ]
