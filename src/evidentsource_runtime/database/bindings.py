"""The bindings of a view's parameters that a database has events for.

An event belongs to the binding that is made of its own stream, subject and type. What a parameter
that is a prefix may be bound to is known to readers alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from evidentsource_core.domain.attributes import (
    EventAttribute,
    EventTypeAttribute,
    StreamAttribute,
    SubjectAttribute,
)
from evidentsource_core.domain.definitions import ParameterNode, SelectorTemplate
from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_core.domain.events import Event
from evidentsource_core.domain.identifiers import EventSubject, EventType, StreamName
from evidentsource_runtime.database.definitions import binding_text
from evidentsource_runtime.store import EventStore, Index

__all__ = ["all_bindings", "binding_of", "has_prefixes"]

Binding = list[tuple[str, EventAttribute]]

_INDEX = {"stream": Index.STREAM, "subject": Index.SUBJECT, "event_type": Index.EVENT_TYPE}


def has_prefixes(template: SelectorTemplate) -> bool:
    """Whether a parameter is a prefix."""
    return any(isinstance(node, ParameterNode) and node.starts_with for node in template.nodes)


def binding_of(template: SelectorTemplate, event: Event) -> Binding | None:
    """The binding that an event belongs to; None where the view does not select it.

    >>> from evidentsource_core import Parameter, Selector
    >>> event = Event("e-1", "https://h/db/bank/streams/accounts", "opened", subject="a-1")
    >>> binding_of(Parameter.subject("who") & Selector.stream("accounts"), event)
    [('who', SubjectAttribute(subject=EventSubject('a-1')))]
    """
    try:
        binding = [(name, _value(kind, event)) for name, kind in template.parameters.items()]
        return binding if template.bind(dict(binding)).matches(event) else None
    except EvidentSourceError:
        return None


def all_bindings(store: EventStore, template: SelectorTemplate, revision: int) -> list[Binding]:
    """Every binding that has an event at a revision, in the order of their texts.

    Of a single parameter, those of values that only events of other views have are among them: to
    ask about each would take as long as to fold it.
    """
    found: dict[str, Binding] = {}
    for binding in _candidates(store, template, revision):
        found.setdefault(binding_text(binding), binding)
    return [found[text] for text in sorted(found)]


def _candidates(store: EventStore, template: SelectorTemplate, revision: int) -> Iterator[Binding]:
    kinds = template.parameters
    if has_prefixes(template):
        return
    if len(kinds) > 1:
        for transaction in store.log(to_revision=revision, detail=True):
            for event in transaction.events:
                binding = binding_of(template, event)
                if binding is not None:
                    yield binding
        return
    yield from _of_one(store, kinds, revision)


def _of_one(store: EventStore, kinds: Mapping[str, str], revision: int) -> Iterator[Binding]:
    if not kinds:
        yield []
    for name, kind in kinds.items():
        if kind == "subject":
            yield [(name, SubjectAttribute(None))]
        for key in store.keys(_INDEX[kind], revision=revision):
            yield [(name, _attribute(kind, key))]


def _value(kind: str, event: Event) -> EventAttribute:
    if kind == "stream":
        return _attribute(kind, event.stream() or "")
    return _attribute(kind, event.subject if kind == "subject" else event.event_type)


def _attribute(kind: str, text: str | None) -> EventAttribute:
    if kind == "subject":
        return SubjectAttribute(EventSubject.from_optional(text))
    if kind == "stream":
        return StreamAttribute(StreamName(text or ""))
    return EventTypeAttribute(EventType(text or ""))
