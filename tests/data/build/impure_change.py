from __future__ import annotations

from typing import Any

import impure

from evidentsource_functions import ProspectiveEvent, StateChangeMetadata
from evidentsource_functions.wasm import StateChangeAdapter


def decide(db: Any, command: dict, metadata: StateChangeMetadata) -> Any:
    answer = impure.run(command["name"])
    return [ProspectiveEvent("e-1", "answers", "answered", data=answer)], []


class WitWorld(StateChangeAdapter):
    command_type = dict
    decide_func = decide
