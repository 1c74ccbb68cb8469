"""Events before and after they are stored, and the transactions that carry them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from evidentsource_core.domain.errors import (
    DeserializationFailed,
    EvidentSourceError,
    InvalidExtension,
)
from evidentsource_core.domain.event_data import (
    BinaryEventData,
    EventData,
    StringEventData,
    event_data,
    event_data_as_bytes,
)
from evidentsource_core.domain.extensions import (
    NO_EXTENSIONS,
    BinaryExtension,
    BooleanExtension,
    Extensions,
    ExtensionValue,
    IntegerExtension,
    PlainExtensionValue,
    StringExtension,
    TimestampExtension,
    UriExtension,
    UriRefExtension,
)
from evidentsource_core.domain.identifiers import (
    MAX_TEXT_LENGTH,
    NAME_PATTERN,
    RECORDEDTIME_KEY,
    SEQUENCE_KEY,
    EventId,
    EventSubject,
    EventType,
    StreamName,
    check_text,
    stream_of,
)
from evidentsource_core.domain.revision import MAX_REVISION
from evidentsource_core.jsontext import loads
from evidentsource_core.times import require_aware

__all__ = [
    "BinaryEventData",
    "BinaryExtension",
    "BooleanExtension",
    "Event",
    "EventData",
    "ExtensionValue",
    "Extensions",
    "IntegerExtension",
    "ProspectiveEvent",
    "StringEventData",
    "StringExtension",
    "TimestampExtension",
    "Transaction",
    "TransactionSummary",
    "UriExtension",
    "UriRefExtension",
    "event_data_as_bytes",
]


_SEQUENCE_DIGITS = len(str(MAX_REVISION))
# The database says these of every stored event.
_ASSIGNED = (SEQUENCE_KEY, RECORDEDTIME_KEY)


class _Payload:
    """What events of both kinds can tell of their payload and attributes."""

    __slots__ = ()

    id: str
    data: EventData | None
    event_type: str
    subject: str | None
    time: datetime | None
    extensions: Extensions

    def data_as_bytes(self) -> bytes | None:
        """The payload's bytes (text in UTF-8); None where there is no payload."""
        return None if self.data is None else self.data.as_bytes()

    def data_as_string(self) -> str | None:
        """The payload as text; None where there is no payload.

        Raises:
            DeserializationFailed: the payload is binary and no UTF-8; :meth:`data_as_bytes` has it.
        """
        if isinstance(self.data, BinaryEventData):
            try:
                return self.data.data.decode()
            except UnicodeDecodeError as error:
                raise DeserializationFailed(
                    f"the payload of event {self.id!r} is binary and no UTF-8 text; "
                    "use data_as_bytes()"
                ) from error
        return None if self.data is None else self.data.data

    def data_as_json(self) -> Any:
        """The payload parsed as JSON; None where there is no payload.

        Raises:
            DeserializationFailed: the payload is no JSON.

        >>> Event("1", "orders", "placed", data=StringEventData('{"n": 1}')).data_as_json()
        {'n': 1}
        """
        return None if self.data is None else loads(self.data.data)

    def extension(self, key: str) -> ExtensionValue | None:
        """The extension attribute of that name, if the event has it."""
        return self.extensions.get(key)

    def get_data(self) -> EventData | None:
        """The payload."""
        return self.data

    def get_event_type(self) -> str:
        """The type."""
        return self.event_type

    def get_subject(self) -> str | None:
        """The subject."""
        return self.subject

    def get_time(self) -> datetime | None:
        """The effective time, where the event names one."""
        return self.time


@dataclass(frozen=True, slots=True, init=False, eq=False)
class Event(_Payload):
    """A stored event, as views and queries get it.

    Args:
        id: unique in its stream.
        source: the stream's URI, ``https://HOST/db/DATABASE/streams/STREAM``, or its bare name.
        event_type: what happened, say ``account.credited``.
        subject: whom it happened to.
        data: the payload; a plain ``str`` or ``bytes`` becomes the matching kind.
        time: when it took effect; None means when it was recorded.
        datacontenttype: the payload's media type.
        dataschema: the URI of the payload's schema.
        extensions: further attributes; plain values become the matching kind.

    >>> event = Event("e-1", "https://h/db/bank/streams/accounts", "account.opened", subject="a-1")
    >>> event.stream()
    'accounts'
    """

    id: str
    source: str
    event_type: str
    subject: str | None = None
    data: EventData | None = None
    time: datetime | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    extensions: Extensions = NO_EXTENSIONS

    def __init__(
        self,
        id: str,  # noqa: A002 - CloudEvents' word
        source: str,
        event_type: str,
        subject: str | None = None,
        data: EventData | str | bytes | None = None,
        time: datetime | None = None,
        datacontenttype: str | None = None,
        dataschema: str | None = None,
        extensions: Mapping[str, PlainExtensionValue] = NO_EXTENSIONS,
    ) -> None:
        kind = type(self).__name__
        _set(self, "id", check_text(kind, "id", id))
        _set(self, "source", check_text(kind, "source", source))
        _set(self, "event_type", check_text(kind, "event_type", event_type))
        _set(self, "subject", _optional_text(kind, "subject", subject))
        _set(self, "data", data if data is None else event_data(kind, data))
        _set(self, "time", time if time is None else require_aware(f"{kind}.time", time))
        _set(self, "datacontenttype", _optional_text(kind, "datacontenttype", datacontenttype))
        _set(self, "dataschema", _optional_text(kind, "dataschema", dataschema))
        if type(extensions) is not Extensions:
            extensions = Extensions(extensions)
        _set(self, "extensions", extensions)

    # Written out, so that an event whose fields are only decoded when they are read equals one
    # whose fields are all there.
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Event):
            return NotImplemented
        return _event_fields(self) == _event_fields(other)

    def __hash__(self) -> int:
        return hash(_event_fields(self))

    def get_source(self) -> str:
        """The source as it came."""
        return self.source

    def stream(self) -> str | None:
        """The name of the stream that the source names, if it names one."""
        return stream_of(self.source)

    def revision(self) -> int | None:
        """The revision that the ``sequence`` attribute carries, if the event has it."""
        value = self.extensions.get(SEQUENCE_KEY)
        digits = "" if value is None else str(value.value)
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= _SEQUENCE_DIGITS):
            return None
        revision = int(digits)
        return revision if revision <= MAX_REVISION else None


@dataclass(frozen=True, slots=True, init=False)
class ProspectiveEvent(_Payload):
    """An event that a state change proposes. It becomes an :class:`Event` when it is committed.

    The rules for names are checked when it is handed over (:meth:`problems`); wrong types are
    refused here.

    Args:
        id: unique in its stream.
        stream: the name of the stream to append to.
        event_type, subject, data, time, datacontenttype, dataschema, extensions: as in
            :class:`Event`.

    >>> event = ProspectiveEvent("e-1", "accounts", "account.opened", data='{"owner": "Ann"}')
    >>> event.data_as_json()
    {'owner': 'Ann'}
    """

    id: str
    stream: str
    event_type: str
    subject: str | None = None
    data: EventData | None = None
    time: datetime | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    extensions: Extensions = NO_EXTENSIONS

    def __init__(
        self,
        id: str,  # noqa: A002 - CloudEvents' word
        stream: str,
        event_type: str,
        subject: str | None = None,
        data: EventData | str | bytes | None = None,
        time: datetime | None = None,
        datacontenttype: str | None = None,
        dataschema: str | None = None,
        extensions: Mapping[str, PlainExtensionValue] = NO_EXTENSIONS,
    ) -> None:
        kind = type(self).__name__
        whom = "" if subject is None else subject
        form = "" if datacontenttype is None else datacontenttype
        schema = "" if dataschema is None else dataschema
        texts = (id, stream, event_type, whom, form, schema)
        try:
            plain = "".join(texts).isascii()
        except TypeError:  # one is no text
            plain = False
        if not plain:
            for name, text in zip(_TEXTS, texts, strict=True):
                check_text(kind, name, text)
        _set_id(self, id)
        _set_stream(self, stream)
        _set_type(self, event_type)
        _set_subject(self, subject)
        _set_data(self, None if data is None else event_data(kind, data))
        _set_time(self, None if time is None else require_aware(f"{kind}.time", time))
        _set_form(self, datacontenttype)
        _set_schema(self, dataschema)
        _set_extensions(
            self, extensions if type(extensions) is Extensions else Extensions(extensions)
        )

    def get_stream(self) -> str:
        """The name of the stream."""
        return self.stream

    def problems(self) -> Iterator[EvidentSourceError]:
        """Everything that keeps this event out of a database, duplicates aside.

        >>> [problem.code for problem in ProspectiveEvent(" ", "1", "t").problems()]
        ['invalid-stream-name', 'invalid-event-id']
        """
        return iter(()) if is_sound(self) else self._problems()

    def _problems(self) -> Iterator[EvidentSourceError]:
        checks: tuple[tuple[type[Any], str | None], ...] = (
            (StreamName, self.stream),
            (EventId, self.id),
            (EventType, self.event_type),
            (EventSubject, self.subject),
        )
        for identifier, value in checks:
            if value is not None and (problem := identifier.problem(value)) is not None:
                yield problem
        if self.extensions:
            yield from self.extensions.problems()
            for name in _ASSIGNED:
                if name in self.extensions:
                    yield InvalidExtension(name, "the database assigns it; leave it out")


def is_sound(event: object) -> bool:
    r"""Whether it is an event without problems at first sight, as nearly all are.

    Every event is asked on its way into a database. Of those of which it is not so, their
    :meth:`ProspectiveEvent.problems` tell more.

    >>> [is_sound(ProspectiveEvent(name, "accounts", "opened")) for name in ("e-1", " ", "e-\xa0")]
    [True, False, False]
    """
    if not isinstance(event, ProspectiveEvent):
        return False
    event_id, kind, subject = event.id, event.event_type, event.subject
    texts = f"{event_id}{kind}{subject}"
    # What is printable keeps the rule of texts, unless it is blank or too long; the only blank that is
    # printable is a space.
    return bool(
        texts.isprintable()
        and len(texts) <= MAX_TEXT_LENGTH
        and event_id
        and kind
        and subject != ""
        and NAME_PATTERN.match(event.stream)
        and not event.extensions
        and (" " not in texts or all(map(str.strip, (event_id, kind, subject or "none"))))
    )


_TEXTS: Final = ("id", "stream", "event_type", "subject", "datacontenttype", "dataschema")
_set = object.__setattr__
# The slots' own setters: events are made by the thousand.
(
    _set_id,
    _set_stream,
    _set_type,
    _set_subject,
    _set_data,
    _set_time,
    _set_form,
    _set_schema,
    _set_extensions,
) = (getattr(ProspectiveEvent, name).__set__ for name in ProspectiveEvent.__slots__)
_event_fields = attrgetter(*Event.__slots__)


def _optional_text(kind: str, name: str, value: str | None) -> str | None:
    return None if value is None else check_text(kind, name, value)


@dataclass(frozen=True, slots=True)
class TransactionSummary:
    """What a transaction did: the revision of its last event, and how many events it has."""

    revision: int
    event_count: int
    transaction_id: str | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A committed transaction with its events, in order."""

    events: tuple[Event, ...]
    summary: TransactionSummary

    def __init__(self, events: Iterable[Event], summary: TransactionSummary) -> None:
        object.__setattr__(self, "events", tuple(events))
        object.__setattr__(self, "summary", summary)
