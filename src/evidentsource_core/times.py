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
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Self, SupportsIndex, overload

from evidentsource_core.domain.errors import InvalidTimestamp, InvalidType

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MIN_SECONDS = -62_135_596_800
"""Seconds from 1970 to the start of the year 1."""
MAX_SECONDS = 253_402_300_799
"""Seconds from 1970 to the last second of the year 9999."""

_EPOCH_WITHOUT_ZONE = EPOCH.replace(tzinfo=None)
_MICROSECOND = timedelta(microseconds=1)
_NAIVE_HINT = "give it a time zone, say datetime(..., tzinfo=timezone.utc)"
_OUTSIDE = "lies outside the years 1 to 9999"


class NanosecondDatetime(datetime):
    """A ``datetime`` that also keeps the nanoseconds below its microsecond.

    :meth:`of` makes one. ``nanosecond`` takes part in comparison, hashing, ``isoformat`` and
    pickling, and stays where a time is moved by a ``timedelta``, brought to another zone or given
    another field. ``replace(microsecond=...)`` sets the whole fraction, so it ends the nanoseconds;
    the difference of two times is a ``timedelta``, which knows whole microseconds only.

    >>> t = from_parts(1, 999_999_999)
    >>> (t.microsecond, t.nanosecond)
    (999999, 999)
    >>> t == from_parts(1, 999_999_000)
    False
    >>> (t + timedelta(seconds=1)).isoformat()
    '1970-01-01T00:00:02.999999999+00:00'
    """

    __slots__ = ("_nanosecond",)
    _nanosecond: int

    def __new__(cls, *args: Any, **fields: Any) -> Self:
        """As of ``datetime``, without nanoseconds yet."""
        self = super().__new__(cls, *args, **fields)
        self._nanosecond = 0
        return self

    @classmethod
    def of(cls, moment: datetime, nanosecond: int) -> NanosecondDatetime:
        """``moment`` to its microsecond, with ``nanosecond`` (0 to 999) below that.

        Raises:
            InvalidTimestamp: ``nanosecond`` is out of its range.
        """
        if not 0 <= nanosecond <= 999:
            raise InvalidTimestamp("nanosecond", f"must be from 0 to 999, got {nanosecond}")
        day = (moment.year, moment.month, moment.day)
        time = (moment.hour, moment.minute, moment.second, moment.microsecond)
        # Not ``combine``, which forgets the fold when the class is not ``datetime`` itself.
        self = cls(*day, *time, moment.tzinfo, fold=moment.fold)
        self._nanosecond = nanosecond
        return self

    @property
    def nanosecond(self) -> int:
        """Nanoseconds below the microsecond, from 0 to 999."""
        return self._nanosecond

    def __eq__(self, other: object) -> bool:
        return _key(self) == _key(other)

    def __ne__(self, other: object) -> bool:
        # datetime has one of its own, which would not ask __eq__.
        return _key(self) != _key(other)

    def __lt__(self, other: object) -> bool:
        return _key(self) < _key(other)

    def __le__(self, other: object) -> bool:
        return _key(self) <= _key(other)

    def __gt__(self, other: object) -> bool:
        return _key(self) > _key(other)

    def __ge__(self, other: object) -> bool:
        return _key(self) >= _key(other)

    def __hash__(self) -> int:
        # Without nanoseconds it equals a plain datetime, so it must hash like one.
        return hash(_key(self)) if self._nanosecond else hash(_plain(self))

    def __add__(self, other: timedelta) -> NanosecondDatetime:
        return self.of(_plain(self) + other, self._nanosecond)

    __radd__ = __add__

    @overload  # type: ignore[override]  # typeshed says Self, whose methods C code does not call
    def __sub__(self, other: datetime) -> timedelta: ...
    @overload
    def __sub__(self, other: timedelta) -> NanosecondDatetime: ...
    def __sub__(self, other: datetime | timedelta) -> timedelta | NanosecondDatetime:
        if isinstance(other, datetime):
            return _plain(self) - other
        return self.of(_plain(self) - other, self._nanosecond)

    def replace(self, *args: Any, **fields: Any) -> NanosecondDatetime:
        """As of ``datetime``; giving ``microsecond`` sets the nanoseconds to 0."""
        whole_fraction = "microsecond" in fields or len(args) > 6
        replaced = _plain(self).replace(*args, **fields)
        return self.of(replaced, 0 if whole_fraction else self._nanosecond)

    def astimezone(self, tz: tzinfo | None = None) -> NanosecondDatetime:
        """The same instant in another zone."""
        return self.of(_plain(self).astimezone(tz), self._nanosecond)

    def isoformat(self, sep: str = "T", timespec: str = "auto") -> str:
        """As of ``datetime``; ``auto`` writes nine digits where there are nanoseconds."""
        if timespec != "auto" or not self._nanosecond:
            return _plain(self).isoformat(sep, timespec)
        text = _plain(self).isoformat(sep, "microseconds")
        end = len("yyyy-mm-ddThh:mm:ss.ffffff")
        return f"{text[:end]}{self._nanosecond:03d}{text[end:]}"

    def __repr__(self) -> str:
        return f"NanosecondDatetime.of({_plain(self)!r}, {self._nanosecond})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return (NanosecondDatetime.of, _key(self))


def _plain(moment: datetime) -> datetime:
    return datetime.combine(moment.date(), moment.timetz())


def _key(moment: object) -> tuple[Any, int]:
    # What is no datetime stays as it is: datetime's own rules then decide, from inside the tuple.
    if isinstance(moment, NanosecondDatetime):
        return (_plain(moment), moment.nanosecond)
    return (moment, 0)


def require_aware(field: str, moment: object) -> datetime:
    """``moment`` if it is a point in time that can be carried; an error that names ``field`` if not.

    A time without a zone means something else on every machine, so it is refused, not guessed.

    Raises:
        InvalidType: it is no ``datetime``.
        InvalidTimestamp: it has no time zone, or lies outside the years 1 to 9999 in UTC.
    """
    if not isinstance(moment, datetime):
        raise InvalidType(field, "a datetime", moment)
    if moment.utcoffset() is None:
        raise InvalidTimestamp(field, "has no time zone", _NAIVE_HINT)
    if moment.year in (1, 9999) and not MIN_SECONDS <= _seconds(moment) <= MAX_SECONDS:
        raise InvalidTimestamp(field, f"{moment.isoformat()} in UTC {_OUTSIDE}")
    return moment


def _seconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(seconds=1)


def to_parts(moment: datetime, field: str = "time") -> tuple[int, int]:
    """Whole seconds since 1970 (floored, so negative before it) and nanoseconds from 0 to 999,999,999.

    Raises:
        InvalidType: ``moment`` is no ``datetime``.
        InvalidTimestamp: it has no time zone, or lies outside the years 1 to 9999 in UTC.

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
        InvalidType: one of them is no whole number.
        InvalidTimestamp: the time lies outside the years 1 to 9999, or ``nanoseconds`` is not
            from 0 to 999,999,999.
    """
    for part in (seconds, nanoseconds):
        if not isinstance(part, int):
            raise InvalidType(field, "whole seconds and nanoseconds", part)
    if not 0 <= nanoseconds <= 999_999_999:
        raise InvalidTimestamp(field, f"nanoseconds must be under a second, got {nanoseconds}")
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise InvalidTimestamp(field, f"{seconds} seconds since 1970 {_OUTSIDE}")
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
    whole = _EPOCH_WITHOUT_ZONE + timedelta(seconds=seconds)
    digits = f"{nanos:09d}" if nanos % 1000 else f"{nanos // 1000:06d}"
    return f"{whole.isoformat()}.{digits}Z"


_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})0*)?"
    r"([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


def parse_rfc3339(text: str, field: str = "time") -> datetime:
    """The time that an RFC 3339 text stands for, in UTC.

    Raises:
        InvalidType: ``text`` is no ``str``.
        InvalidTimestamp: the text is no RFC 3339 time with a zone, is finer than nanoseconds, or
            names a leap second, which ``datetime`` cannot hold.

    >>> parse_rfc3339("2024-02-03T04:05:06.789Z")
    datetime.datetime(2024, 2, 3, 4, 5, 6, 789000, tzinfo=datetime.timezone.utc)
    """
    if not isinstance(text, str):
        raise InvalidType(field, "RFC 3339 text", text)
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise InvalidTimestamp(
            field,
            f"{text[:80]!r} is no RFC 3339 time with a zone, to the nanosecond at most",
            "write it like 2024-02-03T04:05:06.789Z",
        )
    *parts, fraction, zone = match.groups()
    year, month, day, hour, minute, second = (int(part) for part in parts)
    if second == 60:
        raise InvalidTimestamp(field, f"{text!r} is a leap second, which cannot be kept")
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise InvalidTimestamp(field, f"{text!r}: {error}") from error
    offset = 0
    if zone not in "Zz":
        offset = int(zone[0] + "1") * (int(zone[1:3]) * 3600 + int(zone[4:]) * 60)
    return from_parts(_seconds(local) - offset, int((fraction or "").ljust(9, "0")), field)
