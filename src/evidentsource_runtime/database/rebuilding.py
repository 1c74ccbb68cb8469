"""Folding every binding of a view, many in one call, with progress; it can go on where it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

import apsw

from evidentsource_core.domain.attributes import EventAttribute
from evidentsource_runtime.database.bindings import Binding, all_bindings
from evidentsource_runtime.database.catalog import PublishedView
from evidentsource_runtime.database.definitions import binding_parameters, binding_text
from evidentsource_runtime.database.errors import StateViewFailed
from evidentsource_runtime.database.folding import Asked, Run, Step, steps, usable_start
from evidentsource_runtime.database.kept import KeptStates, Slot
from evidentsource_runtime.database.programs import ViewProgram
from evidentsource_runtime.database.views import bound
from evidentsource_runtime.host import Fold
from evidentsource_runtime.store import Head, SqliteStore

__all__ = ["Rebuild", "RebuildProgress", "RebuildReport"]

CHUNK: Final = 500
"""Bindings that are folded and kept together."""

Parameters: TypeAlias = Sequence[tuple[str, EventAttribute]]


@dataclass(frozen=True, slots=True)
class RebuildProgress:
    """How far a rebuild has come.

    Args:
        view: the view, such as "account-summary.v1".
        done: bindings that are folded, those found up to date included.
        bindings: bindings that there are.
        events: events that were folded.
        failed: bindings whose fold failed.
        seconds: since it began.
    """

    view: str
    done: int
    bindings: int
    events: int
    failed: int
    seconds: float

    @property
    def events_per_second(self) -> float:
        """The speed so far."""
        return self.events / self.seconds if self.seconds else 0.0

    def __str__(self) -> str:
        return (
            f"{self.view}: {self.done:,} of {self.bindings:,} bindings, {self.events:,} events, "
            f"{self.events_per_second:,.0f} events/s"
            + (f", {self.failed:,} failed" if self.failed else "")
        )


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What a rebuild came to.

    Args:
        progress: at the end.
        failures: the error of each binding that failed, by its parameters as text.
    """

    progress: RebuildProgress
    failures: dict[str, StateViewFailed] = field(default_factory=dict)


Told: TypeAlias = Callable[[RebuildProgress], None]


class Rebuild:
    """One rebuild of one view.

    Args:
        store: the file.
        program: the view's code.
        view: which version.
        kept: has what was folded.
        head: the revision that it leads to.
        told: told of the progress after each chunk.
    """

    def __init__(
        self,
        store: SqliteStore,
        program: ViewProgram,
        view: PublishedView,
        kept: KeptStates,
        head: Head,
        told: Told | None,
    ) -> None:
        self._store = store
        self._program = program
        self._view = view
        self._kept = kept
        self._head = head
        self._told = told
        self._began = time.monotonic()
        self._events = self._done = self._bindings = 0
        self._failures: dict[str, StateViewFailed] = {}

    def run(self, *, afresh: bool) -> RebuildReport:
        """Fold every binding.

        Args:
            afresh: whether what is kept is dropped first, unless that was begun before and not
                finished: then it goes on.
        """
        if afresh and not self._is_begun():
            self._kept.drop([self._view.id])
            self._mark()
        bindings = self._all()
        self._bindings = len(bindings)
        for start in range(0, len(bindings), CHUNK):
            try:
                self._fold(bindings[start : start + CHUNK])
            finally:
                self._kept.flush()
            self._tell()
        if afresh:
            self._unmark()
        if not bindings:
            self._tell()
        return RebuildReport(self._progress(), self._failures)

    def _all(self) -> list[Binding]:
        template = self._view.definition.selector
        found = {
            binding_text(b): b for b in all_bindings(self._store, template, self._head.revision)
        }
        for text in self._kept.bindings(self._view.id) - found.keys():
            found[text] = binding_parameters(text)
        return [found[text] for text in sorted(found)]

    # --- the note that one was begun -----------------------------------------------------------

    def _is_begun(self) -> bool:
        with self._store.read() as db:
            sql = "SELECT 1 FROM database_rebuild WHERE program = ?"
            return bool(db.execute(sql, (self._view.id,)).fetchall())

    def _mark(self) -> None:
        values = (self._view.id, time.time_ns() // 1000)

        def write(db: apsw.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO database_rebuild VALUES (?, ?)", values)

        self._store.write(write)

    def _unmark(self) -> None:
        def write(db: apsw.Connection) -> None:
            db.execute("DELETE FROM database_rebuild WHERE program = ?", (self._view.id,))

        self._store.write(write)

    # --- folding -------------------------------------------------------------------------------

    def _fold(self, bindings: Sequence[Binding]) -> None:
        """Those of one batch in few calls, the others each by itself."""
        small: list[tuple[Slot, Run, Step]] = []
        for binding in bindings:
            slot = (self._view.id, binding_text(binding))
            run, step, alone = self._begun(slot, binding)
            if step is None:
                self._pass_by(run)
            elif alone:
                small.append((slot, run, step))
            else:
                self._finish(slot, run)
        self._fold_small(small)

    def _begun(self, slot: Slot, binding: Parameters) -> tuple[Run, Step | None, bool]:
        """The fold of a binding, its first batch, and whether that is the only one."""
        selector = bound(self._view, binding)
        asked = Asked(self._view, selector, self._head, None, self._store.name)
        start = usable_start(self._store, asked, self._kept.of(slot))
        found = steps(self._store, asked, start)
        step = next(found, None)
        run = Run(self._store, self._program, asked, start)
        return run, step, step is not None and next(found, None) is None

    def _pass_by(self, run: Run) -> None:
        """There is nothing to fold: it is up to date, or no binding after all."""
        if run.state.count:
            self._done += 1
        else:
            self._bindings -= 1

    def _finish(self, slot: Slot, run: Run) -> None:
        before = run.state.count
        try:
            run.finish()
        except StateViewFailed as error:
            self._failures[slot[1]] = error
        finally:
            if run.reached:
                self._kept.put(slot, run.reached)
        self._events += run.state.count - before
        self._done += 1

    def _fold_small(self, small: list[tuple[Slot, Run, Step]]) -> None:
        if not small:
            return
        context = small[0][1].asked.context
        folded = self._program.fold_many(context, self._folds(small))
        for (slot, run, step), result in zip(small, folded, strict=True):
            if result.error is not None:
                # By itself it says which event it was, and keeps what came before.
                self._finish(slot, run)
                continue
            run.advance(result.content, step)
            state = replace(run.state, through=max(run.state.through, self._head.revision))
            self._kept.put(slot, [state])
            self._events += len(step.events)
            self._done += 1

    def _folds(self, small: list[tuple[Slot, Run, Step]]) -> Iterator[Fold]:
        for _, run, step in small:
            state = run.state
            events = step.events if self._program.reads_text else step.events.decoded()
            yield Fold(state.content, events, state.modified, state.modified_at)

    # --- telling -------------------------------------------------------------------------------

    def _progress(self) -> RebuildProgress:
        seconds = time.monotonic() - self._began
        failed = len(self._failures)
        return RebuildProgress(
            str(self._view), self._done, self._bindings, self._events, failed, seconds
        )

    def _tell(self) -> None:
        if self._told is not None:
            self._told(self._progress())
