"""Commands as a test sends them: an object of the rule's own type, or what stands on the wire."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from evidentsource_core import Command, InvalidType
from evidentsource_core.jsontext import dumps
from evidentsource_functions.structure import unstructure


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A command on its way to a rule; :func:`command` makes it.

    Args:
        to: the state change's name, or the type of its commands.
        command: what is sent.
        headers: what comes with it.
    """

    to: str | type[Any]
    command: Command
    headers: tuple[tuple[str, str], ...] = ()


def command(
    to: str | type[Any],
    /,
    *,
    body: bytes | str | None = None,
    content_type: str = "application/json",
    content_schema: str | None = None,
    headers: dict[str, str] | None = None,
    **fields: Any,
) -> CommandSpec:
    """A command as it arrives, for what an object of the rule's own type cannot say.

    Args:
        to: the state change's name, or the type of its commands.
        body: the bytes themselves, in place of fields.
        content_type: what they are.
        content_schema: the URI of their schema.
        headers: what comes with the command.
        **fields: the fields of a JSON object, of whatever types.

    Raises:
        InvalidType: both a body and fields are given.

    >>> command("deposit", account_id="ann", amount="5").command.body
    b'{"account_id": "ann", "amount": "5"}'
    """
    if body is not None and fields:
        raise InvalidType("body", f"None beside the fields {', '.join(fields)}", body)
    if isinstance(body, str):
        body = body.encode()
    if body is None:
        body = dumps(unstructure(fields))
    pairs = tuple((headers or {}).items())
    return CommandSpec(to, Command(body, content_type, content_schema), pairs)


def as_sent(given: Any) -> CommandSpec:
    """A command in any form on its way: an object of a rule's own type as the bytes it is sent as.

    A class says them with ``to_dict``; of a dataclass they are its fields.

    Raises:
        InvalidType: it has no form in JSON.
    """
    if isinstance(given, CommandSpec):
        return given
    return CommandSpec(type(given), _as_command(given))


def _as_command(value: Any) -> Command:
    if isinstance(value, Command):
        return value
    if isinstance(value, type):
        raise InvalidType("command", "a command, not its class", value)
    if hasattr(value, "to_dict"):
        return Command(dumps(unstructure(value.to_dict())))
    if dataclasses.is_dataclass(value) or isinstance(value, dict):
        return Command(dumps(unstructure(value)))
    hint = 'define to_dict, or send command("NAME", field=...)'
    raise InvalidType("command", "a dataclass, a dict or a class with to_dict", value, hint)
