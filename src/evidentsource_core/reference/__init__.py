"""The platform's rules as a database in memory, in plain Python.

It is the definition that everything else is held to: whatever stores events, and whatever runs
components, gives the same results as :class:`ReferenceDatabase`.

>>> from evidentsource_core import ProspectiveEvent, Selector
>>> database = ReferenceDatabase("bank")
>>> _ = database.transact([ProspectiveEvent("e-1", "accounts", "account.opened", subject="a-1")])
>>> speculated = database.latest().speculate_with_transaction(
...     [ProspectiveEvent("e-2", "accounts", "account.closed", subject="a-1")])
>>> [event.event_type for event in speculated.query_events(Selector.subject("a-1"))]
['account.opened', 'account.closed']
>>> (speculated.revision, database.latest().revision)
(2, 1)
"""

from evidentsource_core.reference._changes import Decide, StateChangeResult
from evidentsource_core.reference._restore import as_prospective, recorded_time
from evidentsource_core.reference._views import Evolve
from evidentsource_core.reference.database import ReferenceDatabase
from evidentsource_core.reference.snapshots import DatabaseSnapshot, SpeculativeSnapshot
from evidentsource_core.rules import MAX_BYTES, MAX_EVENTS, TransactionResult, stamped

__all__ = [
    "MAX_BYTES",
    "MAX_EVENTS",
    "DatabaseSnapshot",
    "Decide",
    "Evolve",
    "ReferenceDatabase",
    "SpeculativeSnapshot",
    "StateChangeResult",
    "TransactionResult",
    "as_prospective",
    "recorded_time",
    "stamped",
]
