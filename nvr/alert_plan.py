"""What people are told, and when: from the troubles of this moment and the alerts that are remembered. Pure.

A trouble is told once it has lasted a little, again each six hours while it lasts, and when it has been gone for a while. What
happens to several of a kind within a minute is one message. A trouble that comes and goes must stay away ever longer before its
end is told: it does not fill a telephone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from storage.trouble import Alert, AlertStep, Notice, Trouble

SECOND_US = 1_000_000
SETTLE_US = 15 * SECOND_US
TOGETHER_US = 60 * SECOND_US
AGAIN_US = 6 * 3600 * SECOND_US
CALM_US = 120 * SECOND_US
MAX_CALM_US = 3600 * SECOND_US
REMEMBERED_US = MAX_CALM_US
"""A trouble that comes back within this time after its end was told counts as the same one that comes and goes."""

Key = tuple[str, str]


def key(one: Trouble | Alert) -> Key:
    return one.kind, one.subject


def since(then_us: int, now_us: int) -> int:
    """How long ago. A moment that lies in the future was written before the clock was set back: long ago."""
    return now_us - then_us if now_us >= then_us else AGAIN_US


def calm_us(times: int) -> int:
    """How long a trouble that has come so often must be gone before its end is told."""
    return min(CALM_US << min(times - 1, 10), MAX_CALM_US)


def decide(
    now_us: int,
    troubles: Iterable[Trouble],
    looked: Collection[str],
    rows: Sequence[Alert],
    closed: Sequence[Alert],
) -> AlertStep:
    """`looked`: the kinds that were looked at: an alert of another kind neither begins nor ends. `rows`: alerts that are not
    closed. `closed`: those that were closed within REMEMBERED_US.
    """
    before = {key(row): row.times for row in closed}
    present = {key(trouble): trouble for trouble in troubles if trouble.kind in looked}
    known = {key(row): row for row in rows}
    opened = tuple(
        Alert(0, trouble.kind, trouble.subject, trouble.detail, now_us, before.get(name, 0) + 1)
        for name, trouble in present.items()
        if name not in known
    )
    back = tuple(row.id for name, row in known.items() if name in present and row.ended_us is not None)
    gone = [row for name, row in known.items() if row.kind in looked and name not in present]
    return AlertStep(
        opened=opened,
        reworded=tuple(
            (row.id, present[name].detail)
            for name, row in known.items()
            if name in present and present[name].detail != row.detail
        ),
        ended=tuple(row.id for row in gone if row.ended_us is None and row.told_us is not None),
        back=back,
        forgotten=tuple(row.id for row in gone if row.told_us is None),
        notices=_notices(now_us, rows, present, {row.id for row in gone}, _last_told((*rows, *closed))),
    )


def _last_told(rows: Iterable[Alert]) -> dict[str, int]:
    """When people last got a message of each kind."""
    told: dict[str, int] = {}
    for row in rows:
        told[row.kind] = max(told.get(row.kind, 0), row.told_us or 0, row.end_told_us or 0)
    return {kind: at_us for kind, at_us in told.items() if at_us}


def _notices(
    now_us: int,
    rows: Sequence[Alert],
    present: Mapping[Key, Trouble],
    gone: Collection[int],
    told_us: Mapping[str, int],
) -> tuple[Notice, ...]:
    by_kind: dict[str, list[Alert]] = defaultdict(list)
    for row in rows:
        by_kind[row.kind].append(row)
    made = []
    for kind, of_kind in by_kind.items():
        if kind in told_us and since(told_us[kind], now_us) < TOGETHER_US:
            continue
        notice = _notice(kind, now_us, of_kind, present, gone)
        if notice.began or notice.lasting or notice.ended:
            made.append(notice)
    return tuple(made)


def _notice(
    kind: str, now_us: int, rows: Sequence[Alert], present: Mapping[Key, Trouble], gone: Collection[int]
) -> Notice:
    here = [row for row in rows if key(row) in present]
    began = [row for row in here if row.told_us is None and since(row.since_us, now_us) >= SETTLE_US]
    # One that is due again takes the others of its kind along: one message each six hours, not one for each.
    lasting = [row for row in here if row.told_us is not None]
    due = any(row.told_us is not None and since(row.told_us, now_us) >= AGAIN_US for row in lasting)
    ended = [
        row
        for row in rows
        if row.id in gone and row.ended_us is not None and since(row.ended_us, now_us) >= calm_us(row.times)
    ]
    return Notice(kind, _oldest_first(began), _oldest_first(lasting) if due else (), _oldest_first(ended))


def _oldest_first(rows: Iterable[Alert]) -> tuple[Alert, ...]:
    return tuple(sorted(rows, key=lambda row: (row.since_us, row.subject)))
