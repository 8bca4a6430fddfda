"""JSON bodies in, JSON answers out."""

from __future__ import annotations

import json
from typing import Any, NoReturn, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from config.errors import Invalid
from web.problems import Malformed

MAX_BODY_BYTES = 64 * 1024
MAX_DEPTH = 8

Model = TypeVar("Model", bound=BaseModel)


async def read(request: web.Request, model: type[Model], *, max_bytes: int = MAX_BODY_BYTES) -> Model:
    """The body as `model`. Raises Malformed where it is no JSON, Invalid naming the field where it is the wrong JSON."""
    if request.content_length is not None and request.content_length > max_bytes:
        raise web.HTTPRequestEntityTooLarge(max_size=max_bytes, actual_size=request.content_length)
    raw = await request.read()
    if len(raw) > max_bytes:
        raise web.HTTPRequestEntityTooLarge(max_size=max_bytes, actual_size=len(raw))
    document = parse(raw)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise _named(error, model) from None


def parse(raw: bytes) -> Any:
    """JSON as RFC 8259 has it: UTF-8, no NaN, no name twice, not deeper than MAX_DEPTH. Raises Malformed."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"the body is not UTF-8 (byte {error.start})") from None
    if not text.strip():
        raise Malformed("the body is empty: send a JSON object")
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_constant, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise Malformed(f"the body is no JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise Malformed("the body is nested too deep") from None
    _check_depth(document, MAX_DEPTH)
    return document


def _check_depth(value: object, left: int) -> None:
    if not isinstance(value, dict | list):
        return
    if left == 0:
        raise Malformed("the body is nested too deep")
    for inner in value.values() if isinstance(value, dict) else value:
        _check_depth(inner, left - 1)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = _short(next(name for name in names if names.count(name) > 1))
        raise Malformed(f"{twice} is given twice", field=twice)
    return made


def _constant(name: str) -> NoReturn:
    raise Malformed(f"the body is no JSON: {name} is no number")


def _integer(digits: str) -> int:
    # Python refuses to read integers of more than 4,300 digits, with an error of its own.
    if len(digits) > 100:
        raise Malformed("the body holds a number with more than 100 digits")
    return int(digits)


def _short(name: str) -> str:
    return name[:64].encode("utf-8", "replace").decode()


_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "model_type": "is a JSON object",
    "float_type": "is a number",
    "int_type": "is a whole number",
    "bool_type": "is true or false",
    "string_type": "is a text",
    "string_unicode": "is no valid text",
    "list_type": "is a list",
    "finite_number": "is a finite number",
}


def _named(error: ValidationError, model: type[BaseModel]) -> Invalid:
    """The first fault as one sentence; pydantic's own words carry the value, which may be a password."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = _short(".".join(str(part) for part in first["loc"])) or "body"
    words = _WORDS.get(first["type"]) or first["msg"].removeprefix("Input ").replace("should be", "must be")
    if first["type"] == "extra_forbidden":
        words += f": known are {', '.join(model.model_fields)}" if len(first["loc"]) == 1 else ""
    return Invalid(f"{field} {words}", field=field)


def answer(model: BaseModel, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """JSON that is never kept by a cache: it says what is now."""
    return web.Response(
        status=status,
        body=model.model_dump_json(by_alias=True).encode(),
        content_type="application/json",
        headers={"Cache-Control": "no-store"} | (headers or {}),
    )
