"""Keeping passwords out of logs, errors and answers."""

from __future__ import annotations

import re

_LOGIN = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s'\"<>]*@")
_HEADER = re.compile(r"(?im)\b((?:proxy-)?authorization\s*[:=]\s*)[^\r\n]*")
_PLACE = r"\1***@"


def redact(text: str) -> str:
    """`text` without the user and password of any URL in it, and without the value of any Authorization header.

    Everything up to the last @ of a URL goes: a password may hold /, : and @ unescaped.
    """
    return _HEADER.sub(r"\1***", _LOGIN.sub(_PLACE, text))
