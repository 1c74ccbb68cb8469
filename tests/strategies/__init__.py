"""Hypothesis strategies for the domain: every value the contract can carry, extremes included."""

from evidentsource_runtime.testing.strategies import (
    conditions,
    event_attributes,
    extensions,
    moments,
    prospective_events,
    query_options,
    selectors,
    texts,
)
from evidentsource_runtime.testing.strategies import stored_events as events

__all__ = [
    "conditions",
    "event_attributes",
    "events",
    "extensions",
    "moments",
    "prospective_events",
    "query_options",
    "selectors",
    "texts",
]
