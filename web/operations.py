"""An operation: a URL with its handler, and everything a caller must know about it.

Routes and the OpenAPI document are made from the same list, so neither can have what the other has not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel

from web import params
from web.problems import Handler

Schema = dict[str, Any]

TIME: Schema = {
    "anyOf": [
        {"type": "string", "format": "date-time", "examples": ["2026-11-23T18:30:00+05:30"]},
        {"type": "integer", "minimum": 0, "maximum": params.MAX_US, "description": "Microseconds since 1970 UTC."},
    ]
}
ID: Schema = {"type": "integer", "minimum": 1, "maximum": params.MAX_ID}


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    where: Literal["query", "path", "header"]
    schema: Schema
    description: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A good answer: a model (JSON), or another media type, whose `schema` says what the bytes are. `or_media_types`: those
    that a parameter chooses instead."""

    description: str
    model: type[BaseModel] | None = None
    media_type: str = "application/json"
    schema: Schema | None = None
    headers: Mapping[str, str] = field(default_factory=dict)  # name -> what it says
    or_media_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """`problems`: statuses beside those that follow from parameters and body."""

    method: str
    path: str
    handler: Handler
    tag: str
    summary: str
    replies: Mapping[int, Reply]
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: type[BaseModel] | None = None
    uploads: tuple[str, ...] = ()  # media types of a file that is the body
    problems: tuple[int, ...] = ()

    @property
    def query_names(self) -> tuple[str, ...]:
        return tuple(parameter.name for parameter in self.parameters if parameter.where == "query")


def path_id(name: str, what: str) -> Parameter:
    return Parameter(name, "path", ID, what, required=True)


CAMERA_ID = path_id("camera_id", "The camera's id.")
WINDOW = (
    Parameter("from", "query", TIME, "Start of the window, inclusive.", required=True),
    Parameter("to", "query", TIME, "End of the window, exclusive.", required=True),
)
LIMIT = Parameter(
    "limit",
    "query",
    {"type": "integer", "minimum": 1, "maximum": params.MAX_LIMIT, "default": params.DEFAULT_LIMIT},
    "How many items at most.",
)
CURSOR = Parameter(
    "cursor",
    "query",
    {"type": "string", "maxLength": params.MAX_CURSOR, "pattern": "^[A-Za-z0-9_-]+$"},
    "`next` of the page before.",
)


def _strict(operation: Operation) -> Handler:
    names, handler = operation.query_names, operation.handler

    async def checked(request: web.Request) -> web.StreamResponse:
        params.known(request.query, names)
        return await handler(request)

    return checked


def route_path(operation: Operation) -> str:
    """As aiohttp wants it. Numbers match digits alone, so that /cameras/{camera_id} does not answer for /cameras/probe."""
    path = operation.path
    for parameter in operation.parameters:
        if parameter.where == "path" and parameter.schema["type"] == "integer":
            path = path.replace(f"{{{parameter.name}}}", f"{{{parameter.name}:[0-9]+}}")
    return path


def add_routes(app: web.Application, operations: Iterable[Operation]) -> None:
    """Unknown and repeated query parameters are refused before a handler runs. GET answers HEAD as well."""
    for operation in operations:
        handler = _strict(operation)
        if operation.method == "GET":
            app.router.add_get(route_path(operation), handler, allow_head=True)
        else:
            app.router.add_route(operation.method, route_path(operation), handler)
