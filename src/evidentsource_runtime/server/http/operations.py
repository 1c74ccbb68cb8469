"""What an operation is: how it is asked for, what it answers, and who does it.

The routes and the OpenAPI document are both made of these, so neither can say more than the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from starlette.responses import Response

if TYPE_CHECKING:
    from evidentsource_runtime.server.http.asking import Ask

__all__ = ["Answer", "Body", "Handler", "Operation", "Query", "Schema", "named"]

Schema: TypeAlias = Mapping[str, Any]
Handler: TypeAlias = "Callable[[Ask], Awaitable[Response]]"


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter in the query string.

    Args:
        name: the parameter.
        description: what it is for.
        schema: its JSON schema.
        prefix: whether ``name`` begins the names of any number of parameters.
        header: whether it is a header instead.
    """

    name: str
    description: str
    schema: Schema
    prefix: bool = False
    header: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body, by media type; ``*/*`` takes any."""

    description: str
    content: Mapping[str, Schema]
    required: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is no problem.

    Args:
        description: in words.
        content: the schema of its body by media type.
        headers: what its headers say, by name.
    """

    description: str
    content: Mapping[str, Schema]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked for.

    Args:
        name: its name in the document and in measurements.
        method: the HTTP method.
        path: with the names of its parameters in braces.
        handle: does it.
        summary: what it does, in one line.
        query: the parameters that it takes; any other is refused.
        body: what it is sent.
        answers: its answers by status.
        untimed: whether it may take as long as the client stays.
        component: whether the body may be as large as a component may.
        public: whether nobody is asked who they are.
    """

    name: str
    method: str
    path: str
    handle: Handler
    summary: str
    query: tuple[Query, ...] = ()
    body: Body | None = None
    answers: Mapping[int, Answer] = field(default_factory=dict)
    untimed: bool = False
    component: bool = False
    public: bool = False

    def takes(self, parameter: str) -> bool:
        """Whether it has a query parameter of that name."""
        return any(
            parameter.startswith(each.name) if each.prefix else parameter == each.name
            for each in self.query
            if not each.header
        )


def named(schema: str) -> Schema:
    """A schema that stands in the document under a name."""
    return {"$ref": f"#/components/schemas/{schema}"}
