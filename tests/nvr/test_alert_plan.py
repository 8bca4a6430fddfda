"""When people are told of a trouble: look by look, as the server does, over a list that stands for the catalog."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.alert_plan import AGAIN_US, CALM_US, MAX_CALM_US, REMEMBERED_US, SETTLE_US, TOGETHER_US, calm_us, decide
from storage.trouble import Alert, AlertStep, Notice, Trouble

S = 1_000_000
LOOK_US = 10 * S
T0_US = 1_795_000_020 * S
FULL = Trouble("volume", "/data/a", "full")


def silent(number: int) -> Trouble:
    return Trouble("recording", f"KNP-{number:04}", "refused")


@dataclass
class Told:
    """Remembers as the catalog does. `notices`: (seconds after T0, what was told)."""

    now_us: int = T0_US
    rows: list[Alert] = field(default_factory=list)
    notices: list[tuple[int, Notice]] = field(default_factory=list)

    def look(self, *troubles: Trouble, looked: frozenset[str] = frozenset({"recording", "volume"})) -> AlertStep:
        open_rows = [row for row in self.rows if row.end_told_us is None]
        closed = [row for row in self.rows if (row.end_told_us or 0) >= self.now_us - REMEMBERED_US]
        step = decide(self.now_us, troubles, looked, open_rows, closed)
        self._take(step)
        return step

    def lasts(self, seconds: int, *troubles: Trouble) -> None:
        for _ in range(0, seconds * S, LOOK_US):
            self.now_us += LOOK_US
            self.look(*troubles)

    def _take(self, step: AlertStep) -> None:
        at_us = self.now_us
        for alert in step.opened:
            self.rows.append(replace(alert, id=max((row.id for row in self.rows), default=0) + 1))
        told = {alert.id for notice in step.notices for alert in (*notice.began, *notice.lasting)}
        over = {alert.id for notice in step.notices for alert in notice.ended}
        words = dict(step.reworded)
        self.rows = [
            replace(
                row,
                detail=words.get(row.id, row.detail),
                ended_us=None if row.id in step.back else at_us if row.id in step.ended else row.ended_us,
                times=row.times + (row.id in step.back),
                told_us=at_us if row.id in told else row.told_us,
                end_told_us=at_us if row.id in over else row.end_told_us,
            )
            for row in self.rows
            if row.id not in step.forgotten
        ]
        self.notices += [((at_us - T0_US) // S, notice) for notice in step.notices]

    @property
    def said(self) -> list[tuple[int, str, int, int, int]]:
        return [(at, n.kind, len(n.began), len(n.lasting), len(n.ended)) for at, n in self.notices]


def test_a_blip_is_not_told() -> None:
    told = Told()
    told.look(FULL)
    told.lasts(10, FULL)
    told.lasts(600)
    assert told.said == [] and told.rows == []


def test_a_trouble_is_told_once_it_has_settled_and_so_is_its_end() -> None:
    told = Told()
    told.look(FULL)
    told.lasts(60, FULL)
    told.lasts(300)
    assert told.said == [(20, "volume", 1, 0, 0), (190, "volume", 0, 0, 1)]


def test_what_lasts_is_told_again_after_six_hours() -> None:
    told = Told()
    told.lasts(13 * 3600, FULL)
    assert [(at, lasting) for at, _, _, lasting, _ in told.said] == [(30, 0), (30 + 21600, 1), (30 + 43200, 1)]


def test_the_first_is_told_at_once_and_those_of_the_next_minute_together() -> None:
    told = Told()
    told.look(silent(1))
    told.lasts(20, silent(1))
    for number in range(2, 6):
        told.lasts(10, *(silent(n) for n in range(1, number + 1)))
    told.lasts(60, *(silent(n) for n in range(1, 6)))
    assert [(at, began) for at, _, began, _, _ in told.said] == [(20, 1), (80, 4)]


def test_a_thousand_cameras_are_one_message() -> None:
    told = Told()
    told.lasts(600, *(silent(n) for n in range(1720)))
    assert told.said == [(30, "recording", 1720, 0, 0)]


def test_one_that_is_due_again_takes_the_others_along() -> None:
    told = Told()
    told.lasts(3600, silent(1))
    told.lasts(7 * 3600, silent(1), silent(2))
    assert [(began, lasting) for _, _, began, lasting, _ in told.said] == [(1, 0), (1, 0), (0, 2)]


def test_a_short_recovery_is_no_recovery() -> None:
    told = Told()
    told.lasts(60, FULL)
    told.lasts(60)
    told.lasts(600, FULL)
    assert told.said == [(30, "volume", 1, 0, 0)]


def test_one_that_comes_and_goes_must_stay_away_ever_longer() -> None:
    told = Told()
    for _ in range(40):
        told.lasts(60, FULL)
        told.lasts(180)
    assert len(told.said) <= 6, told.said
    told.lasts(2 * 3600)
    assert told.said[-1][2:] == (0, 0, 1)
    assert all(row.end_told_us for row in told.rows)


def test_a_kind_that_was_not_looked_at_neither_begins_nor_ends() -> None:
    told = Told()
    told.lasts(60, silent(1), FULL)
    for _ in range(100):
        told.now_us += LOOK_US
        told.look(silent(2), looked=frozenset({"volume"}))
    assert [kind for _, kind, *_ in told.said] == ["recording", "volume", "volume"]
    assert [row.subject for row in told.rows if row.end_told_us is None] == ["KNP-0001"]


def test_words_follow_without_a_message() -> None:
    told = Told()
    told.lasts(60, FULL)
    told.lasts(30, replace(FULL, detail="3 MB left"))
    assert told.rows[0].detail == "3 MB left" and len(told.said) == 1


def test_a_clock_that_was_set_back_silences_nothing() -> None:
    told = Told()
    told.lasts(60, FULL)
    told.now_us -= 86_400 * S
    told.lasts(90, FULL, Trouble("volume", "/data/b", "missing"))
    assert told.said[-1][2] == 1
    told.lasts(300)
    assert told.said[-1][4] == 2


@pytest.mark.parametrize(("times", "expected"), [(1, CALM_US), (2, 2 * CALM_US), (5, 16 * CALM_US), (99, MAX_CALM_US)])
def test_calm_doubles_up_to_an_hour(times: int, expected: int) -> None:
    assert calm_us(times) == expected


looks = st.lists(st.frozensets(st.integers(1, 4), max_size=4), max_size=120)


@given(looks)
def test_messages_of_a_kind_keep_their_distance_and_every_end_had_a_beginning(present: list[frozenset[int]]) -> None:
    told = Told()
    for numbers in present:
        told.lasts(10, *(silent(n) for n in numbers))
    at = [at for at, _ in told.notices]
    assert all(later - earlier >= TOGETHER_US // S for earlier, later in itertools.pairwise(at))
    lasting: set[str] = set()
    for _, notice in told.notices:
        for alert in notice.ended:
            lasting.remove(alert.subject)
        for alert in notice.began:
            assert alert.subject not in lasting
            lasting.add(alert.subject)
    assert lasting == {row.subject for row in told.rows if row.told_us and row.end_told_us is None}
    open_rows = [row.subject for row in told.rows if row.end_told_us is None]
    assert len(open_rows) == len(set(open_rows))


@given(looks)
def test_in_the_end_all_is_told_or_forgotten(present: list[frozenset[int]]) -> None:
    told = Told()
    for numbers in present:
        told.lasts(10, *(silent(n) for n in numbers))
    told.lasts(2 * MAX_CALM_US // S)
    assert all(row.end_told_us is not None for row in told.rows)


def test_constants_are_in_their_order() -> None:
    assert SETTLE_US < TOGETHER_US < CALM_US < MAX_CALM_US < AGAIN_US
