"""Events to rows and back, and the fingerprint of what a transaction id stands for.

What is kept of an event is one row of a lane batch, as text. The columns that it is found by stand
beside it and say nothing that the row does not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2b

from evidentsource_core.domain.constraints import AppendCondition
from evidentsource_core.domain.events import ProspectiveEvent
from evidentsource_core.domain.flat_selectors import compiled
from evidentsource_core.times import EPOCH, to_parts
from evidentsource_functions.lane import encode_batch

_SOURCE = "/"
_NO_EXTENSIONS = "null]]"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class _Proposed:
    """A prospective event where a stored one is read: without the checks that it has passed."""

    __slots__ = (
        "data",
        "datacontenttype",
        "dataschema",
        "event_type",
        "extensions",
        "id",
        "source",
        "subject",
        "time",
    )

    def __init__(self, event: ProspectiveEvent) -> None:
        self.id = event.id
        self.source = _SOURCE + event.stream
        self.event_type = event.event_type
        self.subject = event.subject
        self.data = event.data
        self.time = event.time
        self.datacontenttype = event.datacontenttype
        self.dataschema = event.dataschema
        self.extensions = event.extensions


def open_row(event: ProspectiveEvent) -> str:
    """The row of an event about to be stored, open where the database adds what it assigns.

    >>> open_row(ProspectiveEvent("e-1", "accounts", "opened", extensions={"tenant": "acme"}))
    '["e-1","accounts","opened",null,null,null,null,null,{"tenant":"acme",'
    """
    batch = encode_batch((_Proposed(event),), _SOURCE)  # type: ignore[arg-type]  # all it reads
    if batch.endswith(_NO_EXTENSIONS):
        return batch[1 : -len(_NO_EXTENSIONS)] + "{"
    return batch[1:-3] + ","


def close_row(opened: str, revision: int, recorded: str) -> str:
    """A row of :func:`open_row` with the revision and the recorded time (RFC 3339) of its event.

    >>> opened = open_row(ProspectiveEvent("e-1", "accounts", "opened"))
    >>> close_row(opened, 7, "2026-01-01T00:00:00.000000Z")[-86:]
    'null,{"sequence":"00000000000000000007","recordedtime":"2026-01-01T00:00:00.000000Z"}]'
    """
    return f'{opened}"sequence":"{revision:020d}","recordedtime":"{recorded}"}}]'


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
    opened: Sequence[str],
    conditions: Sequence[AppendCondition],
) -> bytes:
    """16 bytes that tell whether two transactions ask for the same.

    Args:
        events: the events.
        opened: the row of each.
        conditions: the conditions; they count in their order.
    """
    digest = blake2b(digest_size=16)
    for event, row in zip(events, opened, strict=True):
        # Extensions are equal in any order, and a row has them in the order they came in.
        text = open_row(_sorted(event)) if len(event.extensions) > 1 else row
        digest.update(text.encode())
    for condition in conditions:
        bounds = (condition.min_revision(), condition.max_revision())
        program = compiled(condition.selector.flatten())
        digest.update(_encode([type(condition).__name__, *bounds, program]).encode())
    return digest.digest()


def _sorted(event: ProspectiveEvent) -> ProspectiveEvent:
    return ProspectiveEvent(
        event.id,
        event.stream,
        event.event_type,
        event.subject,
        event.data,
        event.time,
        event.datacontenttype,
        event.dataschema,
        dict(sorted(event.extensions.items())),
    )
