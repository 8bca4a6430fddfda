"""The key that seals the cameras' logins, and where it lies. Blocking, whenever a login is read or written: some 30 us.

    $NVR_SECRETS_KEY           the key itself, 32 bytes in base64
    $NVR_SECRETS_KEY_FILE      a file that holds it
    <database>.key             else; made at first use, mode 0600

It is never in the catalog, so copies of that open nothing. Several keys may stand one below the other (in the variable: with
blanks between): the first seals, all open. `<file>.old` holds former ones.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from config.errors import Corrupt, Invalid, Unavailable
from storage.model import CameraId, Credentials

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY: Final = "NVR_SECRETS_KEY"
KEY_FILE: Final = "NVR_SECRETS_KEY_FILE"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
MAX_FILE_BYTES: Final = 65536
_MAKE = "32 random bytes in base64, as `openssl rand -base64 32` makes them"


@dataclass(frozen=True, slots=True)
class Key:
    """`id` tells keys apart in the catalog; it says nothing of the key."""

    id: str
    value: bytes = field(repr=False)

    def cipher(self) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # 25 ms, which only logins need

        return AESGCM(self.value)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """`keys`: the first seals, all open. `path`: None where they are in the environment."""

    keys: tuple[Key, ...]
    path: Path | None

    @property
    def current(self) -> Key:
        return self.keys[0]

    def find(self, key_id: str) -> Key | None:
        return next((key for key in self.keys if key.id == key_id), None)


def key_file(database: Path, env: Mapping[str, str] = os.environ) -> Path | None:
    """Where the key of a catalog lies; None: in the environment."""
    if env.get(KEY):
        return None
    named = env.get(KEY_FILE)
    return Path(named).absolute() if named else database.with_name(database.name + ".key")


def where(database: Path, env: Mapping[str, str] = os.environ) -> str:
    """For people."""
    path = key_file(database, env)
    return f"${KEY}" if path is None else str(path)


def old_file(path: Path) -> Path:
    return path.with_name(path.name + ".old")


def load(database: Path, env: Mapping[str, str] = os.environ) -> KeyRing | None:
    """None: there is no key file. Raises Invalid for what holds no key, Unavailable for a file that cannot be read."""
    path = key_file(database, env)
    if path is None:
        return KeyRing(_parse(env[KEY], f"${KEY}"), None)
    text = _read(path)
    if text is None:
        return None
    keys = _parse(text, str(path))
    former = _read(old_file(path))
    if former is not None:
        with suppress(Invalid):  # what cannot be used opens nothing, and that is told where it is missed
            keys += _parse(former, str(old_file(path)))
    return KeyRing(tuple(dict.fromkeys(keys)), path)


def _read(path: Path) -> str | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(fd, MAX_FILE_BYTES).decode("utf-8", "replace")
        finally:
            os.close(fd)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(
            f"the key of the cameras' logins, {path}, cannot be read: {error.strerror}", field=KEY
        ) from None


@lru_cache(maxsize=8)
def _parse(text: str, source: str) -> tuple[Key, ...]:
    """Raises Invalid, which never shows what was there."""
    words = [word for line in text.splitlines() if not line.lstrip().startswith("#") for word in line.split()]
    keys = []
    for word in words:
        try:
            value = base64.b64decode(word, validate=True)
        except (binascii.Error, ValueError):
            value = b""
        if len(value) != KEY_BYTES:
            raise Invalid(f"{source} holds no key: {_MAKE}", field=KEY)
        keys.append(_key(value))
    if not keys:
        raise Invalid(f"{source} is empty: a key is {_MAKE}", field=KEY)
    return tuple(keys)


def _key(value: bytes) -> Key:
    return Key(hashlib.sha256(b"nvr key id" + value).hexdigest()[:16], value)


def make(database: Path, env: Mapping[str, str] = os.environ) -> KeyRing:
    """A first key, on disk when this returns; where another process was quicker, its key. Raises Unavailable."""
    path = key_file(database, env)
    assert path is not None, "a key in the environment is there"
    _write(path, [_key(secrets.token_bytes(KEY_BYTES))], database, replace=False)
    ring = load(database, env)
    assert ring is not None
    return ring


def renew(ring: KeyRing | None, database: Path, env: Mapping[str, str] = os.environ) -> KeyRing:
    """A new key in the file's place, the former ones in `<file>.old`; at every moment both open. Raises Unavailable."""
    path = key_file(database, env)
    assert path is not None, "a key in the environment is renewed there"
    if ring is not None:
        _write(old_file(path), ring.keys, database, replace=True)
    _write(path, [_key(secrets.token_bytes(KEY_BYTES))], database, replace=True)
    made = load(database, env)
    assert made is not None
    return made


def _write(path: Path, keys: Iterable[Key], database: Path, *, replace: bool) -> None:
    """Whole or not at all, for the eyes of the catalog's owner. Without `replace` a file that is there stays."""
    text = "".join(base64.b64encode(key.value).decode() + "\n" for key in keys)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        unfinished.unlink(missing_ok=True)
        fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w") as file:
            if os.geteuid() == 0 and database.exists():  # a command that root ran must not lock the server out
                owner = database.stat()
                os.fchown(fd, owner.st_uid, owner.st_gid)
            file.write(text)
            file.flush()
            os.fsync(fd)
        if replace:
            unfinished.replace(path)
        else:
            with suppress(FileExistsError):
                os.link(unfinished, path)
            unfinished.unlink()
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise Unavailable(
            f"the key of the cameras' logins cannot be written to {path}: {error.strerror}", field=KEY
        ) from None


def _bound_to(camera_id: CameraId) -> bytes:
    """What is sealed along: a login moved to another camera's row does not open."""
    return b"nvr camera %d" % camera_id


def seal(key: Key, camera_id: CameraId, login: Credentials) -> bytes:
    """Nonce, then the login as AES-256-GCM seals it."""
    plain = json.dumps([login.username, login.password]).encode()
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + key.cipher().encrypt(nonce, plain, _bound_to(camera_id))


def unseal(key: Key, camera_id: CameraId, sealed: bytes) -> Credentials:
    """Raises Corrupt for bytes that this key did not seal for this camera."""
    from cryptography.exceptions import InvalidTag  # with the cipher: on first use

    try:
        plain = key.cipher().decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound_to(camera_id))
        username, password = json.loads(plain)
    except (InvalidTag, ValueError):
        raise Corrupt(
            f"the stored login of camera {camera_id} was changed: enter it again", field="credentials"
        ) from None
    return Credentials(username, password)
