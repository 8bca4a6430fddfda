"""The OpenAPI 3.1 document, made from the operations, and the page that shows it.

Pure: the document and the page are built once, when the application is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup, escape
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from web.operations import Operation, Parameter, Reply, Schema
from web.problems import CONTENT_TYPE, MEANINGS
from web.schemas import Body, Problem

REFERENCE = "#/components/schemas/{model}"
BODY_PROBLEMS = (400, 413, 415, 422)
FILE = {"type": "string", "format": "binary"}
DESCRIPTION = (
    "Times in queries are RFC 3339 or integer microseconds since 1970 UTC; `from` is inclusive, `to` exclusive. Times "
    "in answers are RFC 3339 with microseconds. Errors are RFC 9457 problems whose `detail` names the field. Unknown "
    "query parameters are errors."
)


def document(operations: Sequence[Operation], *, version: str) -> dict[str, Any]:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "nvr", "version": version, "description": DESCRIPTION},
        "paths": _paths(operations),
        "components": {"schemas": _schemas(operations)},
    }


def _schemas(operations: Iterable[Operation]) -> dict[str, Any]:
    models: dict[type[BaseModel], str] = {Problem: "serialization"}
    for operation in operations:
        if operation.body is not None:
            models[operation.body] = "validation"
        for reply in operation.replies.values():
            if reply.model is not None:
                models[reply.model] = "serialization"
    pairs: Any = list(models.items())
    _, made = models_json_schema(pairs, by_alias=True, ref_template=REFERENCE)
    schemas: dict[str, Any] = dict(sorted(made["$defs"].items()))
    for model in models:
        if issubclass(model, Body) and not any(field.is_required() for field in model.model_fields.values()):
            for property_ in schemas[model.__name__]["properties"].values():
                property_.pop("default", None)  # a change leaves out what stays: there is no default
    return schemas


def _paths(operations: Iterable[Operation]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return paths


def _operation(operation: Operation) -> Schema:
    made: Schema = {
        "operationId": operation_id(operation),
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": [_parameter(parameter) for parameter in operation.parameters],
        "responses": {str(status): _reply(reply) for status, reply in sorted(operation.replies.items())}
        | {str(status): _problem(status) for status in sorted(problem_statuses(operation))},
    }
    if operation.description:
        made["description"] = operation.description
    if operation.body is not None:
        schema = {"$ref": REFERENCE.format(model=operation.body.__name__)}
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if operation.uploads:
        made["requestBody"] = {"required": True, "content": {name: {"schema": FILE} for name in operation.uploads}}
    return made


def operation_id(operation: Operation) -> str:
    """`get_api_v1_cameras_camera_id_timeline`"""
    return re.sub(r"[^a-z0-9]+", "_", f"{operation.method} {operation.path}".lower()).strip("_")


def problem_statuses(operation: Operation) -> set[int]:
    """Those every operation may give, those of a body, of parameters in the path, of the query, and its own."""
    statuses = {421, 422, 503, *operation.problems}
    if operation.method != "GET":
        statuses.add(403)
    if operation.body is not None or operation.uploads:
        statuses.update(BODY_PROBLEMS)
    if any(parameter.where == "path" for parameter in operation.parameters):
        statuses.add(404)
    return statuses


def _parameter(parameter: Parameter) -> Schema:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.required,
        "description": parameter.description,
        "schema": parameter.schema,
    }


def _reply(reply: Reply) -> Schema:
    made: Schema = {"description": reply.description}
    if reply.model is not None:
        made["content"] = {"application/json": {"schema": {"$ref": REFERENCE.format(model=reply.model.__name__)}}}
    elif reply.schema is not None:
        made["content"] = {name: {"schema": reply.schema} for name in (reply.media_type, *reply.or_media_types)}
    if reply.headers:
        made["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in reply.headers.items()
        }
    return made


def _problem(status: int) -> Schema:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {CONTENT_TYPE: {"schema": {"$ref": REFERENCE.format(model=Problem.__name__)}}},
    }


def page(api: dict[str, Any]) -> str:
    """The document as HTML: no script, no other host."""
    source = (files("web") / "templates" / "api.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["kind"] = kind
    environment.filters["words"] = words
    groups: dict[str, list[Schema]] = {}
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            entry = {"path": path, "method": method.upper(), **operation}
            groups.setdefault(operation["tags"][0], []).append(entry)
    return environment.from_string(source).render(
        api=api, groups=groups, schemas=api["components"]["schemas"], problems=MEANINGS
    )


def words(text: str) -> Markup:
    """Plain text as HTML, `this` as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # escaped before


def kind(schema: Schema) -> str:
    """A schema in a few words: `text`, `whole number 1 to 1000`, `list of CameraOut`, `time or whole number`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(kind(option) for option in options))
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"]).lower()
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    if schema.get("format") == "date-time":
        return "time"
    names = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true | false", "null": "null"}
    name = names.get(str(schema.get("type")), str(schema.get("type", "anything")))
    low, high = schema.get("minimum"), schema.get("maximum", schema.get("exclusiveMaximum"))
    return f"{name} {low} to {high}" if low is not None and high is not None else name
