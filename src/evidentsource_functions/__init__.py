"""What runs inside a component: state views, state changes, and what they need.

>>> from evidentsource_functions import ProspectiveEvent, StateChangeError
>>> def decide(db, command, metadata):
...     if command["amount"] <= 0:
...         raise StateChangeError.validation("amount must be positive")
...     return [ProspectiveEvent("e-1", "accounts", "account.credited")]
"""

import sys
from typing import TYPE_CHECKING, Any

from evidentsource_core import (
    AppendCondition,
    BinaryEventData,
    BinaryExtension,
    BooleanExtension,
    CommandRequest,
    Constraint,
    DatabaseName,
    EffectiveTimeRange,
    Event,
    EventData,
    EventId,
    EventSelector,
    EventSubject,
    EventType,
    EventTypeAttribute,
    ExtensionValue,
    IntegerExtension,
    ProspectiveEvent,
    QueryDirection,
    QueryOptions,
    Range,
    RangeCursor,
    RevisionRange,
    Selector,
    StateChangeName,
    StateView,
    StateViewCodec,
    StateViewName,
    StreamAttribute,
    StreamName,
    StringEventData,
    StringExtension,
    SubjectAttribute,
    TimestampExtension,
    UriExtension,
    UriRefExtension,
)
from evidentsource_functions.content import deserialize_state, negotiate_command, serialize_state
from evidentsource_functions.errors import (
    ContentNegotiationError,
    DatabaseAccessError,
    DatabaseAccessErrorKind,
    DeserializationFailed,
    InvalidDecision,
    InvalidDefinition,
    NoBody,
    SerializationFailed,
    StateChangeError,
    StateChangeErrorKind,
    UnsupportedContentType,
)
from evidentsource_functions.state_change import (
    Command,
    DatabaseAccess,
    DecideResult,
    SpeculativeDatabase,
    StateChangeMetadata,
    create_state_change_handler,
)
from evidentsource_functions.state_view import (
    RenderedStateView,
    StateViewBase,
    StateViewContext,
    create_state_view_handler,
)
from evidentsource_functions.wit_types import (
    WitDatetime,
    condition_to_wit,
    datetime_from_wit,
    datetime_to_wit,
    prospective_event_to_wit_cloudevent,
    selector_to_wit,
    wit_cloudevent_to_event,
)

if TYPE_CHECKING:
    from evidentsource_functions.testing import (
        EventBuilder,
        MockDatabase,
        MockDatabaseAtEffectiveTimestamp,
        MockSpeculativeDatabase,
        StateViewResult,
        TestEventBuilder,
        test_event,
        test_stored_event,
    )

__version__ = "1.0.0"

Database = DatabaseAccess
"""The platform's own documentation calls it so."""
CommandMetadata = StateChangeMetadata
"""The platform's own documentation calls it so."""

_TESTING = (
    "EventBuilder",
    "MockDatabase",
    "MockDatabaseAtEffectiveTimestamp",
    "MockSpeculativeDatabase",
    "StateViewResult",
    "TestEventBuilder",
    "test_event",
    "test_stored_event",
)


def __getattr__(name: str) -> Any:
    # The testing kit does not belong into a component, so it is only imported where it is asked for.
    if name in _TESTING:
        from evidentsource_functions import testing  # noqa: PLC0415 - see above

        return getattr(testing, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "AppendCondition",
    "BinaryEventData",
    "BinaryExtension",
    "BooleanExtension",
    "Command",
    "CommandMetadata",
    "CommandRequest",
    "Constraint",
    "ContentNegotiationError",
    "Database",
    "DatabaseAccess",
    "DatabaseAccessError",
    "DatabaseAccessErrorKind",
    "DatabaseName",
    "DecideResult",
    "DeserializationFailed",
    "EffectiveTimeRange",
    "Event",
    "EventBuilder",
    "EventData",
    "EventId",
    "EventSelector",
    "EventSubject",
    "EventType",
    "EventTypeAttribute",
    "ExtensionValue",
    "IntegerExtension",
    "InvalidDecision",
    "InvalidDefinition",
    "MockDatabase",
    "MockDatabaseAtEffectiveTimestamp",
    "MockSpeculativeDatabase",
    "NoBody",
    "ProspectiveEvent",
    "QueryDirection",
    "QueryOptions",
    "Range",
    "RangeCursor",
    "RenderedStateView",
    "RevisionRange",
    "Selector",
    "SerializationFailed",
    "SpeculativeDatabase",
    "StateChangeError",
    "StateChangeErrorKind",
    "StateChangeMetadata",
    "StateChangeName",
    "StateView",
    "StateViewBase",
    "StateViewCodec",
    "StateViewContext",
    "StateViewName",
    "StateViewResult",
    "StreamAttribute",
    "StreamName",
    "StringEventData",
    "StringExtension",
    "SubjectAttribute",
    "TestEventBuilder",
    "TimestampExtension",
    "UnsupportedContentType",
    "UriExtension",
    "UriRefExtension",
    "WitDatetime",
    "condition_to_wit",
    "create_state_change_handler",
    "create_state_view_handler",
    "datetime_from_wit",
    "datetime_to_wit",
    "deserialize_state",
    "negotiate_command",
    "prospective_event_to_wit_cloudevent",
    "selector_to_wit",
    "serialize_state",
    "test_event",
    "test_stored_event",
    "wit_cloudevent_to_event",
]

if sys.platform == "wasi":
    # `import *` inside a component asks for what a component has.
    for _name in _TESTING:
        __all__.remove(_name)  # noqa: PYI056 - no type checker looks inside of a component
