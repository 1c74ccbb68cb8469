"""Which ids events and transactions have: what the writer knows of it, and what it asks of the index."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import apsw

from evidentsource_runtime.store.entries import (
    EVENT_KEY,
    FRESH,
    LEVELS,
    TABLES,
    TRANSACTION_KEY,
    arms,
)
from evidentsource_runtime.store.fetching import fetch, fetch_one
from evidentsource_runtime.store.filters import KeyFilter

if TYPE_CHECKING:
    from evidentsource_runtime.store.preparing import Prepared

_ASKED_FIRST: Final = 4_096
"""Keys that the index is asked for before a filter is begun: for few it would not be worth its while."""
_READ_FOR_EACH: Final = 16
"""Entries that are read for each key that the index is asked for, until the filter has all keys."""
_MOST_READ: Final = 1 << 16
"""Entries that are read at once at most."""
_STEP: Final = 64
"""Keys that it is asked for until some are read: to find where each level goes on takes as long as many."""
_YOUNG: Final = 512
"""Keys that wait at least to be let into filters."""
_ALL: Final = 1 << 40
"""Keys that there can be."""


class Taken:
    """The keys of events and transactions (:mod:`keys`): is there one already?

    A filter in memory has all of them, so that the index is asked of few. An index that is unique would
    have to be looked through, and changed, for each event. A writer that finds events in its file, or
    whose filter has become too small, lets a new one read the keys in the index, some at each commit.

    Args:
        db: the writer's connection.
    """

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._filter: KeyFilter | None = None
        self._next: KeyFilter | None = None
        """Has all keys below a certain one, and all of those events that are newer than it is."""
        self._upto = 0
        """That certain one."""
        self._growing: list[KeyFilter] = []
        self._asked = 0
        self._found: set[int] = set()
        self._young: set[int] = set()
        """Those that came last: they go into filters many at once."""
        if not fetch_one(db, "SELECT sum(entries) FROM level")[0]:
            self._complete(self._begun())

    def begin(self, group: Sequence[Prepared]) -> None:
        """Ask at once which of a group's keys an event has."""
        self._found.clear()
        if len(self._young) > _YOUNG:
            self._let_grow()
        wanted = group[0].keys if len(group) == 1 else [key for each in group for key in each.keys]
        if self._filter is not None:
            wanted = self._filter.among(wanted)
        if wanted:
            self._found.update(key for (key,) in fetch(self._db, _FOUND, (json.dumps(wanted),)))
            if self._filter is None or not self._filter.has_room:
                self._renew(len(wanted))

    def may_be_of_transaction(self, key: int) -> bool:
        """Whether a transaction may have this key, of those before the group."""
        return self._filter is None or key in self._young or bool(self._filter.among((key,)))

    def may_have(self, keys: Sequence[int]) -> bool:
        """Whether an event has one of these keys of the group: mostly one of those ids, seldom another."""
        return not (self._young.isdisjoint(keys) and self._found.isdisjoint(keys))

    def add(self, keys: Sequence[int], transaction: int) -> None:
        """Events of these keys are about to be written, in a transaction of that one.

        Before they are: what is not written after all only lets the index be asked in vain.
        """
        young = self._young
        young.update(keys)
        young.add(transaction)

    def _let_grow(self) -> None:
        young = list(self._young)
        for each in self._growing:
            each.add(young)
        self._young.clear()

    # --- a new filter --------------------------------------------------------------------------

    def _renew(self, asked: int) -> None:
        """The index was asked for so many keys: be a step nearer to a filter that saves that."""
        self._asked += asked
        if self._next is not None and self._asked >= _STEP:
            self._read_on(self._next, min(self._asked * _READ_FOR_EACH, _MOST_READ))
            self._asked = 0
        elif self._next is None and self._asked >= _ASKED_FIRST:
            made = self._begun()
            # First of all: a thread that is interrupted in between leaves one that grows in vain.
            self._growing.append(made)
            self._next, self._upto, self._asked = made, 0, 0

    def _begun(self) -> KeyFilter:
        made = KeyFilter(fetch_one(self._db, "SELECT coalesce(max(revision), 0) FROM event")[0])
        made.add([key for (key,) in fetch(self._db, _FRESH_KEYS)])
        return made

    def _read_on(self, made: KeyFilter, count: int) -> None:
        """Let it have the keys of about so many entries more."""
        entries = fetch_one(self._db, "SELECT sum(entries) FROM level")[0]
        upto = min(_ALL, self._upto + count * _ALL // max(1, entries))
        made.add([key for (key,) in fetch(self._db, _KEYS_WITHIN, (self._upto, upto))])
        self._upto = upto
        if upto == _ALL:
            self._complete(made)

    def _complete(self, made: KeyFilter) -> None:
        self._filter = made
        self._growing = [made]
        self._next = None


_FOUND: Final = " UNION ALL ".join(
    f"SELECT k.value FROM json_each(?1) AS k CROSS JOIN {arm.tables} "
    f"WHERE {arm.where} AND {arm.value} = k.value"
    for arm in arms(EVENT_KEY)[:-1]
) + (
    # What has no entries is looked through once, not once for each.
    " UNION ALL SELECT p.key FROM event AS p NOT INDEXED "
    f"WHERE p.revision > {FRESH} AND p.key IN (SELECT value FROM json_each(?1))"
)
_FRESH_KEYS: Final = " UNION ALL ".join(
    f"SELECT {key} FROM event WHERE revision > {FRESH} AND {key} IS NOT NULL"
    for key in ("key", "tx_key")
)
_KEYS_WITHIN: Final = " UNION ALL ".join(
    f"SELECT value FROM {TABLES[level]} WHERE kind = {kind} AND value >= ?1 AND value < ?2"
    for level in LEVELS
    for kind in (EVENT_KEY, TRANSACTION_KEY)
)
