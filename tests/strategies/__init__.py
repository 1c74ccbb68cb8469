"""Hypothesis strategies for the domain: every value the contract can carry, extremes included."""

from tests.strategies.domain import (
    conditions,
    event_attributes,
    events,
    extensions,
    moments,
    prospective_events,
    query_options,
    selectors,
    texts,
)

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
