"""The newest backup of the catalog in the bucket too, where a fire does not reach it: `<prefix>/<node>/backup/<name>`, 14 kept.

It holds the cameras' logins as every backup does, sealed: their key is not in the bucket.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import structlog

from config.errors import Corrupt
from storage import backup
from storage.moves import fd_sha256
from storage.objects import Objects, Upload

log = structlog.get_logger()

CONTENT_TYPE = "application/vnd.sqlite3"


async def keep_remote(objects: Objects, below: str, folders: Sequence[Path]) -> str | None:
    """Upload the newest backup of `folders` unless it is there, and let the oldest there go. Its key; None: nothing to do.

    One counts only when it was checked; older ones go only after that. Raises OSError, NvrError.
    """
    found = await asyncio.to_thread(_newest, folders)
    prefix = f"{below}{backup.FOLDER}/"
    there = [key for key, _ in await objects.page(prefix, "") if backup.time_of(key.rpartition("/")[2]) is not None]
    if found is None or prefix + found.name in there:
        return None
    key = prefix + found.name
    fd = await asyncio.to_thread(os.open, found, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(fd).st_size
        sha256 = await asyncio.to_thread(fd_sha256, fd)
        version_id = await objects.put(
            Upload(key, fd, size, sha256, {"sha256": sha256.hex()}, content_type=CONTENT_TYPE)
        )
    finally:
        os.close(fd)
    if await objects.sha256(key, version_id, size) != sha256:
        await objects.delete(key, version_id)
        raise Corrupt(f"{key} comes back from the store with another SHA-256")
    log.info("catalog backed up into the bucket", key=key)
    for old in sorted([*there, key])[: -backup.KEPT]:
        await objects.delete(old, "")
    return key


def _newest(folders: Sequence[Path]) -> Path | None:
    """Blocking."""
    return max(
        (path for folder in folders for path in backup.listing(folder)), key=lambda path: path.name, default=None
    )
