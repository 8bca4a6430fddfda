"""Changes of policies: looked at before they are made, made all or none, and taken back while they wait.

    prepared = await catalog.read(lambda db: changes.prepare(db, edits, now_us))        # reads much, may take a second
    made = await catalog.write(lambda db: changes.make(db, prepared, ...))              # writes little, at once

A change that shortens anything comes into force a day later (`retention.settle`). One that would then delete more than a
fifth of a volume's footage is refused unless it is confirmed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from config.errors import Conflict, Invalid, NotFound
from retention.effective import Wanted, wanted_by
from retention.loss import Interval, Loss, loss
from retention.settle import WAIT_US, settle_now, shortens
from storage.catalog import cameras, holds, hour_sums, policies, policy_changes
from storage.catalog.policy_changes import Change
from storage.catalog.sqlite import Connection
from storage.clock import rfc3339
from storage.model import CameraId, VolumeId
from storage.policy_rules import checked
from storage.terms import MAX_DAYS, InForce, Policy, Subject, Terms

TOO_MUCH = 0.2
"""Of a volume's footage: more than that is not deleted by one change that nobody confirmed."""
FOR_EVER = Terms(1, MAX_DAYS)
NEEDS_CONFIRM = "needs_confirm"


@dataclass(frozen=True, slots=True)
class Edit:
    """Of the policy of that name: None deletes it. `policy.id` is ignored where there is one of that name."""

    name: str
    policy: Policy | None


@dataclass(frozen=True, slots=True)
class Effect:
    """What changes for a camera. `before`: what it is promised now; None: nothing yet, and no policy fits it."""

    camera_id: CameraId
    code: str
    before: InForce | None
    after: Wanted | None
    shortens: bool
    loss: Loss


@dataclass(frozen=True, slots=True)
class Share:
    """What would go of a volume's footage."""

    volume_id: VolumeId
    segments: int
    bytes: int
    of_bytes: int

    @property
    def part(self) -> float:
        return self.bytes / self.of_bytes if self.of_bytes else 0.0


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change does. Losses are as of `due_us`, when what it shortens comes into force; None where it shortens nothing.

    `effects`: cameras that lose most first.
    """

    at_us: int
    due_us: int | None
    effects: tuple[Effect, ...]
    volumes: tuple[Share, ...]

    @property
    def shortened(self) -> int:
        return sum(effect.shortens for effect in self.effects)

    @property
    def segments(self) -> int:
        return sum(effect.loss.segments for effect in self.effects)

    @property
    def bytes(self) -> int:
        return sum(effect.loss.bytes for effect in self.effects)

    @property
    def remote_bytes(self) -> int:
        return sum(effect.loss.remote_bytes for effect in self.effects)

    @property
    def oldest_us(self) -> int | None:
        return min((e.loss.oldest_us for e in self.effects if e.loss.oldest_us is not None), default=None)

    @property
    def needs_confirm(self) -> bool:
        return any(share.part > TOO_MUCH for share in self.volumes)

    def summary(self) -> dict[str, Any]:
        """Its numbers, as they are kept with the change and told where it is refused."""
        return {
            "cameras": len(self.effects),
            "shortened": self.shortened,
            "segments": self.segments,
            "bytes": self.bytes,
            "remote_bytes": self.remote_bytes,
            "oldest": None if self.oldest_us is None else rfc3339(self.oldest_us),
            "volumes": [
                {
                    "volume_id": share.volume_id,
                    "segments": share.segments,
                    "bytes": share.bytes,
                    "of_bytes": share.of_bytes,
                    "share": round(share.part, 4),
                }
                for share in self.volumes
            ],
        }


@dataclass(frozen=True, slots=True)
class Prepared:
    """A change that can be made, as long as the policies are those of `base`. `pairs`: before and after, of what differs."""

    base: tuple[Policy, ...]
    pairs: tuple[tuple[Policy | None, Policy | None], ...]
    preview: Preview


def resolved(db: Connection, policy: Policy) -> Policy:
    """A policy for a camera names it by id, as digits, or by code; it is kept by id. Raises Invalid where there is none."""
    if policy.scope != "camera" or not policy.target.strip():
        return policy
    key = policy.target.strip()
    try:
        found = cameras.get(db, CameraId(int(key))) if _is_id(key) else cameras.by_code(db, key)
    except NotFound as error:
        raise Invalid(f"target: {error.message}", field="target") from None
    return replace(policy, target=str(found.id))


def _is_id(key: str) -> bool:
    return key.isascii() and key.isdecimal() and len(key) <= 15


def edited(base: Sequence[Policy], edits: Iterable[Edit]) -> dict[str, Policy]:
    """The policies after the edits, by name. Pure. Raises Invalid, Conflict or NotFound."""
    found = {policy.name: policy for policy in base}
    for name, count in Counter(edit.name for edit in edits).items():
        if count > 1:
            raise Invalid(f"the policy {name} is named {count} times", field="name")
    for edit in edits:
        before = found.get(edit.name)
        if edit.policy is None:
            if before is None:
                raise NotFound(f"there is no policy {edit.name[:64]!r}", field="name")
            if before.scope == "default":
                raise Conflict("the default policy can be changed, not deleted: it is for cameras that no other fits")
            del found[edit.name]
            continue
        after = checked(replace(edit.policy, name=edit.name))
        if before is not None and before.scope != after.scope and "default" in (before.scope, after.scope):
            raise Conflict(f"the policy {edit.name} has the scope {before.scope}, which cannot change", field="scope")
        found[edit.name] = replace(after, id=before.id if before else after.id)
    _refuse_two_for_one(found.values())
    return found


def _refuse_two_for_one(made: Iterable[Policy]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for policy in made:
        other = seen.setdefault((policy.scope, policy.target), policy.name)
        if other != policy.name:
            whom = f"{policy.scope} {policy.target}".rstrip()
            raise Conflict(
                f"{other} and {policy.name} are both for {whom}: change the one that is there", field="target"
            )


def prepare(db: Connection, edits: Sequence[Edit], now_us: int) -> Prepared:
    """Look at edits without making them. Raises Invalid, Conflict or NotFound where they cannot be made."""
    base = tuple(policies.listing(db))
    before = {policy.name: policy for policy in base}
    after = edited(base, [replace(e, policy=e.policy and resolved(db, e.policy)) for e in edits])
    names = [name for name in (edit.name for edit in edits) if not _same(before.get(name), after.get(name))]
    pairs = tuple((before.get(name), after.get(name)) for name in names)
    return Prepared(base, pairs, _preview(db, base, list(after.values()), now_us))


def _same(one: Policy | None, other: Policy | None) -> bool:
    return one == other or (
        one is not None and other is not None and replace(one, changed_us=other.changed_us) == other
    )


def _preview(db: Connection, base: Sequence[Policy], after: Sequence[Policy], now_us: int) -> Preview:
    subjects = policies.subjects(db)
    was, will = wanted_by(base, subjects), wanted_by(after, subjects)
    changed = [subject for subject in subjects if _told(was.get(subject.id)) != _told(will.get(subject.id))]
    promised = policies.in_force(db)
    held: dict[CameraId, list[Interval]] = defaultdict(list)
    for hold in holds.active(db):
        held[hold.camera_id].append((hold.start_us, hold.end_us))
    due_us = now_us + WAIT_US
    effects = [
        _effect(db, subject, promised.get(subject.id), was.get(subject.id), will.get(subject.id), held, due_us)
        for subject in changed
    ]
    effects.sort(key=lambda effect: (-effect.loss.bytes, not effect.shortens, effect.code))
    return Preview(
        at_us=now_us,
        due_us=due_us if any(effect.shortens for effect in effects) else None,
        effects=tuple(effects),
        volumes=_shares(db, effects),
    )


def _told(wanted: Wanted | None) -> object:
    """An id is given only when a policy is made."""
    return None if wanted is None else replace(wanted, policy_id=0)


def _effect(
    db: Connection,
    subject: Subject,
    promised: InForce | None,
    was: Wanted | None,
    will: Wanted | None,
    held: dict[CameraId, list[Interval]],
    due_us: int,
) -> Effect:
    if promised is None and was is not None:  # not settled yet: it will be before the change is made
        promised = InForce(subject.id, was.policy_id, was.policy_name, was.why, was.terms, due_us - WAIT_US)
    old = promised.terms if promised else FOR_EVER
    if will is None or not shortens(old, will.terms):
        return Effect(subject.id, subject.code, promised, will, False, Loss())
    lost = loss(db, subject.id, old, will.terms, held.get(subject.id, ()), due_us)
    return Effect(subject.id, subject.code, promised, will, True, lost)


def _shares(db: Connection, effects: Iterable[Effect]) -> tuple[Share, ...]:
    going: dict[VolumeId, tuple[int, int]] = {}
    for effect in effects:
        for volume_id, segments, size in effect.loss.local:
            had = going.get(volume_id, (0, 0))
            going[volume_id] = (had[0] + segments, had[1] + size)
    if not going:
        return ()
    whole = hour_sums.bytes_on_volumes(db)
    return tuple(Share(volume, *counts, whole.get(volume, 0)) for volume, counts in sorted(going.items()))


def make(
    db: Connection, prepared: Prepared, *, now_us: int, trusted: bool, by: str, confirm: bool = False
) -> list[Change]:
    """All of it, in the caller's transaction. Raises Conflict where the policies are no longer those that were looked at, and,
    unless `confirm`, where more than a fifth of a volume's footage would go."""
    if tuple(policies.listing(db)) != prepared.base:
        raise Conflict("the policies were changed in the meantime: look at the preview again")
    if prepared.preview.needs_confirm and not confirm:
        raise _too_much(prepared.preview)
    touched = frozenset(effect.camera_id for effect in prepared.preview.effects)
    settle_now(db, now_us, trusted=trusted, cameras=touched)  # what was promised until now, also to one just registered
    made = []
    for before, after in sorted(prepared.pairs, key=lambda pair: pair[1] is not None):  # what goes makes room first
        if after is None:
            assert before is not None
            policies.delete(db, before.id)
        made.append((before, after and policies.put(db, replace(after, changed_us=now_us))))
    settle_now(db, now_us, trusted=trusted, cameras=touched)
    return [_note(db, prepared.preview, before, after, now_us, by) for before, after in made]


def _note(
    db: Connection, preview: Preview, before: Policy | None, after: Policy | None, now_us: int, by: str
) -> Change:
    policy = after or before
    assert policy is not None
    mine = frozenset(
        effect.camera_id
        for effect in preview.effects
        if effect.shortens and policy.name in (_name(effect.before), _name(effect.after))
    )
    waiting = policies.pending(db, mine)
    due_us = max((row.due_us for row in waiting.values()), default=None)
    made = Change(0, now_us, policy.id, before, after, preview.summary(), due_us, None, None, by)
    return policy_changes.add(db, made)


def _name(given: InForce | Wanted | None) -> str | None:
    return None if given is None else given.policy_name


def _too_much(preview: Preview) -> Conflict:
    worst = max(preview.volumes, key=lambda share: share.part)
    return Conflict(
        f"this would delete {worst.part:.0%} of the footage on volume {worst.volume_id} ({worst.bytes / 1e9:,.1f} of "
        f"{worst.of_bytes / 1e9:,.1f} GB) at once: look at what goes, then do it again and confirm",
        field="confirm",
        code=NEEDS_CONFIRM,
        preview=preview.summary(),
    )


def cancel(db: Connection, change_id: int, *, now_us: int, trusted: bool, by: str) -> Change:
    """Put the policy back as it was before a change whose shorter terms still wait. Raises NotFound, or Conflict where they
    are in force, or where the policy was changed again since."""
    change = policy_changes.get(db, change_id)
    _refuse_cancelling(change)
    policy = change.before or change.after
    assert policy is not None
    current = {made.id: made for made in policies.listing(db)}.get(change.policy_id)
    if not _same(current, change.after):
        raise Conflict(f"the policy {policy.name} is not as change {change_id} left it: set it as it should be")
    back = prepare(db, [Edit(policy.name, change.before)], now_us)
    if back.preview.needs_confirm:
        raise _too_much(back.preview)
    if change.before is None:
        policies.delete(db, change.policy_id)
    else:
        policies.put(db, replace(change.before, changed_us=now_us))
    settle_now(db, now_us, trusted=trusted, cameras=frozenset(effect.camera_id for effect in back.preview.effects))
    policy_changes.cancel(db, change_id, by=by, at_us=now_us)
    return policy_changes.get(db, change_id)


def _refuse_cancelling(change: Change) -> None:
    if change.cancelled_us is not None:
        raise Conflict(f"change {change.id} was cancelled {rfc3339(change.cancelled_us)}")
    if change.newer is not None:
        raise Conflict(
            f"the policy {change.name} was changed again since, by change {change.newer}: cancel that one first, or set the "
            "policy as it should be",
            newer=change.newer,
        )
    if change.status == "in_force":
        raise Conflict(f"change {change.id} is in force: set the policy {change.name} as it should be")
