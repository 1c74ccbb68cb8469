"""What can go wrong with what is published in a database.

>>> error = CodeNotAttached("state view seen.v1", "seen:Seen", "db.attach_state_view('seen', 1, ...)")
>>> (error.code, error.program)
('code-not-attached', 'state view seen.v1')
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from evidentsource_core.domain.database_errors import (
    DatabaseAccessError,
    DatabaseAccessErrorKind,
)
from evidentsource_core.domain.errors import DatabaseError
from evidentsource_core.domain.events import Event

__all__ = ["CodeNotAttached", "StateViewFailed", "UnusableCode"]


class CodeNotAttached(DatabaseError):
    """A version was published with code that is not in the file, and nobody brought it here yet.

    Attributes:
        program: what was published, such as "state view seen.v1".
        origin: the name of its code.
    """

    code: ClassVar[str] = "code-not-attached"

    def __init__(self, program: str, origin: str, call: str) -> None:
        super().__init__(
            f"{program} was published with {origin}, which is not kept in the file; attach it with "
            f"{call}, publish it with if_changed=True at every start, or publish a built component"
        )
        self.program = program
        self.origin = origin


class UnusableCode(DatabaseError):
    """What was given as the code of a state view or a state change is none.

    Attributes:
        field: the argument.
        reason: what is wrong with it.
    """

    code: ClassVar[str] = "unusable-code"

    def __init__(self, field: str, reason: str, hint: str) -> None:
        super().__init__(f"{field}: {reason}; {hint}")
        self.field = field
        self.reason = reason
        self.hint = hint


class StateViewFailed(DatabaseAccessError):
    """The code of a view failed on an event; what was folded before it is kept.

    Attributes:
        view: the name and version, such as "seen.v1".
        event: the event it failed on; None where it failed on several together only.
        revision: that event's revision.
        cause: what the code raised.
    """

    code: ClassVar[str] = "state-view-failed"

    def __init__(self, view: str, cause: Exception, events: Sequence[Event]) -> None:
        event = events[0] if len(events) == 1 else None
        if event is not None:
            where = f"event {event.id!r} ({event.event_type}, revision {event.revision()})"
        else:
            revisions = sorted(each.revision() or 0 for each in events)
            where = f"{len(events)} events (revisions {revisions[0]} to {revisions[-1]})"
        reason = f"{view} at {where}: {type(cause).__name__}: {cause}"
        super().__init__(
            f"State view failed: {reason}", DatabaseAccessErrorKind.STATE_VIEW_FAILED, reason
        )
        self.view = view
        self.cause = cause
        self.event = event
        self.revision = None if event is None else event.revision()
