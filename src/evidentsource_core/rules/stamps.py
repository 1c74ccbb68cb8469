"""What the database itself says of a stored event: its source, its revision, when it was recorded."""

from __future__ import annotations

from datetime import datetime

from evidentsource_core.domain.extensions import Extensions, StringExtension
from evidentsource_core.domain.identifiers import RECORDEDTIME_KEY, SEQUENCE_KEY
from evidentsource_core.times import format_rfc3339


def streams_uri(host: str, database: str) -> str:
    """The URI under which a database's streams stand; a slash and a stream behind it is a source.

    >>> streams_uri("localhost", "bank")
    'https://localhost/db/bank/streams'
    """
    return f"https://{host}/db/{database}/streams"


def sequence_text(revision: int) -> str:
    """The ``sequence`` attribute: 20 digits, so that texts sort as the revisions do.

    >>> sequence_text(7)
    '00000000000000000007'
    """
    return f"{revision:020d}"


def stamped(extensions: Extensions, revision: int, recorded_at: datetime) -> Extensions:
    """An event's own extension attributes, and behind them the two that the database assigns."""
    assigned = {
        SEQUENCE_KEY: StringExtension(sequence_text(revision)),
        RECORDEDTIME_KEY: StringExtension(format_rfc3339(recorded_at)),
    }
    own = {name: value for name, value in extensions.items() if name not in assigned}
    return Extensions(own | assigned)
