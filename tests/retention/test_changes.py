"""Changes of policies: what they would delete is told before, and they can be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.errors import Conflict, Invalid, NotFound, NvrError
from retention.changes import Edit, cancel, edited, make, prepare
from retention.settle import BEFORE_ANY, settle_now
from storage.catalog import cameras, holds, policies, policy_changes
from storage.catalog.db import transaction
from storage.catalog.sqlite import Connection
from storage.model import HOUR_US, CameraId, Tier, VolumeId
from storage.terms import DAY_US, MAX_DAYS, Hold, Policy, Terms
from tests.retention.stocked import NOW, SEGMENT_BYTES, camera, catalog, edit, footage, policy


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    with catalog(tmp_path) as connection:
        yield connection


def settle(db: Connection, now_us: int = NOW) -> None:
    with transaction(db):
        settle_now(db, now_us, trusted=True)


def days(db: Connection, camera_id: CameraId) -> tuple[int, int | None]:
    """(in force, pending)."""
    waiting = policies.pending(db).get(camera_id)
    return policies.in_force(db)[camera_id].terms.max_days, waiting.terms.max_days if waiting else None


def test_a_new_catalog_gets_the_classes_of_the_law_and_never_again(db: Connection) -> None:
    found = {policy.name: (policy.scope, policy.target, policy.terms) for policy in policies.listing(db)}
    assert found == {
        "default": ("default", "", Terms(30, 30, priority=50)),
        "bank_atm": ("kind", "bank_atm", Terms(90, 90, priority=70)),
        "police_post": ("kind", "police_post", Terms(365, 548, priority=90)),
    }
    for policy_ in policies.listing(db):
        policies.delete(db, policy_.id)
    assert policies.seed(db, default_days=30, at_us=NOW) is False
    assert policies.listing(db) == []


def test_tells_what_a_shorter_policy_deletes(db: Connection) -> None:
    bank, shop = camera(db, "BANK", owner_kind="bank_atm"), camera(db, "SHOP")
    footage(db, bank, 89)
    footage(db, bank, 3, volume=2, until_us=NOW - 40 * DAY_US)
    footage(db, shop, 29)
    settle(db)
    preview = prepare(db, [policy("bank_atm", "kind", "bank_atm", 60)], NOW).preview
    (effect,) = preview.effects
    # Tomorrow, when it comes into force, all that is older than 60 days then: 59 days from today.
    assert (effect.code, effect.shortens, effect.loss.segments) == ("BANK", True, 30 * 24)
    assert (preview.segments, preview.bytes) == (30 * 24, 30 * 24 * SEGMENT_BYTES)
    assert preview.oldest_us == NOW - 89 * DAY_US
    assert preview.due_us == NOW + DAY_US
    (share,) = preview.volumes
    assert (share.volume_id, share.of_bytes) == (1, (89 + 29) * 24 * SEGMENT_BYTES)
    assert preview.needs_confirm  # 30 of 118 days
    assert policies.by_name(db, "bank_atm").terms.max_days == 90  # only looked at


def test_what_goes_anyway_is_not_told(db: Connection) -> None:
    one = camera(db, "A")
    settle(db)
    footage(db, one, 40)  # ten days more than the 30 that are promised: the sweep is late
    preview = prepare(db, [policy("default", "default", "", 28)], NOW).preview
    assert preview.segments == 2 * 24
    assert preview.oldest_us == NOW - 29 * DAY_US


def test_held_footage_is_left_out(db: Connection) -> None:
    one = camera(db, "A")
    footage(db, one, 29)
    settle(db)
    from_us = NOW - 20 * DAY_US
    holds.place(db, Hold(0, "FIR 12", one, from_us, from_us + 5 * HOUR_US, "theft", "anita", NOW))
    preview = prepare(db, [policy("default", "default", "", 10)], NOW).preview
    # Five hours, and the one before, whose segment may reach into them.
    assert preview.segments == 20 * 24 - 6


def test_tells_footage_by_where_it_is(db: Connection) -> None:
    one = camera(db, "A")
    footage(db, one, 2, tier=Tier.REMOTE, until_us=NOW - 20 * DAY_US)
    footage(db, one, 1, tier=Tier.BOTH, until_us=NOW - 18 * DAY_US)
    footage(db, one, 1, volume=2, until_us=NOW - 16 * DAY_US)
    settle(db)
    preview = prepare(db, [policy("default", "default", "", 10)], NOW).preview
    assert preview.segments == 4 * 24
    assert preview.remote_bytes == 3 * 24 * SEGMENT_BYTES
    assert [(share.volume_id, share.segments) for share in preview.volumes] == [(1, 24), (2, 24)]


@pytest.mark.parametrize(("quota_segments", "gone"), [(48, 24), (24, 48), (100, 0)])
def test_tells_what_a_quota_deletes(db: Connection, quota_segments: int, gone: int) -> None:
    one = camera(db, "A")
    footage(db, one, 3)
    settle(db)
    quota = policy("default", "default", "", 30, quota_bytes=quota_segments * SEGMENT_BYTES)
    preview = prepare(db, [quota], NOW).preview
    assert (preview.segments, preview.oldest_us) == (gone, NOW - 3 * DAY_US if gone else None)


def test_a_quota_spares_what_is_held(db: Connection) -> None:
    one = camera(db, "A")
    footage(db, one, 3)
    settle(db)
    holds.place(db, Hold(0, "FIR 12", one, NOW - 3 * DAY_US, NOW - 2 * DAY_US, "theft", "anita", NOW))
    preview = prepare(db, [policy("default", "default", "", 30, quota_bytes=48 * SEGMENT_BYTES)], NOW).preview
    assert (preview.segments, preview.oldest_us) == (24, NOW - 2 * DAY_US)


def test_a_longer_policy_deletes_nothing_and_holds_at_once(db: Connection) -> None:
    one = camera(db, "A")
    footage(db, one, 29)
    settle(db)
    (change,) = edit(db, policy("default", "default", "", 60))
    assert (change.due_us, change.status) == (None, "in_force")
    assert days(db, one) == (60, None)


def test_a_shorter_one_waits_and_is_noted_with_what_it_deletes(db: Connection) -> None:
    one = camera(db, "A", tags=("metro",))
    footage(db, one, 29)
    settle(db)
    (change,) = edit(db, policy("metro", "tag", "metro", 28))
    assert days(db, one) == (30, 28)
    assert (change.before, change.due_us, change.status) == (None, NOW + DAY_US, "pending")
    kept = policy_changes.get(db, change.id)
    assert kept == change
    assert kept.preview["segments"] == 2 * 24
    assert kept.preview["volumes"][0]["share"] == pytest.approx(2 / 29, abs=1e-4)
    assert kept.after is not None and kept.after.terms == Terms(28, 28)
    settle(db, NOW + DAY_US - 1)
    assert days(db, one) == (30, 28)
    settle(db, NOW + DAY_US)
    assert days(db, one) == (28, None)
    assert policy_changes.get(db, change.id).status == "in_force"


def test_a_deleted_policy_is_kept_for_a_day(db: Connection) -> None:
    one = camera(db, "A", owner_kind="bank_atm")
    settle(db)
    edit(db, Edit("bank_atm", None))
    promised = policies.in_force(db)[one]
    assert (promised.policy_id, promised.policy_name, promised.terms.max_days) == (None, "bank_atm", 90)
    assert policies.pending(db)[one].why == "default"
    settle(db, NOW + DAY_US)
    assert policies.in_force(db)[one].policy_name == "default"


@pytest.mark.parametrize("fields", [{"owner_kind": "shop"}, {"tags": ("metro",)}, {"station": "K"}, {"zone": "W"}])
def test_an_edit_of_the_camera_waits_as_well(db: Connection, fields: dict[str, Any]) -> None:
    one = camera(db, "A", owner_kind="bank_atm")
    edit(db, policy("k", "station", "K", 7), policy("w", "zone", "W", 7), policy("metro", "tag", "metro", 7))
    settle(db)
    with transaction(db):
        cameras.update(db, one, **fields)
        settle_now(db, NOW, trusted=True, cameras=frozenset([one]))
    assert days(db, one)[0] == 90
    assert policies.pending(db)[one].due_us == NOW + DAY_US


def test_an_archived_camera_is_settled_too(db: Connection) -> None:
    one = camera(db, "A")
    settle(db)
    cameras.archive(db, one, NOW)
    edit(db, policy("default", "default", "", 7))
    settle(db, NOW + DAY_US)
    assert days(db, one) == (7, None)


def test_footage_from_before_there_were_policies_gets_a_day(db: Connection) -> None:
    old, young = camera(db, "OLD"), camera(db, "YOUNG")
    footage(db, old, 31)
    footage(db, young, 29)
    settle(db)
    assert policies.in_force(db)[old].why == BEFORE_ANY
    assert days(db, old) == (MAX_DAYS, 30)
    assert days(db, young) == (30, None)
    settle(db, NOW + DAY_US)
    assert days(db, old) == (30, None)


def test_a_camera_nobody_settled_yet_was_promised_the_old_policy(db: Connection) -> None:
    one = camera(db, "A")
    edit(db, policy("default", "default", "", 7))
    assert days(db, one) == (30, 7)


def test_more_than_a_fifth_of_a_volume_needs_a_confirmation(db: Connection) -> None:
    one = camera(db, "A")
    footage(db, one, 20)
    settle(db)
    edit(db, policy("default", "default", "", 17))  # 4 of 20 days: a fifth, not more
    with pytest.raises(Conflict, match="25% of the footage on volume 1") as refused:
        edit(db, policy("default", "default", "", 16))
    assert refused.value.extra["code"] == "needs_confirm"
    assert refused.value.extra["preview"]["segments"] == 5 * 24  # type: ignore[index]
    assert policies.by_name(db, "default").terms.max_days == 17
    (change,) = edit(db, policy("default", "default", "", 16), confirm=True)
    assert change.status == "pending"


def test_a_preview_of_other_policies_cannot_be_made(db: Connection) -> None:
    prepared = prepare(db, [policy("default", "default", "", 60)], NOW)
    edit(db, policy("metro", "tag", "metro", 28))
    with pytest.raises(Conflict, match="look at the preview again"), transaction(db):
        make(db, prepared, now_us=NOW, trusted=True, by="anita")


def test_the_same_again_is_no_change(db: Connection) -> None:
    edit(db, policy("metro", "tag", "metro", 28))
    assert edit(db, policy("metro", "tag", "metro", 28), now_us=NOW + 1) == []


def test_many_are_made_together_or_not_at_all(db: Connection) -> None:
    one = camera(db, "A", tags=("metro",), station="K")
    settle(db)
    made = edit(db, policy("metro", "tag", "metro", 28), policy("k", "station", "K", 3), policy("w", "zone", "W", 9))
    assert [(change.name, change.status) for change in made] == [
        ("metro", "pending"),
        ("k", "in_force"),
        ("w", "in_force"),
    ]
    with pytest.raises(Invalid):
        edit(db, policy("more", "tag", "more", 28), policy("bad", "tag", "bad", 0))
    assert policies.find(db, "more") is None
    assert days(db, one) == (30, 28)


@pytest.mark.parametrize(
    ("edits", "error", "field"),
    [
        ([Edit("nobody", None)], NotFound, "name"),
        ([Edit("default", None)], Conflict, None),
        ([policy("default", "zone", "W", 9)], Conflict, "scope"),
        ([policy("w", "default", "", 9)], Conflict, "target"),
        ([policy("w", "kind", "bank_atm", 9)], Conflict, "target"),
        ([policy("w", "zone", "W", 9), policy("w", "zone", "W", 8)], Invalid, "name"),
        ([policy("w", "zone", "W", 9), policy("v", "zone", "W", 8)], Conflict, "target"),
        ([policy("w", "zone", "", 9)], Invalid, "target"),
        ([policy("w", "zone", "W", 3651)], Invalid, "min_days"),
        ([policy("w", "zone", "W", 9, min_days=10)], Invalid, "min_days"),
        ([policy("w", "zone", "W", 9, priority=101)], Invalid, "priority"),
        ([policy("w", "zone", "W", 9, quota_bytes=1)], Invalid, "quota_bytes"),
        ([policy("w", "zone", "W", 9, local_days=1)], Invalid, "local_days"),
        ([policy("w", "zone", "W", 9, offload_after_days=10)], Invalid, "offload_after_days"),
        ([policy("w", "zone", "W", 9, storage_class="x y")], Invalid, "storage_class"),
        ([policy("w", "kind", "Bank ATM", 9)], Invalid, "target"),
        ([policy("w", "camera", "NOBODY", 9)], Invalid, "target"),
        ([policy("w w", "zone", "W", 9)], Invalid, "name"),
        ([policy("..", "zone", "W", 9)], Invalid, "name"),
    ],
)
def test_refuses_and_names_the_field(
    db: Connection, edits: list[Edit], error: type[NvrError], field: str | None
) -> None:
    with pytest.raises(error) as refused:
        prepare(db, edits, NOW)
    assert refused.value.field == field


def test_a_camera_is_named_by_code_and_kept_by_id(db: Connection) -> None:
    one = camera(db, "KNP-1")
    edit(db, policy("gate", "camera", "KNP-1", 60))
    assert policies.by_name(db, "gate").target == str(one)
    assert policies.in_force(db)[one].why == "camera KNP-1"


def test_cancelling_puts_back_what_was_before(db: Connection) -> None:
    one = camera(db, "A")
    settle(db)
    (change,) = edit(db, policy("default", "default", "", 7))
    with transaction(db):
        cancelled = cancel(db, change.id, now_us=NOW + HOUR_US, trusted=True, by="ravi")
    assert (cancelled.status, cancelled.cancelled_by, cancelled.cancelled_us) == ("cancelled", "ravi", NOW + HOUR_US)
    assert days(db, one) == (30, None)
    assert policies.by_name(db, "default").terms.max_days == 30


def test_cancelling_a_new_policy_deletes_it_and_of_a_deletion_brings_it_back(db: Connection) -> None:
    one = camera(db, "A", owner_kind="bank_atm", tags=("metro",))
    settle(db)
    (made,) = edit(db, policy("metro", "tag", "metro", 7))
    with transaction(db):
        cancel(db, made.id, now_us=NOW, trusted=True, by="ravi")
    assert policies.find(db, "metro") is None
    before = policies.by_name(db, "bank_atm")
    (deleted,) = edit(db, Edit("bank_atm", None))
    with transaction(db):
        cancel(db, deleted.id, now_us=NOW, trusted=True, by="ravi")
    assert policies.by_name(db, "bank_atm") == before
    assert days(db, one) == (90, None)


def test_only_a_change_that_still_waits_can_be_cancelled(db: Connection) -> None:
    camera(db, "A")
    settle(db)
    (first,) = edit(db, policy("default", "default", "", 20))
    (second,) = edit(db, policy("default", "default", "", 10))
    assert policy_changes.get(db, first.id).status == "superseded"

    def refused(change_id: int, words: str) -> None:
        with pytest.raises(Conflict, match=words), transaction(db):
            cancel(db, change_id, now_us=NOW, trusted=True, by="ravi")

    refused(first.id, f"changed again since, by change {second.id}")
    with transaction(db):
        cancel(db, second.id, now_us=NOW, trusted=True, by="ravi")
    refused(second.id, "was cancelled")
    assert policy_changes.get(db, first.id).status == "pending"
    settle(db, NOW + DAY_US)
    refused(first.id, "is in force")
    with pytest.raises(NotFound):
        cancel(db, 99, now_us=NOW, trusted=True, by="ravi")


def test_changes_are_listed_the_newest_first(db: Connection) -> None:
    for number in range(5):
        edit(db, policy(f"p{number}", "tag", f"t{number}", 9))
    assert [change.id for change in policy_changes.listing(db, limit=2)] == [5, 4]
    assert [change.id for change in policy_changes.listing(db, before_id=4, limit=9)] == [3, 2, 1]


def test_a_change_made_without_a_trusted_clock_is_dated_with_one(db: Connection) -> None:
    one = camera(db, "A")
    settle(db)
    prepared = prepare(db, [policy("default", "default", "", 7)], 0)
    with transaction(db):
        (change,) = make(db, prepared, now_us=0, trusted=False, by="anita")
    settle(db, NOW)
    assert policy_changes.get(db, change.id).due_us == NOW + DAY_US
    assert policies.pending(db)[one].due_us == NOW + DAY_US


def test_edits_of_plain_policies_need_no_catalog() -> None:
    base = [Policy(1, "default", "default", "", Terms(30, 30))]
    after = edited(base, [policy("w", "zone", " W ", 9), policy("default", "default", "", 8)])
    assert after["default"].id == 1
    assert after["w"] == Policy(0, "w", "zone", "W", Terms(9, 9))


def test_volumes_are_told_apart(db: Connection) -> None:
    for volume in (1, 2):
        footage(db, camera(db, f"V{volume}"), 10 * volume, volume=volume)
    settle(db)
    preview = prepare(db, [policy("default", "default", "", 16)], NOW).preview
    assert [(share.volume_id, share.part) for share in preview.volumes] == [(VolumeId(2), 0.25)]
