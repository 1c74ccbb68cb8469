"""What a conversion room is to the rest of the host.

A codec stands between the domain and a component's memory, in both directions: it makes the two
calls, and it gives the component the functions it imports. Nothing outside this package knows which
values it uses on the way, so another codec can take the place of :class:`.stock.StockCodec`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from wasmtime import Store
from wasmtime.component import Func, Linker

from evidentsource_core.domain.events import Event
from evidentsource_core.domain.state_change import Command, StateChangeMetadata
from evidentsource_core.domain.state_view import RenderedStateView
from evidentsource_functions.errors import StateChangeError
from evidentsource_runtime.host.convert.lift import Decision

HostFunction: TypeAlias = Callable[..., Any]
"""A function on a database: it takes the database and domain values, and gives one."""

Content: TypeAlias = tuple[str | None, bytes | None]
"""A content on the lane: as text or as bytes, or neither where there is none."""
Answer: TypeAlias = tuple[str | None, bytes | None, str | None]
"""What the lane answers for one content: the next one, or a failure in words."""


class Codec(ABC):
    """Converts for one component. Everything is called within :func:`..calls.running`."""

    @abstractmethod
    def link(self, linker: Linker, functions: Mapping[str, HostFunction]) -> None:
        """Define what the component imports of the contract.

        Args:
            linker: where to define it.
            functions: by ``resource.function``, as in :data:`.contract.METHODS`.
        """

    @abstractmethod
    def evolve(
        self,
        store: Store,
        func: Func,
        view: RenderedStateView,
        events: Sequence[Event],
        offset: int,
    ) -> bytes | None:
        """Call ``evolve``; ``offset`` is the index of the first event in what the caller gave."""

    @abstractmethod
    def explain(
        self,
        store: Store,
        func: Func,
        view: RenderedStateView,
        events: Sequence[Event],
        offset: int,
    ) -> str | None:
        """Call ``explain-evolve``: the traceback of the same call of ``evolve``, where it fails."""

    @abstractmethod
    def fold(
        self,
        store: Store,
        func: Func,
        header: str,
        contents: Sequence[Content],
        batches: Sequence[str],
    ) -> list[Answer]:
        """Call the lane (:mod:`evidentsource_functions.lane`) with what :mod:`.lane` has made."""

    @abstractmethod
    def decide(
        self,
        store: Store,
        func: Func,
        database: Any,
        command: Command,
        metadata: StateChangeMetadata,
    ) -> Decision | StateChangeError:
        """Call ``decide``: what it decided, or its refusal."""
