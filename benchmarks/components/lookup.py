"""A state change that looks at a thousand events twice and at a view, and then proposes nothing."""

from __future__ import annotations

from typing import Any

from wit_world.imports import state_change_types as types


class WitWorld:
    def decide(self, db: Any, command: Any, state_change_metadata: Any) -> Any:
        stream = types.EventSelectorNode_Equals(types.EventAttribute_Stream("accounts"))
        query = types.DatabaseQuery(
            types.EventSelector([stream]), None, types.QueryDirection.FORWARD, None
        )
        found = [db.query_events(query) for _ in range(2)]
        view = db.view_state("summary", 1, [])
        return [], [] if len(found[0]) == len(found[1]) and view is not None else found
