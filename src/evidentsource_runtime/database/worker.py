"""Eager views: after each commit, the bindings that its events belong to are folded."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_core.domain.events import Event
from evidentsource_core.rules import TransactionResult
from evidentsource_runtime.database.bindings import Binding, binding_of
from evidentsource_runtime.database.catalog import PublishedView
from evidentsource_runtime.database.definitions import binding_text
from evidentsource_runtime.database.errors import StateViewFailed
from evidentsource_runtime.database.following import Follower
from evidentsource_runtime.database.views import Point, Views
from evidentsource_runtime.store import EventStore, StoreError

__all__ = ["EagerWorker"]

_log = logging.getLogger("evidentsource.database")


class EagerWorker:
    """A thread that follows the database and folds the views it was given.

    A view that fails is told of once for each event it fails on, and keeps no other from being
    folded. What is missed while the database is closed is folded when it is read.

    Args:
        store: has the events.
        views: folds views.
        names: of the views that it folds; True for all, False for none, and then there is no thread.
    """

    def __init__(self, store: EventStore, views: Views, names: bool | Iterable[str]) -> None:
        self._store = store
        self._views = views
        self._names = names if isinstance(names, bool) else frozenset(names)
        self._eager: dict[int, PublishedView] = {}
        self._told: dict[tuple[int, str], object] = {}
        self._idle = threading.Condition()
        self._through = store.head().revision
        self._follower: Follower | None = None
        if self._names:
            self._follower = Follower(store, self._through)
            self._thread = threading.Thread(
                target=self._serve, args=(self._follower,), name="evidentsource-eager", daemon=True
            )
            self._thread.start()

    def add(self, view: PublishedView) -> None:
        """Fold this view as well from now on, if it is one of those."""
        names = self._names
        if names is True or (names and str(view.definition.name) in names):
            self._eager = {**self._eager, view.id: view}

    def wait(self, revision: int, timeout: float | None = None) -> bool:
        """Wait until everything up to a revision is folded; whether it is."""
        if self._follower is None:
            return True
        with self._idle:
            return self._idle.wait_for(lambda: self._through >= revision, timeout)

    def _serve(self, follower: Follower) -> None:
        for transaction in follower:
            try:
                self._fold(transaction)
            except StoreError as error:
                _log.warning("views were not folded ahead: %s", error)
            with self._idle:
                self._through = transaction.revision
                self._idle.notify_all()

    def _fold(self, transaction: TransactionResult) -> None:
        point = Point(self._store.head())
        for view in self._eager.values():
            for binding in _touched(view, transaction.events):
                self._read(view, binding, point)

    def _read(self, view: PublishedView, binding: Binding, point: Point) -> None:
        key = (view.id, binding_text(binding))
        try:
            self._views.read(view, binding, point)
        except StoreError:
            raise
        except EvidentSourceError as error:
            what = error.revision if isinstance(error, StateViewFailed) else str(error)
            if self._told.get(key) != what:
                self._told[key] = what
                _log.warning("a view was not folded ahead: %s", error)

    def close(self) -> None:
        """End, after what is being folded."""
        if self._follower is not None:
            self._follower.close()
            self._thread.join()


def _touched(view: PublishedView, events: tuple[Event, ...]) -> list[Binding]:
    template = view.definition.selector
    found = [binding_of(template, event) for event in events]
    return list({binding_text(each): each for each in found if each is not None}.values())
