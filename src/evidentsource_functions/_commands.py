"""A command's bytes to the user's command type. Whatever is wrong with them is a validation error."""

from __future__ import annotations

import dataclasses
from typing import Any, NoReturn

from evidentsource_core.domain.errors import ContentNegotiationError, EvidentSourceError
from evidentsource_core.domain.state_change import Command
from evidentsource_functions._report import describe, user_frames
from evidentsource_functions.content import negotiate_command
from evidentsource_functions.errors import StateChangeError
from evidentsource_functions.structure import (
    StructureError,
    hints_of,
    is_plain,
    structure,
    structure_fields,
)

ROOT = "command"
_JSON_TYPES = (str, int, float, bool, list, dict, type(None))

# What ``from_dict`` raises on a body of the wrong form. Anything else is the rule's own failure.
_PARSE_FAILURES = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


class MissingField(KeyError):
    """A field that ``from_dict`` asked for and the command does not have."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class _Object(dict[str, Any]):
    """A JSON object that knows its path in the command, so that a missing field can be named."""

    __slots__ = ("path",)
    path: str

    def __missing__(self, key: object) -> NoReturn:
        raise MissingField(f"{self.path}.{key}")


def _with_paths(value: Any, path: str) -> Any:
    if isinstance(value, dict):
        items = value.items()
        wrapped = _Object((key, _with_paths(item, f"{path}.{key}")) for key, item in items)
        wrapped.path = path
        return wrapped
    if isinstance(value, list):
        return [_with_paths(item, f"{path}[{i}]") for i, item in enumerate(value)]
    return value


def parse_command(command_type: type[Any], command: Command) -> Any:
    """The command as the user's type.

    ``command_type`` is :class:`Command` itself (the rule reads the bytes), ``dict`` (plain JSON), a
    class with ``from_dict``, or a dataclass, whose fields are then read by their annotations.

    Raises:
        StateChangeError: of kind validation, naming the path of the field at fault; or whatever
            kind ``from_dict`` itself raises.
    """
    if command_type is Command:
        return command
    try:
        body = negotiate_command(command.content_type, command.body)
    except ContentNegotiationError as error:
        raise StateChangeError.validation(f"{ROOT}: {error}") from error
    if not isinstance(body, dict):
        found = "null" if body is None else type(body).__name__
        raise StateChangeError.validation(f"{ROOT}: expected a JSON object, got {found}")
    if command_type is dict:
        return body
    if not hasattr(command_type, "from_dict"):
        try:
            return structure_fields(command_type, body, ROOT)
        except StructureError as error:
            raise StateChangeError.validation(str(error)) from error
    return _from_dict(command_type, body)


def _from_dict(command_type: type[Any], body: dict[str, Any]) -> Any:
    try:
        parsed = command_type.from_dict(_with_paths(body, ROOT))
    except StateChangeError:
        raise
    except MissingField as error:
        raise StateChangeError.validation(f"{error.path}: is missing") from error
    except StructureError as error:
        raise StateChangeError.validation(str(error)) from error
    except (*_PARSE_FAILURES, EvidentSourceError) as error:
        frames = "".join(f"\n  at {frame}" for frame in user_frames(error.__traceback__))
        raise StateChangeError.validation(f"{ROOT}: {describe(error)}{frames}") from error
    if dataclasses.is_dataclass(parsed):
        _check_fields(parsed)
    return parsed


def _check_fields(parsed: Any) -> None:
    """Refuse plain JSON values that contradict a dataclass's annotations.

    ``from_dict`` passes values on as it finds them, so text for a number would only fail somewhere
    inside the rule. Values that ``from_dict`` made itself are its own business, and so are
    annotations that speak of more than JSON.
    """
    hints = hints_of(type(parsed))
    for field in dataclasses.fields(parsed):
        hint, value = hints.get(field.name, Any), getattr(parsed, field.name)
        if value is None and field.default is None:
            continue
        if type(value) in _JSON_TYPES and is_plain(hint):
            try:
                structure(hint, value, f"{ROOT}.{field.name}")
            except StructureError as error:
                raise StateChangeError.validation(str(error)) from error
