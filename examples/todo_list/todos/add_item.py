"""Put an item on a list. A list holds so many open items and no more."""

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

from .lists import MOST_ITEMS, event, load, todos


@dataclass
class AddItem:
    reference: str
    list_id: str
    item: str


def decide(db: DatabaseAccess, command: AddItem, metadata: StateChangeMetadata) -> DecideResult:
    item = command.item.strip()
    if not item:
        raise StateChangeError.validation("command.item: must not be blank")
    found = load(db, command.list_id)
    if item in found.open:
        raise StateChangeError.conflict(f"{item!r} is on the list already")
    if len(found.open) >= MOST_ITEMS:
        raise StateChangeError.conflict(f"the list has {MOST_ITEMS} open items; tick one first")
    added = event("item.added", command.list_id, command.reference, item=item)
    return [added], [Constraint.unchanged_since(todos(command.list_id), db.revision)]


class WitWorld(StateChangeAdapter):
    decide_func = decide
