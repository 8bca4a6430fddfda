"""The two keys of the object store: from the environment, or from a file for the owner's eyes alone. Never from nvr.toml."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.errors import Invalid
from config.settings import OffloadSettings

ACCESS, SECRET, TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
FIELD = "offload.credentials_file"
MAX_FILE_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Keys:
    access_key: str
    secret_key: str
    token: str = ""

    def __repr__(self) -> str:  # never in a log, a traceback or an error
        return "Keys(...)"


def keys_of(settings: OffloadSettings, env: Mapping[str, str] = os.environ) -> Keys:
    """Blocking. Raises Invalid with the way out."""
    path = settings.credentials_file
    values = _read(Path(path)) if path else env
    access, secret = values.get(ACCESS, ""), values.get(SECRET, "")
    if not access or not secret:
        missing = ACCESS if not access else SECRET
        where = f"{path} has no line {missing}=..." if path else f"{missing} is not in the environment"
        raise Invalid(f"the object store needs two keys: {where}", field=FIELD)
    return Keys(access, secret, values.get(TOKEN, ""))


def _read(path: Path) -> dict[str, str]:
    """Lines NAME=value; blank ones, `#` and `[section]` are left out, so that an AWS credentials file works too."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise Invalid(f"{path} may be read by others: chmod 600 {path}", field=FIELD)
            text = file.read(MAX_FILE_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} cannot be read: {error}", field=FIELD) from None
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not name.lstrip().startswith("#"):
            found.setdefault(name.strip().upper(), value.strip().strip("'\""))
    return found
