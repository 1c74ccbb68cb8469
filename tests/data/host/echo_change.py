"""A state change that does whatever its command says, and refuses with what came of it.

The name of the state change says how the command is meant; the answer is the text of a refusal.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import Any

from componentize_py_types import Err
from plain import dump, load  # type: ignore[import-not-found]  # beside this file, in the component
from wit_world.imports import cloudevents, state_change_types

decisions: list[str] = []


class WitWorld:
    def decide(self, db: Any, command: Any, state_change_metadata: Any) -> Any:
        decisions.append(state_change_metadata.state_change_name)
        return ORDERS[state_change_metadata.state_change_name](db, command, state_change_metadata)


def _tell(value: Any) -> None:
    raise Err(state_change_types.StateChangeError_Validation(json.dumps(value)))


def _echo(_db: Any, command: Any, metadata: Any) -> None:
    _tell({"command": dump(command), "metadata": dump(metadata)})


def _refuse(_db: Any, command: Any, _metadata: Any) -> None:
    order = json.loads(command.body)
    raise Err(vars(state_change_types)[f"StateChangeError_{order['kind']}"](order["text"]))


def _decide(_db: Any, command: Any, _metadata: Any) -> Any:
    order = json.loads(command.body)
    return tuple(
        load(order[part], cloudevents, state_change_types) for part in ("events", "conditions")
    )


def _return_query(db: Any, command: Any, _metadata: Any) -> Any:
    """Return the stored events themselves as the decision."""
    query = load(json.loads(command.body), state_change_types, cloudevents)
    return db.query_events(query), []


def _script(db: Any, command: Any, _metadata: Any) -> None:
    """Each step calls a method of one of the databases that are known by then."""
    databases: list[Any] = [db]
    results: list[Any] = []
    for index, method, *arguments in json.loads(command.body):
        given = [load(argument, state_change_types, cloudevents) for argument in arguments]
        try:
            result = getattr(databases[index], method)(*given)
        except Err as error:
            results.append({"refused": error.value})
            continue
        if type(result).__name__ in ("Database", "SpeculativeDatabase"):
            databases.append(result)
            results.append(type(result).__name__)
        else:
            results.append(dump(result))
    _tell(results)


def _insist(db: Any, command: Any, _metadata: Any) -> None:
    """Whatever one call does, go on with the next: nothing can be caught that ends the call."""
    for method in json.loads(command.body):
        with suppress(BaseException):
            getattr(db, method)()
    _tell("went on")


ORDERS: dict[str, Any] = {
    "echo": _echo,
    "refuse": _refuse,
    "decide": _decide,
    "return-query": _return_query,
    "script": _script,
    "insist": _insist,
    "return-int": lambda *_: 5,
    "count-decisions": lambda *_: _tell(len(decisions)),
    "exit": lambda *_: sys.exit(3),
}
