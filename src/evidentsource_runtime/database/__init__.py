"""The database: a store of events with the state views and state changes that are published in it.

:func:`evidentsource_runtime.open` opens one.
"""

from evidentsource_runtime.database.catalog import Published, PublishedChange, PublishedView
from evidentsource_runtime.database.database import Database
from evidentsource_runtime.database.errors import CodeNotAttached, StateViewFailed, UnusableCode
from evidentsource_runtime.database.following import Follower
from evidentsource_runtime.database.programs import Origin
from evidentsource_runtime.database.rebuilding import RebuildProgress, RebuildReport
from evidentsource_runtime.database.snapshots import Snapshot, SpeculativeSnapshot
from evidentsource_runtime.database.traces import QueryRead, Trace, ViewRead

__all__ = [
    "CodeNotAttached",
    "Database",
    "Follower",
    "Origin",
    "Published",
    "PublishedChange",
    "PublishedView",
    "QueryRead",
    "RebuildProgress",
    "RebuildReport",
    "Snapshot",
    "SpeculativeSnapshot",
    "StateViewFailed",
    "Trace",
    "UnusableCode",
    "ViewRead",
]
