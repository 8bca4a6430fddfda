"""Webhook and mail, against a real HTTP server and a real SMTP server."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config import smtp
from config.errors import Invalid, Unavailable
from config.settings import AlertSettings
from nvr import alert_senders
from nvr.alert_senders import Mail, Webhook, senders
from nvr.alert_words import Place, trial
from tests.nvr.certificate import self_signed
from tests.nvr.mailed import post_office, webhook

BODY = trial(Place("कानपुर", "n1", ZoneInfo("Asia/Kolkata")), 1_795_000_020_000_000)
TO = ("control-room@example.org", "night@example.org")


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def test_webhook_gets_the_body_as_json() -> None:
    async with webhook() as hook:
        await Webhook(hook.url).send(BODY)
        assert hook.bodies.get_nowait() == BODY


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_webhook_that_does_not_take_it_is_told_without_its_secret(status: int) -> None:
    async with webhook() as hook:
        hook.status = status
        with pytest.raises(Unavailable, match=f"answered {status}") as refused:
            await Webhook(hook.url).send(BODY)
        assert "secret" not in refused.value.message and hook.calls == 1


async def test_webhook_that_is_not_there() -> None:
    with pytest.raises(Unavailable, match="could not be reached") as refused:
        await Webhook(f"http://127.0.0.1:{closed_port()}/hook/secret").send(BODY)
    assert "secret" not in refused.value.message


async def test_webhook_that_never_answers_does_not_hold_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_senders, "LIMIT_S", 0.2)
    async with webhook() as hook:
        hook.silent = asyncio.Event()
        with pytest.raises(Unavailable, match="did not answer"):
            await Webhook(hook.url).send(BODY)
        hook.silent.set()


async def test_mail_by_a_relay_in_the_house() -> None:
    async with post_office() as post:
        await Mail(smtp.parse(f"127.0.0.1:{post.port}"), "", "nvr@example.org", TO).send(BODY)
        envelope, mail = post.mails.get_nowait()
    assert envelope.rcpt_tos == list(TO) and envelope.mail_from == "nvr@example.org"
    assert mail["Subject"] == "[कानपुर] Test: alerts arrive here"
    assert mail["To"] == ", ".join(TO) and mail["Auto-Submitted"] == "auto-generated"
    assert "Nothing is wrong" in mail.get_content()


async def test_relay_that_offers_tls_with_its_own_certificate_is_used(tmp_path: Path) -> None:
    async with post_office(tls=self_signed(tmp_path)) as post:
        await Mail(smtp.parse(f"127.0.0.1:{post.port}"), "", "nvr@example.org", TO).send(BODY)
        assert post.mails.qsize() == 1


async def test_a_user_logs_in_over_tls_whose_certificate_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    async with post_office(tls=context, login=True) as post:
        server = smtp.parse(f"smtp://nvr@localhost:{post.port}")
        await Mail(server, "right", "nvr@example.org", TO).send(BODY)
        assert post.mails.qsize() == 1
        with pytest.raises(Unavailable, match="refused the user or the password") as refused:
            await Mail(server, "wrong", "nvr@example.org", TO).send(BODY)
        assert "wrong" not in refused.value.message


async def test_no_password_goes_to_a_server_of_unknown_certificate_or_without_tls(tmp_path: Path) -> None:
    async with post_office(tls=self_signed(tmp_path), login=True) as post:
        with pytest.raises(Unavailable):
            await Mail(smtp.parse(f"smtp://nvr@localhost:{post.port}"), "right", "", TO).send(BODY)
        assert post.logins == []
    async with post_office(login=True) as post:
        with pytest.raises(Unavailable):
            await Mail(smtp.parse(f"smtp://nvr@localhost:{post.port}"), "right", "", TO).send(BODY)
        assert post.logins == []


async def test_mail_server_that_refuses_is_told() -> None:
    async with post_office() as post:
        post.code = "451 try later"
        with pytest.raises(Unavailable, match="did not take the mail"):
            await Mail(smtp.parse(f"127.0.0.1:{post.port}"), "", "nvr@example.org", TO).send(BODY)
    with pytest.raises(Unavailable, match="did not take the mail"):
        await Mail(smtp.parse(f"127.0.0.1:{closed_port()}"), "", "nvr@example.org", TO).send(BODY)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail.example.org:2525", smtp.MailServer("mail.example.org", 2525)),
        ("10.0.0.5", smtp.MailServer("10.0.0.5", 25)),
        ("[::1]:25", smtp.MailServer("::1", 25)),
        ("smtp://mail.example.org", smtp.MailServer("mail.example.org", 25)),
        ("smtp://a%40b.org@mail.example.org", smtp.MailServer("mail.example.org", 587, "a@b.org", "starttls")),
        ("smtps://nvr@mail.example.org", smtp.MailServer("mail.example.org", 465, "nvr", "always")),
        ("smtps://mail.example.org:2465", smtp.MailServer("mail.example.org", 2465, "", "always")),
    ],
)
def test_mail_server_as_it_is_written(text: str, expected: smtp.MailServer) -> None:
    assert smtp.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    ["a b:25", "http://mail", "smtp://", "mail:99999", "smtp://u:geheim@mail", "mail:25/x", "smtp://m?x=1", "u@m:25"],
)
def test_what_is_no_mail_server_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - its words are for people
        smtp.parse(text)
    assert "geheim" not in str(refused.value)


def test_password_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    settings = AlertSettings(smtp="smtps://nvr@mail.example.org", to=TO, smtp_password_file=str(file))
    with pytest.raises(Invalid, match="cannot be read"):
        senders(settings, {})
    file.write_text("from the file\n")
    for env, expected in (({}, "from the file"), ({"NVR_SMTP_PASSWORD": "from outside"}, "from outside")):
        [mail] = senders(settings, env)
        assert isinstance(mail, Mail) and mail._password == expected
    with pytest.raises(Invalid, match="has no password"):
        senders(settings.model_copy(update={"smtp_password_file": ""}), {})


def test_nothing_is_sent_where_nothing_is_named() -> None:
    assert senders(AlertSettings(), {}) == []
