"""Events to the columns they are kept in, and what tells whether two transactions ask for the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.events import Event, ProspectiveEvent
from evidentsource_core.domain.extensions import Extensions
from evidentsource_core.domain.flat_selectors import compiled
from evidentsource_core.times import EPOCH, to_parts
from evidentsource_functions.lane import encode_batch

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


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
        """The columns as one text that no other event has: what checksums are made of."""
        data = [self.data.hex()] if isinstance(self.data, bytes) else self.data
        return _encode((*self[:5], data, *self[6:]))


def columns(event: ProspectiveEvent) -> Columns:
    """The columns of an event.

    >>> columns(ProspectiveEvent("e-1", "accounts", "opened", extensions={"tenant": "acme"}))[6:]
    (None, None, '{"tenant":"acme"}')
    """
    data, time, extensions = event.data, event.time, event.extensions
    return Columns(
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


def fingerprint(
    events: Sequence[ProspectiveEvent],
    texts: Sequence[str],
    conditions: Sequence[AppendCondition],
) -> bytes:
    """16 bytes that tell whether two transactions ask for the same.

    Args:
        events: the events.
        texts: that of the columns of each.
        conditions: the conditions; they count in their order.
    """
    digest = blake2b(digest_size=16)
    for event, text in zip(events, texts, strict=True):
        # Extensions are equal in any order, and the columns have them in the order they came in.
        digest.update((text if len(event.extensions) < 2 else _in_order(event)).encode())
    for condition in conditions:
        bounds = (condition.min_revision(), condition.max_revision())
        program = compiled(condition.selector.flatten())
        digest.update(_encode([type(condition).__name__, *bounds, program]).encode())
    return digest.digest()


def _in_order(event: ProspectiveEvent) -> str:
    extensions = Extensions(dict(sorted(event.extensions.items())))
    return columns(event)._replace(extensions=extensions_text(extensions)).text()
