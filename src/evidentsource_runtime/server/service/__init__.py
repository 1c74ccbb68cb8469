"""The platform's operations, without an interface: domain values in, domain values and errors out.

gRPC and HTTP both call this and nothing else, so that equal questions get equal answers.
"""

from __future__ import annotations

from evidentsource_runtime.server.service.databases import DatabaseCalls
from evidentsource_runtime.server.service.errors import (
    EventNotFound,
    InvalidRequest,
    ServerStopping,
    TransactionFailed,
    TransactionNotFound,
    TransactionPending,
)
from evidentsource_runtime.server.service.events import EventCalls
from evidentsource_runtime.server.service.folder import DatabaseFolder
from evidentsource_runtime.server.service.live import LiveCalls, LiveView
from evidentsource_runtime.server.service.refusals import Kind, Refusal, refusal_of
from evidentsource_runtime.server.service.service import Service
from evidentsource_runtime.server.service.values import (
    About,
    Committed,
    DatabaseState,
    Execution,
    Origin,
    Submission,
    Summary,
    Transport,
)
from evidentsource_runtime.server.service.views import ViewCalls
from evidentsource_runtime.server.service.writes import WriteCalls

__all__ = [
    "About",
    "Committed",
    "DatabaseCalls",
    "DatabaseFolder",
    "DatabaseState",
    "EventCalls",
    "EventNotFound",
    "Execution",
    "InvalidRequest",
    "Kind",
    "LiveCalls",
    "LiveView",
    "Origin",
    "Refusal",
    "ServerStopping",
    "Service",
    "Submission",
    "Summary",
    "TransactionFailed",
    "TransactionNotFound",
    "TransactionPending",
    "Transport",
    "ViewCalls",
    "WriteCalls",
    "refusal_of",
]
