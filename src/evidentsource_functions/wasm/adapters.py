"""The two adapters: a component's ``WitWorld`` derives from one and names the user's code.

Inside a component they translate between the component's own generated classes and the domain.
Natively they take and give domain values as they are, so that a module can be tested without a
component: ``WitWorld().decide(database, command, metadata)``.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from evidentsource_core.domain.state_change import Command, StateChangeMetadata
from evidentsource_core.domain.state_view import RenderedStateView, StateViewContext
from evidentsource_functions._lift import lift_datetime, lift_stored_events
from evidentsource_functions.errors import (
    InvalidDefinition,
    StateChangeError,
    StateChangeErrorKind,
)
from evidentsource_functions.state_change import (
    DecideResult,
    StateChangeHandler,
    create_state_change_handler,
)
from evidentsource_functions.state_view import StateViewHandler, create_state_view_handler
from evidentsource_functions.wasm import _bindings
from evidentsource_functions.wasm._database import GuestDatabase
from evidentsource_functions.wasm._lane import Answer, Content, fold

T = TypeVar("T")


class StateViewAdapter:
    """Exports a state view.

    >>> from dataclasses import dataclass
    >>> from evidentsource_functions import Event, StateViewBase
    >>> @dataclass
    ... class Count(StateViewBase):
    ...     events: int = 0
    ...     def evolve_event(self, event: Event) -> None:
    ...         self.events += 1
    >>> class WitWorld(StateViewAdapter):
    ...     state_view_type = Count
    """

    state_view_type: ClassVar[Any] = None
    """The class that folds the events."""

    def __init__(self) -> None:
        if self.state_view_type is None:
            raise InvalidDefinition(
                f"{type(self).__name__} folds nothing: set state_view_type to the view's class"
            )
        self._handler: StateViewHandler = _once(
            type(self), lambda: create_state_view_handler(self.state_view_type)
        )

    def evolve(self, state_view: Any, events: Any) -> bytes | None:
        """The view's content after the next batch of events."""
        if not _bindings.IN_COMPONENT:
            return self._handler(state_view, events)
        # The contract gives evolve no way to say what went wrong. What is raised here the runtime
        # writes to stderr, with the event's index, id and type, before the component traps.
        return self._handler(_lift_rendered(state_view), lift_stored_events(events))

    def evidentsource_fold_v1(
        self, header: str, contents: list[Content], batches: list[str]
    ) -> list[Answer]:
        """The lane beside ``evolve``: see :mod:`evidentsource_functions.lane`."""
        if type(self).evolve is not StateViewAdapter.evolve:
            # The subclass's own has to see every batch.
            return []
        return fold(self._handler, header, contents, batches)


class StateChangeAdapter:
    """Exports a state change.

    The rule is ``decide_func``, given plainly or as a ``staticmethod``; or a ``decide`` of the
    subclass itself that takes domain values; or, where neither is there, the function ``decide`` of
    the module. ``command_type`` may be left out where the rule annotates its command.

    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Deposit:
    ...     amount: int
    >>> def decide(db, command, metadata):
    ...     return []
    >>> class WitWorld(StateChangeAdapter):
    ...     command_type = Deposit
    ...     decide_func = decide
    """

    command_type: ClassVar[Any] = None
    """What the command's bytes become: a dataclass, a class with ``from_dict``, dict or Command."""
    decide_func: ClassVar[Any] = None
    """The rule, ``decide(db, command, metadata)``."""

    _own_decide: ClassVar[Any] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "decide" in cls.__dict__:
            # The export must stay the adapter's, which translates; the subclass's is the rule.
            cls._own_decide = cls.__dict__["decide"]
            del cls.decide

    def __init__(self) -> None:
        def make() -> StateChangeHandler:
            return create_state_change_handler(self.command_type, self._rule())

        # A method of the subclass is bound to its own object, and the runtime makes one for each call.
        kept = self._own_decide is None
        self._handler: StateChangeHandler = _once(type(self), make) if kept else make()

    def decide(self, db: Any, command: Any, state_change_metadata: Any) -> Any:
        """The events and conditions that a command leads to."""
        if not _bindings.IN_COMPONENT:
            return self._handler(db, command, state_change_metadata)
        try:
            with GuestDatabase.lent(db, _bindings.lowering()) as database:
                result = self._handler(
                    database, _lift_command(command), _lift_metadata(state_change_metadata)
                )
            return self._lower_result(result)
        except StateChangeError as error:
            refusal = _lower_error(error)
        # Raised out here, so that no traceback keeps the database's handles alive.
        raise _bindings.Err(refusal)

    def _lower_result(self, result: DecideResult) -> Any:
        events, conditions = result
        lowering = _bindings.lowering()
        return (
            [lowering.prospective(event) for event in events],
            [lowering.condition(condition) for condition in conditions],
        )

    def _rule(self) -> Any:
        cls = type(self)
        func = inspect.getattr_static(cls, "decide_func", None)
        if func is None:
            func = self._own_rule() or self._module_rule()
        elif isinstance(func, (staticmethod, classmethod)):
            func = func.__get__(None, cls)
        return func

    def _own_rule(self) -> Any:
        own = self._own_decide
        if own is None:
            return None
        own = inspect.getattr_static(type(self), "_own_decide")
        if isinstance(own, (staticmethod, classmethod)):
            return own.__get__(None, type(self))
        takes_self = next(iter(inspect.signature(own).parameters), "") == "self"
        return own.__get__(self, type(self)) if takes_self else own

    def _module_rule(self) -> Any:
        rule = getattr(sys.modules.get(type(self).__module__), "decide", None)
        if rule is None:
            raise InvalidDefinition(
                f"{type(self).__name__} decides nothing: set decide_func to the rule, "
                "a function decide(db, command, metadata)"
            )
        return rule


def _once(cls: type[Any], make: Callable[[], T]) -> T:
    """What a component makes once for a class, whose object the runtime makes anew for each call.

    Natively a class may change between two objects, and a rule may be bound to its own.
    """
    if not _bindings.IN_COMPONENT:
        return make()
    if "_made_once" not in cls.__dict__:
        cls._made_once = make()
    made: T = cls.__dict__["_made_once"]
    return made


def _lift_rendered(rendered: Any) -> RenderedStateView:
    context = rendered.context
    return RenderedStateView(
        StateViewContext(
            context.database,
            context.name,
            context.version,
            context.database_revision,
            lift_datetime(context.database_revision_timestamp),
            context.content_type,
            context.content_schema,
        ),
        rendered.content,
        rendered.last_modified_revision,
        lift_datetime(rendered.last_modified_timestamp),
    )


def _lift_command(command: Any) -> Command:
    return Command(command.body, command.content_type, command.content_schema)


def _lift_metadata(metadata: Any) -> StateChangeMetadata:
    return StateChangeMetadata(
        metadata.state_change_name,
        metadata.state_change_version,
        metadata.last_seen_revision,
        lift_datetime(metadata.command_received_at),
        metadata.command_headers,
    )


_ERROR_CASES = {
    StateChangeErrorKind.VALIDATION: "StateChangeError_Validation",
    StateChangeErrorKind.CONFLICT: "StateChangeError_Conflict",
    StateChangeErrorKind.NOT_FOUND: "StateChangeError_NotFound",
    StateChangeErrorKind.UNAUTHORIZED: "StateChangeError_Unauthorized",
    StateChangeErrorKind.INTERNAL: "StateChangeError_Internal",
}


def _lower_error(error: StateChangeError) -> Any:
    return getattr(_bindings.changes, _ERROR_CASES[error.kind])(error.message)
