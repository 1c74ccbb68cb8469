"""Events to the columns they are kept in, and what tells whether two transactions ask for the same."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from json.encoder import encode_basestring as quoted
from typing import Final, NamedTuple

from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.events import Event, ProspectiveEvent
from evidentsource_core.domain.extensions import Extensions
from evidentsource_core.times import EPOCH, to_parts
from evidentsource_functions.lane import encode_batch

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


made: Final = tuple.__new__
"""Makes a named tuple of its fields, as the class itself does by a call of Python's own."""
TIME, DATA = 4, 5
"""Where :class:`Columns` has these."""


class Columns(NamedTuple):
    """What is kept of an event as it was proposed.

    Args:
        time: microseconds since 1970 and the nanoseconds below them; None where it names no time.
        data: text or bytes.
        extensions: a JSON object in the lane's form; None where there are none.
    """

    id: str
    stream: str
    event_type: str
    subject: str | None
    time: tuple[int, int] | None
    data: str | bytes | None
    datacontenttype: str | None
    dataschema: str | None
    extensions: str | None

    def text(self) -> str:
        """The columns as one text that no other event has: what checksums are made of.

        A JSON array; written out, since every event that is written needs it.

        >>> Columns("e-1", "accounts", "opened", None, (5, 0), b"a", None, None, None).text()
        '["e-1","accounts","opened",null,[5,0],["61"],null,null,null]'
        """
        event_id, stream, kind, subject, time, data, content, schema, extensions = self
        if type(data) is str:
            payload = quoted(data)
        else:
            payload = _encode([data.hex()] if isinstance(data, bytes) else data)
        when = "null" if time is None else f"[{time[0]},{time[1]}]"
        more = "null" if extensions is None else quoted(extensions)
        whom = "null" if subject is None else quoted(subject)
        what = f"{quoted(event_id)},{_named(stream, kind)},{whom},{when}"
        return f"[{what},{payload},{_form(content, schema)},{more}]"


def _or_null(text: str | None) -> str:
    return "null" if text is None else quoted(text)


# What the events of a store have in common.
@lru_cache(maxsize=256)
def _named(stream: str, kind: str) -> str:
    return f"{quoted(stream)},{quoted(kind)}"


@lru_cache(maxsize=64)
def _form(content: str | None, schema: str | None) -> str:
    return f"{_or_null(content)},{_or_null(schema)}"


def columns(event: ProspectiveEvent) -> Columns:
    """The columns of an event.

    >>> columns(ProspectiveEvent("e-1", "accounts", "opened", extensions={"tenant": "acme"}))[6:]
    (None, None, '{"tenant":"acme"}')
    """
    data, time, extensions = event.data, event.time, event.extensions
    known = (
        event.id,
        event.stream,
        event.event_type,
        event.subject,
        None if time is None else microseconds(time),
        None if data is None else data.data,
        event.datacontenttype,
        event.dataschema,
        extensions_text(extensions) if extensions else None,
    )
    return made(Columns, known)


def extensions_text(extensions: Extensions) -> str:
    """Extension attributes as the lane has them.

    >>> extensions_text(Extensions({"flag": True, "blob": b"a"}))
    '{"flag":true,"blob":["x","YQ=="]}'
    """
    batch = encode_batch((Event("", "", "", extensions=extensions),), "/")
    return batch[batch.index("{") : -2]


def microseconds(moment: datetime) -> tuple[int, int]:
    """Whole microseconds since 1970, and the nanoseconds below them.

    >>> microseconds(EPOCH + timedelta(seconds=-1))
    (-1000000, 0)
    """
    seconds, nanoseconds = to_parts(moment)
    micros, finer = divmod(nanoseconds, 1000)
    return seconds * 1_000_000 + micros, finer


def moment(micros: int) -> datetime:
    """The time of whole microseconds since 1970, in UTC."""
    return EPOCH + timedelta(microseconds=micros)


def stamp(micros: int) -> str:
    """The same as events have it.

    >>> stamp(1)
    '1970-01-01T00:00:00.000001Z'
    """
    return f"{_second(micros // 1_000_000)}.{micros % 1_000_000:06d}Z"


@lru_cache(maxsize=64)
def _second(second: int) -> str:
    # Many events are recorded within the same seconds.
    return moment(second * 1_000_000).isoformat().removesuffix("+00:00")


def checksum(text: bytes) -> int:
    """What tells whether rows are as they were written.

    Args:
        text: those of the columns of every event of a transaction, in UTF-8.
    """
    return zlib.crc32(text)


def fingerprint(
    events: Sequence[ProspectiveEvent], text: bytes, conditions: Sequence[AppendCondition]
) -> bytes:
    """16 bytes that tell whether two transactions ask for the same.

    Args:
        events: the events.
        text: those of the columns of each, in UTF-8.
        conditions: the conditions; they count in their order.
    """
    # Extensions are equal in any order, and the columns have them in the order they came in.
    for event in events:
        if len(event.extensions) > 1:
            text = "".join(map(_in_order, events)).encode()
            break
    digest = blake2b(text, digest_size=16)
    for condition in conditions:
        bounds = (condition.min_revision(), condition.max_revision())
        program = condition.selector._program()  # noqa: SLF001 - kept there since it is asked for often
        digest.update(_encode([type(condition).__name__, *bounds, program]).encode())
    return digest.digest()


def _in_order(event: ProspectiveEvent) -> str:
    if len(event.extensions) < 2:
        return columns(event).text()
    extensions = Extensions(dict(sorted(event.extensions.items())))
    return columns(event)._replace(extensions=extensions_text(extensions)).text()
