"""Hypothesis strategies: events, histories, selectors, conditions, and commands of a dataclass.

>>> from hypothesis import given, strategies as st
>>> from evidentsource_runtime.testing.strategies import events, histories
>>> credited = events("account.credited", stream="accounts", subject="ann", amount=st.integers(1, 9))
>>> @given(histories(of=[credited], min_size=1))
... def test_amounts_are_positive(history):
...     assert all(event.data_as_json()["amount"] > 0 for event in history)
>>> test_amounts_are_positive()
"""

import evidentsource_runtime.testing._hypothesis  # noqa: F401 - says what to install
from evidentsource_runtime.testing.strategies.commands import (
    CommandUnknown,
    commands,
    values,
)
from evidentsource_runtime.testing.strategies.domain import (
    conditions,
    event_attributes,
    extensions,
    moments,
    prospective_events,
    query_options,
    selectors,
    stored_events,
    texts,
)
from evidentsource_runtime.testing.strategies.events import (
    events,
    histories,
)

__all__ = [
    "CommandUnknown",
    "commands",
    "conditions",
    "event_attributes",
    "events",
    "extensions",
    "histories",
    "moments",
    "prospective_events",
    "query_options",
    "selectors",
    "stored_events",
    "texts",
    "values",
]
