"""The story of the savings bank, played at several levels at once."""

from __future__ import annotations

from collections.abc import Callable

from evidentsource_functions import StateChangeError
from evidentsource_functions.testing import (
    Clock,
    ComparingLevel,
    Level,
    Rules,
    RuleSource,
    command,
    level_named,
    use_level,
)
from evidentsource_runtime.testing import project_database
from evidentsource_runtime.testing.components import Component
from evidentsource_runtime.testing.levels import ComponentRules
from examples.savings_account.bank import HERE
from examples.savings_account.story import STORY


class LoadedLevel(Level):
    """Runs the rules as components that are made in some way."""

    name = "loaded"

    def __init__(self, load: Callable[[RuleSource], Component]) -> None:
        self._load = load

    def rules(self) -> Rules:
        return ComponentRules(self.name, self._load)


def play_beside_native(load: Callable[[RuleSource], Component]) -> None:
    """Play the story natively and as components, and fail where the two differ in anything."""
    play(ComparingLevel([level_named("native"), LoadedLevel(load)]))


def play(level: str | Level) -> None:
    """Play the story; after each step every view of every account is read.

    Where the level compares, that is every content, event, condition and error, byte for byte.
    """
    clock = Clock("2024-01-31T09:00:00Z")
    with use_level(level):
        bank = project_database(HERE, clock=clock)
    refusals = 0
    for change, fields in STORY:
        clock.advance(minutes=1)
        try:
            bank.submit(command(change, **fields))
        except StateChangeError:
            refusals += 1
        for view in bank.rules.views:
            assert view.state_class is not None
            parametric = bool(view.definition.selector.parameters)
            for account in ("ann", "bob") if parametric else (None,):
                bank.read(view.state_class, {"account_id": account} if account else None)
    assert (refusals, bank.revision) == (8, 9)
