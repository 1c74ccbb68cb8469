"""The level ``server`` of the testing kit: scenarios and databases of a test in a running server.

Without an address, a server of this process runs for as long as the level is used: rules from their
source in the sandbox, databases in files of a temporary folder, every call over gRPC.

>>> from evidentsource_core import ProspectiveEvent, Selector
>>> from evidentsource_functions.testing import RuleBook, use_level
>>> with use_level(ServerLevel()) as level:
...     database = level.database(RuleBook("bank"))
...     database.insert_event(ProspectiveEvent("e-1", "accounts", "account.opened"))
...     [event.revision() for event in database.query_events(Selector.stream("accounts"))]
[1]
"""

from evidentsource_runtime.server.testing.client import Client, raised
from evidentsource_runtime.server.testing.database import ServerDatabase
from evidentsource_runtime.server.testing.level import ServerLevel
from evidentsource_runtime.server.testing.snapshot import ServerSnapshot

__all__ = ["Client", "ServerDatabase", "ServerLevel", "ServerSnapshot", "raised"]
