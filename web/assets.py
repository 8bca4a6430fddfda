"""The files under web/static, read once at start and served from memory.

Serving them so needs no file I/O on the loop, gives every file a strong ETag (its SHA-256) and leaves no path from a URL to
the file system. The whole set is about 1.5 MB.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Final

from aiohttp import web

CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    "": "text/plain; charset=utf-8",  # the libraries' LICENSE files
}
PACKED: Final = frozenset({".woff2"})
"""Formats that are compressed already."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes, the gzipped bytes where those are smaller, and the headers that go with it."""

    body: bytes
    packed: bytes | None
    content_type: str
    etag: str


def load(root: Traversable) -> dict[str, Asset]:
    """Read every file below `root` whose type is known; keys are paths relative to it, with slashes."""
    found: dict[str, Asset] = {}
    pending = [("", root)]
    while pending:
        prefix, folder = pending.pop()
        for entry in folder.iterdir():
            if entry.is_dir():
                pending.append((f"{prefix}{entry.name}/", entry))
            elif (suffix := _suffix(entry.name)) in CONTENT_TYPES:
                found[prefix + entry.name] = _asset(entry.read_bytes(), suffix)
    return found


def _suffix(name: str) -> str:
    dot = name.rfind(".")
    return name[dot:] if dot > 0 else ""


def _asset(body: bytes, suffix: str) -> Asset:
    packed = None if suffix in PACKED else gzip.compress(body, mtime=0)
    if packed is not None and len(packed) >= len(body):
        packed = None
    return Asset(body, packed, CONTENT_TYPES[suffix], hashlib.sha256(body).hexdigest()[:32])


def respond(request: web.Request, assets: Mapping[str, Asset]) -> web.Response:
    """Answer a GET of `/static/{path}`: 200, 304 on a matching If-None-Match, or 404.

    `no-cache` lets the browser keep the file but ask each time, so an upgrade shows at once and needs no file names with
    hashes in them.
    """
    asset = assets.get(request.match_info["path"])
    if asset is None:
        raise web.HTTPNotFound(text="no such file\n")
    packed = asset.packed is not None and "gzip" in request.headers.get("Accept-Encoding", "")
    # The two encodings are two representations (RFC 9110 8.8.3.3), so they carry two strong tags.
    etag = asset.etag + ("-gz" if packed else "")
    headers = {
        "ETag": f'"{etag}"',
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if any(tag.value in (etag, "*") for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = asset.content_type
    if packed:
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=asset.packed, headers=headers)
    return web.Response(body=asset.body, headers=headers)
