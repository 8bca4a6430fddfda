"""Errors become HTTP answers here and nowhere else: RFC 9457 `application/problem+json`.

Members: `type` (a reference into /api/docs), `code` (its last part), `title`, `status`, `detail` (one sentence with the way
out), `field` where one is at fault, and what the error adds (`before`, `after`, `windows` ...). A document that cannot be read
at all is 400; one that is read but wrong is 422.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog
from aiohttp import web

from config.errors import Conflict, Corrupt, Invalid, NotFound, NvrError, Unavailable

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 5

KINDS: dict[type[NvrError], tuple[int, str]] = {
    NotFound: (404, "not_found"),
    Conflict: (409, "conflict"),
    Invalid: (422, "invalid"),
    Unavailable: (503, "unavailable"),
    Corrupt: (500, "corrupt"),
}
MEANINGS = {
    "not_found": "The thing named does not exist.",
    "no_footage": "Nothing was recorded in the window; `before` and `after` name the nearest footage.",
    "conflict": "The request is sound but clashes with what is there.",
    "needs_confirm": "More than a fifth of a volume's footage would go; `preview` has the numbers. Confirm, or think again.",
    "mixed_streams": "The window holds streams that one MP4 cannot carry; `windows` lists those that work.",
    "cold": "The footage is in a storage class that must be restored first, which was asked for; `expected_hours` says how"
    " long that takes.",
    "invalid": "A parameter or a field of the body is wrong; `field` says which.",
    "malformed": "The body cannot be read: no UTF-8, no JSON, a name given twice, too deep.",
    "unavailable": "Cannot be done now and may work later: try again after `Retry-After` seconds.",
    "corrupt": "Stored bytes are not what they claim to be. They are kept; tell the administrator.",
    "internal": "A defect of the server. `incident` finds it in the log.",
    "method_not_allowed": "This URL does not answer that method; the header `Allow` lists those it does.",
    "content_too_large": "The body is larger than this URL takes.",
    "unsupported_media_type": "A body is application/json.",
    "misdirected_request": "The Host header is none of this server's names.",
    "forbidden": "The request comes from another site's page.",
    "range_not_satisfiable": "The Range lies outside of what there is.",
    "precondition_failed": "The bytes are not those that `If-Match` names.",
}


class Malformed(Invalid):
    """The body cannot be read at all (HTTP 400)."""


class Refused(NvrError):
    """Refused before anything is looked at: `status` is an HTTP status (403, 415, 421)."""

    def __init__(self, status: HTTPStatus, message: str, *, field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.status = status


def problem(status: int, code: str, detail: str, *, field: str | None = None, **extra: object) -> web.Response:
    """The one way to build a problem answer."""
    document: dict[str, object] = {
        "type": f"/api/docs#{code}",
        "title": _phrase(status),
        "status": status,
        "code": code,
        "detail": detail,
    }
    if field is not None:
        document["field"] = field
    document |= extra
    body = json.dumps(document).encode()
    answer = web.Response(status=status, body=body, content_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def from_error(error: NvrError) -> web.Response:
    """An `extra` member `code` of the error goes before the code of its kind."""
    status, code = 500, "internal"
    if isinstance(error, Refused):
        status, code = int(error.status), _code(error.status.phrase)
    elif isinstance(error, Malformed):
        status, code = 400, "malformed"
    else:
        for kind, (kind_status, kind_code) in KINDS.items():
            if isinstance(error, kind):
                status, code = kind_status, kind_code
    extra = dict(error.extra)
    return problem(status, str(extra.pop("code", code)), error.message, field=error.field, **extra)


def _code(phrase: str) -> str:
    return re.sub(r"[^a-z]+", "_", phrase.lower())


_HTTP_CODES = {
    400: "malformed",
    404: "not_found",
    405: "method_not_allowed",
    413: "content_too_large",
    416: "range_not_satisfiable",
    422: "invalid",
    503: "unavailable",
}
_HTTP_DETAILS = {
    404: "there is nothing at this URL",
    405: "this URL does not answer that method",
    413: "the body is larger than this URL takes",
    416: "the range lies outside of what there is",
}


def from_http(error: web.HTTPException) -> web.Response:
    """aiohttp's own refusals: 404, 405, 413 ..."""
    status = error.status
    code = _HTTP_CODES.get(status, _code(_phrase(status)))
    answer = problem(status, code, _HTTP_DETAILS.get(status, _phrase(status)))
    for name in ("Allow", "Content-Range", "Retry-After", "WWW-Authenticate"):
        if name in error.headers:
            answer.headers[name] = error.headers[name]
    return answer


PREPARED = web.RequestKey("prepared", bool)


async def note_prepared(request: web.Request, _: web.StreamResponse) -> None:
    """on_response_prepare: from here on the head is on its way, and no other answer can be given."""
    request[PREPARED] = True


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost middleware: no error leaves as anything but a problem, and none with a traceback."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return from_http(error)
    except NvrError as error:
        if PREPARED in request:
            raise _cut(request, error) from error
        return from_error(error)
    except ConnectionError:
        raise  # the client has gone; aiohttp knows what to do
    except Exception as error:  # the supervisor of every request: logged with its traceback, told without
        if PREPARED in request:
            raise _cut(request, error) from error
        incident = uuid.uuid4().hex[:12]
        log.exception("request failed", method=request.method, path=request.path, incident=incident)
        return problem(500, "internal", "the server met a defect; its log has the details", incident=incident)


def _cut(request: web.Request, error: Exception) -> ConnectionError:
    """An answer that breaks off is cut, so that the client sees it as incomplete. aiohttp ends quietly on what is returned."""
    log.warning("answer broken off", method=request.method, path=request.path, exc_info=error)
    if request.transport is not None:
        request.transport.close()
    return ConnectionResetError("answer broken off")
