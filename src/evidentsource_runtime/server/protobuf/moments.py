"""Times: ``google.protobuf.Timestamp`` and ``datetime``, in whole numbers both ways."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from evidentsource_core.times import from_parts, to_parts
from evidentsource_runtime.server.service.errors import reading

__all__ = ["moment_from", "put_moment"]


def moment_from(message: Timestamp, field: str) -> datetime:
    """The time, in UTC, to the nanosecond.

    Raises:
        InvalidRequest: it lies outside the years 1 to 9999, or its nanoseconds are no fraction.
    """
    with reading(field):
        return from_parts(message.seconds, message.nanos, field)


def put_moment(message: Timestamp, moment: datetime) -> None:
    """Write ``moment`` into a field of a message."""
    message.SetInParent()
    message.seconds, message.nanos = to_parts(moment)
