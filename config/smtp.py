"""The mail server as the settings name it: `host:port`, or a URL with a user."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

PORTS = {"smtp": 25, "smtps": 465}
SUBMISSION = 587  # of smtp:// with a user
_BARE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class MailServer:
    """`tls`: from the start, by STARTTLS or not at all, or where the server offers it. The first two check its certificate."""

    host: str
    port: int
    user: str = ""
    tls: Literal["always", "starttls", "offered"] = "offered"


def parse(text: str) -> MailServer:
    """Raises ValueError with a sentence. `host[:port]` and smtp:// take TLS where it is offered (a relay in the house); with a
    user only over TLS, so that no password goes in the clear.
    """
    url = text if "://" in text else f"smtp://{text}"
    if "://" not in text and not _BARE.fullmatch(text):
        raise ValueError(f"{text!r} is no mail server: write host:port, or smtps://user@host")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("the port of the mail server is no number from 1 to 65535") from None
    if parts.scheme not in PORTS or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("the mail server is no address: write host:port, smtp://user@host or smtps://user@host")
    if parts.password is not None:
        raise ValueError(
            "the mail server's password is never written here: put it into NVR_SMTP_PASSWORD or smtp_password_file"
        )
    user = unquote(parts.username or "")
    usual = SUBMISSION if user and parts.scheme == "smtp" else PORTS[parts.scheme]
    return MailServer(
        host=parts.hostname,
        port=port or usual,
        user=user,
        tls="always" if parts.scheme == "smtps" else "starttls" if user else "offered",
    )
