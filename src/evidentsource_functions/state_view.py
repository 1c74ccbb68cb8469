"""State views: a class that folds events into state, and the handler that runs it.

>>> from dataclasses import dataclass
>>> @dataclass
... class Balance(StateViewBase):
...     amount: int = 0
...     def evolve_event(self, event: Event) -> None:
...         self.amount += event.data_as_json()["amount"]
>>> view = Balance.deserialize(None)
>>> view.evolve([Event("1", "accounts", "credited", data='{"amount": 5}')])
>>> view.serialize()
b'{"amount": 5}'
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self, SupportsIndex, overload

from evidentsource_core.domain.errors import DeserializationFailed, StateViewEvolveError
from evidentsource_core.domain.events import Event
from evidentsource_core.domain.state_view import (
    RenderedStateView,
    StateViewCodec,
    StateViewContext,
)
from evidentsource_functions._report import report
from evidentsource_functions.content import deserialize_state, serialize_state
from evidentsource_functions.errors import InvalidDecision, InvalidDefinition
from evidentsource_functions.structure import structure_fields, unstructure

__all__ = [
    "RenderedStateView",
    "StateViewBase",
    "StateViewContext",
    "StateViewHandler",
    "create_state_view_handler",
]

StateViewHandler = Callable[[RenderedStateView, list[Event]], bytes | None]
"""Folds a batch of events into a view's content."""


class StateViewBase:
    """The base of a state view. Define :meth:`evolve_event`; the rest has defaults.

    A dataclass needs nothing else: its fields are its content. Any other class defines
    :meth:`to_dict` and :meth:`from_dict`, or :meth:`serialize` and :meth:`deserialize` for bytes of
    its own. ``evolve`` must give the same for the same events, whenever and wherever it runs: no
    clock, no randomness, no order of sets.
    """

    # Documentation shows ``StateViewBase[MyState]``; the parameter says nothing that is used.
    def __class_getitem__(cls, _item: object) -> type[StateViewBase]:
        return cls

    def evolve_event(self, event: Event) -> None:  # noqa: ARG002 - subclasses need it
        """Apply one event."""
        raise InvalidDefinition(
            f"{type(self).__name__} does not say how it evolves; define evolve_event(self, event)"
        )

    def evolve(self, events: list[Event]) -> None:
        """Apply a batch of events in order. Override it to treat a batch as a whole."""
        for event in events:
            self.evolve_event(event)

    def to_dict(self) -> dict[str, Any]:
        """The state as values that JSON can hold; for a dataclass its fields."""
        if not hasattr(self, "__dataclass_fields__"):
            raise InvalidDefinition(
                f"{type(self).__name__} is no dataclass; define to_dict(self) -> dict"
            )
        values: dict[str, Any] = unstructure(self)
        return values

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The state that :meth:`to_dict` described; the empty one for ``{}``."""
        if not hasattr(cls, "__dataclass_fields__"):
            raise InvalidDefinition(
                f"{cls.__name__} is no dataclass; define from_dict(cls, data) as a classmethod"
            )
        return structure_fields(cls, data, cls.__name__)

    @classmethod
    def initial(cls) -> Self:
        """The state before any event: ``from_dict({})``, or ``cls()`` where that is not possible.

        Raises:
            InvalidDefinition: neither works.
        """
        try:
            return cls.from_dict({})
        except Exception as from_dict_error:  # noqa: BLE001 - the class's own code
            try:
                return cls()
            except Exception as error:  # noqa: BLE001 - the same
                raise InvalidDefinition(
                    f"{cls.__name__} has no empty state: from_dict({{}}) and {cls.__name__}() "
                    f"both fail ({from_dict_error!r}; {error!r}); give every field a default"
                ) from from_dict_error

    def serialize(self, content_type: str | None = None) -> bytes | None:
        """The state's bytes in a content type; JSON unless overridden."""
        return serialize_state(self.to_dict(), content_type)

    @classmethod
    def deserialize(cls, data: bytes | None, content_type: str | None = None) -> Self:
        """The state that some bytes stand for; the empty one for None.

        Bytes that cannot be read are an error, never an empty state.

        Raises:
            UnsupportedContentType: the type is not JSON.
            DeserializationFailed: the bytes are not what :meth:`serialize` wrote.
        """
        if data is None:
            return cls.initial()
        if data == b"":
            raise DeserializationFailed(f"the content of {cls.__name__} is empty")
        values = deserialize_state(data, content_type)
        if not isinstance(values, dict):
            found = "null" if values is None else type(values).__name__
            raise DeserializationFailed(
                f"the content of {cls.__name__} should be a JSON object, got {found}"
            )
        return cls.from_dict(values)


def create_state_view_handler(state_class: type[Any]) -> StateViewHandler:
    """The function that folds batches of events with a state class, natively or in a component.

    Args:
        state_class: a subclass of :class:`StateViewBase`, or any class with ``evolve`` or
            ``evolve_event`` and either ``deserialize``/``serialize`` or the
            ``from_bytes``/``to_bytes`` of :class:`~evidentsource_core.StateViewCodec`.

    Returns:
        ``handler(rendered, events) -> bytes | None``. It raises ``DeserializationFailed`` where the
        content so far cannot be read, and ``StateViewEvolveError`` with the index, id and type of
        the event where applying one fails.

    Raises:
        InvalidDefinition: the class cannot fold; the message names what is missing.
    """
    if not isinstance(state_class, type):
        raise InvalidDefinition(f"a state view needs a class, got {state_class!r}")
    fold = _folder(state_class)
    load, dump = _codec(state_class)

    def handler(state_view: RenderedStateView, events: list[Event]) -> bytes | None:
        context = state_view.context
        state = load(state_view.content, context)
        fold(state, events)
        return _checked_content(dump(state, context), state_class)

    return handler


def _folder(state_class: type[Any]) -> Callable[[Any, list[Event]], None]:
    overrides_batch = _overrides(state_class, "evolve")
    if not overrides_batch and not _overrides(state_class, "evolve_event"):
        raise InvalidDefinition(
            f"{state_class.__name__} does not say how it evolves; "
            "define evolve_event(self, event) -> None"
        )
    return _fold_batch if overrides_batch else _fold_each


def _overrides(state_class: type[Any], name: str) -> bool:
    method = getattr(state_class, name, None)
    return method is not None and method is not getattr(StateViewBase, name)


def _fold_each(state: Any, events: list[Event]) -> None:
    evolve_event = state.evolve_event
    index = 0
    try:
        for event in events:
            evolve_event(event)
            index += 1
    except Exception as error:
        raise _evolve_error(error, events, index) from error


def _fold_batch(state: Any, events: list[Event]) -> None:
    batch = _Batch(events)
    try:
        state.evolve(batch)
    except Exception as error:
        raise _evolve_error(error, events, batch.position) from error


class _Batch(list[Event]):
    """A list of events that knows which one was last handed out."""

    position: int | None = None

    def __iter__(self) -> Iterator[Event]:
        for index, event in enumerate(super().__iter__()):
            self.position = index
            yield event

    @overload
    def __getitem__(self, index: SupportsIndex) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Event | list[Event]:
        if not isinstance(index, slice):
            self.position = range(len(self))[index]
        return super().__getitem__(index)


def _evolve_error(error: Exception, events: list[Event], index: int | None) -> StateViewEvolveError:
    if index is None or index >= len(events):
        where = f"a batch of {len(events)} events"
    else:
        event = events[index]
        where = f"event {index} of {len(events)} (id {event.id!r}, type {event.event_type!r})"
    return StateViewEvolveError(f"{where}: {report(error)}")


_Loader = Callable[[bytes | None, StateViewContext], Any]
_Dumper = Callable[[Any, StateViewContext], Any]


def _codec(state_class: type[Any]) -> tuple[_Loader, _Dumper]:
    """How the class reads and writes its bytes: its own ``deserialize`` and ``serialize`` first."""
    own = any(_overrides(state_class, name) for name in ("serialize", "deserialize"))
    if not own and issubclass(state_class, StateViewCodec):
        return _load_with_codec(state_class), _dump_with_codec
    for name in ("serialize", "deserialize"):
        if not hasattr(state_class, name):
            raise InvalidDefinition(
                f"{state_class.__name__} has no {name}; derive it from StateViewBase, or define "
                "from_bytes and to_bytes"
            )

    def load(content: bytes | None, context: StateViewContext) -> Any:
        try:
            return state_class.deserialize(content, context.content_type)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if content is None:
                raise
            raise _unreadable(state_class, error) from error

    return load, lambda state, context: state.serialize(context.content_type)


def _load_with_codec(state_class: Any) -> _Loader:
    def load(content: bytes | None, context: StateViewContext) -> Any:
        return state_class.from_bytes(content, context.content_type, context.content_schema)

    return load


def _dump_with_codec(state: Any, context: StateViewContext) -> Any:
    return state.to_bytes(context.content_type, context.content_schema)


def _unreadable(state_class: type[Any], error: Exception) -> DeserializationFailed:
    return DeserializationFailed(f"the content of {state_class.__name__}: {report(error)}")


def _checked_content(content: Any, state_class: type[Any]) -> bytes | None:
    if content is None or type(content) is bytes:
        return content
    raise InvalidDecision(
        f"{state_class.__name__}.serialize", f"expected bytes or None, got {type(content).__name__}"
    )
