from __future__ import annotations

from dataclasses import dataclass, field

import impure

from evidentsource_functions import Event, StateViewBase
from evidentsource_functions.wasm import StateViewAdapter


@dataclass
class Answers(StateViewBase):
    answers: list[str] = field(default_factory=list)

    def evolve_event(self, event: Event) -> None:
        self.answers.append(impure.run(event.event_type))


class WitWorld(StateViewAdapter):
    state_view_type = Answers
