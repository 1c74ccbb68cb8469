"""What can be read of every mock: the reference database's answers, canned views before its own."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import ParamSpec, TypeVar, overload

from evidentsource_core import (
    Event,
    EventSelector,
    InvalidType,
    QueryDirection,
    QueryOptions,
    QueryRange,
    StateView,
    StateViewName,
)
from evidentsource_core.domain.checks import check_view
from evidentsource_core.domain.definitions import ViewParameters, view_parameters
from evidentsource_core.reference import (
    DatabaseSnapshot,
    SpeculativeSnapshot,
)
from evidentsource_functions.testing._canned import CannedViews

P = ParamSpec("P")
R = TypeVar("R")


class MockReader(ABC):
    """Reads a snapshot of the reference database, and canned views."""

    @abstractmethod
    def snapshot(self) -> DatabaseSnapshot | SpeculativeSnapshot:
        """The snapshot that is read."""

    @property
    @abstractmethod
    def canned_views(self) -> CannedViews:
        """The views whose content was inserted."""

    @property
    def name(self) -> str:
        """The name of the database."""
        return self.snapshot().name

    @property
    def created_at(self) -> datetime:
        """When the database was created."""
        return self.snapshot().created_at

    @property
    def revision(self) -> int:
        """The revision that is read."""
        return self.snapshot().revision

    @property
    def revision_timestamp(self) -> datetime:
        """When that revision was recorded."""
        return self.snapshot().revision_timestamp

    @property
    def effective_timestamp(self) -> datetime | None:
        """The effective time that is read; None for all of it."""
        return self.snapshot().effective_timestamp

    def query_events(
        self,
        selector: EventSelector,
        options: QueryOptions | None = None,
        *,
        range: QueryRange | None = None,  # noqa: A002 - the contract's word
        direction: QueryDirection | None = None,
        limit: int | None = None,
    ) -> list[Event]:
        """The selected events, exactly as a database gives them."""
        return self.snapshot().query_events(
            selector, options, range=range, direction=direction, limit=limit
        )

    def query_events_with_options(
        self, selector: EventSelector, options: QueryOptions
    ) -> list[Event]:
        """The same as ``query_events(selector, options)``."""
        return self.query_events(selector, options)

    @overload
    def view_state(
        self, name: str | StateViewName, version: int, params: ViewParameters | None = None
    ) -> StateView | None: ...
    @overload
    def view_state(
        self, name: str | StateViewName, version: int, *, parameters: ViewParameters | None
    ) -> StateView | None: ...
    def view_state(
        self,
        name: str | StateViewName,
        version: int,
        params: ViewParameters | None = None,
        *,
        parameters: ViewParameters | None = None,
    ) -> StateView | None:
        """A state view; None where there is none, or no event modified it.

        An inserted content comes first, then a published view.

        Args:
            name: the view's name.
            version: its version.
            params: its parameters, as a mapping or as pairs.
            parameters: the same, under the name it has in a ``decide``.
        """
        if params is not None and parameters is not None:
            raise InvalidType("params", "None where parameters are given", params)
        view, number = check_view(name, version)
        bound = view_parameters(params if parameters is None else parameters)
        canned = self.canned_views.find(view, number, bound)
        return self.snapshot().view_state(view, number, bound) if canned is None else canned

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} at revision {self.revision}>"


def also_named(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a method's argument be given under a second name too.

    The mocks were published with other names of arguments than the database of a ``decide`` has;
    code under test uses the latter.

    >>> @also_named(ts="timestamp")
    ... def at(ts: int) -> int:
    ...     return ts
    >>> (at(1), at(ts=2), at(timestamp=3))
    (1, 2, 3)
    """

    def decorate(method: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(method)
        def renamed(*args: P.args, **kwargs: P.kwargs) -> R:
            for own, second in names.items():
                if second in kwargs and own not in kwargs:
                    kwargs[own] = kwargs.pop(second)
            return method(*args, **kwargs)

        return renamed

    return decorate
