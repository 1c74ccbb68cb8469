"""A change that decides what its command tells it to, and writes down what it was given."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from evidentsource_functions import (
    AppendCondition,
    Constraint,
    DatabaseAccess,
    DecideResult,
    ProspectiveEvent,
    Selector,
    StateChangeError,
    StateChangeErrorKind,
    StateChangeMetadata,
)
from evidentsource_functions.wasm import StateChangeAdapter


@dataclass
class Order:
    """What to decide.

    Attributes:
        ids: the ids of the events to return.
        subject: their subject.
        unchanged: whether nothing may have happened to the subject since the decision looked.
        forbidden: a subject that must have no event.
        once: whether to refuse where the subject has an event.
        refuse: the kind of error to refuse with.
        fail: whether to fail in a way that no rule should.
        view: the name of a view, of version 1 and without parameters, whose ids are written down.
    """

    ids: list[str] = field(default_factory=list)
    subject: str = "a-1"
    unchanged: bool = False
    forbidden: str | None = None
    once: bool = False
    refuse: str | None = None
    fail: bool = False
    view: str | None = None


def decide(db: DatabaseAccess, command: Order, metadata: StateChangeMetadata) -> DecideResult:
    """Do as told."""
    if command.refuse is not None:
        raise StateChangeError(StateChangeErrorKind(command.refuse), "told to refuse")
    if command.fail:
        raise RuntimeError("told to fail")
    if command.once and db.query_events(Selector.subject(command.subject), limit=1):
        raise StateChangeError.conflict(f"{command.subject} was there before")
    view = None if command.view is None else db.view_state(command.view, 1)
    given = {
        "revision": db.revision,
        "last_seen": metadata.last_seen_revision,
        "name": metadata.state_change_name,
        "version": metadata.state_change_version,
        "trace": metadata.get_header("x-trace"),
        "view": None if view is None else view.json()["ids"],
    }
    events = [
        ProspectiveEvent(each, "orders", "order.obeyed", command.subject, json.dumps(given))
        for each in command.ids
    ]
    conditions: list[AppendCondition] = []
    if command.unchanged:
        subject = Selector.subject(command.subject)
        conditions.append(Constraint.unchanged_since(subject, db.revision))
    if command.forbidden is not None:
        conditions.append(Constraint.must_not_exist(Selector.subject(command.forbidden)))
    return events, conditions


class WitWorld(StateChangeAdapter):
    """The component."""

    command_type = Order
    decide_func = staticmethod(decide)
