"""A real SMTP server and a real HTTP server that keep what they are sent."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


@dataclass
class Post:
    """`code`: what the mail server answers to a message; a refusal is counted in `refused`."""

    port: int = 0
    code: str = "250 OK"
    refused: int = 0
    mails: asyncio.Queue[tuple[Envelope, EmailMessage]] = field(default_factory=asyncio.Queue)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if not self.code.startswith("2"):
            self.refused += 1
            return self.code
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.put_nowait((envelope, mail))
        return self.code

    def login(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=(data.login, data.password) == (b"nvr", b"right"), handled=False)


@asynccontextmanager
async def post_office(*, tls: ssl.SSLContext | None = None, login: bool = False) -> AsyncIterator[Post]:
    """`tls`: STARTTLS with that certificate. `login`: a user is needed."""
    post = Post()

    def speak() -> SMTP:
        authenticator = post.login if login else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it takes passwords in the clear is meant
            return SMTP(
                post,
                tls_context=tls,
                authenticator=authenticator,
                auth_required=login,
                auth_require_tls=tls is not None,
            )

    server = await asyncio.get_running_loop().create_server(speak, "127.0.0.1", 0)
    post.port = server.sockets[0].getsockname()[1]
    try:
        yield post
    finally:
        server.close()
        await server.wait_closed()


@dataclass
class Hook:
    """`status`: what the webhook answers; `calls`: all that came; `bodies`: those it took."""

    url: str = ""
    status: int = 204
    calls: int = 0
    silent: asyncio.Event | None = None
    bodies: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)

    async def take(self, request: web.Request) -> web.Response:
        self.calls += 1
        if self.silent is not None:
            await self.silent.wait()
        body = await request.json()
        if self.status < 300:
            self.bodies.put_nowait(body)
        return web.Response(status=self.status, headers={"Location": "/elsewhere"} if self.status == 302 else {})


@asynccontextmanager
async def webhook() -> AsyncIterator[Hook]:
    hook = Hook()
    app = web.Application(client_max_size=10_000_000)
    app.router.add_post("/hook/secret", hook.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook/secret"
    try:
        yield hook
    finally:
        await runner.cleanup()
