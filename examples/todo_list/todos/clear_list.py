"""Take everything that is done off a list, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from evidentsource_functions import (
    Constraint,
    DatabaseAccess,
    DecideResult,
    StateChangeMetadata,
)
from evidentsource_functions.wasm import StateChangeAdapter

from .lists import event, load, todos


@dataclass
class ClearList:
    reference: str
    list_id: str


def decide(db: DatabaseAccess, command: ClearList, metadata: StateChangeMetadata) -> DecideResult:
    done = load(db, command.list_id).done
    events = [event("item.removed", command.list_id, command.reference, item=item) for item in done]
    return events, [Constraint.unchanged_since(todos(command.list_id), db.revision)]


class WitWorld(StateChangeAdapter):
    decide_func = decide
