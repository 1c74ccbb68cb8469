"""Exact times: the contract's (seconds, nanoseconds) to Python's ``datetime`` and back.

Everything here is whole numbers; no float is involved, so a microsecond before 1970 or in the year
9999 arrives as it left. Python's ``datetime`` ends at microseconds and the contract at nanoseconds,
so a time that carries a finer part comes as :class:`NanosecondDatetime`, which is a ``datetime``.

>>> from_parts(0, 0)
datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
>>> to_parts(from_parts(-1, 500_000_000))
(-1, 500000000)
>>> to_parts(from_parts(253402300799, 999_999_999))
(253402300799, 999999999)
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from typing import Any, SupportsIndex

from evidentsource_core.domain.errors import InvalidTimestamp, InvalidType

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MIN_SECONDS = -62_135_596_800
"""Seconds from 1970 to the start of the year 1."""
MAX_SECONDS = 253_402_300_799
"""Seconds from 1970 to the last second of the year 9999."""

_MICROSECOND = timedelta(microseconds=1)
_NAIVE_HINT = "give it a time zone, say datetime(..., tzinfo=timezone.utc)"


class NanosecondDatetime(datetime):
    """A ``datetime`` that also keeps the nanoseconds below its microsecond.

    ``nanosecond`` runs from 1 to 999. It takes part in comparison and hashing, and survives pickling
    and copying. Arithmetic and ``replace`` give plain ``datetime`` values: their microseconds are
    exact, the finer part is gone.

    >>> t = from_parts(1, 999_999_999)
    >>> (t.microsecond, t.nanosecond)
    (999999, 999)
    >>> t == from_parts(1, 999_999_000)
    False
    """

    nanosecond: int

    @classmethod
    def of(cls, moment: datetime, nanosecond: int) -> NanosecondDatetime:
        """``moment`` with ``nanosecond`` (1 to 999) added."""
        if not 1 <= nanosecond <= 999:
            raise InvalidTimestamp("nanosecond", f"must be from 1 to 999, got {nanosecond}")
        self = cls(
            *(moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second),
            moment.microsecond,
            moment.tzinfo,
            fold=moment.fold,
        )
        self.nanosecond = nanosecond
        return self

    def _plain(self) -> datetime:
        return datetime(
            *(self.year, self.month, self.day, self.hour, self.minute, self.second),
            self.microsecond,
            self.tzinfo,
            fold=self.fold,
        )

    def _key(self) -> tuple[datetime, int]:
        return (self._plain(), getattr(self, "nanosecond", 0))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, datetime):
            return NotImplemented
        return self._key() == _key(other)

    def __lt__(self, other: date) -> bool:
        return self._key() < _key(other)

    def __le__(self, other: date) -> bool:
        return self._key() <= _key(other)

    def __gt__(self, other: date) -> bool:
        return self._key() > _key(other)

    def __ge__(self, other: date) -> bool:
        return self._key() >= _key(other)

    def __hash__(self) -> int:
        return hash(self._key()) if getattr(self, "nanosecond", 0) else hash(self._plain())

    def __repr__(self) -> str:
        return f"NanosecondDatetime.of({self._plain()!r}, {getattr(self, 'nanosecond', 0)})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        if not getattr(self, "nanosecond", 0):
            return self._plain().__reduce_ex__(protocol)
        return (NanosecondDatetime.of, (self._plain(), self.nanosecond))


def _key(moment: date) -> tuple[Any, int]:
    if isinstance(moment, NanosecondDatetime):
        return moment._key()
    return (moment, 0)


def require_aware(field: str, moment: object) -> datetime:
    """``moment`` if it is a ``datetime`` with a time zone; an error that names ``field`` if not.

    A time without a zone means something else on every machine, so it is refused, not guessed.

    Raises:
        InvalidType: it is no ``datetime``.
        InvalidTimestamp: it has no time zone.
    """
    if not isinstance(moment, datetime):
        raise InvalidType(field, "a datetime", moment)
    if moment.utcoffset() is None:
        raise InvalidTimestamp(field, "has no time zone", _NAIVE_HINT)
    return moment


def to_parts(moment: datetime, field: str = "time") -> tuple[int, int]:
    """Whole seconds since 1970 (floored, so negative before it) and nanoseconds from 0 to 999,999,999.

    Raises:
        InvalidTimestamp: ``moment`` has no time zone.

    >>> from datetime import datetime, timezone
    >>> to_parts(datetime(1969, 12, 31, 23, 59, 59, 500_000, timezone.utc))
    (-1, 500000000)
    """
    require_aware(field, moment)
    micros = (moment - EPOCH) // _MICROSECOND
    seconds, micros = divmod(micros, 1_000_000)
    return seconds, micros * 1000 + getattr(moment, "nanosecond", 0)


def from_parts(seconds: int, nanoseconds: int = 0, field: str = "time") -> datetime:
    """The time in UTC; a :class:`NanosecondDatetime` where microseconds are too coarse.

    Raises:
        InvalidTimestamp: the time lies outside the years 1 to 9999, or ``nanoseconds`` is not
            from 0 to 999,999,999.
    """
    if not 0 <= nanoseconds <= 999_999_999:
        raise InvalidTimestamp(field, f"nanoseconds must be under a second, got {nanoseconds}")
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise InvalidTimestamp(
            field, f"{seconds} seconds since 1970 lies outside the years 1 to 9999"
        )
    micros, rest = divmod(nanoseconds, 1000)
    moment = EPOCH + timedelta(seconds=seconds, microseconds=micros)
    return NanosecondDatetime.of(moment, rest) if rest else moment


def in_utc(moment: datetime) -> datetime:
    """The same instant in UTC, with its nanoseconds.

    >>> in_utc(parse_rfc3339("2024-01-01T01:00:00+01:00"))
    datetime.datetime(2024, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    return from_parts(*to_parts(moment))


def format_rfc3339(moment: datetime) -> str:
    """RFC 3339 text in UTC with microseconds, or nanoseconds where the time has them.

    >>> format_rfc3339(from_parts(0, 1_000))
    '1970-01-01T00:00:00.000001Z'
    """
    seconds, nanos = to_parts(moment)
    whole = EPOCH + timedelta(seconds=seconds)
    digits = f"{nanos:09d}" if nanos % 1000 else f"{nanos // 1000:06d}"
    # strftime leaves out leading zeros of years below 1000.
    return f"{whole.year:04d}-{whole:%m-%dT%H:%M:%S}.{digits}Z"


_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)"
)


def parse_rfc3339(text: str, field: str = "time") -> datetime:
    """The time that an RFC 3339 text stands for, in UTC.

    Raises:
        InvalidTimestamp: the text is no RFC 3339 time with a zone.

    >>> parse_rfc3339("2024-02-03T04:05:06.789Z")
    datetime.datetime(2024, 2, 3, 4, 5, 6, 789000, tzinfo=datetime.timezone.utc)
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise InvalidTimestamp(field, f"{text!r} is no RFC 3339 time with a zone")
    *parts, fraction, zone = match.groups()
    offset = timedelta()
    if zone not in "Zz":
        hours, minutes = int(zone[1:3]), int(zone[4:6])
        offset = timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)
    try:
        local = datetime(*(int(part) for part in parts), tzinfo=timezone.utc)  # type: ignore[arg-type, misc]  # six ints, which mypy cannot count
    except ValueError as error:
        raise InvalidTimestamp(field, f"{text!r}: {error}") from error
    seconds = (local - EPOCH) // timedelta(seconds=1) - offset // timedelta(seconds=1)
    return from_parts(seconds, int((fraction or "").ljust(9, "0")), field)
