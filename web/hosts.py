"""Who may ask, while nobody signs in: only by our own names (DNS rebinding), writes only from our own pages (CSRF), bodies only
as JSON, or as a file where a URL takes one (a form of another site cannot send either without asking first).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from config.settings import is_loopback
from web.problems import Handler, Refused

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
JSON = ("application/json",)
PREFLIGHT_S = 600
EXPOSED = "Content-Range, ETag, X-Frame-Time, Retry-After"


def host_name(header: str) -> str:
    """Host of a Host header or a network location, in lower case, without port and brackets. "" when it has none."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def guard(
    names: Iterable[str], cors_origins: Iterable[str], uploads: Mapping[tuple[str, str], Collection[str]] = {}
) -> Middleware:
    """The middleware. `names`: the listening host and server.names; the address a connection came in on is ours as well.
    `uploads`: (method, path) -> the media types of the files that it takes."""
    own = frozenset(host_name(name) or name.lower() for name in names)
    friends = frozenset(origin.rstrip("/").lower() for origin in cors_origins)

    def check_host(request: web.Request) -> None:
        header = request.headers.get(hdrs.HOST)
        if header is None:
            raise Refused(HTTPStatus.MISDIRECTED_REQUEST, "the request names no host", field="Host")
        host = host_name(header)
        if host in own or is_loopback(host) or (host and host == _local_address(request)):
            return
        raise Refused(
            HTTPStatus.MISDIRECTED_REQUEST,
            f"this server is not known as {host[:80]!r}: add that name to server.names",
            field="Host",
        )

    def check_write(request: web.Request) -> None:
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and not _same_origin(origin, request.headers[hdrs.HOST]):
            raise Refused(HTTPStatus.FORBIDDEN, "writes come from this server's own pages only", field="Origin")
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            raise Refused(HTTPStatus.FORBIDDEN, "writes come from this server's own pages only", field="Sec-Fetch-Site")
        taken = uploads.get((request.method, request.path), JSON)
        if request.can_read_body and request.content_type not in taken:
            told = f"send the body as {' or '.join(taken)}"
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, told, field="Content-Type")

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        check_host(request)
        if request.method not in SAFE_METHODS:
            check_write(request)
        origin = request.headers.get(hdrs.ORIGIN, "").lower()
        if origin not in friends:
            return await handler(request)
        request[CORS_ORIGIN] = origin
        if request.method == "OPTIONS":
            return _preflight()
        return await handler(request)

    return middleware


CORS_ORIGIN = web.RequestKey("cors_origin", str)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """on_response_prepare: what every answer carries."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault(
        "Cross-Origin-Resource-Policy", "cross-origin" if CORS_ORIGIN in request else "same-origin"
    )
    if CORS_ORIGIN in request:
        response.headers["Access-Control-Allow-Origin"] = request[CORS_ORIGIN]
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
        response.headers.add(hdrs.VARY, "Origin")


def _preflight() -> web.Response:
    """Other sites read, never write."""
    return web.Response(
        status=204,
        headers={
            "Access-Control-Allow-Methods": "GET, HEAD",
            "Access-Control-Allow-Headers": "Range, If-Range, If-None-Match",
            "Access-Control-Max-Age": str(PREFLIGHT_S),
        },
    )


def _same_origin(origin: str, host: str) -> bool:
    """The scheme may differ: TLS may end at a proxy in front."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def _local_address(request: web.Request) -> str:
    """The address the connection came in on: a name pointed at us by somebody else is never an address."""
    name = request.transport.get_extra_info("sockname") if request.transport else None
    return str(name[0]).partition("%")[0] if isinstance(name, tuple) else ""
