"""A view's parameters: what a reader may give for them, and the selector that comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from evidentsource_core.domain.definitions import ParameterError, SelectorTemplate
from evidentsource_core.domain.errors import IdentifierError, InvalidType
from evidentsource_core.domain.identifiers import EventSubject, EventType, StreamName
from evidentsource_core.domain.selectors import (
    EventAttribute,
    EventSelector,
    EventTypeAttribute,
    StreamAttribute,
    SubjectAttribute,
)

ParameterValue: TypeAlias = (
    str
    | StreamName
    | EventSubject
    | EventType
    | StreamAttribute
    | SubjectAttribute
    | EventTypeAttribute
    | None
)
"""What a view's parameter may be given: a text or name, None for no subject, or an attribute."""
Parameters: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, Any]]
"""A view's parameters by name, as a mapping or as pairs; each value is a :data:`ParameterValue`."""

_KINDS: Mapping[str, tuple[type[Any], type[Any]]] = {
    "stream": (StreamName, StreamAttribute),
    "subject": (EventSubject, SubjectAttribute),
    "event_type": (EventType, EventTypeAttribute),
}


def bind(template: SelectorTemplate, parameters: Parameters | None) -> EventSelector:
    """The selector with every parameter's value in place.

    A plain text becomes what its parameter binds: a stream, a subject or a type.

    Raises:
        ParameterError: one is missing, unknown, given twice, of the wrong kind, or no valid name.
        InvalidType: the parameters, or the value of one, are of a type that cannot be one.

    >>> from evidentsource_core import Parameter, Selector
    >>> bind(Parameter.subject("account_id"), {"account_id": "a-1"}) == Selector.subject("a-1")
    True
    """
    kinds = template.parameters
    bound: dict[str, EventAttribute] = {}
    for name, value in pairs(parameters):
        if name in bound:
            raise ParameterError(name, "is given twice")
        if name not in kinds:
            known = ", ".join(kinds) or "none"
            raise ParameterError(name, f"unknown; the view's parameters are: {known}")
        bound[name] = _attribute(name, kinds[name], value)
    return template.bind(bound)


def pairs(parameters: object) -> list[tuple[str, ParameterValue]]:
    """Parameters in either form as pairs."""
    if parameters is None:
        return []
    if isinstance(parameters, Mapping):
        given: list[Any] = list(parameters.items())
    elif isinstance(parameters, (str, bytes)) or not isinstance(parameters, Iterable):
        raise InvalidType("parameters", "a mapping or a list of pairs", parameters)
    else:
        given = list(parameters)
    for index, pair in enumerate(given):
        if not (isinstance(pair, (tuple, list)) and len(pair) == 2 and isinstance(pair[0], str)):
            raise InvalidType(f"parameters[{index}]", "a pair of a name and a value", pair)
    return [(name, value) for name, value in given]


def _attribute(name: str, kind: str, value: ParameterValue) -> EventAttribute:
    if isinstance(value, (StreamAttribute, SubjectAttribute, EventTypeAttribute)):
        return value
    identifier, attribute = _KINDS[kind]
    if value is None and kind == "subject":
        return SubjectAttribute(None)
    if isinstance(value, str):
        try:
            value = identifier(value)
        except IdentifierError as error:
            raise ParameterError(name, str(error)) from error
    if not isinstance(value, identifier):
        expected = f"a {kind} as str or {attribute.__name__}"
        raise InvalidType(f"parameter {name!r}", expected, value)
    bound: EventAttribute = attribute(value)
    return bound
