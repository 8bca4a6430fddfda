"""The ways of an alert to people: a webhook and mail. Each sends one message or raises Unavailable with the reason."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp
import aiosmtplib

from config import smtp
from config.errors import Invalid, Unavailable
from config.redact import redact
from config.settings import AlertSettings

LIMIT_S = 20.0
PASSWORD = "NVR_SMTP_PASSWORD"


class Sender(Protocol):
    place: str
    """`webhook` or `mail`: the queue it empties."""

    @property
    def address(self) -> str:
        """Where to, for people: never with a secret in it."""

    async def send(self, body: Mapping[str, Any]) -> None:
        """Raises Unavailable, in one sentence, where it did not arrive."""


class Webhook:
    place = "webhook"

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def address(self) -> str:
        """Scheme and host: the path of a webhook is its secret."""
        parts = urlsplit(self._url)
        return f"{parts.scheme}://{parts.netloc}/…"

    async def send(self, body: Mapping[str, Any]) -> None:
        timeout = aiohttp.ClientTimeout(total=LIMIT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self._url, json=dict(body), allow_redirects=False) as answer,
            ):
                if not 200 <= answer.status < 300:
                    raise Unavailable(f"{self.address} answered {answer.status} {answer.reason or ''}".rstrip())
        except TimeoutError:
            raise Unavailable(f"{self.address} did not answer within {LIMIT_S:.0f} s") from None
        except aiohttp.ClientConnectorCertificateError:
            raise Unavailable(f"{self.address} has a certificate that this machine does not trust") from None
        except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
            raise Unavailable(f"{self.address} could not be reached: {_reason(error)}") from None


class Mail:
    place = "mail"

    def __init__(self, server: smtp.MailServer, password: str, sender: str, to: tuple[str, ...]) -> None:
        self._server = server
        self._password = password
        self._sender = sender or f"nvr@{socket.gethostname()}"
        self._to = to

    @property
    def address(self) -> str:
        return f"{', '.join(self._to)} by way of {self._server.host}:{self._server.port}"

    async def send(self, body: Mapping[str, Any]) -> None:
        server = self._server
        try:
            async with asyncio.timeout(LIMIT_S):
                refused, _ = await aiosmtplib.send(
                    self._message(body),
                    hostname=server.host,
                    port=server.port,
                    use_tls=server.tls == "always",
                    start_tls=None if server.tls == "offered" else server.tls == "starttls",
                    validate_certs=server.tls != "offered",
                    username=server.user or None,
                    password=self._password or None,
                    timeout=LIMIT_S,
                )
        except (TimeoutError, aiosmtplib.SMTPTimeoutError):
            raise Unavailable(f"{server.host}:{server.port} did not answer within {LIMIT_S:.0f} s") from None
        except aiosmtplib.SMTPAuthenticationError:
            raise Unavailable(f"{server.host}:{server.port} refused the user or the password") from None
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError, ValueError) as error:
            raise Unavailable(f"{server.host}:{server.port} did not take the mail: {_reason(error)}") from None
        if refused:
            raise Unavailable(f"{server.host}:{server.port} took the mail, but not for {', '.join(sorted(refused))}")

    def _message(self, body: Mapping[str, Any]) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = ", ".join(self._to)
        message["Subject"] = body["title"]
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no absence notice comes back
        message.set_content(str(body["text"]))
        return message


def senders(settings: AlertSettings, env: Mapping[str, str] = os.environ) -> list[Sender]:
    """One for each place that the settings name. Reads the password's file. Raises Invalid where it cannot."""
    made: list[Sender] = []
    if settings.webhook:
        made.append(Webhook(settings.webhook))
    if settings.smtp:
        server = smtp.parse(settings.smtp)
        made.append(Mail(server, _password(settings, server, env), settings.sender, settings.to))
    return made


def _password(settings: AlertSettings, server: smtp.MailServer, env: Mapping[str, str]) -> str:
    if not server.user:
        return ""
    if password := env.get(PASSWORD):
        return password
    if not settings.smtp_password_file:
        raise Invalid(
            f"the mail server's user {server.user!r} has no password: set {PASSWORD} or alerts.smtp_password_file",
            field="alerts.smtp",
        )
    try:
        password = Path(settings.smtp_password_file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(
            f"{settings.smtp_password_file} cannot be read: {error}", field="alerts.smtp_password_file"
        ) from None
    if not password:
        raise Invalid(f"{settings.smtp_password_file} is empty", field="alerts.smtp_password_file")
    return password


def _reason(error: BaseException) -> str:
    """Its first line, without logins."""
    if isinstance(error, OSError) and error.strerror and not isinstance(error, aiohttp.ClientError):
        return error.strerror
    lines = redact(str(error)).splitlines()
    return lines[0] if lines else type(error).__name__
