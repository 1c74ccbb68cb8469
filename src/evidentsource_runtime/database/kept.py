"""States of views that were folded before, so that a fold can go on from one.

They are kept in memory, and written behind into the file: after a while and at the end. Nothing is
lost with them, since any can be folded anew.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

import apsw

from evidentsource_core.times import from_parts, to_parts
from evidentsource_runtime.store import SqliteStore, StoreError
from evidentsource_runtime.store.rows import microseconds, moment

__all__ = ["Kept", "KeptStates", "Slot"]

MOST_OF_ONE: Final = 16
"""States that are kept of one binding: the last, and others for earlier revisions and times."""
MOST_BYTES: Final = 64 * 1024 * 1024
"""Bytes of states that are kept in memory."""
WORTH_WRITING: Final = 256
"""Events that were folded since a state was last written, from which on it is written."""
EVERY: Final = 1.0
"""Seconds from a new state to when it is written."""
_OVERHEAD: Final = 400

_log = logging.getLogger("evidentsource.database")

Slot: TypeAlias = tuple[int, str]
"""Which view, by its number in the file, and the text of its binding."""

_INSERT: Final = (
    "INSERT INTO database_kept (program, binding, upto_seconds, upto_nanoseconds, through, count, "
    "modified, modified_us, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_SELECT: Final = (
    "SELECT upto_seconds, upto_nanoseconds, through, count, modified, modified_us, content "
    "FROM database_kept WHERE program = ? AND binding = ?"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A view after some of its events.

    Args:
        upto: the effective time up to which events are in it; None for no bound.
        through: the revision up to which events were looked at.
        count: how many events are in it.
        modified: the highest revision among them.
        modified_at: when that was recorded.
        content: the content.
    """

    upto: datetime | None
    through: int
    count: int
    modified: int
    modified_at: datetime
    content: bytes | None

    @property
    def size(self) -> int:
        """Bytes in memory, roughly."""
        return len(self.content or b"") + _OVERHEAD


@dataclass(slots=True)
class _Binding:
    """The states of one binding, and how many events the last one had that was written."""

    states: list[Kept] = field(default_factory=list)
    written: int = 0
    changed: bool = False

    @property
    def size(self) -> int:
        return sum(state.size for state in self.states)

    def add(self, state: Kept) -> None:
        """Take one more; of too many, the one goes whose neighbours are closest."""
        same = (state.upto, state.modified)
        self.states = [each for each in self.states if (each.upto, each.modified) != same]
        self.states.append(state)
        self.states.sort(key=lambda each: each.count)
        if len(self.states) > MOST_OF_ONE:
            counts = [each.count for each in self.states]
            gaps = [counts[i + 1] - counts[i - 1] for i in range(1, len(counts) - 1)]
            del self.states[1 + gaps.index(min(gaps))]


class KeptStates:
    """All of them.

    Args:
        store: the file; one that is only read keeps nothing in it.
    """

    def __init__(self, store: SqliteStore, *, writes: bool) -> None:
        self._store = store
        self._writes = writes
        self._bindings: OrderedDict[Slot, _Binding] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._wanted = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    # --- reading -------------------------------------------------------------------------------

    def of(self, slot: Slot) -> list[Kept]:
        """The states of a binding, those of the most events first."""
        with self._lock:
            known = self._bindings.get(slot)
            if known is not None:
                self._bindings.move_to_end(slot)
                return known.states[::-1]
        read = self._read(slot)
        with self._lock:
            known = self._bindings.setdefault(slot, read)
            if known is read:
                self._size += read.size
            return known.states[::-1]

    def _read(self, slot: Slot) -> _Binding:
        try:
            with self._store.read() as db:
                rows = db.execute(_SELECT, slot).fetchall()
        except StoreError as error:
            _log.warning("kept states cannot be read, the view is folded anew: %s", error)
            return _Binding()
        states = sorted(map(_from_row, rows), key=lambda each: each.count)
        return _Binding(states, states[-1].count if states else 0)

    def bindings(self, program: int) -> set[str]:
        """Every binding of which something is kept."""
        with self._store.read() as db:
            sql = "SELECT DISTINCT binding FROM database_kept WHERE program = ?"
            found: set[Any] = {row[0] for row in db.execute(sql, (program,)).fetchall()}
        with self._lock:
            return found | {slot[1] for slot in self._bindings if slot[0] == program}

    # --- keeping -------------------------------------------------------------------------------

    def put(self, slot: Slot, states: Iterable[Kept]) -> None:
        """Keep these states of a binding as well."""
        with self._lock:
            binding = self._bindings.setdefault(slot, _Binding())
            self._size -= binding.size
            for state in states:
                binding.add(state)
                binding.changed = True
            self._size += binding.size
            self._bindings.move_to_end(slot)
            worth = abs(binding.states[-1].count - binding.written) >= WORTH_WRITING
            full = self._size > MOST_BYTES
            if full:
                self._forget_unchanged()
        if self._writes and (worth or full):
            self._ask()

    def seen(self, slot: Slot, state: Kept) -> None:
        """The same state was looked at again at a later revision, and nothing had come after it."""
        with self._lock:
            binding = self._bindings.get(slot)
            if binding is not None:
                same = (state.upto, state.modified)
                binding.states = [
                    state if (each.upto, each.modified) == same else each for each in binding.states
                ]

    def _forget_unchanged(self) -> None:
        for slot in list(self._bindings):
            if self._size <= MOST_BYTES // 2:
                return
            binding = self._bindings[slot]
            if not binding.changed or not self._writes:
                self._size -= binding.size
                del self._bindings[slot]

    def drop(self, programs: Iterable[int] | None = None) -> None:
        """Forget everything that was kept; of these views, or of all for None."""
        wanted = None if programs is None else set(programs)
        with self._writing:
            with self._lock:
                for slot in [s for s in self._bindings if wanted is None or s[0] in wanted]:
                    self._size -= self._bindings.pop(slot).size
            if not self._writes:
                return

            def delete(db: apsw.Connection) -> None:
                if wanted is None:
                    db.execute("DELETE FROM database_kept")
                for program in wanted or ():
                    db.execute("DELETE FROM database_kept WHERE program = ?", (program,))

            self._store.write(delete)

    # --- writing behind ------------------------------------------------------------------------

    def flush(self) -> None:
        """Write what has changed."""
        if not self._writes:
            return
        with self._writing:
            with self._lock:
                changed = [
                    (slot, list(binding.states), binding)
                    for slot, binding in self._bindings.items()
                    if binding.changed
                ]
                for _, _, binding in changed:
                    binding.changed = False
            if not changed:
                return
            rows = [_to_row(slot, state) for slot, states, _ in changed for state in states]

            def write(db: apsw.Connection) -> None:
                delete = "DELETE FROM database_kept WHERE program = ? AND binding = ?"
                db.executemany(delete, [slot for slot, _, _ in changed])
                db.executemany(_INSERT, rows)

            try:
                self._store.write(write)
            except StoreError:
                for _, _, binding in changed:
                    binding.changed = True
                raise
            with self._lock:
                for _, states, binding in changed:
                    binding.written = states[-1].count

    def _ask(self) -> None:
        self._wanted.set()
        with self._lock:
            if self._thread is None and not self._ended.is_set():
                self._thread = threading.Thread(
                    target=self._serve, name="evidentsource-keeper", daemon=True
                )
                self._thread.start()

    def _serve(self) -> None:
        while True:
            self._wanted.wait()
            if self._ended.wait(EVERY):
                return
            self._wanted.clear()
            try:
                self.flush()
            except StoreError as error:
                _log.warning("states of views were not kept: %s", error)

    def close(self) -> None:
        """Write what has changed, and end."""
        self._ended.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()
        try:
            self.flush()
        except StoreError as error:
            _log.warning("states of views were not kept: %s", error)


def _to_row(slot: Slot, state: Kept) -> tuple[Any, ...]:
    upto = (None, None) if state.upto is None else to_parts(state.upto)
    modified_us = microseconds(state.modified_at)[0]
    facts = (state.through, state.count, state.modified, modified_us)
    return (*slot, *upto, *facts, state.content)


def _from_row(row: Any) -> Kept:
    seconds, nanoseconds, through, count, modified, modified_us, content = row
    upto = None if seconds is None else from_parts(seconds, nanoseconds)
    return Kept(upto, through, count, modified, moment(modified_us), content)
