"""From a class or a function to a rule, with defaults for what a test does not say."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

from evidentsource_core import (
    EventSelector,
    InvalidType,
    InvalidValue,
    QueryTemporality,
    SelectorTemplate,
    StateChangeDefinition,
    StateChangeName,
    StateViewDefinition,
    StateViewName,
)
from evidentsource_core.reference import Evolve
from evidentsource_functions.errors import InvalidDefinition
from evidentsource_functions.state_change import (
    DecideFunc,
    _annotated_command_type,
    create_state_change_handler,
)
from evidentsource_functions.state_view import create_state_view_handler
from evidentsource_functions.testing._rules import (
    ChangeRule,
    RuleSource,
    ViewRule,
    name_of_change,
    name_of_view,
    source_of,
)


def view_rule(
    view: type[Any] | Evolve,
    name: str | None = None,
    selector: EventSelector | SelectorTemplate | None = None,
    *,
    temporality: QueryTemporality | str | None = None,
    content_type: str | None = None,
    content_schema: str | None = None,
    source: RuleSource | None = None,
) -> ViewRule:
    """A state view. What is not said comes from the class's ``definition``, if it has one.

    Raises:
        InvalidValue: neither says which events it folds, or how a function is called.
        InvalidDefinition: the class cannot fold.
    """
    is_class = isinstance(view, type)
    own = getattr(view, "definition", None)
    if not isinstance(own, (StateViewDefinition, type(None))):
        raise InvalidType("definition", "a StateViewDefinition", own)
    if selector is None and own is None:
        hint = "name it, or set the class's `definition` to a StateViewDefinition"
        raise InvalidValue("selector", "is not known: which events does the view fold?", hint)
    if name is None and own is None and not is_class:
        raise InvalidValue("name", "is not known", "a view that is a function needs a name")
    definition = own or StateViewDefinition(
        StateViewName(name or name_of_view(view)),  # type: ignore[arg-type]
        SelectorTemplate.of(selector),  # type: ignore[arg-type]
    )
    said: dict[str, Any] = {
        "name": None if name is None else StateViewName(name),
        "selector": None if selector is None else SelectorTemplate.of(selector),
        "temporality": None if temporality is None else QueryTemporality(temporality),
        "content_type": content_type,
        "content_schema": content_schema,
    }
    definition = replace(
        definition, **{key: value for key, value in said.items() if value is not None}
    )
    if isinstance(view, type):
        found = source or source_of(view)
        return ViewRule(definition, create_state_view_handler(view), view, found)
    return ViewRule(definition, view, None, source)


def change_rule(
    decide: DecideFunc[Any],
    name: str | None = None,
    *,
    command_type: type[Any] | None = None,
    source: RuleSource | None = None,
) -> ChangeRule:
    """A state change. Its command's type comes from its annotation where it is not said.

    Raises:
        InvalidDefinition: the two cannot work; the message names what is missing.
    """
    if isinstance(decide, staticmethod):
        decide = decide.__func__
    _check_call(decide)
    kind = _annotated_command_type(decide) if command_type is None else command_type
    handler = create_state_change_handler(kind, decide)
    definition = StateChangeDefinition(StateChangeName(name or name_of_change(decide)))
    return ChangeRule(definition, handler, kind, source or source_of(decide), decide)


def _check_call(decide: object) -> None:
    """Refuse what cannot be called as a rule is, before anything is said of its command."""
    call = "decide(db, command, metadata)"
    if isinstance(decide, type):
        raise InvalidDefinition(
            f"{decide.__name__} is a class; a state change is a function {call}"
        )
    if not callable(decide):
        raise InvalidDefinition(f"{decide!r} is no function; a state change is one: {call}")
    try:
        signature = inspect.signature(decide)
    except ValueError:  # some functions of C tell nothing of themselves
        return
    try:
        signature.bind(None, None, None)
    except TypeError as error:
        name = getattr(decide, "__name__", "decide")
        said = f"{name}{signature} cannot be called as {call}: {error}"
        raise InvalidDefinition(said) from error
