"""Events as they come out of the tables: a row each, whose fields are made when they are read."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, Final, TypeAlias, cast

from evidentsource_core.domain.event_data import text_data
from evidentsource_core.domain.events import BinaryEventData, Event, EventData
from evidentsource_core.domain.extensions import Extensions, StringExtension
from evidentsource_core.domain.identifiers import RECORDEDTIME_KEY, SEQUENCE_KEY
from evidentsource_core.rules import sequence_text
from evidentsource_core.times import from_parts
from evidentsource_functions._lazy import LazyEvent, make_events
from evidentsource_functions.lane import decode_batch
from evidentsource_runtime.store.rows import moment, stamp

Row: TypeAlias = tuple[Any, ...]
"""The columns of :data:`COLUMNS`, in this order."""

ID, STREAM, TYPE, SUBJECT, DATA, CONTENT_TYPE, SCHEMA, EXTENSIONS = range(8)
MICROS, FINER, TIMED, REVISION, RECORDED = range(8, 13)

RECORDED_AT: Final = "coalesce({event}.recorded_us, {event}.effective_us)"
"""The SQL for the microseconds at which an event was recorded: it takes effect then if it names no time."""

COLUMNS: Final = (
    "e.id, s.value, k.value, u.value, e.data, e.datacontenttype, e.dataschema, e.extensions, "
    "e.effective_us, e.effective_ns, e.timed, e.revision, "
    f"{RECORDED_AT.format(event='e')}"
)
"""What a row has, of the tables joined by :data:`NAMES`."""

NAMES: Final = (
    "CROSS JOIN stream AS s ON s.id = e.stream "
    "CROSS JOIN type AS k ON k.id = e.type LEFT JOIN subject AS u ON u.id = e.subject"
)


_STAMP: Final = (
    "'\"sequence\":\"' || printf('%020d', e.revision) || "
    '\'","recordedtime":"\' || t.recorded || \'"}\''
)
_MICROS: Final = "((e.effective_us % 1000000 + 1000000) % 1000000)"
LANE: Final = (
    "json_array(e.id, s.value, k.value, u.value, "
    "CASE WHEN e.timed = 0 THEN NULL WHEN e.effective_ns = 0 THEN e.effective_us "
    f"ELSE json_array((e.effective_us - {_MICROS}) / 1000000, {_MICROS} * 1000 + e.effective_ns) END, "
    "CASE typeof(e.data) WHEN 'blob' THEN json_array(base64(e.data)) ELSE e.data END, "
    "e.datacontenttype, e.dataschema, json(CASE WHEN e.extensions IS NULL THEN '{' "
    f"ELSE substr(e.extensions, 1, length(e.extensions) - 1) || ',' END || {_STAMP}))"
)
"""The SQL for an event's row in a lane batch, over the tables joined by :data:`NAMES_OF_LANE`."""

NAMES_OF_LANE: Final = f"CROSS JOIN event AS t ON t.revision = e.tx {NAMES}"


class StoredEvent(LazyEvent):
    """An event in a row of the tables; :func:`_kind` makes the class for the events of a database."""

    __slots__ = ()
    _raw: Row
    _prefix: ClassVar[str]

    id = property(lambda event: event._raw[ID])  # noqa: SLF001 - its own
    event_type = property(lambda event: event._raw[TYPE])  # noqa: SLF001
    subject = property(lambda event: event._raw[SUBJECT])  # noqa: SLF001
    datacontenttype = property(lambda event: event._raw[CONTENT_TYPE])  # noqa: SLF001
    dataschema = property(lambda event: event._raw[SCHEMA])  # noqa: SLF001

    def data_as_string(self) -> str | None:
        """The payload as text, without making more of it."""
        data = self._raw[DATA]
        return data if type(data) is str else Event.data_as_string(self)

    def revision(self) -> int:
        """The revision."""
        revision: int = self._raw[REVISION]
        return revision


@lru_cache(maxsize=256)
def _kind(prefix: str) -> type[StoredEvent]:
    # Of the class, not of each event, which so has one field less to be set.
    return type("StoredEvent", (StoredEvent,), {"__slots__": (), "_prefix": prefix})


def stored_events(rows: list[Row], prefix: str) -> list[Event]:
    """The events of rows; ``prefix`` is what their sources have before the name of the stream."""
    return cast("list[Event]", make_events(_kind(prefix), rows))


def _read_source(event: StoredEvent) -> str:
    source: str = event._prefix + event._raw[STREAM]  # noqa: SLF001 - the class's own readers
    return source


def _read_data(event: StoredEvent) -> EventData | None:
    data = event._raw[DATA]  # noqa: SLF001
    if data is None:
        return None
    return text_data(data) if type(data) is str else BinaryEventData(data)


def _read_time(event: StoredEvent) -> datetime | None:
    row = event._raw  # noqa: SLF001
    if not row[TIMED]:
        return None
    micros, finer = row[MICROS], row[FINER]
    if not finer:
        return moment(micros)
    seconds, micros = divmod(micros, 1_000_000)
    return from_parts(seconds, micros * 1000 + finer)


def _read_extensions(event: StoredEvent) -> Extensions:
    row = event._raw  # noqa: SLF001
    assigned = {
        SEQUENCE_KEY: StringExtension(sequence_text(row[REVISION])),
        RECORDEDTIME_KEY: StringExtension(stamp(row[RECORDED])),
    }
    return Extensions(_own(row[EXTENSIONS]) | assigned)


def _own(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    (event,) = decode_batch(f'[["","","",null,null,null,null,null,{text}]]', "")
    return event.extensions.copy()


StoredEvent.readers = {
    "source": _read_source,
    "data": _read_data,
    "time": _read_time,
    "extensions": _read_extensions,
}
