"""An item is done, or not done after all. Ticking what is ticked changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from evidentsource_functions import (
    Constraint,
    DatabaseAccess,
    DecideResult,
    StateChangeError,
    StateChangeMetadata,
)
from evidentsource_functions.wasm import StateChangeAdapter

from .lists import event, load, todos


@dataclass
class TickItem:
    reference: str
    list_id: str
    item: str
    done: bool = True


def decide(db: DatabaseAccess, command: TickItem, metadata: StateChangeMetadata) -> DecideResult:
    found = load(db, command.list_id)
    if command.item not in [*found.open, *found.done]:
        raise StateChangeError.not_found(f"{command.item!r} is not on the list")
    if command.item in (found.done if command.done else found.open):
        return [], []
    kind = "item.ticked" if command.done else "item.unticked"
    changed = event(kind, command.list_id, command.reference, item=command.item)
    return [changed], [Constraint.unchanged_since(todos(command.list_id), db.revision)]


class WitWorld(StateChangeAdapter):
    decide_func = decide
