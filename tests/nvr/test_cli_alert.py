"""`nvr alert test`, as a process, against a real webhook and a real mail server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.nvr.mailed import post_office, webhook
from tests.nvr.served import Served, answer


def settings(folder: Path, alerts: str) -> Served:
    served = Served(folder)
    served.config.write_text(f'[server]\nname = "Kanpur"\n[alerts]\n{alerts}')
    return served


async def test_it_says_what_became_of_each_place(tmp_path: Path) -> None:
    async with webhook() as hook, post_office() as post:
        served = settings(
            tmp_path, f'webhook = "{hook.url}"\nsmtp = "127.0.0.1:{post.port}"\nto = ["room@example.org"]\n'
        )
        code, out, err = await answer(served, "alert", "test")
        assert (code, err) == (0, "")
        assert out.splitlines() == [
            f"webhook sent  http://127.0.0.1:{hook.url.split(':')[2].split('/')[0]}/…",
            f"mail    sent  room@example.org by way of 127.0.0.1:{post.port}",
        ]
        assert hook.bodies.get_nowait()["title"] == "[Kanpur] Test: alerts arrive here"
        async with asyncio.timeout(5):
            await post.mails.get()
        hook.status = 500
        code, out, _ = await answer(served, "alert", "test", "--json")
        assert code == 1
        assert [one["ok"] for one in json.loads(out)] == [False, True]
        assert "answered 500" in json.loads(out)[0]["error"]


async def test_without_a_place_it_says_what_to_set(tmp_path: Path) -> None:
    code, _, err = await answer(settings(tmp_path, ""), "alert", "test")
    assert code == 1 and "set alerts.webhook, or alerts.smtp and alerts.to" in err


async def test_what_cannot_work_is_refused_in_one_line(tmp_path: Path) -> None:
    for alerts, said in (
        ('smtp = "mail:25"\n', "names nobody"),
        ('smtp = "smtp://nvr:geheim@mail"\nto = ["a@b.org"]\n', "never written here"),
        ('webhook = "hook.example.org"\n', "no http:// or https:// address"),
        ('to = ["nobody"]\n', "no mail address"),
    ):
        code, _, err = await answer(settings(tmp_path, alerts), "alert", "test")
        assert code == 1 and said in err and err.count("\n") == 1, err
