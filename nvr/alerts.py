"""Alerts: looks at the troubles every ten seconds, remembers them in the catalog, and tells people.

Two kinds of task on the event loop. `step` compares what is wrong with what is remembered and puts messages into the catalog.
A courier for each place empties its queue, one message after the other, and tries again for days: neither waits for the other,
and recording waits for none of them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from config.errors import NvrError, Unavailable
from nvr.alert_plan import REMEMBERED_US, decide
from nvr.alert_senders import Sender
from nvr.alert_words import Place, body_of
from storage.catalog import alerts as rows
from storage.catalog.db import Catalog
from storage.clock import Clock, wall_us
from storage.trouble import Trouble

log = structlog.get_logger()

FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 600.0
GIVE_UP_US = 3 * 86_400_000_000
KEEP_CLOSED_US = 400 * 86_400_000_000


@dataclass(frozen=True, slots=True)
class Survey:
    """The troubles of this moment. `looked`: the kinds that could be looked at; the others stay as they are."""

    troubles: tuple[Trouble, ...]
    looked: frozenset[str]


class Alerts:
    """`survey` gives the troubles. Run `step` every few seconds, and `couriers` as tasks."""

    def __init__(
        self,
        catalog: Catalog,
        survey: Callable[[], Awaitable[Survey]],
        senders: Sequence[Sender],
        place: Callable[[], Place],
        *,
        clock: Clock = wall_us,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        self._catalog = catalog
        self._survey = survey
        self._senders = senders
        self._place = place
        self._clock = clock
        self._first_wait_s = first_wait_s
        self._news = {sender.place: asyncio.Event() for sender in senders}

    async def step(self) -> None:
        """One look. What it finds and what is to be told are committed together."""
        survey = await self._survey()
        now_us = self._clock()
        known = await self._catalog.read(rows.open_rows)
        closed = await self._catalog.read(partial(rows.closed_since, since_us=now_us - REMEMBERED_US))
        step = decide(now_us, survey.troubles, survey.looked, known, closed)
        if step.empty:
            return
        bodies = [body_of(notice, self._place(), now_us) for notice in step.notices]
        messages = [(sender.place, body) for body in bodies for sender in self._senders]
        await self._catalog.write(partial(rows.take, step=step, at_us=now_us, messages=messages))
        for notice, body in zip(step.notices, bodies, strict=True):
            say = log.warning if notice.began or notice.lasting else log.info
            say("alert", kind=notice.kind, title=body["title"])
        if messages:
            for event in self._news.values():
                event.set()

    async def tidy(self) -> None:
        """Once a day: forgets alerts that ended long ago."""
        await self._catalog.write(partial(rows.forget_closed, before_us=self._clock() - KEEP_CLOSED_US))

    def couriers(self) -> list[Coroutine[None, None, None]]:
        """One coroutine for each place; none ends by itself."""
        return [self._deliver(sender) for sender in self._senders]

    async def forget_other_places(self) -> None:
        """At the start: messages to places that the settings do not name any more."""
        await self._catalog.write(partial(rows.drop_other_places, places=[sender.place for sender in self._senders]))

    async def _deliver(self, sender: Sender) -> None:
        news, failures = self._news[sender.place], 0
        task = asyncio.current_task()
        while True:
            if task is not None and task.cancelling():
                raise asyncio.CancelledError  # wait_for, which aiosmtplib uses, can lose it before Python 3.12
            news.clear()
            try:
                sent = await self._deliver_one(sender)
            except NvrError as error:
                failures += 1
                log.error("alert not delivered", place=sender.place, attempt=failures, error=str(error))
                await asyncio.sleep(self._wait_s(failures))
                continue
            except Exception:
                failures += 1
                log.exception("alert not delivered", place=sender.place, attempt=failures)
                await asyncio.sleep(self._wait_s(failures))
                continue
            failures = 0
            if not sent:
                await news.wait()

    def _wait_s(self, failures: int) -> float:
        longest: float = min(LONGEST_WAIT_S, self._first_wait_s * 2 ** min(failures - 1, 16))
        return longest * random.uniform(0.5, 1.0)

    async def _deliver_one(self, sender: Sender) -> bool:
        """False: nothing waits. Raises what `send` does."""
        message = await self._catalog.read(partial(rows.next_message, place=sender.place))
        if message is None:
            return False
        if self._clock() - message.made_us > GIVE_UP_US:
            log.error("alert given up after three days", place=sender.place, title=message.body.get("title"))
        else:
            try:
                await sender.send(message.body)
            except Unavailable as error:
                await self._catalog.write(partial(rows.failed, message_id=message.id, error=error.message))
                raise
        await self._catalog.write(partial(rows.arrived, message_id=message.id))
        return True


async def send_all(senders: Collection[Sender], body: dict[str, Any]) -> list[tuple[Sender, str]]:
    """Sends to every place at once; each with what went wrong, "" where it arrived."""

    async def one(sender: Sender) -> tuple[Sender, str]:
        try:
            await sender.send(body)
        except NvrError as error:
            return sender, error.message
        return sender, ""

    return list(await asyncio.gather(*(one(sender) for sender in senders)))
