"""Short events, days, and what a refusal must leave as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from evidentsource_core import Event, EventSelector, EvidentSourceError, ProspectiveEvent, Selector
from evidentsource_core.domain.selectors import any_of
from evidentsource_runtime.contract.driver import Capability, DatabaseUnderTest

_Test = TypeVar("_Test", bound=Callable[..., Any])

START = datetime(2024, 1, 1, tzinfo=UTC)


def needs(*capabilities: Capability) -> Callable[[_Test], _Test]:
    """Skip a test, or each one of a class, where the database says that it lacks one of these."""

    def mark(test: _Test) -> _Test:
        tests = [test]
        if isinstance(test, type):
            tests = [each for name, each in vars(test).items() if name.startswith("test_")]
        for each in tests:
            vars(each)["needs"] = (*vars(each).get("needs", ()), *capabilities)
        return test

    return mark


def day(number: int) -> datetime:
    """Midnight of a day in UTC; the first, 0, is that of 1 January 2024."""
    return START + timedelta(days=number)


def event(
    event_id: str,
    subject: str | None = "a-1",
    *,
    stream: str = "accounts",
    event_type: str = "account.credited",
    **fields: Any,
) -> ProspectiveEvent:
    """An event of which a test says only what matters to it."""
    return ProspectiveEvent(event_id, stream, event_type, subject, **fields)


def everything() -> EventSelector:
    """Every event whose stream starts with a small letter, as each of the contract's does."""
    return any_of([Selector.stream_starts_with(letter) for letter in "abcdefghijklmnopqrstuvwxyz"])


def ids(events: Iterable[Event]) -> list[str]:
    """The ids of events, in their order."""
    return [each.id for each in events]


def contents(database: DatabaseUnderTest) -> object:
    """Everything that a commit could change."""
    latest = database.latest()
    log = [(each.id, each.basis, each.revision, tuple(each.events)) for each in database.log()]
    return (latest.revision, latest.revision_timestamp, latest.query_events(everything()), log)


@contextmanager
def refused(
    database: DatabaseUnderTest, error: type[EvidentSourceError]
) -> Iterator[pytest.ExceptionInfo[EvidentSourceError]]:
    """What is called within is refused with ``error``, and nothing is written."""
    before = contents(database)
    with pytest.raises(error) as caught:
        yield caught
    assert contents(database) == before, "what was refused has written something"
