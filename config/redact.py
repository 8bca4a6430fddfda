"""Keeping passwords out of logs, errors and answers."""

from __future__ import annotations

import re
from collections.abc import Mapping

_WORD = re.compile(r"\S+")
_SCHEME = re.compile(r"(?i)[a-z][a-z0-9+.-]{0,20}://")
# A URL inside a query of another, encoded once or oftener: rtsp%3A%2F%2Fuser%3Apassword%40host.
_ENCODED_SCHEME = re.compile(r"(?i)[a-z][a-z0-9+.-]{0,20}(?!://)(?::|%(?:25)*3a)(?:/|%(?:25)*2f){2}")
_ENCODED_AT = re.compile(r"@|%(?:25)*40")
# Some makers want the login inside the path: /user=admin_password=secret_channel=1 or ?user=admin&password=secret.
_PARAMETER = re.compile(
    r"(?i)(?<![a-z])((?:password|passwd|pass|pwd|psw|secret|token|signature)(?:=|%(?:25)*3d))"
    r"(?:(?!_(?:user|channel|stream)=)[^\s&/?])+"
)
_HEADER = re.compile(r"(?im)\b((?:(?:proxy-)?authorization|(?:set-)?cookie)['\"]?\s*[:=]\s*)[^\r\n]*")


def redact(text: str) -> str:
    """`text` without the login of any URL in it, without passwords among a URL's parameters, without the value of an
    Authorization or Cookie header.

    Rather too much goes than too little: everything up to the last @ of a URL, for a password may hold /, : and @ unescaped.
    """
    text = _WORD.sub(_without_login, text)
    return _HEADER.sub(r"\1***", _PARAMETER.sub(r"\1***", text))


def _without_login(match: re.Match[str]) -> str:
    """Linear in the word's length, which one regular expression for scheme, login and @ is not."""
    word = match[0]
    scheme, at = _SCHEME.search(word), word.rfind("@")
    if scheme and at >= scheme.end():
        word = f"{word[: scheme.end()]}***{word[at:]}"
    scheme = _ENCODED_SCHEME.search(word) if "%" in word else None
    if scheme and (ats := list(_ENCODED_AT.finditer(word, scheme.end()))):
        word = f"{word[: scheme.end()]}***@{word[ats[-1].end() :]}"
    return word


def masked(data: bytes) -> bytes:
    """What `redact` takes out of URLs is overwritten instead, byte for byte: for a file that another process appends to."""
    text = _WORD.sub(_with_login_masked, data.decode("ascii", "surrogateescape"))
    text = _PARAMETER.sub(lambda match: match[1].ljust(len(match[0]), "*"), text)
    return text.encode("ascii", "surrogateescape")


def _with_login_masked(match: re.Match[str]) -> str:
    word = match[0]
    scheme, at = _SCHEME.search(word), word.rfind("@")
    if scheme and at >= scheme.end():
        word = word[: scheme.end()].ljust(at, "*") + word[at:]
    return word


def redact_values(value: object) -> object:
    """`value` with every text in it redacted, however deep: what a log line may carry. Other things become their text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): redact_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_values(item) for item in value]
    return redact(str(value))
