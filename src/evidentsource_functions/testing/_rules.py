"""The rules that a test is about: views and changes, and where their source stands."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evidentsource_core import (
    Command,
    DatabaseName,
    InvalidValue,
    StateChangeDefinition,
    StateChangeNotFound,
    StateViewDefinition,
)
from evidentsource_core.reference import Evolve
from evidentsource_functions.state_change import StateChangeHandler
from evidentsource_functions.testing._commands import CommandSpec


@dataclass(frozen=True, slots=True)
class RuleSource:
    """Where a component's module stands, for the levels that make a component of it.

    Args:
        module: dotted, as seen from ``directory``; or the path of a file.
        directory: where it is looked for.
        pure: whether the component has no clock, randomness and files.
        dependencies: distributions to build in.
        wit: another contract.
    """

    module: str
    directory: Path
    pure: bool = False
    dependencies: tuple[str, ...] = ()
    wit: Path | None = None


@dataclass(frozen=True, slots=True)
class ViewRule:
    """A state view.

    Args:
        definition: what it is published as.
        evolve: its code in this process.
        state_class: the class that folds, if it is one.
        source: its module; None where no component can be made of it.
    """

    definition: StateViewDefinition
    evolve: Evolve
    state_class: type[Any] | None = None
    source: RuleSource | None = None

    @property
    def name(self) -> str:
        """The name that it is published under."""
        return str(self.definition.name)


@dataclass(frozen=True, slots=True)
class ChangeRule:
    """A state change.

    Args:
        definition: what it is published as.
        decide: its code in this process, from the command's bytes on.
        command_type: what it takes.
        source: its module; None where no component can be made of it.
        rule: the function that a person wrote, ``decide(db, command, metadata)``.
    """

    definition: StateChangeDefinition
    decide: StateChangeHandler
    command_type: type[Any] = Command
    source: RuleSource | None = None
    rule: Callable[..., Any] | None = None

    @property
    def name(self) -> str:
        """The name that it is published under."""
        return str(self.definition.name)


@dataclass(frozen=True)
class RuleBook:
    """Everything that is published into the database of a test, in that order.

    Args:
        database: the database's name.
        stream: the stream of events that name none.
        views: with their versions, which count from 1.
        changes: the same.
    """

    database: str
    stream: str | None = None
    views: tuple[ViewRule, ...] = ()
    changes: tuple[ChangeRule, ...] = field(default=())

    def __post_init__(self) -> None:
        DatabaseName(self.database)

    def with_view(self, view: ViewRule) -> RuleBook:
        """With one more view, or the next version of one."""
        version = 1 + sum(each.name == view.name for each in self.views)
        numbered = replace(view, definition=replace(view.definition, version=version))
        return replace(self, views=(*self.views, numbered))

    def with_change(self, change: ChangeRule) -> RuleBook:
        """With one more change, or the next version of one."""
        version = 1 + sum(each.name == change.name for each in self.changes)
        numbered = replace(change, definition=replace(change.definition, version=version))
        return replace(self, changes=(*self.changes, numbered))

    def change_for(self, given: object) -> ChangeRule:
        """The change that takes a command: the latest of the name or the type that it says.

        Raises:
            InvalidValue: there is none, or there are several.
        """
        to = given.to if isinstance(given, CommandSpec) else type(given)
        if isinstance(to, str):
            found = [each for each in self.changes if each.name == to]
        else:
            found = [each for each in self.changes if each.command_type is to]
        if len({each.name for each in found}) == 1:
            return found[-1]
        said = repr(to) if isinstance(to, str) else to.__name__
        if found:
            names = ", ".join(sorted({each.name for each in found}))
            hint = f'say which one: when(command("{found[0].name}", ...))'
            raise InvalidValue("command", f"{names} all take a {said}", hint)
        known = ", ".join(f"{each.name} ({each.command_type.__name__})" for each in self.changes)
        hint = f"known are: {known}" if known else "publish one: .change(decide)"
        if to is dict and known:
            hint += f'; plain values are sent with command("{self.changes[0].name}", FIELD=...)'
        raise InvalidValue("command", f"no state change takes {said}", hint)

    def change_named(self, name: str) -> ChangeRule:
        """The change of that name, in its latest version.

        Raises:
            StateChangeNotFound: there is none.
        """
        for each in reversed(self.changes):
            if each.name == name:
                return each
        raise StateChangeNotFound(name, 0)

    def view_for(self, wanted: str | type[Any]) -> ViewRule:
        """The view of that name or class, in its latest version.

        Raises:
            InvalidValue: there is none.
        """
        for each in reversed(self.views):
            if wanted == each.name or wanted is each.state_class:
                return each
        said = repr(wanted) if isinstance(wanted, str) else wanted.__name__
        known = ", ".join(dict.fromkeys(each.name for each in self.views))
        hint = f"known are: {known}" if known else "publish one: .view(StateClass)"
        raise InvalidValue("view", f"no state view is published as {said}", hint)


def name_of_change(decide: Callable[..., Any]) -> str:
    """What a rule is called where nobody says: after its module if it is called ``decide``.

    >>> def open_account(db, command, metadata): ...
    >>> name_of_change(open_account)
    'open-account'
    """
    name = str(getattr(decide, "__name__", "decide"))
    if name == "decide":
        name = decide.__module__.rpartition(".")[2]
    return name.strip("_").replace("_", "-")


def name_of_view(state_class: type[Any]) -> str:
    """What a view is called where nobody says: after its class.

    >>> class AccountSummary: ...
    >>> name_of_view(AccountSummary)
    'account-summary'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", state_class.__name__.strip("_")).lower()


def source_of(rule: Any) -> RuleSource | None:
    """The module that a class or function was written in, if a component can be made of it."""
    rule = inspect.unwrap(rule)
    module = sys.modules.get(getattr(rule, "__module__", ""))
    file = getattr(module, "__file__", None)
    if module is None or file is None or not _exports(module, rule):
        return None
    path = Path(file).resolve()
    parts = module.__name__.split(".")
    own = path.parent if path.name == "__init__.py" else path.with_suffix("")
    if tuple(parts) == own.parts[-len(parts) :]:
        return RuleSource(module.__name__, own.parents[len(parts) - 1])
    return RuleSource(str(path), path.parent)


def _exports(module: Any, rule: Any) -> bool:
    """Whether the module's component runs this very rule."""
    world = getattr(module, "WitWorld", None)
    if world is None:
        return False
    if isinstance(rule, type):
        return getattr(world, "state_view_type", None) is rule
    decide = inspect.getattr_static(world, "decide_func", None)
    if isinstance(decide, (staticmethod, classmethod)):
        decide = decide.__func__
    return rule is (getattr(module, "decide", None) if decide is None else decide)
