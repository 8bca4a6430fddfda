"""Answers in bytes: Range and conditional requests (RFC 9110 13, 14), and the sender of file parts.

Warm bytes go from the page cache to the socket by `os.sendfile`, on the loop: it does not block. Cold ones are read by a thread
of the file's volume, so a stalled disk stops only its own readers.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from storage.files import OpenFile, Source
from web.problems import problem

SEND_BYTES = 1 << 20  # looked at and sent at a time
COLD_BYTES = 1 << 18  # read by a thread at a time

_RANGE = re.compile(r"bytes=\s*(?:([0-9]{1,18})\s*-\s*([0-9]{0,18})|-\s*([0-9]{1,18}))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FilePart:
    """Bytes of an open file."""

    file: Source
    offset: int
    size_bytes: int


Part = bytes | FilePart


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of `size_bytes` a request is to get. `status`: 200, 206, 304, 412 or 416."""

    status: int
    start: int
    end: int  # exclusive

    @property
    def size_bytes(self) -> int:
        return self.end - self.start


def wanted(method: str, headers: Mapping[str, str], size_bytes: int, etag: str | None) -> Wanted:
    """`etag` with its quotes, strong; None: what is there changes, ranges of it are taken at their word.

    Several ranges in one request are answered with the whole (RFC 9110 14.2 allows it; no player asks so).
    """
    whole = Wanted(200, 0, size_bytes)
    nothing = Wanted(304, 0, 0)
    if "If-Match" in headers and not _matches(headers["If-Match"], etag, strong=True):
        return Wanted(412, 0, 0)
    if "If-None-Match" in headers and _matches(headers["If-None-Match"], etag, strong=False):
        return nothing
    given = headers.get("Range")
    if given is None or method != "GET" or size_bytes == 0:
        return whole
    if "If-Range" in headers and (etag is None or headers["If-Range"].strip() != etag):
        return whole  # a date cannot match: we give none
    match = _RANGE.fullmatch(given.strip())
    if match is None:
        return whole
    first, last, suffix = match.groups()
    if suffix is not None:
        start, end = max(size_bytes - int(suffix), 0), size_bytes
        return Wanted(206, start, end) if int(suffix) else Wanted(416, 0, 0)
    start = int(first)
    end = min(int(last) + 1, size_bytes) if last else size_bytes
    if last and int(last) < start:
        return whole  # no valid range (RFC 9110 14.1.1): ignored
    return Wanted(206, start, end) if start < size_bytes else Wanted(416, 0, 0)


def _matches(header: str, etag: str | None, *, strong: bool) -> bool:
    if header.strip() == "*":
        return True
    if etag is None:
        return False
    tags = re.findall(r'(?:W/)?"[^"]*"', header)
    return etag in tags or (not strong and f"W/{etag}" in tags)


async def answer(
    request: web.Request,
    part: Wanted,
    body: AsyncGenerator[Part, None],
    *,
    size_bytes: int,
    etag: str | None,
    headers: Mapping[str, str],
) -> web.StreamResponse:
    """Send what `wanted` said. `body` gives exactly [part.start, part.end); HEAD and errors leave it."""
    if part.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        refused = problem(416, "range_not_satisfiable", f"there are {size_bytes} bytes", field="Range")
        refused.headers["Content-Range"] = f"bytes */{size_bytes}"
        return refused
    if part.status == HTTPStatus.PRECONDITION_FAILED:
        return problem(412, "precondition_failed", "it is not the one you have", field="If-Match")
    async with aclosing(body):  # a client that leaves must not leave files open
        return await _answer(request, part, body, size_bytes, etag, headers)


async def _answer(
    request: web.Request,
    part: Wanted,
    body: AsyncGenerator[Part, None],
    size_bytes: int,
    etag: str | None,
    headers: Mapping[str, str],
) -> web.StreamResponse:
    response = web.StreamResponse(status=part.status, headers=headers)
    if etag is not None:
        response.headers["ETag"] = etag
    if part.status == HTTPStatus.NOT_MODIFIED:
        response.headers.popall("Content-Type", None)
        await response.prepare(request)
        return response
    response.headers.setdefault("Accept-Ranges", "bytes")
    response.content_length = part.size_bytes
    if part.status == HTTPStatus.PARTIAL_CONTENT:
        total = size_bytes if etag is not None else "*"
        response.headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{total}"
    await response.prepare(request)
    if request.method != "HEAD":
        async for piece in body:
            if isinstance(piece, FilePart):
                await _send_file(request, response, piece)
            else:
                await response.write(piece)
    await response.write_eof()
    return response


async def _send_file(request: web.Request, response: web.StreamResponse, part: FilePart) -> None:
    """Raises ConnectionResetError when the client has gone, EOFError when the file is shorter than it was."""
    loop = asyncio.get_running_loop()
    offset, end = part.offset, part.offset + part.size_bytes
    while offset < end:
        count = min(SEND_BYTES, end - offset)
        if isinstance(part.file, OpenFile) and part.file.cached(offset, count):
            transport = request.transport
            if transport is None:
                raise ConnectionResetError("the client has gone")
            sent = _send_at_once(transport, part.file.fd, offset, count)
            if sent < count:
                sent += await loop.sendfile(transport, part.file.file, offset + sent, count - sent, fallback=False)
            if sent < count:
                raise EOFError(f"{part.file.key} ends at {offset + sent}")
        else:
            count = min(COLD_BYTES, count)
            block = await part.file.read(offset, count)
            if not block:
                raise EOFError(f"{part.file.key} ends at {offset}")
            count = len(block)
            await response.write(block)
        offset += count


def _send_at_once(transport: asyncio.Transport, fd: int, offset: int, count: int) -> int:
    """Bytes that the socket takes now, mostly all of a range; `loop.sendfile` takes the rest. That one takes the socket out of
    the selector and puts it back, which costs as much as sending half a megabyte."""
    if transport.get_write_buffer_size() or transport.is_closing() or transport.get_extra_info("sslcontext"):
        return 0
    try:
        return os.sendfile(transport.get_extra_info("socket").fileno(), fd, offset, count)
    except OSError:  # BlockingIOError: the socket is full; loop.sendfile meets any other once more
        return 0
