"""The OpenAPI document (3.1), made of the table of operations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from evidentsource_functions import __version__
from evidentsource_runtime.server.http.operations import Answer, Operation, Query, named
from evidentsource_runtime.server.http.problems import PROBLEM
from evidentsource_runtime.server.http.schemas import INTEGER, SCHEMAS, STRING

__all__ = ["document"]

_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_NAME: Final = {"type": "string", "pattern": r"^[a-zA-Z][a-zA-Z0-9\-_.]{1,127}$"}
_PATHS: Final[dict[str, Any]] = {
    "database": _NAME,
    "name": _NAME,
    "stream": _NAME,
    "revision": {"anyOf": [INTEGER, {"const": "latest"}]},
    "version": {"anyOf": [{"type": "integer", "minimum": 1}, {"const": "latest"}]},
}


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The document.

    >>> from evidentsource_runtime.server.http.table import OPERATIONS
    >>> document(OPERATIONS)["openapi"]
    '3.1.0'
    """
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "EvidentSource",
            "version": __version__,
            "description": "Databases of events, with the state views and state changes over them.",
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"bearer": []}],
    }


def _operation(operation: Operation) -> dict[str, Any]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": _PATHS.get(name, STRING)}
        for name in _PARAMETER.findall(operation.path)
    ]
    answers = {str(status): _answer(each) for status, each in operation.answers.items()}
    problem = Answer("A problem.", {PROBLEM: named("Problem")}, {})
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [*in_path, *map(_parameter, operation.query)],
        "responses": {**answers, "4XX": _answer(problem), "5XX": _answer(problem)},
    }
    if operation.public:
        described["security"] = []
    if operation.body is not None:
        described["requestBody"] = {
            "description": operation.body.description,
            "required": operation.body.required,
            "content": {media: {"schema": s} for media, s in operation.body.content.items()},
        }
    return described


def _parameter(query: Query) -> dict[str, Any]:
    if not query.prefix:
        where = "header" if query.header else "query"
        return {
            "name": query.name,
            "in": where,
            "description": query.description,
            "schema": query.schema,
        }
    # Any number of parameters that begin so: an object whose members are the parameters.
    return {
        "name": f"{query.name or 'parameters'}*",
        "in": "query",
        "description": query.description,
        "style": "form",
        "explode": True,
        "schema": {"type": "object", "additionalProperties": query.schema},
    }


def _answer(answer: Answer) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.description}
    if answer.content:
        described["content"] = {media: {"schema": s} for media, s in answer.content.items()}
    if answer.headers:
        described["headers"] = {
            name: {"description": text, "schema": STRING} for name, text in answer.headers.items()
        }
    return described
