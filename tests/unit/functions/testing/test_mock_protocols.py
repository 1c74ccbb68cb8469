"""What a decide is given: mocks and reference snapshots keep its protocols, checked by mypy too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from evidentsource_core import EventSubject, Parameter, Selector, SubjectAttribute
from evidentsource_core.domain.definitions import StateViewDefinition
from evidentsource_core.domain.identifiers import StateViewName
from evidentsource_core.reference import DatabaseSnapshot, ReferenceDatabase, SpeculativeSnapshot
from evidentsource_functions import DatabaseAccess, SpeculativeDatabase
from evidentsource_functions.testing import (
    MockDatabase,
    MockDatabaseAtEffectiveTimestamp,
    MockDatabaseAtRevision,
    MockSpeculativeDatabase,
    create_prospective_event,
)

NOW = datetime(2024, 1, 1, tzinfo=UTC)


def as_accesses(
    snapshot: DatabaseSnapshot,
    mock: MockDatabase,
    at_revision: MockDatabaseAtRevision,
    at_time: MockDatabaseAtEffectiveTimestamp,
) -> list[DatabaseAccess]:
    """The type checker accepts each of them where a decide wants its database."""
    first: DatabaseAccess = snapshot
    second: DatabaseAccess = mock
    third: DatabaseAccess = at_revision
    fourth: DatabaseAccess = at_time
    return [first, second, third, fourth]


def as_speculative(
    snapshot: SpeculativeSnapshot, mock: MockSpeculativeDatabase
) -> list[SpeculativeDatabase]:
    """The type checker accepts each of them where a decide has speculated."""
    first: SpeculativeDatabase = snapshot
    second: SpeculativeDatabase = mock
    return [first, second]


def accesses() -> list[DatabaseAccess]:
    mock = MockDatabase("bank")
    return as_accesses(
        ReferenceDatabase("bank").latest(),
        mock,
        mock.at_revision(0),
        mock.at_effective_timestamp(NOW),
    )


def test_they_are_instances_of_the_protocols() -> None:
    for database in accesses():
        assert isinstance(database, DatabaseAccess)
        speculated = database.speculate_with_transaction([create_prospective_event("x")])
        assert isinstance(speculated, SpeculativeDatabase)
        assert isinstance(speculated.basis, DatabaseAccess)


def test_the_same_calls_by_keyword_work_on_each_of_them() -> None:
    for database in accesses():
        speculated = database.speculate_with_transaction(events=[create_prospective_event("x")])
        for readable in (
            database,
            database.at_revision(revision=0),
            database.at_effective_timestamp(timestamp=NOW),
            speculated,
            speculated.at_effective_timestamp(timestamp=NOW),
            speculated.speculate_with_transaction(events=[]),
        ):
            assert readable.name == "bank"
            assert readable.query_events(selector=Selector.subject("nobody"), limit=1) == []
            assert readable.view_state(name="none", version=1, parameters=None) is None


@pytest.mark.parametrize(
    "parameters",
    [
        {"account": "a-1"},
        [("account", "a-1")],
        {"account": SubjectAttribute(EventSubject("a-1"))},
        [("account", EventSubject("a-1"))],
    ],
)
def test_a_view_reads_alike_from_a_mock_and_from_the_reference_database(parameters: Any) -> None:
    selector = Parameter.subject("account")
    event = create_prospective_event("x", "a-1", stream="accounts")
    reference = ReferenceDatabase("bank", clock=lambda: NOW)
    definition = StateViewDefinition(StateViewName("count"), selector)

    def count(view: Any, events: list[Any]) -> bytes:
        return str(int(view.content or b"0") + len(events)).encode()

    reference.publish_state_view(definition, count)
    reference.transact([event])
    mock = MockDatabase("bank").with_revision_timestamp(NOW).with_events([event])
    mock.publish_state_view("count", count, selector)
    ours = mock.view_state("count", 1, parameters=parameters)
    assert ours == reference.latest().view_state("count", 1, parameters=parameters)
    assert ours is not None
    assert ours.content == b"1"
    assert mock.all_events() == reference.latest().query_events(Selector.subject("a-1"))
