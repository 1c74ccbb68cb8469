"""How a property is tried, and what it says when it fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from evidentsource_core import Event, EvidentSourceError, RenderedStateView, StateViewContext
from evidentsource_core.jsontext import loads
from evidentsource_core.reference import Evolve
from evidentsource_functions import create_state_view_handler
from evidentsource_functions.state_view import _codec as codec_of
from evidentsource_functions.testing import _words as words
from evidentsource_runtime.testing._hypothesis import HealthCheck, Phase, given, settings, st

T = TypeVar("T")

_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)


class PropertyFailed(AssertionError):
    """A property does not hold; the text is the shortest story found that shows it."""


def for_all(strategy: st.SearchStrategy[T], check: Callable[[T], None], examples: int) -> None:
    """Try a property with many values.

    Raises:
        PropertyFailed: the one that the smallest value leads to.
    """

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.nested_given],
        report_multiple_bugs=False,
        # Without the explanation, which traces every line again: the story says more.
        phases=[Phase.generate, Phase.shrink],
    )
    @given(strategy)
    def trial(value: T) -> None:
        check(value)

    try:
        trial()
    except PropertyFailed as failure:
        # Without hypothesis' notes, which say the same in the words of this file.
        raise PropertyFailed(str(failure)) from failure.__cause__


class Fold:
    """A state view's code, given batches as a host gives them."""

    def __init__(self, view: type[Any] | Evolve, content_type: str) -> None:
        self.name = getattr(view, "__name__", type(view).__name__)
        self._evolve = create_state_view_handler(view) if isinstance(view, type) else view
        self._codec = codec_of(view) if isinstance(view, type) else None
        self._content_type = content_type

    def __call__(
        self, batches: Sequence[list[Event]], content: bytes | None = None
    ) -> bytes | None:
        """The content after all of them, beginning with ``content``."""
        revision = 0
        last = [batch[-1].revision() or 0 for batch in batches if batch]
        context = self._context(max(last, default=0))
        for batch in batches:
            rendered = RenderedStateView(context, content, revision, _EPOCH)
            content = self._evolve(rendered, batch)
            revision = (batch[-1].revision() or 0) if batch else revision
        return content

    def read_back(self, content: bytes) -> bytes | None:
        """What a class writes of what it has read; a handler cannot be asked that alone."""
        if self._codec is None:
            return content
        load, dump = self._codec
        context = self._context(0)
        written: bytes | None = dump(load(content, context), context)
        return written

    def _context(self, revision: int) -> StateViewContext:
        return StateViewContext("history", "view", 1, revision, _EPOCH, self._content_type)


def shown_content(content: bytes | None) -> str:
    """Content in one line."""
    if content is None:
        return "none"
    try:
        return words.value(loads(content))
    except EvidentSourceError:
        return words.value(content)


def shown_history(history: Sequence[Event]) -> str:
    """What happened, a line an event."""
    return "\n".join(["history", *(f"  {line}" for line in words.history_lines(history))])
