"""Alerts with a real catalog, a real mail server and a real webhook: told once, whatever stops in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from blockbuster import BlockBuster

from config import smtp
from nvr.alert_senders import Mail, Sender, Webhook
from nvr.alert_words import Place
from nvr.alerts import GIVE_UP_US, Alerts, Survey
from storage.catalog import alerts as rows
from storage.catalog.ballast import Ballast
from storage.catalog.db import Catalog
from storage.trouble import KINDS, Trouble
from tests.nvr.mailed import Hook, Post, post_office, webhook
from tests.nvr.served import until

S = 1_000_000
FULL = Trouble("volume", "/data/a", "full, 3 MB left")
PLACE = Place("Kanpur", "n1", ZoneInfo("Asia/Kolkata"), "http://127.0.0.1:8080/")


@dataclass
class World:
    """What is wrong, and what time it is."""

    catalog: Catalog
    now_us: int = 1_795_000_020 * S
    troubles: list[Trouble] = field(default_factory=list)

    async def survey(self) -> Survey:
        return Survey(tuple(self.troubles), frozenset(KINDS))

    def alerts(self, *senders: Sender) -> Alerts:
        return Alerts(self.catalog, self.survey, senders, lambda: PLACE, clock=lambda: self.now_us, first_wait_s=0.02)

    async def lasts(self, alerts: Alerts, seconds: int) -> None:
        for _ in range(0, seconds, 10):
            self.now_us += 10 * S
            await alerts.step()

    async def waiting(self) -> dict[str, tuple[int, str]]:
        return await self.catalog.read(rows.waiting)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    catalog = Catalog(tmp_path / "nvr.sqlite3")
    await catalog.open()
    yield World(catalog)
    await catalog.close()
    Ballast(tmp_path / "nvr.sqlite3").drop()


@asynccontextmanager
async def running(alerts: Alerts) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(courier) for courier in alerts.couriers()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def mail_to(post: Post) -> Mail:
    return Mail(smtp.parse(f"127.0.0.1:{post.port}"), "", "nvr@example.org", ("room@example.org",))


async def title(hook: Hook) -> str:
    async with asyncio.timeout(10):
        body: dict[str, Any] = await hook.bodies.get()
    return str(body["title"])


async def test_beginning_and_end_reach_both_places(world: World, guarded_loop: BlockBuster) -> None:
    async with webhook() as hook, post_office() as post:
        alerts = world.alerts(Webhook(hook.url), mail_to(post))
        async with running(alerts):
            world.troubles = [FULL]
            await world.lasts(alerts, 60)
            assert await title(hook) == "[Kanpur] Volume /data/a: full, 3 MB left"
            world.troubles = []
            await world.lasts(alerts, 300)
            assert await title(hook) == "[Kanpur] Volume /data/a is well again"
            async with asyncio.timeout(10):
                subjects = [(await post.mails.get())[1]["Subject"] for _ in range(2)]
        assert subjects == ["[Kanpur] Volume /data/a: full, 3 MB left", "[Kanpur] Volume /data/a is well again"]
        assert hook.bodies.empty() and post.mails.empty()
        assert await world.catalog.read(rows.open_rows) == []


async def test_a_dead_webhook_keeps_no_mail_back_and_gets_its_own_later(world: World) -> None:
    async with webhook() as hook, post_office() as post:
        hook.status = 503
        alerts = world.alerts(Webhook(hook.url), mail_to(post))
        async with running(alerts):
            world.troubles = [FULL]
            await world.lasts(alerts, 60)
            async with asyncio.timeout(10):
                await post.mails.get()
            await until(lambda: hook.calls >= 3, 10, "attempts")
            waiting = await world.waiting()
            assert list(waiting) == ["webhook"] and "answered 503" in waiting["webhook"][1]
            hook.status = 200
            assert await title(hook) == "[Kanpur] Volume /data/a: full, 3 MB left"
            await until(lambda: _empty(world), 10, "an empty queue")


@dataclass
class Deaf:
    """A place whose library loses the cancellation that meets it."""

    place: str = "mail"
    address: str = "nowhere"
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, body: Mapping[str, Any]) -> None:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return


async def test_a_courier_ends_when_told_though_its_library_does_not_listen(world: World) -> None:
    deaf = Deaf()
    alerts = world.alerts(deaf)
    async with asyncio.timeout(10), running(alerts):
        world.troubles = [FULL]
        await world.lasts(alerts, 60)
        await deaf.asked.wait()


async def _empty(world: World) -> bool:
    return not await world.waiting()


async def test_what_was_not_delivered_outlives_the_server_and_nothing_is_told_twice(world: World) -> None:
    world.troubles = [FULL]
    async with webhook() as hook:
        first = world.alerts(Webhook(hook.url))
        await world.lasts(first, 60)  # no courier runs: the server is killed before it sends
        second = world.alerts(Webhook(hook.url))
        async with running(second):
            assert await title(hook) == "[Kanpur] Volume /data/a: full, 3 MB left"
            await world.lasts(second, 600)
            await until(lambda: _empty(world), 10)
        assert hook.calls == 1


async def test_a_message_nobody_took_in_three_days_is_given_up(world: World) -> None:
    world.troubles = [FULL]
    async with webhook() as hook:
        alerts = world.alerts(Webhook(hook.url))
        await world.lasts(alerts, 60)
        world.now_us += GIVE_UP_US
        async with running(alerts):
            await until(lambda: _empty(world), 10, "an empty queue")
        assert hook.calls == 0


async def test_messages_to_places_that_are_named_no_more_are_forgotten(world: World) -> None:
    world.troubles = [FULL]
    async with webhook() as hook:
        await world.lasts(world.alerts(Webhook(hook.url)), 60)
    assert list(await world.waiting()) == ["webhook"]
    await world.alerts().forget_other_places()
    assert await world.waiting() == {}


async def test_alerts_are_remembered_where_nobody_is_to_be_told(world: World) -> None:
    world.troubles = [FULL]
    alerts = world.alerts()
    await world.lasts(alerts, 60)
    [row] = await world.catalog.read(rows.open_rows)
    assert row.subject == "/data/a" and row.told_us is not None
    world.troubles = []
    await world.lasts(alerts, 600)
    [closed] = await world.catalog.read(partial(rows.latest_closed, limit=10))
    assert closed.id == row.id
    world.now_us += 401 * 86_400 * S
    await alerts.tidy()
    assert await world.catalog.read(partial(rows.latest_closed, limit=10)) == []


async def test_six_thousand_silent_cameras_are_one_step_of_the_writer(world: World) -> None:
    world.troubles = [Trouble("recording", f"KNP-{n:04}", "refused") for n in range(6720)]
    async with webhook() as hook:
        alerts = world.alerts(Webhook(hook.url))
        async with running(alerts):
            await world.lasts(alerts, 60)
            assert await title(hook) == "[Kanpur] 6,720 cameras are not being recorded"
    assert len(await world.catalog.read(rows.open_rows)) == 6720
