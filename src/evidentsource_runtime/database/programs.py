"""The code of a state view or a state change, whether it is a component or plain Python.

>>> class Count(StateViewBase):
...     n: int = 0
...     def evolve_event(self, event):
...         self.n += 1
>>> view_program(Count, "count").origin.kind
'python'
"""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from evidentsource_core.domain.errors import StateChangeExecutionError
from evidentsource_core.domain.events import Event
from evidentsource_core.domain.state_change import Command, StateChangeMetadata
from evidentsource_core.domain.state_view import RenderedStateView, StateViewContext
from evidentsource_functions.errors import InvalidDefinition
from evidentsource_functions.lane import EncodedEvents
from evidentsource_functions.state_change import create_state_change_handler
from evidentsource_functions.state_view import StateViewBase, create_state_view_handler
from evidentsource_runtime.database.errors import UnusableCode
from evidentsource_runtime.host import (
    Fold,
    Folded,
    StateChangeComponent,
    StateViewComponent,
)

__all__ = [
    "ChangeProgram",
    "Origin",
    "StateViewBase",
    "ViewProgram",
    "change_program",
    "view_program",
]

Events: TypeAlias = list[Event] | EncodedEvents
"""A batch: as events, or as the text that a store makes of them."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which code it is.

    Args:
        kind: "component" is in the file; "attached", a component, and "python" are not.
        name: of the module and the object for Python, of the component otherwise.
        digest: SHA-256 of the component's bytes, or of the module's source; empty where there is
            no source.
        input_hash: of what a component was built from, where it says so.
    """

    kind: Literal["component", "attached", "python"]
    name: str
    digest: str
    input_hash: str | None = None

    def is_same(self, other: Origin) -> bool:
        """Whether both are the same code: two builds of the same sources differ in bytes."""
        if self.kind != other.kind:
            return False
        if self.input_hash is not None and self.input_hash == other.input_hash:
            return True
        return (self.digest, self.kind == "python" and self.name) == (
            other.digest,
            other.kind == "python" and other.name,
        )

    def to_text(self) -> str:
        """As the file keeps it."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> Origin:
        """The origin of :meth:`to_text`."""
        return cls(**json.loads(text))


class ViewProgram(ABC):
    """Folds events into contents."""

    origin: Origin
    reads_text: bool
    """Whether batches are best given as text."""

    @abstractmethod
    def fold(self, state: RenderedStateView, events: Events) -> bytes | None:
        """The content after a batch; whatever the code raises."""

    @abstractmethod
    def fold_many(self, context: StateViewContext, folds: Iterable[Fold]) -> Iterator[Any]:
        """What becomes of many contents, each with its own batch: content or error, in order."""


class ChangeProgram(ABC):
    """Decides what a command leads to."""

    origin: Origin

    @abstractmethod
    def decide(
        self, database: Any, command: Command, metadata: StateChangeMetadata
    ) -> tuple[Iterable[Any], Iterable[Any]]:
        """Events and append conditions; whatever the code raises."""


# --- components --------------------------------------------------------------------------------


def _component_origin(
    component: StateViewComponent | StateChangeComponent, *, kept: bool
) -> Origin:
    facts = component.facts
    return Origin(
        "component" if kept else "attached",
        component.name,
        component.digest,
        None if facts is None else facts.input_hash,
    )


class ComponentView(ViewProgram):
    """A component of the world ``state-view``."""

    def __init__(self, component: StateViewComponent, *, kept: bool) -> None:
        self.origin = _component_origin(component, kept=kept)
        self.reads_text = component.uses_lane
        self._component = component

    def fold(self, state: RenderedStateView, events: Events) -> bytes | None:
        """The content after a batch."""
        arguments: dict[str, Any] = {
            "last_modified_revision": state.last_modified_revision,
            "last_modified_timestamp": state.last_modified_timestamp,
        }
        if isinstance(events, EncodedEvents):
            return self._component.evolve_encoded(state.content, events, state.context, **arguments)
        return self._component.evolve(state.content, events, state.context, **arguments)

    def fold_many(self, context: StateViewContext, folds: Iterable[Fold]) -> Iterator[Folded]:
        """What becomes of many, in few calls."""
        return self._component.evolve_many(folds, context)


class ComponentChange(ChangeProgram):
    """A component of the world ``state-change``."""

    def __init__(self, component: StateChangeComponent, *, kept: bool) -> None:
        self.origin = _component_origin(component, kept=kept)
        self._component = component

    def decide(
        self, database: Any, command: Command, metadata: StateChangeMetadata
    ) -> tuple[Iterable[Any], Iterable[Any]]:
        """Decide in a fresh instance."""
        events, conditions = self._component.decide(database, command, metadata)
        return events, conditions


# --- plain Python ------------------------------------------------------------------------------


class PythonView(ViewProgram):
    """A function ``evolve(state, events)`` in this process."""

    reads_text = False

    def __init__(self, evolve: Callable[[RenderedStateView, list[Event]], Any], of: Any) -> None:
        self.origin = _python_origin(of)
        self._evolve = evolve

    def fold(self, state: RenderedStateView, events: Events) -> bytes | None:
        """The content after a batch."""
        batch = events.decoded() if isinstance(events, EncodedEvents) else events
        content = self._evolve(state, batch)
        if not isinstance(content, (bytes, type(None))):
            raise UnusableCode(
                f"what {self.origin.name} returns",
                f"it is a {type(content).__name__}",
                "return bytes, or None where the view has no content",
            )
        return content

    def fold_many(self, context: StateViewContext, folds: Iterable[Fold]) -> Iterator[Any]:
        """What becomes of many, one after the other."""
        for fold in folds:
            state = RenderedStateView(
                context, fold.content, fold.last_modified_revision, fold.last_modified_timestamp
            )
            events = fold.events
            try:
                batch = events if isinstance(events, EncodedEvents) else list(events)
                yield Folded(self.fold(state, batch))
            except Exception as error:  # noqa: BLE001 - a view is arbitrary code
                yield FoldFailed(error)


@dataclass(frozen=True, slots=True)
class FoldFailed:
    """A fold in plain Python failed; what a :class:`Folded` is for a component."""

    error: Exception

    def result(self) -> bytes | None:
        """Raises the error."""
        raise self.error


class PythonChange(ChangeProgram):
    """A function ``decide(database, command, metadata)`` in this process."""

    def __init__(self, decide: Callable[..., Any], of: Any) -> None:
        self.origin = _python_origin(of)
        self._decide = decide

    def decide(
        self, database: Any, command: Command, metadata: StateChangeMetadata
    ) -> tuple[Iterable[Any], Iterable[Any]]:
        """Decide."""
        decision = self._decide(database, command, metadata)
        if not isinstance(decision, tuple) or len(decision) != 2:
            name = f"{metadata.state_change_name}.v{metadata.state_change_version}"
            raise StateChangeExecutionError(
                f"{name} returned a {type(decision).__name__}; return (events, conditions)"
            )
        return decision


def _python_origin(of: Any) -> Origin:
    named = of if hasattr(of, "__qualname__") else type(of)
    module = sys.modules.get(named.__module__)
    try:
        source = "" if module is None else inspect.getsource(module)
    except (OSError, TypeError):
        source = ""
    digest = hashlib.sha256(source.encode()).hexdigest() if source else ""
    return Origin("python", f"{named.__module__}:{named.__qualname__}", digest)


# --- from what a user gives ---------------------------------------------------------------------


def view_program(code: Any, field: str, *, kept: bool = False) -> ViewProgram:
    """The program for a view's code.

    Args:
        code: a loaded component; a class of state, or the ``WitWorld`` that has one; or a function
            ``evolve(state, events)``.
        field: how the caller calls it, for errors.
        kept: whether the component's bytes are in the file.

    Raises:
        UnusableCode: it is none of these.
    """
    if isinstance(code, StateViewComponent):
        return ComponentView(code, kept=kept)
    if isinstance(code, StateChangeComponent):
        raise UnusableCode(field, f"{code.name} is a state change", "publish it as one")
    given = getattr(code, "state_view_type", code)
    if isinstance(given, type):
        try:
            return PythonView(create_state_view_handler(given), given)
        except InvalidDefinition as error:
            raise UnusableCode(
                field, str(error), "see evidentsource_functions.StateViewBase"
            ) from error
    if callable(given):
        return PythonView(given, given)
    raise UnusableCode(
        field,
        f"{type(code).__name__} is no code of a state view",
        "give a component's path or bytes, a class derived from StateViewBase, or a function",
    )


def change_program(code: Any, field: str, *, kept: bool = False) -> ChangeProgram:
    """The program for a state change's code.

    Args:
        code: a loaded component; a ``WitWorld`` class with ``command_type`` and ``decide_func``; a
            rule whose command is annotated with its type; or a function
            ``decide(database, command, metadata)`` that takes the command's bytes.
        field: how the caller calls it, for errors.
        kept: whether the component's bytes are in the file.

    Raises:
        UnusableCode: it is none of these.
    """
    if isinstance(code, StateChangeComponent):
        return ComponentChange(code, kept=kept)
    if isinstance(code, StateViewComponent):
        raise UnusableCode(field, f"{code.name} is a state view", "publish it as one")
    if isinstance(code, type) and hasattr(code, "decide"):
        return PythonChange(code().decide, code)
    if isinstance(code, type) or not callable(code):
        raise UnusableCode(
            field,
            f"{getattr(code, '__name__', type(code).__name__)} is no code of a state change",
            "give a component's path or bytes, a WitWorld class, or decide(db, command, metadata)",
        )
    try:
        return PythonChange(create_state_change_handler(code), code)
    except InvalidDefinition:
        # Without an annotation it is a handler that reads the command itself.
        return PythonChange(code, code)
