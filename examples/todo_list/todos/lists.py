"""What every rule of the lists needs: how a list is selected, and the events it can have."""

from __future__ import annotations

import json
from typing import Any

from evidentsource_functions import DatabaseAccess, EventSelector, ProspectiveEvent, Selector

from .list_view import TodoList

STREAM = "todos"
MOST_ITEMS = 5


def todos(list_id: str) -> EventSelector:
    """Every event of one list."""
    return Selector.stream(STREAM) & Selector.subject(list_id)


def load(db: DatabaseAccess, list_id: str) -> TodoList:
    """The list as its view tells it; an empty one where nothing was ever added."""
    view = db.view_state("list", 1, {"list_id": list_id})
    return TodoList.deserialize(None if view is None else view.content)


def event(event_type: str, list_id: str, reference: str, **data: Any) -> ProspectiveEvent:
    return ProspectiveEvent(
        id=f"{reference}.{data['item']}",
        stream=STREAM,
        event_type=event_type,
        subject=list_id,
        data=json.dumps(data),
        datacontenttype="application/json",
    )
