"""When a view was last modified, after a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_core.domain.events import Event
from evidentsource_core.domain.extensions import TimestampExtension
from evidentsource_core.domain.identifiers import RECORDEDTIME_KEY
from evidentsource_core.domain.state_view import RenderedStateView
from evidentsource_core.times import parse_rfc3339


def after(
    state: RenderedStateView, content: bytes | None, batch: Sequence[Event]
) -> RenderedStateView:
    """The view after a batch: last modified by its event of the highest revision.

    In the order of effective time, that need not be the last one.
    """
    newest = max(batch, key=lambda event: event.revision() or 0, default=None)
    revision = newest.revision() if newest is not None else None
    if newest is None or revision is None or revision <= state.last_modified_revision:
        return replace(state, content=content)
    recorded_at = _recorded_at(newest)
    return RenderedStateView(
        state.context,
        content,
        revision,
        state.last_modified_timestamp if recorded_at is None else recorded_at,
    )


def _recorded_at(event: Event) -> datetime | None:
    value = event.extension(RECORDEDTIME_KEY)
    if isinstance(value, TimestampExtension):
        return value.value
    try:
        return None if value is None else parse_rfc3339(str(value.value))
    except EvidentSourceError:
        return None
