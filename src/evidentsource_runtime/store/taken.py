"""Which ids events have: what the writer remembers of it, and what it asks of the index."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import apsw

from evidentsource_runtime.store.entries import EVENT_KEY, arms
from evidentsource_runtime.store.fetching import fetch, fetch_one

if TYPE_CHECKING:
    from evidentsource_runtime.store.preparing import Prepared

REMEMBERED: Final = 32_768
"""Last events whose keys are remembered at least, once there are as many; twice that at most."""


class Taken:
    """The keys of events (:mod:`keys`), of which the writer needs to know whether there is one already.

    Those of the last events are remembered, and so of a store that has no more than these nothing is
    asked. An index that is unique would have to be looked through, and changed, for each event.

    Args:
        db: the writer's connection.
    """

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        last = fetch_one(db, "SELECT coalesce(max(revision), 0) FROM event")[0]
        self._since = self._turned = max(0, last - REMEMBERED)
        found = fetch(db, "SELECT key FROM event WHERE revision > ?", (self._since,))
        self._young = {key for (key,) in found}
        self._old: set[int] = set()
        self._found: set[int] = set()
        self._added: list[int] = []

    def begin(self, group: Iterable[Prepared]) -> None:
        """Ask at once which of a group's keys an event has that is not remembered."""
        if self._since:
            self._found.clear()
            wanted = [key for each in group for key in each.keys]
            sql, values = (
                (_FOUND_ONE, wanted) if len(wanted) == 1 else (_FOUND, [json.dumps(wanted)])
            )
            self._found.update(value for (value,) in fetch(self._db, sql, values))

    def may_have(self, keys: Sequence[int]) -> bool:
        """Whether an event has one of the keys: mostly one of those ids, seldom another."""
        if not self._young.isdisjoint(keys):
            return True
        if not self._turned:
            return False
        return not (self._old.isdisjoint(keys) and self._found.isdisjoint(keys))

    def add(self, keys: Sequence[int], known: bool) -> None:
        """Events of these keys are written; ``known`` is what :meth:`may_have` said of them."""
        if known:
            keys = [key for key in keys if not self.may_have((key,))]
        self._young.update(keys)
        self._added += keys

    def undo(self) -> None:
        """What was added since the last commit is not written after all."""
        self._young.difference_update(self._added)
        self._added.clear()

    def commit(self, revision: int) -> None:
        """What was added is committed, up to this revision."""
        self._added.clear()
        if len(self._young) >= REMEMBERED:
            self._since, self._turned = self._turned, revision
            self._old, self._young = self._young, set()


# What has no entry yet is remembered.
_LOOKED_UP: Final = [
    f"FROM {{keys}}{arm.tables} WHERE {arm.where} AND {arm.value} = {{key}}"
    for arm in arms(EVENT_KEY)[:-1]
]
_FOUND: Final = " UNION ALL ".join(
    "SELECT k.value " + each.format(keys="json_each(?1) AS k CROSS JOIN ", key="k.value")
    for each in _LOOKED_UP
)
_FOUND_ONE: Final = " UNION ALL ".join(
    "SELECT p.value " + each.format(keys="", key="?1") for each in _LOOKED_UP
)
