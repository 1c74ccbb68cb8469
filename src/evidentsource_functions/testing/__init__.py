"""Tests of state changes and state views without a component: a database and events to fill it with.

The database is the reference database (:mod:`evidentsource_core.reference`), so a rule that is
tested here meets the same queries, views, speculation and append conditions as in a component.

>>> from dataclasses import dataclass
>>> from evidentsource_core import Parameter, Selector
>>> from evidentsource_functions import StateChangeError, StateViewBase
>>> @dataclass
... class Balance(StateViewBase):
...     amount: int = 0
...     def evolve_event(self, event):
...         self.amount += event.data_as_json()["amount"]
>>> @dataclass
... class Withdraw:
...     account: str
...     amount: int
>>> def decide(db, command: Withdraw, metadata):
...     balance = db.view_state("balance", 1, {"account": command.account})
...     if balance is None or balance.json()["amount"] < command.amount:
...         raise StateChangeError.conflict("not enough money")
...     withdrawn = EventBuilder("withdrawn").stream("accounts").subject(command.account)
...     return [withdrawn.data({"amount": -command.amount}).build()]
>>> db = MockDatabase("bank")
>>> _ = db.publish_state_view("balance", Balance, Parameter.subject("account"))
>>> _ = db.publish_state_change("withdraw", decide)
>>> db.insert_event(create_stored_event("deposited", "a-1", {"amount": 5}, "accounts"))
>>> db.execute("withdraw", {"account": "a-1", "amount": 3}).revision
2
>>> db.view_state("balance", 1, {"account": "a-1"}).json()
{'amount': 2}
>>> db.execute("withdraw", {"account": "a-1", "amount": 3})
Traceback (most recent call last):
...
evidentsource_functions.errors.StateChangeError: conflict: not enough money
"""

from evidentsource_core import (
    Event,
    EventData,
    EventSelector,
    ProspectiveEvent,
    StringEventData,
)
from evidentsource_functions.testing._anything import ANYTHING
from evidentsource_functions.testing._builder import (
    EventBuilder,
    TestEventBuilder,
    create_prospective_event,
    create_stored_event,
    test_event,
    test_stored_event,
)
from evidentsource_functions.testing._canned import StateViewResult
from evidentsource_functions.testing._clock import Clock, stable_ids
from evidentsource_functions.testing._commands import CommandSpec, command
from evidentsource_functions.testing._comparing import ComparingLevel, LevelsDiffer
from evidentsource_functions.testing._database import MockDatabase
from evidentsource_functions.testing._derived import (
    MockDatabaseAtEffectiveTimestamp,
    MockDatabaseAtRevision,
    MockSpeculativeDatabase,
)
from evidentsource_functions.testing._events import EventSpec, event
from evidentsource_functions.testing._failure import ScenarioFailed
from evidentsource_functions.testing._in_memory import Database
from evidentsource_functions.testing._levels import (
    Level,
    LevelUnavailable,
    current_level,
    level_named,
    level_names,
    register_level,
    use_level,
)
from evidentsource_functions.testing._outcome import Decided
from evidentsource_functions.testing._rules import ChangeRule, RuleBook, RuleSource, ViewRule
from evidentsource_functions.testing._scenarios import Given, Scenarios
from evidentsource_functions.testing._stage import (
    Attempt,
    MemoryStage,
    Outcome,
    Reading,
    Rules,
    Stage,
)

__all__ = [
    "ANYTHING",
    "Attempt",
    "ChangeRule",
    "Clock",
    "CommandSpec",
    "ComparingLevel",
    "Database",
    "Decided",
    "Event",
    "EventBuilder",
    "EventData",
    "EventSelector",
    "EventSpec",
    "Given",
    "Level",
    "LevelUnavailable",
    "LevelsDiffer",
    "MemoryStage",
    "MockDatabase",
    "MockDatabaseAtEffectiveTimestamp",
    "MockDatabaseAtRevision",
    "MockSpeculativeDatabase",
    "Outcome",
    "ProspectiveEvent",
    "Reading",
    "RuleBook",
    "RuleSource",
    "Rules",
    "ScenarioFailed",
    "Scenarios",
    "Stage",
    "StateViewResult",
    "StringEventData",
    "TestEventBuilder",
    "ViewRule",
    "command",
    "create_prospective_event",
    "create_stored_event",
    "current_level",
    "event",
    "level_named",
    "level_names",
    "register_level",
    "stable_ids",
    "test_event",
    "test_stored_event",
    "use_level",
]
