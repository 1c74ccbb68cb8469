"""What is wrong with a value by itself, names included; all of it stands in ``domain.errors`` too."""

from __future__ import annotations

from typing import ClassVar

from evidentsource_core.domain._error_root import EvidentSourceError

# --- values ------------------------------------------------------------------------------------


class InvalidValue(EvidentSourceError, ValueError):
    """A value of the right type that is out of its range; ``field`` names where it stood."""

    code = "invalid-value"

    def __init__(self, field: str, reason: str, hint: str | None = None) -> None:
        super().__init__(f"{field}: {reason}" + (f"; {hint}" if hint else ""))
        self.field = field
        self.reason = reason
        self.hint = hint


class InvalidType(EvidentSourceError, TypeError):
    """A value of the wrong type; ``field`` names where it stood."""

    code = "invalid-type"

    def __init__(self, field: str, expected: str, got: object, hint: str | None = None) -> None:
        found = "None" if got is None else type(got).__name__
        super().__init__(
            f"{field}: expected {expected}, got {found}" + (f"; {hint}" if hint else "")
        )
        self.field = field
        self.expected = expected
        self.found = found
        self.hint = hint


class InvalidTimestamp(InvalidValue):
    """A time that has no time zone, or that lies outside the years 1 to 9999."""

    code = "invalid-timestamp"


# --- identifiers -------------------------------------------------------------------------------


class EventError(EvidentSourceError):
    """Something is wrong with one event of a transaction."""

    code = "event-error"


class IdentifierError(EvidentSourceError):
    """A name or id breaks the rules for its kind."""

    code = "invalid-identifier"


_NAME_RULE = "a letter, then 1 to 127 of letters, digits, '-', '_' and '.'"
_TEXT_RULE = "not blank, under 256 characters, no control characters"


class _InvalidIdentifier(IdentifierError):
    _kind: ClassVar[str]
    _rule: ClassVar[str]

    def __init__(self, value: object) -> None:
        text = repr(value)
        shown = text if len(text) <= 80 else f"{text[:77]}..."
        super().__init__(f"invalid {self._kind}: {shown}; it must be {self._rule}")
        self.value = value
        self.hint = self._rule


class InvalidDatabaseName(_InvalidIdentifier):
    """Not a database name: a letter, then 1 to 127 of letters, digits, ``-``, ``_`` and ``.``."""

    code = "invalid-database-name"
    _kind = "database name"
    _rule = _NAME_RULE


class InvalidStreamName(_InvalidIdentifier, EventError):
    """Not a stream name: a letter, then 1 to 127 of letters, digits, ``-``, ``_`` and ``.``."""

    code = "invalid-stream-name"
    _kind = "stream name"
    _rule = _NAME_RULE


class InvalidStateViewName(_InvalidIdentifier):
    """Not a state view name: a letter, then 1 to 127 of letters, digits, ``-``, ``_``, ``.``."""

    code = "invalid-state-view-name"
    _kind = "state view name"
    _rule = _NAME_RULE


class InvalidStateChangeName(_InvalidIdentifier):
    """Not a state change name: a letter, then 1 to 127 of letters, digits, ``-``, ``_``, ``.``."""

    code = "invalid-state-change-name"
    _kind = "state change name"
    _rule = _NAME_RULE


class InvalidEventId(_InvalidIdentifier, EventError):
    """Not an event id: not blank, under 256 characters, no control characters."""

    code = "invalid-event-id"
    _kind = "event id"
    _rule = _TEXT_RULE


class InvalidEventType(_InvalidIdentifier, EventError):
    """Not an event type: not blank, under 256 characters, no control characters."""

    code = "invalid-event-type"
    _kind = "event type"
    _rule = _TEXT_RULE


class InvalidEventSubject(_InvalidIdentifier, EventError):
    """Not an event subject: not blank, under 256 characters, no control characters."""

    code = "invalid-event-subject"
    _kind = "event subject"
    _rule = _TEXT_RULE
